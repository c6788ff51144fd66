"""The check of a deployed account: what is as declared passes, and every weakening of it is found by name."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from infra.admin.installation import Stack
from infra.local.process import LocalProcess
from infra.local.resources import ACCOUNT, REGION
from infra.local.template import Template
from infra.smoke import __main__ as smoke
from infra.smoke import buckets, permissions, storage, tried, watch
from infra.smoke.account import Account
from infra.smoke.policies import has_statements
from infra.smoke.result import Result, State
from tests.aws_stack import NOWHERE

type Json = dict[str, Any]
type Group = Callable[[Account], Iterator[Result]]

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Days: { Type: Number, Default: 7 }
  Years: { Type: Number, Default: 1 }
Resources:
  DataKey:
    Type: AWS::KMS::Key
    Properties:
      EnableKeyRotation: true
      KeyPolicy:
        Version: "2012-10-17"
        Statement: [{ Sid: Roles, Effect: Allow, Principal: { AWS: "*" }, Action: "kms:*", Resource: "*" }]
  AuditTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      DeletionProtectionEnabled: true
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }
      SSESpecification: { SSEEnabled: true, SSEType: KMS, KMSMasterKeyId: !GetAtt DataKey.Arn }
      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }
      TimeToLiveSpecification: { AttributeName: expires, Enabled: true }
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      ResourcePolicy:
        PolicyDocument:
          Version: "2012-10-17"
          Statement:
            - Sid: Nobody
              Effect: Deny
              Principal: "*"
              Action: ["dynamodb:UpdateItem", "dynamodb:DeleteItem"]
              Resource: "*"
  DocumentsBucket:
    Type: AWS::S3::Bucket
    Properties:
      ObjectLockEnabled: true
      ObjectLockConfiguration:
        ObjectLockEnabled: Enabled
        Rule: { DefaultRetention: { Mode: COMPLIANCE, Years: !Ref Years } }
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: { SSEAlgorithm: aws:kms, KMSMasterKeyID: !GetAtt DataKey.Arn }
      VersioningConfiguration: { Status: Enabled }
      LifecycleConfiguration:
        Rules: [{ Id: former, Status: Enabled, NoncurrentVersionExpiration: { NoncurrentDays: !Ref Days } }]
  Lost:
    Type: AWS::SQS::Queue
    Properties: { SqsManagedSseEnabled: true }
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      SqsManagedSseEnabled: true
      RedrivePolicy: { deadLetterTargetArn: !GetAtt Lost.Arn, maxReceiveCount: 5 }
  Shared:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{ Sid: Read, Effect: Allow, Action: ["dynamodb:GetItem"], Resource: !GetAtt AuditTable.Arn }]
  WorkRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: { Version: "2012-10-17", Statement: [] }
      ManagedPolicyArns: [!Ref Shared]
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{ Sid: Write, Effect: Allow, Action: ["dynamodb:PutItem"], Resource: !GetAtt AuditTable.Arn }]
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: { RetentionInDays: 30, LogGroupName: work-UNIQUE }
  Topic:
    Type: AWS::SNS::Topic
    Properties: { TopicName: alarms-UNIQUE }
"""
# more than the template says by default: it is what the stack was given that counts
GIVEN = [{"ParameterKey": "Days", "ParameterValue": "30"}, {"ParameterKey": "Years", "ParameterValue": "10"}]
BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


@dataclass
class Deployed:
    """A stack of moto's CloudFormation, as if it were deployed."""

    name: str
    is_local: bool = False

    def client(self, service: str) -> Any:
        made: Any = boto3.client(service, region_name=REGION)  # type: ignore[call-overload]
        return made


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """A small stack that is as its template says, what moto's CloudFormation overlooks put in."""
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "template.yaml"
    # other tests of the same process share moto with this one
    unique = uuid4().hex
    file.write_text(TEMPLATE.replace("UNIQUE", unique), encoding="utf-8")
    template = Template(file)
    with mock_aws():
        deployed: Any = Deployed(f"dmp-{unique}")
        content = json.dumps(template._content)
        deployed.client("cloudformation").create_stack(StackName=deployed.name, TemplateBody=content, Parameters=GIVEN)
        account = Account(deployed, template)
        complete(account)
        yield account


