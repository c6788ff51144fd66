"""The queue of hooks under way: put in batches, taken one by one, and put off longer after each failure (SQS)."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dmp.adapters.aws import unavailable_on_failure
from dmp.adapters.correlations import followed_key
from dmp.domain.errors import Unavailable
from dmp.domain.subscription import Hook

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

_BATCH = 10
_PAUSES_SECONDS = (60, 300, 1_500, 7_200)
"""After each failed attempt but the last: a receiver that restarts, or moves, loses nothing."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A hook as the queue hands it over, for the nth time (`attempt`, from 1 on)."""

    hook: Hook
    attempt: int
    receipt: str


def delivered(message: Mapping[str, Any]) -> Delivered:
    """The hook of a message; ValueError, KeyError or TypeError where it holds none."""
    content = json.loads(message["body"])
    attempt = int(message["attributes"]["ApproximateReceiveCount"])
    return Delivered(Hook(str(content["subscription"]), str(content["event"])), attempt, message["receiptHandle"])


class HookQueue:
    """One queue."""

    def __init__(self, client: "Callable[[], SQSClient]", url: str) -> None:
        self._client = client
        self._url = url

    def put(self, hooks: Sequence[Hook]) -> None:
        """Hand hooks over; Unavailable where one was not taken, others may be under way then."""
        for start in range(0, len(hooks), _BATCH):
            batch = hooks[start : start + _BATCH]
            bodies = [json.dumps({**asdict(hook), **followed_key()}) for hook in batch]
            with unavailable_on_failure():
                answer = self._client().send_message_batch(
                    QueueUrl=self._url,
                    Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)],
                )
            if answer.get("Failed"):
                raise Unavailable("service-unavailable")

    def put_off(self, failed: Delivered) -> None:
        """Let a hook be taken again after a while; after the last attempt at once, to go among the lost."""
        left = _PAUSES_SECONDS[failed.attempt - 1 :]
        with unavailable_on_failure():
            self._client().change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=failed.receipt, VisibilityTimeout=left[0] if left else 0
            )
