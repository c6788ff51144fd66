"""Buckets as they are, against what the template declares of them."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from infra.smoke.account import Account
from infra.smoke.life_cycles import life_as_declared
from infra.smoke.policies import has_statements, is_under
from infra.smoke.result import Judgement, Result, judged, of_kind

BUCKET = "AWS::S3::Bucket"
_UNDER_A_KEY = "aws:kms"
_DAYS_OF_A_YEAR = 365

type Json = dict[str, Any]
type Judge = Callable[..., Judgement]


def buckets(account: Account) -> Iterator[Result]:
    """Encryption, versions, ownership, public access, lock, life cycle and policy of each bucket."""
    yield from of_kind("buckets", account.of(BUCKET), BUCKET)
    policies = {
        each["Bucket"]["Ref"]: each["PolicyDocument"] for _, each in account.template.resources("AWS::S3::BucketPolicy")
    }
    for logical, declared in account.declared(BUCKET).items():
        for check, operation, judge, missing in _checks(account, declared, policies.get(logical)):
            ask = getattr(account.client("s3"), operation)
            yield judged(check, logical, judge, ask, missing=(missing,), Bucket=account.physical(logical))


def _checks(account: Account, declared: Json, policy: Json | None) -> Iterator[tuple[str, str, Judge, str]]:
    """Each check with what S3 is asked for, how its answer is judged, and how S3 says that there is nothing."""
    yield (
        "bucket.encryption", "get_bucket_encryption", partial(_encryption, account, declared),
        "ServerSideEncryptionConfigurationNotFoundError",
    )  # fmt: skip
    yield "bucket.public", "get_public_access_block", _public, "NoSuchPublicAccessBlockConfiguration"
    yield "bucket.ownership", "get_bucket_ownership_controls", _ownership, "OwnershipControlsNotFoundError"
    if "VersioningConfiguration" in declared:
        yield "bucket.versions", "get_bucket_versioning", _versions, ""
    if "ObjectLockConfiguration" in declared:
        judge = partial(_lock, account, declared)
        yield "bucket.lock", "get_object_lock_configuration", judge, "ObjectLockConfigurationNotFoundError"
    judge = partial(_life, account, declared)
    yield "bucket.life", "get_bucket_lifecycle_configuration", judge, "NoSuchLifecycleConfiguration"
    if policy:
        yield "bucket.policy", "get_bucket_policy", partial(_policy, account, policy), "NoSuchBucketPolicy"


def _encryption(account: Account, declared: Json, told: Json | None) -> Judgement:
    [rule] = declared["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    wanted = rule["ServerSideEncryptionByDefault"]
    rules = told["ServerSideEncryptionConfiguration"]["Rules"] if told else [{}]
    found = rules[0].get("ApplyServerSideEncryptionByDefault", {})
    is_as_wanted = found.get("SSEAlgorithm") == wanted["SSEAlgorithm"]
    if wanted["SSEAlgorithm"] == _UNDER_A_KEY:
        is_as_wanted = is_as_wanted and is_under(account, found.get("KMSMasterKeyID", ""), wanted["KMSMasterKeyID"])
    return is_as_wanted, f"by default {found or 'none'}"


def _public(told: Json | None) -> Judgement:
    blocked = told["PublicAccessBlockConfiguration"] if told else {}
    return len(blocked) == 4 and all(blocked.values()), "public access is not blocked"


def _ownership(told: Json | None) -> Judgement:
    rules = told["OwnershipControls"]["Rules"] if told else [{}]
    return rules[0].get("ObjectOwnership") == "BucketOwnerEnforced", "objects have owners"


def _versions(told: Json) -> Judgement:
    return told.get("Status") == "Enabled", "no versions are kept"


def _life(account: Account, declared: Json, told: Json | None) -> Judgement:
    rules = account.resolved(declared.get("LifecycleConfiguration", {"Rules": []}))["Rules"]
    return life_as_declared(rules, told)


def _lock(account: Account, declared: Json, told: Json | None) -> Judgement:
    """The mode of the template, for as long as it says or longer."""
    wanted = account.resolved(declared["ObjectLockConfiguration"]["Rule"]["DefaultRetention"])
    default = (told or {}).get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
    is_as_long = _days(default) >= _days(wanted)
    return default.get("Mode") == wanted["Mode"] and is_as_long, f"retention {default or 'none'}"


def _days(retention: Mapping[str, Any]) -> int:
    return int(retention.get("Days", 0)) + _DAYS_OF_A_YEAR * int(retention.get("Years", 0))


def _policy(account: Account, wanted: Json, told: Json | None) -> Judgement:
    return has_statements(account, wanted, told["Policy"] if told else None)