def complete(account: Account) -> None:
    from moto.kms.models import kms_backends
    from moto.logs.models import logs_backends

    key: Any = kms_backends[ACCOUNT][REGION].keys[account.physical("DataKey")]
    key.policy = json.dumps(key.policy)
    table, bucket = account.physical("AuditTable"), account.physical("DocumentsBucket")
    database, store = account.client("dynamodb"), account.client("s3")
    encrypt(account, key.arn)
    recovery = {"PointInTimeRecoveryEnabled": True}
    database.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)
    ttl = {"AttributeName": "expires", "Enabled": True}
    database.update_time_to_live(TableName=table, TimeToLiveSpecification=ttl)
    arn = database.describe_table(TableName=table)["Table"]["TableArn"]
    policy = account.declared(storage.TABLE)["AuditTable"]["ResourcePolicy"]["PolicyDocument"]
    database.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy))
    store.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=BLOCKED)
    owned = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    store.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=owned)
    live(account, days=30)
    lock(account, mode="COMPLIANCE", years=10)
    # moto's CloudFormation writes policies of roles as no JSON
    write = {"Sid": "Write", "Effect": "Allow", "Action": ["dynamodb:PutItem"], "Resource": arn}
    policy = {"Version": "2012-10-17", "Statement": [write]}
    role = account.physical("WorkRole")
    account.client("iam").put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(policy))
    group: Any = logs_backends[ACCOUNT][REGION].groups[account.physical("Logs")]
    group.kms_key_id = key.arn
    account.client("sns").subscribe(TopicArn=account.physical("Topic"), Protocol="email", Endpoint="a@example.org")
    account.client("cloudwatch").put_metric_alarm(
        AlarmName="lost", AlarmActions=[account.physical("Topic")], ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1, MetricName="m", Namespace="n", Period=60, Statistic="Sum", Threshold=0,
    )  # fmt: skip
    # moto's CloudFormation makes no alarms
    account._resources["Alarm"] = (watch.ALARM, "lost")


def live(account: Account, days: int) -> None:
    rule = {
        "ID": "former",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": days},
    }
    account.client("s3").put_bucket_lifecycle_configuration(
        Bucket=account.physical("DocumentsBucket"), LifecycleConfiguration={"Rules": [rule]}
    )


def lock(account: Account, mode: str, years: int) -> None:
    retention = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, "Years": years}}}
    account.client("s3").put_object_lock_configuration(
        Bucket=account.physical("DocumentsBucket"), ObjectLockConfiguration=retention
    )


def encrypt(account: Account, key: str) -> None:
    """Put a table under a key, which moto does at its creation alone."""
    from moto.dynamodb.models import dynamodb_backends

    table: Any = dynamodb_backends[ACCOUNT][REGION].get_table(account.physical("AuditTable"))
    table.sse_specification = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}


def failures(account: Account, *groups: Group) -> set[str]:
    return {one.check for group in groups for one in group(account) if one.state is State.FAILED}


ALL: tuple[Group, ...] = (
    *(permissions.keys, permissions.roles, storage.tables, buckets.buckets, storage.queues),
    *(watch.logs, watch.alarms),
)


def test_what_is_as_declared_passes(account: Account) -> None:
    results = [one for group in ALL for one in group(account)]

    assert [one for one in results if one.state is not State.OK] == []
    assert len({one.check for one in results}) >= 20


def no_rotation(account: Account) -> None:
    account.client("kms").disable_key_rotation(KeyId=account.physical("DataKey"))


def key_disabled(account: Account) -> None:
    account.client("kms").disable_key(KeyId=account.physical("DataKey"))


def key_to_be_deleted(account: Account) -> None:
    account.client("kms").schedule_key_deletion(KeyId=account.physical("DataKey"), PendingWindowInDays=7)


def other_key_policy(account: Account) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Any", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}],
    }
    account.client("kms").put_key_policy(
        KeyId=account.physical("DataKey"), PolicyName="default", Policy=json.dumps(policy)
    )


def no_recovery(account: Account) -> None:
    off = {"PointInTimeRecoveryEnabled": False}
    account.client("dynamodb").update_continuous_backups(
        TableName=account.physical("AuditTable"), PointInTimeRecoverySpecification=off
    )


def no_protection(account: Account) -> None:
    account.client("dynamodb").update_table(TableName=account.physical("AuditTable"), DeletionProtectionEnabled=False)


def other_table_key(account: Account) -> None:
    encrypt(account, "arn:aws:kms:eu-west-3:123456789012:key/other")


def no_stream(account: Account) -> None:
    off = {"StreamEnabled": False}
    account.client("dynamodb").update_table(TableName=account.physical("AuditTable"), StreamSpecification=off)


def weaker_table_policy(account: Account) -> None:
    client = account.client("dynamodb")
    arn = client.describe_table(TableName=account.physical("AuditTable"))["Table"]["TableArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": ["dynamodb:DeleteItem"], "Resource": "*"}
        ],
    }
    client.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy))


def public_bucket(account: Account) -> None:
    weaker = BLOCKED | {"RestrictPublicBuckets": False}
    account.client("s3").put_public_access_block(
        Bucket=account.physical("DocumentsBucket"), PublicAccessBlockConfiguration=weaker
    )


