"""The queue of documents whose text is to be read: told by the bucket, or by whoever verified an upload (SQS)."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from dmp.adapters.aws import unavailable_on_failure
from dmp.adapters.correlations import followed_key
from dmp.domain.document import DocumentEntry
from dmp.domain.upload import Place, place_of

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

_TEST = "s3:TestEvent"
_PAUSES_SECONDS = (1, 30, 300, 3_600)
"""After each failed attempt but the last; after the first, for the entry that comes a moment behind its bytes.

Together they are longer than it takes until bytes without an entry are an orphan: the last attempt deletes it.
"""


def places_of(message: Mapping[str, Any]) -> list[Place]:
    """The documents that a message tells of; ValueError, KeyError or TypeError where it tells nothing of ours."""
    body = json.loads(message["body"])
    if body.get("Event") == _TEST:
        return []
    if "key" in body:
        return [_place(body["key"])]
    # S3 tells keys URL-encoded
    return [_place(unquote_plus(record["s3"]["object"]["key"])) for record in body["Records"]]


def _place(key: str) -> Place:
    place = place_of(key)
    if place is None:
        raise ValueError("no document has such a key")
    return place


class ExtractionQueue:
    """One queue."""

    def __init__(self, client: "Callable[[], SQSClient]", url: str) -> None:
        self._client = client
        self._url = url

    def put(self, entry: DocumentEntry) -> None:
        """Let a document be read; Unavailable where the queue takes nothing."""
        with unavailable_on_failure():
            body = json.dumps({"key": entry.content.key, **followed_key()})
            self._client().send_message(QueueUrl=self._url, MessageBody=body)

    def put_off(self, message: Mapping[str, Any]) -> None:
        """Let a message be taken again after a while; after the last attempt at once, to go among the lost."""
        left = _PAUSES_SECONDS[int(message["attributes"]["ApproximateReceiveCount"]) - 1 :]
        with unavailable_on_failure():
            self._client().change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message["receiptHandle"], VisibilityTimeout=left[0] if left else 0
            )
