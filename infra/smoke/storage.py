"""Tables, queues and secrets as they are, against what the template declares of them."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.local.template import SECRETS
from infra.smoke.account import Account
from infra.smoke.policies import has_statements, is_under
from infra.smoke.result import Judgement, Result, asked, held, judged, of_kind, weighed

TABLE, QUEUE = "AWS::DynamoDB::Table", "AWS::SQS::Queue"
_NO_POLICY = ("PolicyNotFoundException", "ResourceNotFoundException")
_LONGEST_RECOVERY = 35

type Json = dict[str, Any]


def tables(account: Account) -> Iterator[Result]:
    """Encryption, protection, recovery, expiry, stream and resource policies of each table."""
    yield from of_kind("tables", account.of(TABLE), TABLE)
    client = account.client("dynamodb")
    for logical, declared in account.declared(TABLE).items():
        name = account.physical(logical)
        told = asked("table", logical, client.describe_table, TableName=name, pick="Table")
        if isinstance(told, Result):
            yield told
            continue
        yield from _description(account, logical, declared, told)
        judge = partial(_recovery, account, declared["PointInTimeRecoverySpecification"])
        yield judged("table.recovery", logical, judge, client.describe_continuous_backups, TableName=name)
        for check, within, arn in (
            ("table.policy", declared, told["TableArn"]),
            ("stream.policy", declared["StreamSpecification"], told.get("LatestStreamArn")),
        ):
            if "ResourcePolicy" in within and arn:
                judge, ask = (
                    partial(_policy, account, within["ResourcePolicy"]["PolicyDocument"]),
                    client.get_resource_policy,
                )
                yield judged(check, logical, judge, ask, missing=_NO_POLICY, ResourceArn=arn)
        judge = partial(_expiry, account, declared.get("TimeToLiveSpecification"))
        yield judged("table.expiry", logical, judge, client.describe_time_to_live, TableName=name)


def _description(account: Account, logical: str, declared: Json, told: Json) -> Iterator[Result]:
    sse = told.get("SSEDescription", {})
    used = str(sse.get("KMSMasterKeyArn", ""))
    is_encrypted = sse.get("Status") == "ENABLED" and is_under(
        account, used, declared["SSESpecification"]["KMSMasterKeyId"]
    )
    yield held("table.encryption", logical, is_encrypted, f"under {used or 'no key'}")
    yield held("table.protection", logical, told.get("DeletionProtectionEnabled"), "it can be deleted")
    stream = told.get("StreamSpecification", {}).get("StreamViewType")
    wanted = declared["StreamSpecification"]["StreamViewType"]
    yield held("table.stream", logical, stream == wanted, f"stream {stream}")


def _recovery(account: Account, wanted: Json, told: Json) -> Judgement:
    """For as many days as declared: fewer recover less, and more outlive an erasure."""
    recovery = told["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    state, days = recovery["PointInTimeRecoveryStatus"], recovery.get("RecoveryPeriodInDays", _LONGEST_RECOVERY)
    is_as_long = str(days) == str(account.resolved(wanted).get("RecoveryPeriodInDays", _LONGEST_RECOVERY))
    return state == "ENABLED" and is_as_long, f"point in time recovery {state}, {days} days"


def _expiry(account: Account, wanted: Json | None, told: Json) -> Judgement:
    """By the attribute that is declared; where none is, nothing expires."""
    state, name = told["TimeToLiveDescription"]["TimeToLiveStatus"], told["TimeToLiveDescription"].get("AttributeName")
    if wanted is None:
        return state in ("DISABLED", "DISABLING"), f"items expire by {name}"
    is_on = state in ("ENABLED", "ENABLING")
    return is_on and name == account.resolved(wanted)["AttributeName"], f"{state} by {name}"


def _policy(account: Account, wanted: Json, told: Json | None) -> Judgement:
    return has_statements(account, wanted, told["Policy"] if told else None)


def queues(account: Account) -> Iterator[Result]:
    """Encryption and policy of each queue, and where what cannot be handled goes."""
    yield from of_kind("queues", account.of(QUEUE), QUEUE)
    client, policies = account.client("sqs"), _queue_policies(account)
    for logical, declared in account.declared(QUEUE).items():
        url = account.physical(logical)
        told = asked("queue", logical, client.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])
        if isinstance(told, Result):
            yield told
            continue
        attributes = told.get("Attributes", {})
        is_encrypted = attributes.get("SqsManagedSseEnabled") == "true" or attributes.get("KmsMasterKeyId")
        yield held("queue.encryption", logical, is_encrypted, "it is not encrypted")
        check = "queue.policy" if logical in policies else "queue.closed"
        yield weighed(check, logical, has_statements, account, policies.get(logical), attributes.get("Policy"))
        if "RedrivePolicy" in declared:
            target = declared["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
            wanted = account.physical(target).rpartition("/")[2]
            redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
            is_there = str(redrive.get("deadLetterTargetArn", "")).endswith(f":{wanted}")
            yield held("queue.redrive", logical, is_there, "what cannot be handled is lost")


def _queue_policies(account: Account) -> dict[str, Json]:
    declared = account.template.resources("AWS::SQS::QueuePolicy")
    return {queue["Ref"]: each["PolicyDocument"] for _, each in declared for queue in each["Queues"]}


def secrets(account: Account) -> Iterator[Result]:
    """Who may read each secret."""
    client = account.client("secretsmanager")
    declared = account.template.resources("AWS::SecretsManager::ResourcePolicy")
    policies = {each["SecretId"]["Ref"]: each["ResourcePolicy"] for _, each in declared}
    for logical in account.declared(SECRETS):
        judge, arn = partial(_secret_policy, account, policies.get(logical)), account.physical(logical)
        yield judged("secret.policy", logical, judge, client.get_resource_policy, SecretId=arn)


def _secret_policy(account: Account, wanted: Json | None, told: Json) -> Judgement:
    return has_statements(account, wanted, told.get("ResourcePolicy"))
