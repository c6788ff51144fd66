"""What is denied to everybody but the functions: administrators and other accounts, whatever else permits them."""

from collections.abc import Iterator

from infra.checks.comparison import missing
from infra.checks.deployments import Deployment, Resource
from infra.checks.expected import (
    CHANGING,
    ENCRYPTING,
    ERASING,
    OUTSIDE,
    READING,
    SIGNED_ADDRESSES,
    Denial,
    over_tls,
)
from infra.checks.policies import names_in

BUCKET, KEY = "AWS::S3::Bucket", "AWS::KMS::Key"
DAYS_OF_A_BACKUP = 35


def administrators_read_nothing(deployment: Deployment) -> Iterator[str]:
    """Records, trace, documents, secrets and backups are read by roles of the stack alone, in whatever way."""
    yield from missing(deployment, READING)


def administrators_change_nothing(deployment: Deployment) -> Iterator[str]:
    """Seals are signed, the trace is written and tables are set by roles of the stack, or by its deployment."""
    yield from missing(deployment, CHANGING)


def keys_serve_this_account_alone(deployment: Deployment) -> Iterator[str]:
    """No other account uses a key of the application, whatever a grant or policy says."""
    keys = deployment.main.resources(KEY)
    yield from missing(deployment, [Denial(key.id, ("kms:*",), OUTSIDE) for key in keys])


def backups_are_nobodys_to_delete(deployment: Deployment) -> Iterator[str]:
    """A vault denies everybody the deletion of backups, and locks how long they are kept."""
    yield from missing(deployment, ERASING)
    for vault in deployment.resources("AWS::Backup::BackupVault"):
        lock = vault.properties.get("LockConfiguration", {})
        if lock.get("MinRetentionDays", 0) < 1 or lock.get("MaxRetentionDays") != DAYS_OF_A_BACKUP:
            yield f"{vault}: is locked as {lock or 'nothing'}"


def buckets_refuse_what_is_not_tls(deployment: Deployment) -> Iterator[str]:
    """Every bucket denies everybody whatever comes without TLS 1.2, on itself and its objects."""
    for bucket in deployment.resources(BUCKET):
        policies = [each.id for each in _policies(deployment, bucket)]
        if not policies:
            yield f"{bucket}: no policy"
        for policy in policies:
            yield from missing(deployment, over_tls(bucket.id, policy))


def buckets_refuse_other_encryption(deployment: Deployment) -> Iterator[str]:
    """Buckets with a key of ours take no object under another, nor without one."""
    yield from missing(deployment, ENCRYPTING)


def signed_addresses_end(deployment: Deployment) -> Iterator[str]:
    """Documents are read within a minute and written within a quarter of an hour of a signature, seals by none."""
    yield from missing(deployment, SIGNED_ADDRESSES)


def _policies(deployment: Deployment, bucket: Resource) -> list[Resource]:
    return [
        each
        for each in deployment.resources("AWS::S3::BucketPolicy")
        if names_in(each.properties["Bucket"]) == {bucket.id}
    ]


RULES = (
    administrators_read_nothing,
    administrators_change_nothing,
    keys_serve_this_account_alone,
    backups_are_nobodys_to_delete,
    buckets_refuse_what_is_not_tls,
    buckets_refuse_other_encryption,
    signed_addresses_end,
)
