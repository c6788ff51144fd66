"""Event source mappings: a table's stream handed to the functions that consume it, filtered, in order, with retries."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import boto3

from infra.local.consumer import Consumer
from infra.local.event_sources import StreamMapping
from infra.local.resources import REGION
from infra.local.runtime import FunctionFailed, PayloadTooLarge, Runtime

GATHERING_SECONDS = 0.05
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

type StreamRecord = dict[str, Any]


class StreamConsumer(Consumer):
    """Polls one stream from its beginning, whenever a function has run and twice a second besides."""

    def __init__(self, mapping: StreamMapping, stream_arn: str, lost_records: str | None, runtime: Runtime) -> None:
        super().__init__()
        self._mapping = mapping
        self._stream_arn = stream_arn
        self._lost_records = lost_records
        self._runtime = runtime
        self._streams: Any = boto3.client("dynamodbstreams")
        self._patterns = [json.loads(pattern) for pattern in mapping.patterns]

    def _consume(self) -> None:
        for records in self._poll():
            wanted = [record for record in records if self._accepts(record)]
            size = self._mapping.batch_size
            for start in range(0, len(wanted), size):
                self._deliver(wanted[start : start + size])

    def _poll(self) -> Iterator[list[StreamRecord]]:
        shard = self._streams.describe_stream(StreamArn=self._stream_arn)["StreamDescription"]["Shards"][0]["ShardId"]
        iterator = self._streams.get_shard_iterator(
            StreamArn=self._stream_arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while not self._stopping.is_set():
            if self._wait():
                self._stopping.wait(GATHERING_SECONDS)
            answer = self._streams.get_records(ShardIterator=iterator)
            iterator = answer["NextShardIterator"]
            if answer["Records"]:
                self.wake()
                yield [_lambda_record(record, self._stream_arn) for record in answer["Records"]]

    def _accepts(self, record: StreamRecord) -> bool:
        return not self._patterns or any(matches(pattern, record) for pattern in self._patterns)

    def _deliver(self, batch: Sequence[StreamRecord], attempt: int = 1) -> None:
        """Hand over a batch until it is done, or in the end put aside.

        One that the function raised at is halved; one of which it reports failures comes again whole, from the first
        failure on: Lambda cuts it there, and what lies behind it is put aside with it.
        """
        while batch and not self._stopping.is_set():
            done = self._attempt(batch)
            if done is None and len(batch) > 1 and self._mapping.bisects:
                middle = len(batch) // 2
                self._deliver(batch[:middle], attempt)
                batch = batch[middle:]
                continue
            batch, attempt = batch[done or 0 :], 1 if done else attempt
            if not batch:
                return
            if attempt >= self._mapping.attempts:
                self._put_aside(batch, attempt)
                return
            self._stopping.wait(min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS))
            attempt += 1

    def _attempt(self, batch: Sequence[StreamRecord]) -> int | None:
        """Invoke the function once; return how many records, from the first on, are done with; None if it raised."""
        try:
            answer = self._runtime.invoke(self._mapping.function, {"Records": list(batch)})
        except (FunctionFailed, PayloadTooLarge):
            return None
        if not self._mapping.reports_failures or not isinstance(answer, dict):
            return len(batch)
        failed = {each.get("itemIdentifier") for each in answer.get("batchItemFailures") or ()}
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        if not failed <= set(numbers):
            return None
        return next((index for index, number in enumerate(numbers) if number in failed), len(batch))

    def _put_aside(self, batch: Sequence[StreamRecord], attempts: int) -> None:
        if self._lost_records is None:
            return
        queues: Any = boto3.client("sqs")
        url = queues.get_queue_url(QueueName=self._lost_records.rpartition(":")[2])["QueueUrl"]
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        lost = {
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(),
            "requestContext": {
                "functionArn": self._mapping.function,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": attempts,
            },
            "DDBStreamBatchInfo": {
                "streamArn": self._stream_arn,
                "batchSize": len(batch),
                "startSequenceNumber": numbers[0],
                "endSequenceNumber": numbers[-1],
            },
        }
        queues.send_message(QueueUrl=url, MessageBody=json.dumps(lost))


def matches(pattern: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether a record passes a filter: every key of the pattern, by one of its conditions.

    Raises ValueError for a condition that is not spoken here.
    """
    return all(_key_matches(wanted, record.get(key), key in record) for key, wanted in pattern.items())


def _key_matches(wanted: Any, value: Any, present: bool) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and matches(wanted, value)
    return any(_holds(condition, value, present) for condition in wanted)


def _holds(condition: Any, value: Any, present: bool) -> bool:
    match condition:
        case {"exists": bool(wanted)}:
            return present is wanted
        case {"prefix": str(start)}:
            return isinstance(value, str) and value.startswith(start)
        case {"suffix": str(end)}:
            return isinstance(value, str) and value.endswith(end)
        case {"anything-but": list(others)}:
            return present and value not in others
        case dict():
            raise ValueError(f"filter condition {condition}")
    return present and bool(value == condition)


def _lambda_record(record: Mapping[str, Any], stream_arn: str) -> StreamRecord:
    """A stream record as a function gets it: seconds instead of dates, base64 instead of bytes."""
    change = dict(record["dynamodb"])
    if "ApproximateCreationDateTime" in change:
        change["ApproximateCreationDateTime"] = int(change["ApproximateCreationDateTime"].timestamp())
    plain: dict[str, Any] = json.loads(json.dumps({**record, "dynamodb": change}, default=_plain))
    return plain | {"awsRegion": REGION, "eventSourceARN": stream_arn, "eventSource": "aws:dynamodb"}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
