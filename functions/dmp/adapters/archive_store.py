"""What is kept of a record, deleted for good: the versions of its objects and the items beside its head (R.1111-36)."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dmp.adapters import keys
from dmp.adapters.aws import unavailable_on_failure
from dmp.adapters.table import Range, Table
from dmp.domain.errors import Unavailable
from dmp.domain.export import EXPORTS
from dmp.domain.upload import DOCUMENTS, UPLOADS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_OBJECTS = 1000
"""Versions that S3 deletes in one call."""
_ITEMS = 25
"""Items that DynamoDB deletes in one call."""
_PREFIXES = (DOCUMENTS, UPLOADS, EXPORTS)
_EVERYTHING = Range(" ", "\uffff")
_PAUSE_SECONDS = 0.05


class ArchiveStore:
    """Deletes in portions, each small; where one cannot be deleted whole, the next call finds the rest."""

    def __init__(
        self,
        database: "Callable[[], DynamoDBClient]",
        storage: "Callable[[], S3Client]",
        table_name: str,
        bucket: str,
    ) -> None:
        self._database = database
        self._storage = storage
        self._table = Table(database, table_name)
        self._table_name = table_name
        self._bucket = bucket

    def delete_objects(self, record: str) -> bool:
        """Delete some versions and delete markers of a record's objects; False where there was none left."""
        found = next(filter(None, (self._versions(f"{prefix}{record}/") for prefix in _PREFIXES)), None)
        if not found:
            return False
        with unavailable_on_failure():
            answer = self._storage().delete_objects(Bucket=self._bucket, Delete={"Objects": found, "Quiet": True})
        if answer.get("Errors"):
            raise Unavailable("service-unavailable")
        return True

    def _versions(self, prefix: str) -> "list[ObjectIdentifierTypeDef]":
        with unavailable_on_failure():
            page = self._storage().list_object_versions(Bucket=self._bucket, Prefix=prefix, MaxKeys=_OBJECTS)
        listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        return [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in listed]

    def delete_items(self, record: str) -> bool:
        """Delete some items of a record's partition, its head aside; False where there was none left."""
        items, _ = self._table.query(keys.partition(record), _EVERYTHING, limit=_ITEMS + 1, forward=True)
        found = [keys.item_key(item["pk"]["S"], item["sk"]["S"]) for item in items if item["sk"]["S"] != keys.HEAD]
        if not found:
            return False
        with unavailable_on_failure():
            answer = self._database().batch_write_item(
                RequestItems={self._table_name: [{"DeleteRequest": {"Key": key}} for key in found[:_ITEMS]]}
            )
        if answer.get("UnprocessedItems"):
            time.sleep(_PAUSE_SECONDS)
        return True