def no_block_at_all(account: Account) -> None:
    account.client("s3").delete_public_access_block(Bucket=account.physical("DocumentsBucket"))


def other_bucket_key(account: Account) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    account.client("s3").put_bucket_encryption(
        Bucket=account.physical("DocumentsBucket"), ServerSideEncryptionConfiguration={"Rules": [rule]}
    )


def no_versions(account: Account) -> None:
    off = {"Status": "Suspended"}
    account.client("s3").put_bucket_versioning(Bucket=account.physical("DocumentsBucket"), VersioningConfiguration=off)


def no_life_cycle(account: Account) -> None:
    account.client("s3").delete_bucket_lifecycle(Bucket=account.physical("DocumentsBucket"))


def looser_lock(account: Account) -> None:
    lock(account, mode="GOVERNANCE", years=10)


def shorter_lock(account: Account) -> None:
    lock(account, mode="COMPLIANCE", years=9)


def longer_life(account: Account) -> None:
    live(account, days=31)


def key_policy_that_says_less(account: Account) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "Roles", "Effect": "Allow", "Action": "kms:Decrypt"}]}
    account.client("kms").put_key_policy(
        KeyId=account.physical("DataKey"), PolicyName="default", Policy=json.dumps(policy)
    )


def owners_of_objects(account: Account) -> None:
    account.client("s3").delete_bucket_ownership_controls(Bucket=account.physical("DocumentsBucket"))


def plain_queue(account: Account) -> None:
    off = {"SqsManagedSseEnabled": "false"}
    account.client("sqs").set_queue_attributes(QueueUrl=account.physical("Lost"), Attributes=off)


def no_redrive(account: Account) -> None:
    account.client("sqs").set_queue_attributes(QueueUrl=account.physical("Queue"), Attributes={"RedrivePolicy": ""})


def wider_role(account: Account) -> None:
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a"}}
    account.client("iam").put_role_policy(
        RoleName=account.physical("WorkRole"), PolicyName="more", PolicyDocument=json.dumps(policy)
    )


def role_over_everything(account: Account) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}],
    }
    account.client("iam").put_role_policy(
        RoleName=account.physical("WorkRole"), PolicyName="own", PolicyDocument=json.dumps(policy)
    )


