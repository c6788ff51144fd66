"""Commits a set of changes as one DynamoDB transaction over the records and the audit table: all or none."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dmp.adapters import audit_items, document_items, keys, record_items
from dmp.adapters.record_items import Item
from dmp.domain.changes import (
    Change,
    ClaimCriterion,
    ClaimIdentifier,
    Contention,
    LinkIns,
    RecordUnchanged,
    SaveConsent,
    SaveDocument,
    SaveList,
    SaveRecord,
    SaveRelatedPerson,
    SendMessage,
    Trace,
)
from dmp.domain.errors import TooLarge, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

    from dmp.adapters.keyring import Keyring

LARGEST_TRANSACTION = 100
LARGEST_SUM = 4_000_000
"""Bytes that the items of one transaction may have together: DynamoDB takes 4 MB."""
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.05
_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})

type Write = dict[str, Any]


class Ledger:
    """Writes to the tables; every write has a condition, every change of state its audit entry beside it."""

    def __init__(
        self, client: "Callable[[], DynamoDBClient]", records_table: str, audit_table: str, keyring: "Keyring"
    ) -> None:
        self._client = client
        self._records = records_table
        self._audit = audit_table
        self._keyring = keyring

    def commit(self, changes: Sequence[Change]) -> None:
        """Write all changes or none.

        Raises `Contention` when a condition did not hold, `TooLarge` over 100 writes, `Unavailable` when DynamoDB
        does not say that it succeeded.
        """
        writes = [(write, change) for change in changes for write in self._writes(change)]
        if len(writes) > LARGEST_TRANSACTION:
            raise TooLarge("too-many")
        if sum(_size(write) for write, _ in writes) > LARGEST_SUM:
            raise TooLarge("too-large")
        for attempt in range(1, _ATTEMPTS + 1):
            reasons = self._attempt([write for write, _ in writes])
            if reasons is None:
                return
            failed = tuple(
                change
                for reason, (_, change) in zip(reasons, writes, strict=False)
                if reason == "ConditionalCheckFailed"
            )
            if failed:
                raise Contention(failed)
            if attempt == _ATTEMPTS or not _PASSING.issuperset(set(reasons) - {"None"}) or set(reasons) <= {"None"}:
                break
            time.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))  # noqa: S311 - jitter, no secret
        raise Unavailable("service-unavailable")

    def append(self, entry: Trace) -> None:
        """Append one entry to the trace, before the answer it tells of leaves."""
        item = audit_items.write_entry(entry.entry, self._audit_partition(entry))
        try:
            self._client().put_item(TableName=self._audit, Item=item, ConditionExpression="attribute_not_exists(pk)")
        except ClientError as failure:
            # A repetition by the SDK after a lost answer finds the entry of the first attempt: it is there.
            if failure.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise Unavailable("service-unavailable") from failure
        except BotoCoreError as failure:
            raise Unavailable("service-unavailable") from failure

    def _attempt(self, writes: list[Write]) -> list[str] | None:
        try:
            self._client().transact_write_items(TransactItems=writes)  # type: ignore[arg-type]
        except ClientError as failure:
            if failure.response.get("Error", {}).get("Code") != "TransactionCanceledException":
                raise Unavailable("service-unavailable") from failure
            reasons = failure.response.get("CancellationReasons", [])
            return [reason.get("Code", "None") for reason in reasons]
        except BotoCoreError as failure:
            raise Unavailable("service-unavailable") from failure
        return None

    def _audit_partition(self, trace: Trace) -> str:
        if trace.entry.record:
            return keys.partition(trace.entry.record)
        return keys.caller_partition(self._keyring.identifier_digest(trace.entry.actor))

    def _put(
        self, item: Item, condition: str, values: Item | None = None, names: Mapping[str, str] | None = None
    ) -> Write:
        put: Item = {"TableName": self._records, "Item": item, "ConditionExpression": condition}
        optional = {"ExpressionAttributeValues": values, "ExpressionAttributeNames": names}
        return {"Put": put | {name: value for name, value in optional.items() if value}}

    def _create(self, item: Item) -> Write:
        return self._put(item, "attribute_not_exists(pk)")

    def _replace(self, item: Item, version: int) -> Write:
        return self._put(item, "v = :v", {":v": {"N": str(version)}})

    @singledispatchmethod
    def _writes(self, change: Change) -> Iterator[Write]:
        raise TypeError(type(change).__name__)

    @_writes.register
    def _(self, change: SaveRecord) -> Iterator[Write]:
        item = record_items.write_record(change.record)
        if change.previous is None:
            yield self._create(item)
            return
        yield self._replace(item, change.previous.version)
        if change.previous.patient_version != change.record.patient_version:
            sk = keys.former("Patient", "", change.previous.patient_version)
            yield self._create(record_items.write_record(change.previous, sk))

    @_writes.register
    def _(self, change: RecordUnchanged) -> Iterator[Write]:
        yield {
            "ConditionCheck": {
                "TableName": self._records,
                "Key": keys.item_key(keys.partition(change.record.id), keys.HEAD),
                "ConditionExpression": "v = :v",
                "ExpressionAttributeValues": {":v": {"N": str(change.record.version)}},
            }
        }

    @_writes.register
    def _(self, change: LinkIns) -> Iterator[Write]:
        yield self._create(keys.ins(self._keyring.ins_digest(change.ins)) | {"record": {"S": change.record}})

    @_writes.register
    def _(self, change: SaveConsent) -> Iterator[Write]:
        consent, previous = change.consent, change.previous
        indexes = record_items.consent_indexes(consent, self._keyring.identifier_digest)
        item = record_items.write_consent(consent) | indexes
        if previous is None:
            yield self._create(item)
            return
        yield self._replace(item, previous.version)
        yield self._create(
            record_items.write_consent(previous, keys.former("Consent", previous.local, previous.version))
        )

    @_writes.register
    def _(self, change: SaveDocument) -> Iterator[Write]:
        entry, previous, digest = change.entry, change.previous, self._keyring.identifier_digest
        item = document_items.write_document(entry) | document_items.document_indexes(entry)
        if previous is not None:
            yield self._replace(item, previous.version)
            sk = keys.former("DocumentReference", previous.local, previous.version)
            yield self._create(document_items.write_document(previous, sk))
            return
        yield self._create(item)
        for identifier in dict.fromkeys(entry.identifiers):
            yield self._create(self._further_identifier(entry.record, entry.local, digest(identifier)))

    @_writes.register
    def _(self, change: SaveList) -> Iterator[Write]:
        item, previous = document_items.write_list(change.entry), change.previous
        if previous is None:
            yield self._create(item)
            return
        yield self._replace(item, previous.version)
        yield self._create(document_items.write_list(previous, keys.former("List", previous.local, previous.version)))

    @_writes.register
    def _(self, change: ClaimIdentifier) -> Iterator[Write]:
        digest = self._keyring.unique_id_digest(change.identifier)
        yield self._create(
            keys.item_key(keys.partition(change.record), keys.unique_id(digest))
            | {
                "kind": {"S": "claim"},
                "local": {"S": change.local},
                "sha256": {"S": change.sha256},
                "set": {"S": change.submission_set},
                "gi_ident": {"S": digest},
            }
        )

    @_writes.register
    def _(self, change: ClaimCriterion) -> Iterator[Write]:
        key = keys.item_key(keys.partition(change.record), keys.criterion(change.criterion))
        item = key | {"kind": {"S": "claim"}, "local": {"S": change.local}}
        if change.previous:
            yield self._put(item, "#local = :previous", {":previous": {"S": change.previous}}, {"#local": "local"})
        else:
            yield self._create(item)

    @_writes.register
    def _(self, change: SaveRelatedPerson) -> Iterator[Write]:
        yield self._create(
            keys.item_key(keys.partition(change.record), keys.related_person(change.local))
            | {"kind": {"S": "related-person"}, "v": {"N": "1"}, "body": {"S": record_items.text(change.body)}}
        )

    @_writes.register
    def _(self, change: SendMessage) -> Iterator[Write]:
        yield self._create(record_items.write_message(change.message))

    @_writes.register
    def _(self, change: Trace) -> Iterator[Write]:
        item = audit_items.write_entry(change.entry, self._audit_partition(change))
        put = {"TableName": self._audit, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        yield {"Put": put}

    @staticmethod
    def _further_identifier(record: str, local: str, digest: str) -> Item:
        sk = keys.other_identifier(digest, local)
        key = keys.item_key(keys.partition(record), sk)
        return key | {"kind": {"S": "identifier"}, "local": {"S": local}, "gi_ident": {"S": digest}}


def _size(write: Write) -> int:
    """About the bytes of the item that a write puts."""
    item = write.get("Put", {}).get("Item", {})
    return sum(len(name) + sum(map(_length, typed.values())) for name, typed in item.items())


def _length(value: str | bytes) -> int:
    return len(value.encode()) if isinstance(value, str) else len(value)
