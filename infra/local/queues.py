"""Event source mappings of queues: messages handed to the function that consumes them, those done with deleted."""

from collections.abc import Mapping, Sequence
from typing import Any

import boto3

from infra.local.consumer import Consumer
from infra.local.event_sources import QueueMapping
from infra.local.resources import REGION
from infra.local.runtime import FunctionFailed, PayloadTooLarge, Runtime

type Message = dict[str, Any]


class QueueConsumer(Consumer):
    """Polls one queue, whenever a function has run and twice a second besides."""

    def __init__(self, mapping: QueueMapping, queue_arn: str, runtime: Runtime) -> None:
        super().__init__()
        self._mapping = mapping
        self._queue_arn = queue_arn
        self._runtime = runtime
        self._queues: Any = boto3.client("sqs")
        self._url = self._queues.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]

    def _consume(self) -> None:
        while not self._stopping.is_set():
            self._wait()
            # without waiting for messages: moto answers one call at a time
            found = self._queues.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(self._mapping.batch_size, 10),
                MessageSystemAttributeNames=["All"],
            )
            if messages := found.get("Messages"):
                self.wake()
                self._deliver(messages)

    def _deliver(self, messages: Sequence[Message]) -> None:
        """Invoke the function once; what it failed at comes again when it is visible again."""
        try:
            answer = self._runtime.invoke(self._mapping.function, {"Records": [self._record(m) for m in messages]})
        except (FunctionFailed, PayloadTooLarge):
            return
        failed = _failed(answer) if self._mapping.reports_failures else set()
        for message in messages:
            if message["MessageId"] not in failed:
                self._queues.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def _record(self, message: Message) -> Message:
        """A message as a function gets it."""
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue_arn,
            "awsRegion": REGION,
        }


def _failed(answer: Any) -> set[str]:
    content: Mapping[str, Any] = answer if isinstance(answer, dict) else {}
    return {str(each.get("itemIdentifier")) for each in content.get("batchItemFailures") or ()}
