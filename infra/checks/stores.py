"""Who holds which table, bucket and queue: the roles that may read it at all, and those that may change it."""

from infra.checks.alarms import LOST

READING = {
    "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "s3:GetObject",
    "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions", "sqs:DeleteMessage", "sqs:ReceiveMessage",
}  # fmt: skip
WRITING = {
    "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "s3:DeleteObject",
    "s3:DeleteObjectVersion", "s3:PutObject", "sqs:SendMessage",
}  # fmt: skip
_BEHIND_THE_API = (
    "AuditTrail ClinicalProfile Communications Consents Contents Documents Exports Lists Records Reimbursements"
    " RelatedPersons Submissions Subscriptions Summaries"
)
_BEHIND_A_REQUEST = (
    "ConsentExpiry ExportBuilder Retention Suspension UploadSweep UploadsReceived VisibilityRelease WebHooks"
)
_WITHOUT_TRACE = "Extractions FirstAccesses IndexRebuild MailSweep Notifications"

REPLAYERS = "ReplayPolicy"
"""People take out what was set aside, and send it again."""

READERS = {
    "RecordsTable": f"{_BEHIND_THE_API} {_BEHIND_A_REQUEST} {_WITHOUT_TRACE} Operations SubscriptionEvents",
    "AuditTable": "AuditChain AuditSealer AuditTrail ExportBuilder FirstAccesses Operations",
    "DocumentsBucket": (
        "Backup Contents ExportBuilder Exports Extractions IndexRebuild MalwareProtection Operations Retention"
        " UploadSweep UploadsReceived"
    ),
    "SealsBucket": "AuditSealer AuditTrail Backup ExportBuilder Operations",
    "ExportQueue": "ExportBuilder",
    "ExtractionQueue": "Extractions",
    "HookQueue": "WebHooks",
    "UploadQueue": "UploadsReceived",
    **dict.fromkeys(LOST, REPLAYERS),
}
"""By the names of their functions; of what is not here, nobody."""
WRITERS = {
    "RecordsTable": f"{_BEHIND_THE_API} {_BEHIND_A_REQUEST} {_WITHOUT_TRACE}",
    "AuditTable": f"{_BEHIND_THE_API} {_BEHIND_A_REQUEST} AuditChain AuditSealer Operations",
    "DocumentsBucket": (
        "Documents ExportBuilder Exports Extractions MalwareProtection Operations Retention Submissions UploadSweep"
        " UploadsReceived"
    ),
    "SealsBucket": "AuditSealer",
    "ExportQueue": f"Records {REPLAYERS}",
    "ExtractionQueue": f"UploadSweep UploadsReceived {REPLAYERS}",
    "HookQueue": f"SubscriptionEvents {REPLAYERS}",
    "UploadQueue": REPLAYERS,
    "LostChanges": "SubscriptionEvents",
    "LostEntries": "AuditChain",
    "LostMessages": "FirstAccesses Notifications",
}
ANYBODYS_TO_FILL = {"LostRuns"}
"""Where Lambda sets aside in the name of any function what that could not do."""
