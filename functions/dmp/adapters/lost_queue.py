"""The queue of what a consumer of a stream gave up: the operator finds the key there, for a stream forgets in a day."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dmp.adapters.aws import unavailable_on_failure
from dmp.adapters.correlations import followed_key

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient


class LostQueue:
    """One queue, where Lambda itself puts what it gives up: the batch is told in Lambda's own form."""

    def __init__(self, client: "Callable[[], SQSClient]", url: str) -> None:
        self._client = client
        self._url = url

    def put(self, change: Mapping[str, Any], failure: str) -> None:
        """Set a change aside: where it lies, and nothing of what it holds; Unavailable where the queue takes nothing.

        `failure` is the name of what was raised.
        """
        number = change["dynamodb"]["SequenceNumber"]
        lost = {
            "failure": failure,
            **followed_key(),
            "eventName": change.get("eventName", "INSERT"),
            "keys": change["dynamodb"].get("Keys", {}),
            "DDBStreamBatchInfo": {
                "streamArn": change.get("eventSourceARN", ""),
                "batchSize": 1,
                "startSequenceNumber": number,
                "endSequenceNumber": number,
            },
        }
        with unavailable_on_failure():
            self._client().send_message(QueueUrl=self._url, MessageBody=json.dumps(lost))
