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
    """Deletes in portions, each small; where one cannot be deleted whole, the next call finds the rest.

    `buckets` are that of documents and, where there is one, its replica: S3 replicates no deletion of a version.
    """

    def __init__(
        self,
        database: "Callable[[], DynamoDBClient]",
        storage: "Callable[[], S3Client]",
        table_name: str,
        *buckets: str,
    ) -> None:
        self._database = database
        self._storage = storage
        self._table = Table(database, table_name)
        self._table_name = table_name
        self._buckets = buckets

    def delete_objects(self, record: str) -> bool:
        """Delete some versions and delete markers of a record's objects; False where there was none left."""
        for bucket in self._buckets:
            for prefix in _PREFIXES:
                if found := self._versions(bucket, f"{prefix}{record}/"):
                    self._delete(bucket, found)
                    return True
        return False

    def _delete(self, bucket: str, found: "list[ObjectIdentifierTypeDef]") -> None:
        with unavailable_on_failure():
            answer = self._storage().delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
        if answer.get("Errors"):
            raise Unavailable("service-unavailable")

    def _versions(self, bucket: str, prefix: str) -> "list[ObjectIdentifierTypeDef]":
        with unavailable_on_failure():
            page = self._storage().list_object_versions(Bucket=bucket, Prefix=prefix, MaxKeys=_OBJECTS)
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
