"""The mails of messages on their way out: claimed before they are sent, so that each leaves once at most."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dmp.adapters import keys, message_items
from dmp.adapters.due_index import due
from dmp.adapters.table import Table
from dmp.domain.errors import Unavailable
from dmp.domain.mail import MailState
from dmp.domain.notification import Message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_INDEXED = "SET mail = :state, claimed_by = :claim, gx_month = :gx_month, gx_at = :gx_at"
_OUT_OF_INDEX = "SET mail = :state, claimed_by = :claim REMOVE gx_month, gx_at"
_FREE = "mail = :waiting"
_OWN = "mail = :claimed AND claimed_by = :claim"


def new_message(change: Mapping[str, Any]) -> tuple[str, str] | None:
    """Record and local id of the message that a change of the stream created; None for any other change."""
    key = change.get("dynamodb", {}).get("Keys", {})
    pk, sk = key.get("pk", {}).get("S", ""), key.get("sk", {}).get("S", "")
    if change.get("eventName") != "INSERT" or not sk.startswith(keys.MESSAGES):
        return None
    return keys.record_of(pk), sk.removeprefix(keys.MESSAGES)


class MailStore:
    """The state of each mail, an attribute of its message; a claim is a text that nobody else draws.

    As long as a mail waits, its message stands in the index of things due.
    """

    shards = keys.EXPIRY_SHARDS

    def __init__(self, client: "Callable[[], DynamoDBClient]", table_name: str) -> None:
        self._client = client
        self._name = table_name
        self._table = Table(client, table_name)

    def find(self, record: str, local: str) -> tuple[Message, MailState] | None:
        """A message and how far its mail is, as they stand; None where the message is gone."""
        item = self._table.get(keys.item_key(keys.partition(record), keys.message(local)))
        return (message_items.read_message(item), MailState(item["mail"]["S"])) if item else None

    def due(self, month: datetime, shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        """Record and local id of the messages of a month and shard whose mail still waits; hints only."""
        for record, sk in due(self._table, keys.Due.MAILS, month, shard, now):
            yield record, sk.removeprefix(keys.MESSAGES)

    def claim(self, message: Message, claim: str) -> bool:
        """Take a mail that waits; False where another has it. A repetition by the SDK finds its own claim."""
        return self._write(message, claim, MailState.CLAIMED, f"{_FREE} OR ({_OWN})")

    def release(self, message: Message, claim: str) -> None:
        """Give back a mail that surely did not leave, for another attempt; nothing where it is not this claim's."""
        self._write(message, claim, MailState.TO_SEND, _OWN)

    def settle(self, message: Message, claim: str, state: MailState) -> None:
        """Mark a mail that was sent, or that no address takes."""
        self._write(message, claim, state, _OWN)

    def _write(self, message: Message, claim: str, state: MailState, condition: str) -> bool:
        """Set the state where the condition holds; False where it does not, Unavailable where nobody knows."""
        values = {":state": state.value, ":claim": claim, ":claimed": MailState.CLAIMED.value}
        if ":waiting" in condition:
            values[":waiting"] = MailState.TO_SEND.value
        index = message_items.mail_indexes(message) if state is MailState.TO_SEND else {}
        try:
            self._client().update_item(
                TableName=self._name,
                Key=keys.item_key(keys.partition(message.record), keys.message(message.local)),
                UpdateExpression=_INDEXED if index else _OUT_OF_INDEX,
                ConditionExpression=condition,
                ExpressionAttributeValues={name: {"S": value} for name, value in values.items()}
                | {f":{name}": value for name, value in index.items()},
            )
        except ClientError as failure:
            if failure.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise Unavailable("service-unavailable") from failure
            return False
        except BotoCoreError as failure:
            raise Unavailable("service-unavailable") from failure
        return True
