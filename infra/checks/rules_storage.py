"""What is stored: it outlives the stack, under keys of ours, in versions, and is reached over TLS alone."""

from collections.abc import Iterator
from typing import Any

from infra.checks.comparison import differing
from infra.checks.deployments import Deployment, Resource
from infra.checks.life_cycles import LIFE_CYCLES
from infra.checks.policies import names_in

KEPT = (
    "AWS::Backup::BackupVault",
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
)
TABLE, BUCKET, KEY = "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key"
MILLISECONDS_OF_A_SIGNATURE = 900_000
SIGNED = "DocumentsBucket"
"""The bucket that clients reach by signed addresses."""
SEALS = "SealsBucket"
TRACE = "AuditTable"


def what_is_stored_outlives_the_stack(deployment: Deployment) -> Iterator[str]:
    """Deleting or replacing the stack deletes no record, no key, no secret and no backup."""
    for store in deployment.resources(*KEPT):
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if store.whole.get(policy) != "Retain":
                yield f"{store}: {policy} is {store.whole.get(policy, 'Delete')}"


def tables_are_encrypted_recoverable_and_protected(deployment: Deployment) -> Iterator[str]:
    """Each table has a key of ours, recovery to any second and protection from deletion."""
    for table in deployment.resources(TABLE):
        encryption = table.properties.get("SSESpecification", {})
        if encryption.get("SSEType") != "KMS" or not _is_own_key(table, encryption.get("KMSMasterKeyId")):
            yield f"{table}: no key of its own"
        if table.properties.get("DeletionProtectionEnabled") is not True:
            yield f"{table}: can be deleted"
        if table.properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") is not True:
            yield f"{table}: cannot be recovered"


def the_trace_has_a_key_of_its_own(deployment: Deployment) -> Iterator[str]:
    """Who reads records by their key does not read the trace by it, and the other way round."""
    keys = {
        each.id: _name(each.properties.get("SSESpecification", {}).get("KMSMasterKeyId"))
        for each in deployment.resources(TABLE)
    }
    if len(set(keys.values())) != len(keys):
        yield f"tables share a key: {keys}"


def buckets_are_private(deployment: Deployment) -> Iterator[str]:
    """No object becomes public, by whatever list or policy."""
    for bucket in deployment.resources(BUCKET):
        blocked = bucket.properties.get("PublicAccessBlockConfiguration", {})
        for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"):
            if blocked.get(name) is not True:
                yield f"{bucket}: {name} is off"
        owners = [
            each.get("ObjectOwnership") for each in bucket.properties.get("OwnershipControls", {}).get("Rules", ())
        ]
        if owners != ["BucketOwnerEnforced"] or "AccessControl" in bucket.properties:
            yield f"{bucket}: has lists of access"
        if "WebsiteConfiguration" in bucket.properties:
            yield f"{bucket}: is a site"


def buckets_keep_versions(deployment: Deployment) -> Iterator[str]:
    """What is overwritten can be brought back."""
    for bucket in deployment.resources(BUCKET):
        if bucket.properties.get("VersioningConfiguration", {}).get("Status") != "Enabled":
            yield f"{bucket}: keeps no versions"


def buckets_are_encrypted(deployment: Deployment) -> Iterator[str]:
    """Each bucket has a key of ours; those of access logs that of S3, which delivers under no other."""
    logs = {
        name for each in deployment.resources(BUCKET) for name in names_in(each.properties.get("LoggingConfiguration"))
    }
    for bucket in deployment.resources(BUCKET):
        rules = bucket.properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", ())
        defaults = [each["ServerSideEncryptionByDefault"] for each in rules]
        if not defaults:
            yield f"{bucket}: no encryption is set"
        for each in defaults:
            if bucket.id not in logs and not _is_own_key(bucket, each.get("KMSMasterKeyID")):
                yield f"{bucket}: no key of its own"
        if bucket.id not in logs and "LoggingConfiguration" not in bucket.properties:
            yield f"{bucket}: no access log"


def seals_are_locked(deployment: Deployment) -> Iterator[str]:
    """Nobody deletes a seal of the trace before its time, the account's root neither."""
    [seals] = [each for each in deployment.resources(BUCKET) if each.id == SEALS]
    lock = seals.properties.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
    if (
        lock.get("Mode") != "COMPLIANCE"
        or not lock.get("Years")
        or seals.properties.get("ObjectLockEnabled") is not True
    ):
        yield f"{seals}: not locked"


def keys_rotate(deployment: Deployment) -> Iterator[str]:
    """Every key but that of signatures, which AWS cannot rotate, is renewed each year, and none goes within a month."""
    for key in deployment.resources(KEY):
        symmetric = key.properties.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
        if symmetric and key.properties.get("EnableKeyRotation") is not True:
            yield f"{key}: is never renewed"
        if key.properties.get("PendingWindowInDays", 30) < 30:
            yield f"{key}: can be gone within a month"
        if key.properties.get("BypassPolicyLockoutSafetyCheck"):
            yield f"{key}: may lock everybody out"


def keys_stay_in_their_region(deployment: Deployment) -> Iterator[str]:
    """No key can be copied to another region, and serve there."""
    for key in deployment.resources(KEY):
        if key.properties.get("MultiRegion", False) is not False:
            yield f"{key}: can be copied to other regions"


def stores_delete_what_they_did(deployment: Deployment) -> Iterator[str]:
    """Former versions, archives, counters and logs go by themselves, all of them and in time, and nothing else does."""
    yield from differing(deployment, LIFE_CYCLES)


def the_trace_never_expires(deployment: Deployment) -> Iterator[str]:
    """DynamoDB deletes no entry of the trace by itself, and S3 no seal."""
    for table in deployment.resources(TABLE):
        if table.id == TRACE and table.properties.get("TimeToLiveSpecification", {}).get("Enabled"):
            yield f"{table}: its entries expire"
    for bucket in deployment.resources(BUCKET):
        if bucket.id == SEALS and "LifecycleConfiguration" in bucket.properties:
            yield f"{bucket}: its objects expire"


def documents_never_expire(deployment: Deployment) -> Iterator[str]:
    """S3 deletes no document by itself, but archives that people asked for."""
    for bucket in deployment.resources(BUCKET):
        for rule in bucket.properties.get("LifecycleConfiguration", {}).get("Rules", ()) if bucket.id == SIGNED else ():
            if {"ExpirationInDays", "ExpirationDate"} & set(rule) and rule.get("Prefix") != "exports/":
                yield f"{bucket}: {rule['Id']} deletes documents"


def _is_own_key(resource: Resource, expression: Any) -> bool:
    """Whether it names a key of the same stack."""
    keys = {each.id for each in resource.stack.resources(KEY)}
    return bool(names_in(expression) & keys)


def _name(expression: Any) -> str:
    return ",".join(sorted(names_in(expression)))


RULES = (
    what_is_stored_outlives_the_stack,
    tables_are_encrypted_recoverable_and_protected,
    the_trace_has_a_key_of_its_own,
    buckets_are_private,
    buckets_keep_versions,
    buckets_are_encrypted,
    seals_are_locked,
    keys_rotate,
    keys_stay_in_their_region,
    stores_delete_what_they_did,
    the_trace_never_expires,
    documents_never_expire,
)
