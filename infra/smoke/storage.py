"""Tables, buckets and queues as they are, against what the template declares of them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.smoke.account import Account, certain
from infra.smoke.result import Result, asked, held, of_kind

TABLE, BUCKET, QUEUE = "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue"
_FULL_ENCRYPTION = "aws:kms"

type Json = dict[str, Any]


def tables(account: Account) -> Iterator[Result]:
    """Encryption, protection, recovery, stream and resource policy of each table."""
    yield from of_kind("tables", account.of(TABLE), TABLE)
    client = account.client("dynamodb")
    for logical, declared in account.declared(TABLE).items():
        name = account.physical(logical)
        told = asked("table", logical, client.describe_table, TableName=name, pick="Table")
        if isinstance(told, Result):
            yield told
            continue
        key = named_key(account, declared["SSESpecification"]["KMSMasterKeyId"])
        sse = told.get("SSEDescription", {})
        used = str(sse.get("KMSMasterKeyArn", ""))
        yield held(
            "table.encryption",
            logical,
            sse.get("Status") == "ENABLED" and is_key(used, key),
            f"under {used or 'no key'}",
        )
        yield held("table.protection", logical, told.get("DeletionProtectionEnabled"), "it can be deleted")
        stream = told.get("StreamSpecification", {}).get("StreamViewType")
        yield held(
            "table.stream", logical, stream == declared["StreamSpecification"]["StreamViewType"], f"stream {stream}"
        )
        yield from _recovery(client, logical, name)
        if "ResourcePolicy" in declared:
            yield from _table_policy(client, logical, told["TableArn"], declared["ResourcePolicy"]["PolicyDocument"])
        if "TimeToLiveSpecification" in declared:
            yield from _time_to_live(client, logical, name)


def _recovery(client: Any, logical: str, name: str) -> Iterator[Result]:
    told = asked("table.recovery", logical, client.describe_continuous_backups, TableName=name)
    if isinstance(told, Result):
        yield told
        return
    state = told["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    yield held("table.recovery", logical, state == "ENABLED", f"point in time recovery {state}")


def _time_to_live(client: Any, logical: str, name: str) -> Iterator[Result]:
    told = asked("table.expiry", logical, client.describe_time_to_live, TableName=name, pick="TimeToLiveDescription")
    if isinstance(told, Result):
        yield told
        return
    yield held("table.expiry", logical, told["TimeToLiveStatus"] in ("ENABLED", "ENABLING"), told["TimeToLiveStatus"])


def _table_policy(client: Any, logical: str, arn: str, declared: Json) -> Iterator[Result]:
    told = asked(
        "table.policy", logical, client.get_resource_policy, ResourceArn=arn, pick="Policy",
        missing=("PolicyNotFoundException", "ResourceNotFoundException"),
    )  # fmt: skip
    yield told if isinstance(told, Result) else _statements("table.policy", logical, told, declared)


def buckets(account: Account) -> Iterator[Result]:
    """Encryption, versions, ownership, public access, lock, life cycle and policy of each bucket."""
    yield from of_kind("buckets", account.of(BUCKET), BUCKET)
    policies = {
        each["Bucket"]["Ref"]: each["PolicyDocument"] for _, each in account.template.resources("AWS::S3::BucketPolicy")
    }
    for logical, declared in account.declared(BUCKET).items():
        name = account.physical(logical)
        yield from _encryption(account, logical, name, declared)
        yield from _access(account, logical, name)
        yield from _keeping(account, logical, name, declared)
        if logical in policies:
            client = account.client("s3")
            told = asked(
                "bucket.policy", logical, client.get_bucket_policy, Bucket=name, pick="Policy",
                missing=("NoSuchBucketPolicy",),
            )  # fmt: skip
            is_result = isinstance(told, Result)
            yield told if is_result else _statements("bucket.policy", logical, told, policies[logical])


def _encryption(account: Account, logical: str, name: str, declared: Json) -> Iterator[Result]:
    client = account.client("s3")
    told = asked(
        "bucket.encryption", logical, client.get_bucket_encryption, Bucket=name,
        missing=("ServerSideEncryptionConfigurationNotFoundError",),
    )  # fmt: skip
    if isinstance(told, Result):
        yield told
        return
    [rule] = declared["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    wanted = rule["ServerSideEncryptionByDefault"]
    rules = told["ServerSideEncryptionConfiguration"]["Rules"] if told else [{}]
    found = rules[0].get("ApplyServerSideEncryptionByDefault", {})
    is_as_wanted = found.get("SSEAlgorithm") == wanted["SSEAlgorithm"]
    if wanted["SSEAlgorithm"] == _FULL_ENCRYPTION:
        key = named_key(account, wanted["KMSMasterKeyID"])
        is_as_wanted = is_as_wanted and is_key(str(found.get("KMSMasterKeyID", "")), key)
    yield held("bucket.encryption", logical, is_as_wanted, f"by default {found or 'none'}")


def _access(account: Account, logical: str, name: str) -> Iterator[Result]:
    client = account.client("s3")
    told = asked(
        "bucket.public", logical, client.get_public_access_block, Bucket=name,
        missing=("NoSuchPublicAccessBlockConfiguration",),
    )  # fmt: skip
    if isinstance(told, Result):
        yield told
    else:
        blocked = told["PublicAccessBlockConfiguration"] if told else {}
        yield held(
            "bucket.public", logical, len(blocked) == 4 and all(blocked.values()), "public access is not blocked"
        )
    told = asked(
        "bucket.ownership", logical, client.get_bucket_ownership_controls, Bucket=name,
        missing=("OwnershipControlsNotFoundError",),
    )  # fmt: skip
    if isinstance(told, Result):
        yield told
        return
    rules = told["OwnershipControls"]["Rules"] if told else [{}]
    yield held(
        "bucket.ownership", logical, rules[0].get("ObjectOwnership") == "BucketOwnerEnforced", "objects have owners"
    )


def _keeping(account: Account, logical: str, name: str, declared: Json) -> Iterator[Result]:
    client = account.client("s3")
    if "VersioningConfiguration" in declared:
        told = asked("bucket.versions", logical, client.get_bucket_versioning, Bucket=name)
        is_on = isinstance(told, Result) or told.get("Status") == "Enabled"
        yield told if isinstance(told, Result) else held("bucket.versions", logical, is_on, "no versions are kept")
    if declared.get("ObjectLockEnabled"):
        missing = ("ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration")
        told = asked("bucket.lock", logical, client.get_object_lock_configuration, Bucket=name, missing=missing)
        yield told if isinstance(told, Result) else _lock(logical, told)
    if "LifecycleConfiguration" in declared:
        wanted = {rule["Id"] for rule in declared["LifecycleConfiguration"]["Rules"]}
        none = ("NoSuchLifecycleConfiguration",)
        told = asked("bucket.life", logical, client.get_bucket_lifecycle_configuration, Bucket=name, missing=none)
        if isinstance(told, Result):
            yield told
            return
        found = {rule.get("ID") for rule in told["Rules"] if rule["Status"] == "Enabled"} if told else set()
        yield held("bucket.life", logical, wanted <= found, f"without {', '.join(sorted(wanted - found))}")


def _lock(logical: str, told: Json | None) -> Result:
    default = (told or {}).get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
    return held("bucket.lock", logical, default.get("Mode") == "COMPLIANCE", f"retention {default or 'none'}")


def queues(account: Account) -> Iterator[Result]:
    """Encryption of each queue, and where what cannot be handled goes."""
    yield from of_kind("queues", account.of(QUEUE), QUEUE)
    client = account.client("sqs")
    for logical, declared in account.declared(QUEUE).items():
        url = account.physical(logical)
        told = asked("queue", logical, client.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])
        if isinstance(told, Result):
            yield told
            continue
        attributes = told.get("Attributes", {})
        is_encrypted = attributes.get("SqsManagedSseEnabled") == "true" or attributes.get("KmsMasterKeyId")
        yield held("queue.encryption", logical, is_encrypted, "it is not encrypted")
        if "RedrivePolicy" in declared:
            redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
            wanted = account.physical(declared["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]).rpartition(
                "/"
            )[2]
            is_there = str(redrive.get("deadLetterTargetArn", "")).endswith(f":{wanted}")
            yield held("queue.redrive", logical, is_there, "what cannot be handled is lost")


def _statements(check: str, logical: str, told: str | None, declared: Mapping[str, Any]) -> Result:
    """That no statement of the template is missing or weaker: its effect and its actions."""
    found = {each.get("Sid"): each for each in json.loads(told)["Statement"]} if told else {}
    missing = [each["Sid"] for each in certain(declared) if not _is_as_strong(found.get(each["Sid"], {}), each)]
    return held(check, logical, not missing, f"without {', '.join(missing)}")


def _is_as_strong(found: Json, wanted: Json) -> bool:
    return (
        found.get("Effect") == wanted["Effect"]
        and _listed(found.get("Action")) >= _listed(wanted["Action"])
        and _has_conditions(found.get("Condition"), wanted.get("Condition"))
    )


def _has_conditions(found: Any, wanted: Any) -> bool:
    """Whether conditions are those of the template, as far as it tells them in words and numbers of its own."""
    match wanted:
        case None:
            return found is None
        case {"Fn::If": _} | {"Fn::Sub": _} | {"Fn::GetAtt": _} | {"Ref": _}:
            return found is not None
        case dict():
            return isinstance(found, dict) and all(_has_conditions(found.get(name), wanted[name]) for name in wanted)
        case list():
            there = _texts(found)
            return all(_texts(one) <= there for one in wanted if not isinstance(one, dict))
    return _texts(found) == _texts(wanted)


def _texts(value: Any) -> set[str]:
    """Policies tell numbers and truth as text, and one value with or without a list."""
    return {str(one).lower() for one in (value if isinstance(value, list) else [value])}


def _listed(actions: Any) -> set[str]:
    return set(actions) if isinstance(actions, list) else {actions}


def named_key(account: Account, expression: Any) -> str:
    """The physical id of the key that an expression of the template names."""
    match expression:
        case {"Fn::GetAtt": [str(logical), _]} | {"Ref": str(logical)}:
            return account.physical(logical)
    return ""


def is_key(used: str, key: str) -> bool:
    """Whether an ARN or id names a key."""
    return bool(key) and used.endswith(key.rpartition("/")[2])