def foreign_policy(account: Account) -> None:
    client = account.client("iam")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:eu-west-3:123456789012:key/a"}
        ],
    }
    arn = client.create_policy(PolicyName="foreign", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
    client.attach_role_policy(RoleName=account.physical("WorkRole"), PolicyArn=arn)


def logs_for_ever(account: Account) -> None:
    account.client("logs").delete_retention_policy(logGroupName=account.physical("Logs"))


def silent_alarm(account: Account) -> None:
    account.client("cloudwatch").disable_alarm_actions(AlarmNames=["lost"])


def unheard_alarm(account: Account) -> None:
    client = account.client("sns")
    for one in client.list_subscriptions_by_topic(TopicArn=account.physical("Topic"))["Subscriptions"]:
        client.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


PLANTED: list[tuple[Callable[[Account], None], str]] = [
    (no_rotation, "key.rotation"), (key_disabled, "key.state"), (key_to_be_deleted, "key.state"),
    (other_key_policy, "key.policy"), (no_recovery, "table.recovery"), (no_protection, "table.protection"),
    (other_table_key, "table.encryption"), (no_stream, "table.stream"), (weaker_table_policy, "table.policy"),
    (public_bucket, "bucket.public"), (no_block_at_all, "bucket.public"), (other_bucket_key, "bucket.encryption"),
    (no_versions, "bucket.versions"), (no_life_cycle, "bucket.life"), (looser_lock, "bucket.lock"),
    (shorter_lock, "bucket.lock"), (longer_life, "bucket.life"), (key_policy_that_says_less, "key.policy"),
    (owners_of_objects, "bucket.ownership"), (plain_queue, "queue.encryption"), (no_redrive, "queue.redrive"),
    (wider_role, "role.actions"), (role_over_everything, "role.resources"), (foreign_policy, "role.actions"),
    (logs_for_ever, "log.retention"), (silent_alarm, "alarm.tells"), (unheard_alarm, "alarm.heard"),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "check"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_every_weakening_is_found(account: Account, plant: Callable[[Account], None], check: str) -> None:
    plant(account)

    assert failures(account, *ALL) == {check}


@pytest.mark.parametrize("dropped", ["TlsOnly", "Ages"])
def test_a_policy_without_a_statement_or_with_a_weaker_one_is_found(dropped: str) -> None:
    tls = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    ages = {
        "Sid": "Ages",
        "Effect": "Deny",
        "Action": ["s3:GetObject"],
        "Condition": {"NumericGreaterThan": {"s3:signatureAge": "1"}},
    }
    declared = {"Statement": [tls, ages]}
    without = {"Statement": [one for one in (tls, ages) if one["Sid"] != dropped]}
    weaker = {"Statement": [one if one["Sid"] != dropped else one | {"Effect": "Allow"} for one in (tls, ages)]}
    loose = {"Bool": {"aws:SecureTransport": "true"}, "NumericGreaterThan": {"s3:signatureAge": "9999"}}
    looser = {"Statement": [one if one["Sid"] != dropped else one | {"Condition": loose} for one in (tls, ages)]}

    told = [has_statements(json.dumps(one), declared) for one in (declared, without, weaker, looser)]

    assert [holds for holds, _ in told] == [True, False, False, False]
    assert dropped in told[1][1]


def test_what_the_caller_may_not_ask_is_not_called_a_failure(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    client = account.client("kms")

    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeKey")

    monkeypatch.setattr(client, "describe_key", denied)
    monkeypatch.setattr(account, "client", lambda _: client)

    [result] = list(permissions.keys(account))

    assert (result.state, "DescribeKey" in result.why) == (State.UNCHECKED, True)


@pytest.fixture
def unlocked(account: Account) -> Account:
    """The same with a bucket whose objects can be deleted, and that refuses nothing."""
    client, name = account.client("s3"), f"unlocked-{uuid4().hex}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    account._resources["DocumentsBucket"] = (buckets.BUCKET, name)
    return account


def test_a_bucket_that_takes_anything_is_found(unlocked: Account) -> None:
    found = {one.check for one in tried.bucket(unlocked) if one.state is State.FAILED}

    assert found >= {"bucket.tls", "bucket.key"}


def test_nothing_that_was_tried_is_left(unlocked: Account) -> None:
    list(tried.bucket(unlocked))

    assert (
        unlocked.client("s3").list_object_versions(Bucket=unlocked.physical("DocumentsBucket")).get("Versions", [])
        == []
    )


# --- the local stack


@pytest.fixture(scope="module")
def local() -> Iterator[LocalProcess]:
    with LocalProcess(seed="none", LOG_LEVEL="ERROR") as stack:
        yield stack


def test_addresses_that_take_anything_are_found(local: LocalProcess) -> None:
    here = Account(Stack("", None, local=local.url))

    found = {one.check for one in tried.bucket(here) if one.state is State.FAILED}

    # moto takes what the address was not made for; that it takes what it was made for came first
    assert found >= {"signed.length", "signed.type", "signed.expired"}


def test_addresses_prove_nothing_where_what_they_are_for_is_refused(unlocked: Account) -> None:
    told = tried.signed(
        unlocked.client("s3"),
        unlocked.physical("DocumentsBucket"),
        "arn:aws:kms:eu-west-3:1:key/x",
        "http://127.0.0.1:9",
    )

    assert {one.state for one in told} == {State.UNCHECKED}


def test_the_local_stack_fails_in_nothing_and_says_what_it_cannot_show(
    local: LocalProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    code = smoke.main(["--local", local.url, "--output", "json"])

    results = json.loads(capsys.readouterr().out)
    assert [one for one in results if one["state"] == "failed"] == []
    assert code == 0
    ok = {one["check"] for one in results if one["state"] == "ok"}
    assert ok >= {
        "api.token",
        "api.metadata",
        "table.protection",
        "table.stream",
        "bucket.versions",
        "queue.encryption",
    }
    assert ok.isdisjoint(smoke.NOT_LOCAL)


@pytest.mark.parametrize(
    ("path", "outputs", "states"),
    [
        ("/fhir", {"DomainTarget": "d-1.execute-api.eu-west-3.amazonaws.com"}, [State.FAILED]),
        ("/local/closed", {"DomainTarget": "d-1.execute-api.eu-west-3.amazonaws.com"}, [State.OK]),
        ("/fhir", {"DomainTarget": "d-1.execute-api.eu-west-3.amazonaws.com", "Edge": "arn"}, []),
        ("/fhir", {}, []),
    ],
)
def test_beside_a_name_of_its_own_the_api_answers_by_no_other(
    local: LocalProcess, account: Account, path: str, outputs: dict[str, str], states: list[State]
) -> None:
    account.outputs = {"Base": f"{local.url}{path}"} | outputs

    results = list(tried.other_name(account))

    assert [one.state for one in results] == states


def test_a_stack_that_does_not_answer_ends_with_a_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert smoke.main(["--local", "http://127.0.0.1:9"]) == 4
    assert "cannot be asked" in capsys.readouterr().err
