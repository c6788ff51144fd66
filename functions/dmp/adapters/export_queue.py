"""The queue of exports to build: each message is a hint, which the export itself vouches for (SQS)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dmp.adapters.aws import unavailable_on_failure
from dmp.adapters.correlations import followed_key

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient


@dataclass(frozen=True, slots=True)
class Taken:
    """A message as the queue hands it over, for the nth time (`attempt`, from 1 on); `export` is the id."""

    export: str
    attempt: int
    receipt: str


def taken(message: Mapping[str, Any]) -> Taken:
    """Read a message; KeyError, TypeError or ValueError where it is none of ours."""
    body = message["body"]
    # the id alone: as the version before put it, whose messages wait four days at most
    export = json.loads(body)["export"] if body.startswith("{") else body
    return Taken(export, int(message["attributes"]["ApproximateReceiveCount"]), message["receiptHandle"])


class ExportQueue:
    """One queue."""

    def __init__(self, client: "Callable[[], SQSClient]", url: str) -> None:
        self._client = client
        self._url = url

    def put(self, export: str) -> None:
        """Tell of an export that is about to be asked for; Unavailable where the queue does not take it."""
        with unavailable_on_failure():
            body = json.dumps({"export": export, **followed_key()})
            self._client().send_message(QueueUrl=self._url, MessageBody=body)

    def keep(self, message: Taken, seconds: int) -> None:
        """Let nobody take a message before so many seconds are over."""
        with unavailable_on_failure():
            self._client().change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
            )
