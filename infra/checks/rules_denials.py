"""What is denied to everybody but the functions: administrators and other accounts, whatever else permits them."""

from collections.abc import Iterator

from infra.checks.deployments import Deployment
from infra.checks.policies import Statement, names_in, statements

READING = {
    "RecordsTable": {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"},
    "AuditTable": {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"},
    "DocumentsBucketPolicy": {"s3:GetObject", "s3:GetObjectVersion"},
    "SecretPolicy": {"secretsmanager:GetSecretValue"},
    "DataKey": {"kms:Decrypt", "kms:ReEncryptFrom"},
    "AuditKey": {"kms:Decrypt", "kms:ReEncryptFrom"},
    "SealKey": {"kms:Sign"},
}
"""What nobody but a role of the stack does, by who says so."""
ROLES = "role/${AWS::StackName}-"


def _denials(deployment: Deployment, holder: str) -> Iterator[Statement]:
    for each in statements(deployment):
        if each.holder.id == holder and not each.allows and each.principals == [("*", "*")]:
            yield each


def administrators_read_nothing(deployment: Deployment) -> Iterator[str]:
    """Records, trace, documents and the secret are read, and seals signed, by roles of the stack alone."""
    for holder, actions in READING.items():
        denied = [each for each in _denials(deployment, holder) if set(each.actions) >= actions]
        if not any(ROLES in str(each.conditions.get("ArnNotLike", {}).get("aws:PrincipalArn")) for each in denied):
            yield f"{holder}: does not deny {sorted(actions)} to all but the functions"


def keys_serve_this_account_alone(deployment: Deployment) -> Iterator[str]:
    """No other account uses a key of the application, whatever a grant or policy says."""
    for key in deployment.main.resources("AWS::KMS::Key"):
        compared = [
            each.conditions.get("StringNotEquals", {}).get("kms:CallerAccount")
            for each in _denials(deployment, key.id)
            if each.actions == ["kms:*"]
        ]
        if not any(names_in(account) == {"AWS::AccountId"} for account in compared):
            yield f"{key}: serves other accounts"


def backups_are_nobodys_to_delete(deployment: Deployment) -> Iterator[str]:
    """A vault denies everybody the deletion of backups, and locks how long they are kept."""
    for vault in deployment.resources("AWS::Backup::BackupVault"):
        denied = {action for each in _denials(deployment, vault.id) for action in each.actions}
        if "backup:DeleteRecoveryPoint" not in denied:
            yield f"{vault}: its backups can be deleted"
        if "MaxRetentionDays" not in vault.properties.get("LockConfiguration", {}):
            yield f"{vault}: keeps backups for as long as anybody likes"


RULES = (administrators_read_nothing, keys_serve_this_account_alone, backups_are_nobodys_to_delete)
