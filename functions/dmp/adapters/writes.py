"""What each change writes: the conditional writes of one DynamoDB transaction."""

from collections.abc import Iterator, Mapping
from functools import singledispatchmethod
from typing import Any

from dmp.adapters import (
    audit_items,
    consent_items,
    document_items,
    export_items,
    identifier_items,
    ins_writes,
    keys,
    message_items,
    profile_writes,
    record_items,
    reimbursement_writes,
)
from dmp.adapters.correlations import followed_attribute
from dmp.adapters.keyring import Keyring
from dmp.adapters.record_items import Item
from dmp.domain.changes import (
    Change,
    ClaimCriterion,
    ClaimIdentifier,
    FirstAccess,
    InsChange,
    RecordUnchanged,
    RemoveSubscription,
    SaveConsent,
    SaveDocument,
    SaveEditions,
    SaveList,
    SaveMessage,
    SaveRecord,
    SaveSubscription,
    SendMessage,
    Trace,
)
from dmp.domain.export import ExportChange
from dmp.domain.profile_changes import ProfileChange
from dmp.domain.record import RecordStatus
from dmp.domain.reimbursement import SaveReimbursement

type Write = dict[str, Any]


class Writes:
    """Changes of the records table and the trace, as DynamoDB takes them."""

    def __init__(self, records_table: str, audit_table: str, keyring: Keyring) -> None:
        self._records = records_table
        self._audit = audit_table
        self._keyring = keyring

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

    def _claim(self, item: Item, previous: str) -> Write:
        """A claim that nobody has yet, or that still leads to `previous`."""
        if not previous:
            return self._create(item)
        return self._put(item, "#local = :previous", {":previous": {"S": previous}}, {"#local": "local"})

    @singledispatchmethod
    def of(self, change: Change) -> Iterator[Write]:
        """The writes of one change, each with its condition."""
        raise TypeError(type(change).__name__)

    @of.register
    def _(self, change: SaveRecord) -> Iterator[Write]:
        item = record_items.write_record(change.record) | record_items.record_indexes(change.record)
        if change.previous is None:
            yield self._create(item)
            return
        yield self._replace(item, change.previous.version)
        is_kept = change.record.status is not RecordStatus.ERASED
        if is_kept and change.previous.patient_version != change.record.patient_version:
            sk = keys.former("Patient", "", change.previous.patient_version)
            yield self._create(record_items.write_record(change.previous, sk))

    @of.register
    def _(self, change: RecordUnchanged) -> Iterator[Write]:
        yield {
            "ConditionCheck": {
                "TableName": self._records,
                "Key": keys.item_key(keys.partition(change.record.id), keys.HEAD),
                "ConditionExpression": "v = :v",
                "ExpressionAttributeValues": {":v": {"N": str(change.record.version)}},
            }
        }

    @of.register
    def _(self, change: SaveConsent) -> Iterator[Write]:
        consent, previous = change.consent, change.previous
        indexes = consent_items.consent_indexes(consent, self._keyring.identifier_digest)
        item = consent_items.write_consent(consent) | indexes
        if previous is None:
            yield self._create(item)
            return
        yield self._replace(item, previous.version)
        yield self._create(
            consent_items.write_consent(previous, keys.former("Consent", previous.local, previous.version))
        )

    @of.register
    def _(self, change: SaveDocument) -> Iterator[Write]:
        entry, previous, digest = change.entry, change.previous, self._keyring.identifier_digest
        item = document_items.write_document(entry) | document_items.document_indexes(entry) | followed_attribute()
        if previous is not None:
            yield self._put(item | document_items.rewritten(previous), *document_items.unchanged(previous))
            if previous.version != entry.version:
                sk = keys.former("DocumentReference", previous.local, previous.version)
                yield self._create(document_items.write_document(previous, sk))
        else:
            yield self._create(item)
        known = set(previous.identifiers) if previous else set()
        if entry.edition:
            known.add(entry.edition.set)  # the item of its set leads to it
        for identifier in dict.fromkeys(one for one in entry.identifiers if one not in known):
            yield self._create(identifier_items.write_further(entry.record, entry.local, digest(identifier)))

    @of.register
    def _(self, change: SaveList) -> Iterator[Write]:
        item, previous = document_items.write_list(change.entry), change.previous
        if previous is None:
            yield self._create(item)
            return
        yield self._replace(item, previous.version)
        yield self._create(document_items.write_list(previous, keys.former("List", previous.local, previous.version)))

    @of.register
    def _(self, change: SaveEditions) -> Iterator[Write]:
        item = identifier_items.write_editions(self._keyring, change.editions)
        revision = change.editions.revision
        yield self._replace(item, revision - 1) if revision > 1 else self._create(item)

    @of.register
    def _(self, change: ClaimIdentifier) -> Iterator[Write]:
        digest = self._keyring.unique_id_digest(change.identifier)
        item = keys.item_key(keys.partition(change.record), keys.unique_id(digest)) | {
            "kind": {"S": "claim"},
            "local": {"S": change.local},
            "sha256": {"S": change.sha256},
            "set": {"S": change.submission_set},
            "gi_ident": {"S": digest},
        }
        yield self._claim(item, change.previous)

    @of.register
    def _(self, change: ClaimCriterion) -> Iterator[Write]:
        key = keys.item_key(keys.partition(change.record), keys.criterion(change.criterion))
        yield self._claim(key | {"kind": {"S": "claim"}, "local": {"S": change.local}}, change.previous)

    @of.register
    def _(self, change: InsChange) -> Iterator[Write]:
        yield from ins_writes.writes_of(self._records, self._keyring, change)

    @of.register
    def _(self, change: ProfileChange) -> Iterator[Write]:
        yield from profile_writes.writes_of(self._records, change)

    @of.register
    def _(self, change: ExportChange) -> Iterator[Write]:
        yield export_items.write_of(self._records, self._keyring, change)

    @of.register
    def _(self, change: SaveReimbursement) -> Iterator[Write]:
        yield from reimbursement_writes.writes_of(self._records, self._keyring, change)

    @of.register
    def _(self, change: SaveSubscription) -> Iterator[Write]:
        item = message_items.write_subscription(change.subscription)
        yield self._replace(item, change.previous.version) if change.previous else self._create(item)

    @of.register
    def _(self, change: RemoveSubscription) -> Iterator[Write]:
        removed = change.subscription
        key = keys.item_key(keys.partition(removed.record), keys.subscription(removed.local))
        yield {"Delete": {"TableName": self._records, "Key": key}}

    @of.register
    def _(self, change: SendMessage) -> Iterator[Write]:
        indexes = message_items.message_indexes(change.message, self._keyring.identifier_digest)
        yield self._create(message_items.write_message(change.message) | indexes | followed_attribute())

    @of.register
    def _(self, change: SaveMessage) -> Iterator[Write]:
        """Of a message only this changes: its mail goes its own way."""
        item = message_items.write_message(change.message)
        values = {":st": item["st"], ":v": item["v"], ":body": item["body"]}
        yield {
            "Update": {
                "TableName": self._records,
                "Key": keys.item_key(keys.partition(change.message.record), keys.message(change.message.local)),
                "UpdateExpression": "SET st = :st, v = :v, body = :body",
                "ConditionExpression": "v = :was",
                "ExpressionAttributeValues": values | {":was": {"N": str(change.previous.version)}},
            }
        }

    @of.register
    def _(self, change: FirstAccess) -> Iterator[Write]:
        sk = keys.first_access(self._keyring.identifier_digest(change.actor), is_secret=change.is_secret)
        yield self._create(keys.item_key(keys.partition(change.record), sk) | {"kind": {"S": "first-access"}})

    @of.register
    def _(self, change: Trace) -> Iterator[Write]:
        item = self.audit_item(change)
        put = {"TableName": self._audit, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        yield {"Put": put}

    def audit_item(self, trace: Trace) -> Item:
        """The item of an entry of the trace, in the partition of its record or else of its caller."""
        partition = keys.partition(trace.entry.record)
        if not trace.entry.record:
            partition = keys.caller_partition(self._keyring.identifier_digest(trace.entry.actor))
        return audit_items.write_entry(trace.entry, partition) | followed_attribute(trace.entry.request_id)
