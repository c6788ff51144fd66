"""`capacity`: how large what is stored has become, what waits, and what comes near a limit."""

from datetime import UTC, datetime, timedelta
from typing import Any

from infra.admin.acts import traced
from infra.admin.inspection import fsck
from infra.admin.installation import FAILURES, Installation
from infra.admin.report import Report

TABLES = ("RecordsTable", "AuditTable")
QUEUES = ("UploadQueue", "ExtractionQueue", "ExportQueue", "HookQueue")
LOST = (
    *("LostUploads", "LostExtractions", "LostExports", "LostHooks"),
    *("LostMessages", "LostChanges", "LostEntries", "LostRuns"),
)
_FIGURES = ("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents")
_STATES = ("waiting", "being handled", "delayed")
"""In which a message of a queue can be: what a replay left is being handled for a while."""
_DAY = timedelta(days=1)

type Json = dict[str, Any]


def capacity(installation: Installation, *, scans: bool, parallel: int) -> Report:
    """What AWS says of tables, queues and overdue work; with `scans`, what all records hold."""
    counted = fsck(installation, counts=True, parallel=parallel) if scans else Report()
    with traced(installation, "capacity", "all") as act:
        tables = [_table(installation, name) for name in TABLES]
        queues = [_queue(installation, name) for name in (*QUEUES, *LOST)]
        overdue = installation.invoke("Operations", {"order": "overdue"})["overdue"]
        lost = sum(one[state] for one in queues if one["queue"] in LOST for state in _STATES)
        act.outcome = f"lost {lost}, overdue {sum(overdue.values())}"
    figures = counted.figures | {f"overdue {kind}": number for kind, number in overdue.items()}
    notes = ["item counts and sizes of tables are DynamoDB's own, of the last six hours"]
    if lost:
        notes.append("messages were set aside: replay QUEUE handles them again")
    lists = {"tables": tables, "queues": queues} | counted.lists
    return Report(figures, lists, is_well=not lost and counted.is_well, notes=[*notes, *counted.notes])


def _table(installation: Installation, name: str) -> Json:
    physical = installation.resource(name)
    told = installation.client("dynamodb").describe_table(TableName=physical)["Table"]
    row: Json = {
        "table": name,
        "items": told["ItemCount"],
        "bytes": told["TableSizeBytes"],
        "status": told["TableStatus"],
    }
    return row | {figure: _figure(installation, physical, figure) for figure in _FIGURES}


def _figure(installation: Installation, table: str, figure: str) -> int | str:
    """The sum of a day; where there is no CloudWatch, none."""
    now = datetime.now(UTC)
    try:
        points = installation.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/DynamoDB",
            MetricName=figure,
            Dimensions=[{"Name": "TableName", "Value": table}],
            StartTime=now - _DAY,
            EndTime=now,
            Period=int(_DAY.total_seconds()),
            Statistics=["Sum"],
        )["Datapoints"]
    except FAILURES:
        return "unknown"
    return int(sum(point["Sum"] for point in points))


def _queue(installation: Installation, name: str) -> Json:
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    told = installation.client("sqs").get_queue_attributes(QueueUrl=installation.resource(name), AttributeNames=names)
    waiting, handled, delayed = (int(told["Attributes"].get(one, 0)) for one in names)
    return {"queue": name} | dict(zip(_STATES, (waiting, handled, delayed), strict=True))
