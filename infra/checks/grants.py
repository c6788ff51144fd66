"""Every action that anybody may hold: the ordinary ones, and who holds each of the others on what."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from infra.checks.expected import VALIDATION, ref, sub

ORDINARY = {
    "cloudformation:DescribeStackResource", "cloudformation:DescribeStacks", "cloudformation:ListStackResources",
    "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeStream", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:GetShardIterator",
    "dynamodb:ListStreams", "dynamodb:ListTagsOfResource", "dynamodb:PutItem", "dynamodb:Query",
    "kms:DescribeKey", "kms:GetPublicKey", "lambda:GetAlias", "lambda:GetFunctionConfiguration",
    "logs:CreateLogStream", "logs:PutLogEvents", "s3:AbortMultipartUpload", "s3:ListBucket",
    "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage",
    "sqs:SendMessage", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
}  # fmt: skip
"""What neither reads whole stores nor changes or deletes what is there, nor administers."""
IN_PLAIN = {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}
"""What a role does with a key through a service alone, that is named."""
THROUGH = {"dynamodb", "lambda", "s3", "secretsmanager"}
READERS_OF_THE_TRACE = {
    "AuditChainRole", "AuditSealerRole", "AuditTrailRole", "ExportBuilderRole", "FirstAccessesRole", "OperationsRole",
}  # fmt: skip


@dataclass(frozen=True)
class Grant:
    """One action that one role or managed policy may hold, on which resources at most, under which condition."""

    holder: str
    action: str
    resources: frozenset[str]
    """As they would stand in an Fn::Sub."""
    condition: Any


def _granted(holder: str, actions: str, resources: str, condition: Any = None) -> Iterable[Grant]:
    for action in actions.split():
        yield Grant(holder, action, frozenset(resources.split()), condition or {})


def _leading(key: str, **others: Any) -> dict[str, Any]:
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": key}} | others


def _attributes(names: str) -> dict[str, Any]:
    return {"ForAllValues:StringEquals": {"dynamodb:Attributes": names.split()}}


def _via(service: str) -> dict[str, Any]:
    return {"kms:ViaService": sub(f"{service}.${{AWS::Region}}.amazonaws.com")}


RECORDS, OBJECTS = "${RecordsTable.Arn}", "${DocumentsBucket.Arn}/*"
DOCUMENTS, UPLOADS = "${DocumentsBucket.Arn}/documents/*", "${DocumentsBucket.Arn}/uploads/*"
EXPORTS = "${DocumentsBucket.Arn}/exports/*"
SEALS = "${SealsBucket.Arn}/seals/* ${SealsBucket.Arn}/whole/*"
READ = "s3:GetObject s3:GetObjectVersion"
_RULE = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/"
_NETWORK = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:"
_OWN_BUCKETS = "arn:${AWS::Partition}:s3:::${AWS::StackName}-*"
_BUCKETS = "${DocumentsBucket.Arn} ${SealsBucket.Arn}"
_REPLICA = "arn:${AWS::Partition}:s3:::${ReplicaBucket}"
_COPIES = f"{_REPLICA}/* arn:${{AWS::Partition}}:s3:::${{SealsReplicaBucket}}/*"
_MAIL = _attributes("pk sk mail claimed_by gx_month gx_at")
_EVENTS = (
    "events:DeleteRule events:DescribeRule events:ListTargetsByRule events:PutRule events:PutTargets"
    " events:RemoveTargets"
)
_ORDERS = "${Operations.Arn} ${Suspension.Arn} ${IndexRebuild.Arn} ${AuditSealer.Arn}"
_CONSUMERS = " ".join(
    f"${{{name}.Arn}}"
    for name in (
        "AuditChain", "Notifications", "FirstAccesses", "SubscriptionEvents", "ConsentExpiry", "VisibilityRelease",
        "Retention", "UploadSweep", "MailSweep",
    )
)  # fmt: skip
_SENDER = " ".join(
    f"arn:${{AWS::Partition}}:ses:${{AWS::Region}}:${{AWS::AccountId}}:identity/{identity}"
    for identity in ("${MailSender}", "${Domain}")
)

_FROM = {"StringEquals": {"ses:FromAddress": ref("MailSender")}}

GRANTS = {
    (each.holder, each.action): each
    for several in (
        # records
        _granted("OperationsRole", "dynamodb:Scan", RECORDS),
        _granted("RecordsRole", "dynamodb:DeleteItem", RECORDS, _leading("INS#*")),
        _granted("RetentionRole", "dynamodb:DeleteItem", RECORDS, _leading("INS#*")),
        _granted("RetentionRole", "dynamodb:BatchWriteItem", RECORDS, _leading("R#*")),
        _granted("SubscriptionsRole", "dynamodb:DeleteItem", RECORDS),
        _granted("CountQuotas", "dynamodb:UpdateItem", RECORDS, _leading("Q#*")),
        _granted(
            "CommunicationsRole",
            "dynamodb:UpdateItem",
            RECORDS,
            _leading("R#*", **{"ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": "TransactWriteItems"}})
            | _attributes("pk sk st v body"),
        ),
        _granted("NotificationsRole", "dynamodb:UpdateItem", RECORDS, _leading("R#*") | _MAIL),
        _granted("MailSweepRole", "dynamodb:UpdateItem", RECORDS, _leading("R#*") | _MAIL),
        _granted("NotificationsRole", "dynamodb:GetRecords", "${RecordsTable.StreamArn}"),
        _granted("SubscriptionEventsRole", "dynamodb:GetRecords", "${RecordsTable.StreamArn}"),
        _granted("AuditChainRole", "dynamodb:GetRecords", "${AuditTable.StreamArn}"),
        _granted("FirstAccessesRole", "dynamodb:GetRecords", "${AuditTable.StreamArn}"),
        # documents and seals
        _granted("DocumentsRole", "s3:PutObject", UPLOADS),
        _granted("SubmissionsRole", "s3:PutObject s3:DeleteObject s3:DeleteObjectVersion", OBJECTS),
        _granted("ContentsRole", READ, OBJECTS),
        _granted("ExportsRole", f"{READ} s3:DeleteObjectVersion", EXPORTS),
        _granted("ExportBuilderRole", READ, f"{OBJECTS} {SEALS}"),
        _granted("ExportBuilderRole", "s3:PutObject", EXPORTS),
        _granted("ExtractionsRole", READ, OBJECTS),
        _granted("ExtractionsRole", "s3:DeleteObjectVersion", f"{DOCUMENTS} {UPLOADS}"),
        _granted("IndexRebuildRole", READ, OBJECTS),
        _granted("OperationsRole", READ, f"{OBJECTS} {SEALS}"),
        _granted("OperationsRole", "s3:DeleteObjectVersion", f"{DOCUMENTS} {UPLOADS} {EXPORTS}"),
        _granted("UploadsReceivedRole", f"{READ} s3:DeleteObjectVersion", OBJECTS),
        _granted("UploadSweepRole", "s3:GetObjectVersion s3:DeleteObjectVersion", OBJECTS),
        _granted("RetentionRole", "s3:DeleteObjectVersion", OBJECTS),
        _granted("EmptyReplica", "s3:DeleteObjectVersion", f"{_REPLICA}/*"),
        _granted("DeleteInReplica", "s3:DeleteObjectVersion", f"{_REPLICA}/documents/* {_REPLICA}/uploads/*"),
        _granted("AuditTrailRole", "s3:GetObject", SEALS),
        _granted("AuditSealerRole", "s3:PutObject s3:GetObject", SEALS),
        _granted("AuditSealerRole", "kms:Sign", "${SealKey.Arn}"),
        *(
            _granted(holder, "s3:ListBucketVersions", "${DocumentsBucket.Arn}")
            for holder in ("OperationsRole", "RetentionRole", "UploadSweepRole")
        ),
        _granted("EmptyReplica", "s3:ListBucketVersions", _REPLICA),
        # copies, backups and the scan
        _granted(
            "ReplicationRole",
            "s3:GetObjectVersionForReplication s3:GetObjectVersionAcl s3:GetObjectVersionTagging s3:GetObjectRetention"
            " s3:GetObjectLegalHold",
            f"{_OWN_BUCKETS}/*",
        ),
        _granted("ReplicationRole", "s3:GetReplicationConfiguration", _OWN_BUCKETS),
        _granted("ReplicationRole", "s3:ReplicateObject s3:ReplicateDelete s3:ReplicateTags", _COPIES),
        _granted("BackupRole", "dynamodb:StartAwsBackupJob", f"{RECORDS} ${{AuditTable.Arn}}"),
        _granted(
            "BackupRole",
            "s3:GetBucketAcl s3:GetBucketLocation s3:GetBucketNotification s3:GetBucketTagging s3:GetBucketVersioning"
            " s3:GetInventoryConfiguration s3:ListBucketVersions s3:PutBucketNotification s3:PutInventoryConfiguration",
            _BUCKETS,
        ),
        _granted(
            "BackupRole",
            f"{READ} s3:GetObjectAcl s3:GetObjectTagging s3:GetObjectVersionAcl s3:GetObjectVersionTagging",
            f"{OBJECTS} ${{SealsBucket.Arn}}/*",
        ),
        _granted("BackupRole", f"{_EVENTS} events:DisableRule events:EnableRule", f"{_RULE}AwsBackupManagedRule*"),
        _granted("BackupRole", "cloudwatch:GetMetricData events:ListRules", "*"),
        _granted(
            "BackupRole",
            "backup:DescribeBackupVault backup:CopyIntoBackupVault",
            "${BackupVault.BackupVaultArn} ${BackupCopyVaultArn}",
        ),
        _granted(
            "BackupRole",
            "backup:TagResource backup:CopyFromBackupVault",
            "arn:${AWS::Partition}:backup:${AWS::Region}:${AWS::AccountId}:recovery-point:*",
        ),
        _granted("MalwareProtectionRole", _EVENTS, f"{_RULE}DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*"),
        _granted(
            "MalwareProtectionRole", "s3:GetBucketNotification s3:PutBucketNotification", "${DocumentsBucket.Arn}"
        ),
        _granted(
            "MalwareProtectionRole",
            "s3:PutObject",
            VALIDATION["Fn::Sub"],
        ),
        _granted("MalwareProtectionRole", READ, OBJECTS),
        # the rest
        _granted("ReadSecret", "secretsmanager:GetSecretValue", "${Secret}"),
        _granted("NotificationsRole", "ses:SendEmail", _SENDER, _FROM),
        _granted("MailSweepRole", "ses:SendEmail", _SENDER, _FROM),
        _granted("OperatorPolicy", "lambda:InvokeFunction", _ORDERS),
        _granted("ReplayPolicy", "lambda:InvokeFunction", _CONSUMERS),
        _granted(
            "IssuerKeysPolicy",
            "lambda:UpdateFunctionConfiguration lambda:PublishVersion lambda:UpdateAlias",
            "${Authorizer.Arn} ${Authorizer.Arn}:*",
        ),
        _granted(
            "IssuerKeysPolicy",
            "kms:CreateGrant",
            "${DataKey.Arn}",
            {"Bool": {"kms:GrantIsForAWSResource": "true"}, "StringEquals": _via("lambda")},
        ),
        _granted(
            "JoinNetwork",
            "ec2:AssignPrivateIpAddresses ec2:DeleteNetworkInterface ec2:UnassignPrivateIpAddresses",
            f"{_NETWORK}network-interface/*",
        ),
        _granted(
            "JoinNetwork",
            "ec2:CreateNetworkInterface",
            f"{_NETWORK}network-interface/* {_NETWORK}subnet/* {_NETWORK}security-group/${{FunctionsGroup.GroupId}}",
        ),
        _granted("JoinNetwork", "ec2:DescribeNetworkInterfaces ec2:DescribeSubnets", "*"),
    )
    for each in several
}
HOLDERS = {
    "DeleteInReplica": {"ExtractionsRole", "OperationsRole", "UploadSweepRole", "UploadsReceivedRole"},
    "EmptyReplica": {"RetentionRole"},
}
"""Who alone holds a managed policy."""
