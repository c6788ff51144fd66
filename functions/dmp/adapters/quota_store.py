"""What callers have used of their quotas, an item by caller, kind and hour, which goes by itself (TTL)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dmp.adapters import keys
from dmp.adapters.aws import unavailable_on_failure
from dmp.adapters.keyring import Keyring
from dmp.domain.identifiers import Identifier

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_KEPT = timedelta(days=2)


class QuotaStore:
    """Counters of the records table."""

    def __init__(self, client: "Callable[[], DynamoDBClient]", table_name: str, keyring: Keyring) -> None:
        self._client = client
        self._name = table_name
        self._keyring = keyring

    def spend(self, kind: str, actor: Identifier, now: datetime) -> int:
        """Count one more in this hour (UTC), and return how many there are."""
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        with unavailable_on_failure():
            answer = self._client().update_item(
                TableName=self._name,
                Key=keys.quota(kind, self._keyring.identifier_digest(actor), hour.isoformat()),
                UpdateExpression="ADD used :one SET expires = :expires",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":expires": {"N": str(int((hour + _KEPT).timestamp()))},
                },
                ReturnValues="UPDATED_NEW",
            )
        return int(answer["Attributes"]["used"]["N"])
