"""What invokes functions without a request, as template.yaml declares it: streams, queues, buckets that tell queues."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

type Expression = Any
"""A literal of the template, or a mapping of one intrinsic function to its arguments."""


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """One event source mapping of a table's stream."""

    function: str
    stream: Expression
    batch_size: int
    patterns: tuple[str, ...]
    bisects: bool
    reports_failures: bool
    attempts: int
    lost_records: Expression | None


@dataclass(frozen=True, slots=True)
class QueueMapping:
    """One event source mapping of a queue."""

    function: str
    queue: Expression
    batch_size: int
    reports_failures: bool


@dataclass(frozen=True, slots=True)
class BucketNotification:
    """What a bucket tells a queue of: new objects under a prefix."""

    bucket: str
    event: str
    queue: Expression
    prefix: str


def stream_mapping(function: str, properties: Mapping[str, Any]) -> StreamMapping:
    """The event source mapping of a function's DynamoDB event."""
    return StreamMapping(
        function=function,
        stream=properties["Stream"],
        batch_size=properties.get("BatchSize", 100),
        patterns=tuple(each["Pattern"] for each in properties.get("FilterCriteria", {}).get("Filters", ())),
        bisects=properties.get("BisectBatchOnFunctionError", False),
        reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", ()),
        attempts=1 + properties.get("MaximumRetryAttempts", 10),
        lost_records=properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
    )


def queue_mapping(function: str, properties: Mapping[str, Any]) -> QueueMapping:
    """The event source mapping of a function's SQS event."""
    return QueueMapping(
        function=function,
        queue=properties["Queue"],
        batch_size=properties.get("BatchSize", 10),
        reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", ()),
    )


def bucket_notification(bucket: str, properties: Mapping[str, Any]) -> BucketNotification:
    """One configuration of a bucket's notifications to queues."""
    return BucketNotification(bucket, properties["Event"], properties["Queue"], _prefix(properties))


def _prefix(notification: Mapping[str, Any]) -> str:
    rules = notification.get("Filter", {}).get("S3Key", {}).get("Rules", ())
    return next((str(rule["Value"]) for rule in rules if rule["Name"].lower() == "prefix"), "")
