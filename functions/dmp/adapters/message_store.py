"""Messages on their way out: read as they stand, and marked once a mail has left or cannot."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dmp.adapters import keys, message_items
from dmp.adapters.table import Table
from dmp.domain.errors import Unavailable
from dmp.domain.notification import Message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_SENT, _UNDELIVERABLE = "sent", "undeliverable"
"""How far a mail is."""


def new_message(change: Mapping[str, Any]) -> tuple[str, str] | None:
    """Record and local id of the message that a change of the stream created; None for any other change."""
    key = change.get("dynamodb", {}).get("Keys", {})
    pk, sk = key.get("pk", {}).get("S", ""), key.get("sk", {}).get("S", "")
    if change.get("eventName") != "INSERT" or not sk.startswith(keys.MESSAGES):
        return None
    return keys.record_of(pk), sk.removeprefix(keys.MESSAGES)


class MessageStore:
    """Messages of the records table."""

    def __init__(self, client: "Callable[[], DynamoDBClient]", table_name: str) -> None:
        self._client = client
        self._name = table_name
        self._table = Table(client, table_name)

    def waiting(self, record: str, local: str) -> Message | None:
        """The message, unless it is gone or dealt with."""
        item = self._table.get(keys.item_key(keys.partition(record), keys.message(local)))
        return message_items.read_message(item) if item and item["mail"]["S"] == message_items.TO_SEND else None

    def sent(self, message: Message) -> None:
        """Mark a message whose mail has left."""
        self._mark(message, _SENT)

    def undeliverable(self, message: Message) -> None:
        """Mark a message whose address no mail can reach."""
        self._mark(message, _UNDELIVERABLE)

    def _mark(self, message: Message, status: str) -> None:
        try:
            self._client().update_item(
                TableName=self._name,
                Key=keys.item_key(keys.partition(message.record), keys.message(message.local)),
                UpdateExpression="SET mail = :status",
                ConditionExpression="mail = :waiting",
                ExpressionAttributeValues={":status": {"S": status}, ":waiting": {"S": message_items.TO_SEND}},
            )
        except ClientError as failure:
            # somebody else marked it meanwhile: that is what was wanted
            if failure.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise Unavailable("service-unavailable") from failure
        except BotoCoreError as failure:
            raise Unavailable("service-unavailable") from failure
