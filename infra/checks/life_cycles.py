"""When backups are made, and what stores delete by themselves, word for word."""

from infra.checks.expected import MAIN, ref
from infra.checks.shapes import Shape

_BACKUP = ("BackupPlan", "BackupPlanRule")
DAILY = (
    Shape(MAIN, "BackupPlan", (*_BACKUP, 0, "ScheduleExpression"), "cron(0 1 * * ? *)"),
    Shape(MAIN, "BackupPlan", (*_BACKUP, 0, "Lifecycle"), {"DeleteAfterDays": ref("BackupDays")}),
    Shape(MAIN, "BackupPlan", (*_BACKUP, 0, "StartWindowMinutes"), 60),
    Shape(MAIN, "BackupPlan", (*_BACKUP, 0, "CompletionWindowMinutes"), 720),
    Shape(MAIN, "BackupPlan", (*_BACKUP, 1), None),
)
_OVERWRITTEN = {"NoncurrentDays": 1}
_HALF = {"DaysAfterInitiation": 1}
LIFE_CYCLES = (
    Shape(
        MAIN,
        "DocumentsBucket",
        ("LifecycleConfiguration",),
        {
            "Rules": [
                {
                    "Id": "former-versions",
                    "Status": "Enabled",
                    "NoncurrentVersionExpiration": {"NoncurrentDays": ref("NoncurrentVersionDays")},
                    "AbortIncompleteMultipartUpload": _HALF,
                },
                {
                    "Id": "archives",
                    "Status": "Enabled",
                    "Prefix": "exports/",
                    "ExpirationInDays": ref("ExportDays"),
                    "NoncurrentVersionExpiration": _OVERWRITTEN,
                },
                {"Id": "deleted", "Status": "Enabled", "ExpiredObjectDeleteMarker": True},
            ]
        },
    ),
    Shape(
        MAIN,
        "LogBucket",
        ("LifecycleConfiguration",),
        {
            "Rules": [
                {
                    "Id": "retention",
                    "Status": "Enabled",
                    "ExpirationInDays": ref("LogRetentionDays"),
                    "NoncurrentVersionExpiration": _OVERWRITTEN,
                    "AbortIncompleteMultipartUpload": _HALF,
                }
            ]
        },
    ),
    Shape(MAIN, "SealsBucket", ("LifecycleConfiguration",), None),
    Shape(MAIN, "RecordsTable", ("TimeToLiveSpecification",), {"AttributeName": "expires", "Enabled": True}),
    Shape(MAIN, "AuditTable", ("TimeToLiveSpecification",), None),
)
"""What stores delete by themselves: an erasure counts on it, and nothing else may go."""
