"""What begins a function beside a request, word for word: streams, queues, schedules, and what becomes of failures."""

import json
from typing import Any

from infra.checks.expected import arn, ref

type Json = dict[str, Any]
_ONE_BY_ONE = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
"""What succeeded is not done again with what failed."""


def _stream(function: str, table: str, lost: str, *filters: Json, retries: int = 100) -> Json:
    return {
        "BatchSize": 25,
        "BisectBatchOnFunctionError": True,
        "DestinationConfig": {"OnFailure": {"Destination": arn(lost)}},
        "EventSourceArn": {"Fn::GetAtt": [table, "StreamArn"]},
        "FilterCriteria": {"Filters": [{"Pattern": json.dumps(each)} for each in filters]},
        "FunctionName": ref(function),
        "MaximumRecordAgeInSeconds": 86400,
        "MaximumRetryAttempts": retries,
        "StartingPosition": "TRIM_HORIZON",
    } | _ONE_BY_ONE


def _queue(function: str, queue: str, at_once: int = 1) -> Json:
    return {
        "BatchSize": at_once,
        "EventSourceArn": arn(queue),
        "FunctionName": ref(function),
        "ScalingConfig": {"MaximumConcurrency": 10},
    } | _ONE_BY_ONE


def _images(names: list[str], key: str, prefix: str, image: str = "NewImage") -> Json:
    return {"eventName": names, "dynamodb": {image: {key: {"S": [{"prefix": prefix}]}}}}


MAPPINGS: dict[str, Json] = {
    "AuditChainEntry": _stream(
        "AuditChain",
        "AuditTable",
        "LostEntries",
        _images(["INSERT"], "pk", "R#", "Keys"),
        {"eventName": ["MODIFY", "REMOVE"]},
    ),
    "ExportBuilderReceived": _queue("ExportBuilder", "ExportQueue"),
    "ExtractionsReceived": _queue("Extractions", "ExtractionQueue"),
    "FirstAccessesEntry": _stream("FirstAccesses", "AuditTable", "LostMessages", _images(["INSERT"], "pk", "R#")),
    "NotificationsMessage": _stream(
        "Notifications", "RecordsTable", "LostMessages", _images(["INSERT"], "sk", "M#"), retries=5
    ),
    "SubscriptionEventsDocument": _stream(
        "SubscriptionEvents", "RecordsTable", "LostChanges", _images(["INSERT", "MODIFY"], "sk", "D#")
    ),
    "UploadsReceivedReceived": _queue("UploadsReceived", "UploadQueue"),
    "WebHooksHook": _queue("WebHooks", "HookQueue", 10),
}
"""Which function reads which stream or queue: a filter that lets less through loses what it keeps back."""


def _schedule(function: str, parameter: str, oldest: int, **more: Any) -> Json:
    """Runs for good: it has neither beginning nor end."""
    retries = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": oldest} if oldest else {"MaximumRetryAttempts": 0}
    return {
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ScheduleExpression": ref(parameter),
        "Target": {"Arn": arn(function), "DeadLetterConfig": {"Arn": arn("LostRuns")}, "RetryPolicy": retries} | more,
    }


SCHEDULES: dict[str, Json] = {
    "AuditSealerNow": _schedule("AuditSealer", "SealSchedule", 0),
    "AuditSealerWhole": _schedule("AuditSealer", "WholeSealSchedule", 3600, Input='{"whole": true}'),
    "ConsentExpiryNow": _schedule("ConsentExpiry", "ExpirySchedule", 900),
    "MailSweepNow": _schedule("MailSweep", "MailSchedule", 900),
    "RetentionNow": _schedule("Retention", "RetentionSchedule", 3600),
    "UploadSweepNow": _schedule("UploadSweep", "UploadSchedule", 3600),
    "VisibilityReleaseNow": _schedule("VisibilityRelease", "ReleaseSchedule", 900),
}
"""Which function runs how often; the role is that of the schedule."""

QUEUES = {
    "ExportQueue": "LostExports",
    "ExtractionQueue": "LostExtractions",
    "HookQueue": "LostHooks",
    "UploadQueue": "LostUploads",
}
"""Where goes what a queue brought in vain."""
SECONDS_OF_A_MESSAGE = 345600
TIMES_OF_A_MESSAGE = range(3, 11)
"""After how many attempts a message is set aside, before anybody can miss it and not before a fault that passes."""
ATTEMPTS_IN_SIGHT = 6
"""For how many times the time of its function a message is out of sight, as Lambda asks."""
