"""What the templates are to say, word for word, where another word would open them: data that the rules compare with.

Expressions stand in the notation of CloudFormation, and come to what they come to under the parameters of a deployment.
"""

from dataclasses import dataclass
from typing import Any

MAIN, EDGE, FIREWALL = "template.yaml", "infra/edge.yaml", "infra/firewall.yaml"


def ref(name: str) -> dict[str, Any]:
    """A reference to a parameter or a resource."""
    return {"Ref": name}


def sub(text: str) -> dict[str, Any]:
    """A text with references in it."""
    return {"Fn::Sub": text}


def arn(name: str) -> dict[str, Any]:
    """The ARN of a resource."""
    return {"Fn::GetAtt": [name, "Arn"]}


def where(condition: Any, value: Any) -> dict[str, Any]:
    """A value that is there under a condition alone."""
    return {"Fn::If": [condition, value, ref("AWS::NoValue")]}


def has(parameter: str) -> dict[str, Any]:
    """The condition that the operator gave a parameter."""
    return {"Fn::Not": [{"Fn::Equals": [ref(parameter), ""]}]}


# ---------------------------------------------------------------- denials
OWN_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
ROLES = sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-*")
BACKUP_SERVICE = sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role/backup.amazonaws.com/*")
NOT_FUNCTIONS = {"ArnNotLike": {"aws:PrincipalArn": [ROLES, ref("OperatorsRoleArn")]}}
NO_SERVICE = {"Bool": {"aws:PrincipalIsAWSService": "false"}}
NO_DEPLOYMENT = {"StringNotEqualsIfExists": {"aws:CalledViaFirst": "cloudformation.amazonaws.com"}}
READERS = NOT_FUNCTIONS | NO_SERVICE
OF_HEALTH_DATA = {
    "StringEqualsIfExists": {
        "kms:ViaService": [sub("s3.${AWS::Region}.amazonaws.com"), sub("dynamodb.${AWS::Region}.amazonaws.com")]
    }
}


@dataclass(frozen=True)
class Denial:
    """A statement that denies everybody at least these actions, under this condition and no other."""

    holder: str
    actions: tuple[str, ...]
    condition: Any
    resources: Any = "*"
    besides: bool = False
    """Whether the resources are those that it leaves out."""
    where: str = ""
    """The resource with which it is to be there; always where it names none."""


def _objects(bucket: str) -> dict[str, Any]:
    return sub(f"${{{bucket}.Arn}}/*")


def _whole(bucket: str) -> list[Any]:
    return [arn(bucket), _objects(bucket)]


_READ = ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PartiQLSelect")
_TAKE_AWAY = ("dynamodb:ExportTableToPointInTime", "dynamodb:RestoreTableToPointInTime")
_SETTINGS = (
    "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive", "dynamodb:UpdateContinuousBackups",
    "dynamodb:EnableKinesisStreamingDestination",
)  # fmt: skip
_STREAM = ("dynamodb:GetRecords", "dynamodb:GetShardIterator")
_TABLES = ("RecordsTable", "AuditTable")
_DECRYPT = ("kms:Decrypt", "kms:ReEncryptFrom")
READING = (
    *(Denial(table, (*_READ, *_TAKE_AWAY), READERS) for table in _TABLES),
    *(Denial(table, _STREAM, READERS) for table in _TABLES),
    Denial("DocumentsBucketPolicy", ("s3:GetObject", "s3:GetObjectVersion"), READERS, _objects("DocumentsBucket")),
    Denial("SecretPolicy", ("secretsmanager:GetSecretValue",), NOT_FUNCTIONS),
    Denial("EdgeSecretPolicy", ("secretsmanager:GetSecretValue",), NOT_FUNCTIONS | NO_DEPLOYMENT, where="EdgeSecret"),
    Denial("DataKey", _DECRYPT, READERS | NO_DEPLOYMENT | OF_HEALTH_DATA),
    Denial("AuditKey", _DECRYPT, READERS | NO_DEPLOYMENT | OF_HEALTH_DATA),
    Denial(
        "BackupKey",
        _DECRYPT,
        {"ArnNotLike": {"aws:PrincipalArn": [ROLES, BACKUP_SERVICE, ref("OperatorsRoleArn")]}}
        | NO_SERVICE
        | NO_DEPLOYMENT,
    ),
    Denial("BackupVault", ("backup:StartRestoreJob", "backup:StartCopyJob"), READERS),
)
"""What nobody but a role of the stack reads, by who says so."""
CHANGING = (
    *(Denial(table, _SETTINGS, READERS | NO_DEPLOYMENT) for table in _TABLES),
    Denial("AuditTable", ("dynamodb:PutItem",), READERS),
    Denial(
        "SealKey",
        ("kms:Sign",),
        {
            "ArnNotLike": {
                "aws:PrincipalArn": sub(
                    "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-AuditSealer*"
                )
            }
        },
    ),
)
"""What nobody but the application, or its deployment, changes, adds and signs."""
ERASING = (
    Denial(
        "BackupVault",
        (
            "backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle",
            "backup:DeleteBackupVaultAccessPolicy",
        ),
        {},
    ),
)  # fmt: skip
OUTSIDE = {"StringNotEquals": {"kms:CallerAccount": ref("AWS::AccountId")}} | NO_SERVICE
"""The condition under which a key serves nobody: another account, that is no service."""


def over_tls(bucket: str, policy: str) -> tuple[Denial, Denial]:
    """What a bucket refuses for want of TLS, or of a modern one."""
    old = {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
    without = {"Bool": {"aws:SecureTransport": "false"}}
    return Denial(policy, ("s3:*",), without, _whole(bucket)), Denial(policy, ("s3:*",), old, _whole(bucket))


_ENCRYPTION, _KEY = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
# GuardDuty finds out by it that it may read there
VALIDATION = sub("${DocumentsBucket.Arn}/malware-protection-resource-validation-object")
ENCRYPTING = (
    Denial(
        "DocumentsBucketPolicy",
        ("s3:PutObject",),
        {"StringNotEqualsIfExists": {_ENCRYPTION: "aws:kms"}},
        VALIDATION,
        besides=True,
    ),
    Denial(
        "DocumentsBucketPolicy",
        ("s3:PutObject",),
        {"ArnNotEqualsIfExists": {_KEY: arn("DataKey")}},
        VALIDATION,
        besides=True,
    ),
    Denial(
        "SealsBucketPolicy",
        ("s3:PutObject",),
        {"Null": {_KEY: "false"}, "ArnNotEquals": {_KEY: arn("AuditKey")}},
        _objects("SealsBucket"),
    ),
    Denial(
        "SealsBucketPolicy",
        ("s3:PutObject",),
        {"Null": {_ENCRYPTION: "false"}, "StringNotEquals": {_ENCRYPTION: "aws:kms"}},
        _objects("SealsBucket"),
    ),
)
_BY_ADDRESS = {"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}
SIGNED_ADDRESSES = (
    Denial(
        "DocumentsBucketPolicy",
        ("s3:GetObject", "s3:GetObjectVersion"),
        _BY_ADDRESS | {"NumericGreaterThan": {"s3:signatureAge": "60000"}},
        _objects("DocumentsBucket"),
    ),
    Denial(
        "DocumentsBucketPolicy",
        ("s3:*",),
        {"NumericGreaterThan": {"s3:signatureAge": "900000"}},
        _whole("DocumentsBucket"),
    ),
    Denial("SealsBucketPolicy", ("s3:*",), _BY_ADDRESS, _objects("SealsBucket")),
)
"""A minute for a download, a quarter of an hour for an upload, in milliseconds; none for the seals."""

# ---------------------------------------------------------------- trust
LAMBDA = "lambda.amazonaws.com"
TRUST: dict[str, tuple[set[str], Any]] = {
    "BackupRole": ({"backup.amazonaws.com"}, OWN_ACCOUNT),
    "ReplicationRole": ({"s3.amazonaws.com"}, {}),
    "MalwareProtectionRole": ({"malware-protection-plan.guardduty.amazonaws.com"}, {}),
    "ChallengeRole": ({LAMBDA, "edgelambda.amazonaws.com"}, {}),
}
"""Who assumes a role that is no function's, on which condition: AWS publishes those of S3 and GuardDuty without any."""

# ---------------------------------------------------------------- parameters
NOBODYS_TO_PRESET = {"Stage", "PortalUrl", "MailSender", "Issuers"}
OFF_BY_DEFAULT = {
    "BackupCopyVaultArn": "", "EdgeChallengeFunctionArn": "", "EdgeDomainName": "", "MalwareScan": "off",
    "MutualTlsTrustStore": "", "OperatorsRoleArn": "", "OutsideTheUnion": "refused", "ReplicaBucket": "",
    "RevokedKeys": "[]", "SealsReplicaBucket": "", "WebAclArn": "",
}  # fmt: skip
YEARS_OF_A_SEAL = 10
UNION = ["eu-west-1", "eu-west-3", "eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eusc-de-east-1"]
"""The regions of the European Union that the stack may be deployed to."""
