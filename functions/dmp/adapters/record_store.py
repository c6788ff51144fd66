"""Reads of records: the head, with whatever a request needs beside it, in as few calls as the layout allows."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from dmp.adapters import consent_items, keys, record_items
from dmp.adapters.due_index import due
from dmp.adapters.keyring import Keyring
from dmp.adapters.table import Range, Table
from dmp.domain.changes import Claim
from dmp.domain.consent import Consent, Grantor, PatientRef
from dmp.domain.errors import NotFound
from dmp.domain.identifiers import Identifier, split_resource_id
from dmp.domain.record import Record

_LAST = "\uffff"
_PAGE = 100
"""Keys or Consents that one read of a listing brings: memory stays bounded, whatever there is."""


class RecordStore:
    """Heads and Consents."""

    expiry_shards = keys.EXPIRY_SHARDS
    actor_shards = keys.ACTOR_SHARDS

    def __init__(self, table: Table, keyring: Keyring, on_look_up: Callable[[], None] = lambda: None) -> None:
        """`on_look_up` hears of every INS that is looked up."""
        self._table = table
        self._keyring = keyring
        self._on_look_up = on_look_up

    def id_of(self, ins: Identifier) -> str | None:
        """The record that an INS leads to."""
        self._on_look_up()
        item = self._table.get(keys.ins(self._keyring.ins_digest(ins)))
        return str(item["record"]["S"]) if item else None

    def head(self, record: str) -> Record | None:
        """The record as it stands."""
        item = self._table.get(keys.item_key(keys.partition(record), keys.HEAD))
        return record_items.read_record(item) if item else None

    def existing(self, record: str) -> Record:
        """The record as it stands; NotFound `no-record`."""
        return _known(self.head(record))

    def named(self, patient: PatientRef) -> str:
        """The id of the record that a request names, by an INS too; NotFound `no-record`."""
        record = patient.record or (self.id_of(patient.ins) if patient.ins else None)
        if record is None:
            raise NotFound("no-record")
        return record

    def opposed_by(self, ins: Identifier) -> Grantor | None:
        """Who keeps everybody from opening a record for a person; None where nobody does."""
        item = self._table.get(keys.opposition(self._keyring.ins_digest(ins)))
        return Grantor(item["opposed_by"]["S"]) if item else None

    def former_head(self, record: str, patient_version: int) -> Record | None:
        """The Patient as it stood in a former version."""
        sk = keys.former("Patient", "", patient_version)
        item = self._table.get(keys.item_key(keys.partition(record), sk))
        return record_items.read_record(item) if item else None

    def with_claims(
        self, record: str, identifiers: Sequence[Identifier], criterion: str = ""
    ) -> tuple[Record | None, dict[Identifier, Claim], str | None]:
        """The record, who holds each of these unique ids, and the resource that a conditional create made before."""
        sks = {i: keys.unique_id(self._keyring.unique_id_digest(i)) for i in identifiers}
        extra = [keys.criterion(criterion)] if criterion else []
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, *sks.values(), *extra])
        claims = {
            i: Claim(item["local"]["S"], item["sha256"]["S"], item["set"]["S"])
            for i, sk in sks.items()
            if (item := found.get(sk))
        }
        made = found[extra[0]]["local"]["S"] if extra and extra[0] in found else None
        head = found.get(keys.HEAD)
        return (record_items.read_record(head) if head else None), claims, made

    def with_consent(self, record: str, local: str) -> tuple[Record, Consent | None]:
        """The record and one Consent of it; NotFound `no-record`."""
        head, consents = self.with_consents(record, [local])
        return head, consents.get(local)

    def with_consents(self, record: str, locals_: Sequence[str]) -> tuple[Record, dict[str, Consent]]:
        """The record and several Consents of it, by their local ids; NotFound `no-record`."""
        sks = [keys.consent(local) for local in locals_]
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, *sks])
        head = found.pop(keys.HEAD, None)
        consents = (consent_items.read_consent(item) for item in found.values())
        return _known(record_items.read_record(head) if head else None), {c.local: c for c in consents}

    def consents(self, record: str, before: str = "") -> Iterator[Consent]:
        """The Consents of a record, newest first, older than `before`; read as far as they are asked for."""
        span, after = Range(keys.CONSENTS, keys.consent(before or _LAST)), None
        while True:
            items, after = self._table.query(keys.partition(record), span, limit=_PAGE, after=after)
            yield from (c for c in map(consent_items.read_consent, items) if c.local != before)
            if after is None:
                return

    def former_consents(self, record: str, local: str) -> list[Consent]:
        """The former versions of a Consent, oldest first."""
        prefix = keys.formers("Consent", local)
        items, _ = self._table.query(keys.partition(record), Range(prefix, prefix + _LAST), forward=True)
        return [consent_items.read_consent(item) for item in items]

    def due_consents(self, month: datetime, shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        """Record and local id of the Consents of a month and shard that are due, the longest due first; hints only."""
        for record, sk in self.due(keys.Due.CONSENTS, month, shard, now):
            yield record, sk.removeprefix(keys.CONSENTS)

    def due_documents(self, month: datetime, shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        """Record and local id of the documents whose announcement has a step due, the longest due first; hints only."""
        for record, sk in self.due(keys.Due.DOCUMENTS, month, shard, now):
            yield record, sk.removeprefix(keys.DOCUMENTS)

    def due_uploads(self, month: datetime, shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        """Record and local id of the documents that are still awaited, the longest due first; hints only."""
        for record, sk in self.due(keys.Due.UPLOADS, month, shard, now):
            yield record, sk.removeprefix(keys.DOCUMENTS)

    def due_records(self, month: datetime, shard: int, now: datetime) -> Iterator[str]:
        """The records of a month and shard that the retention job must look at, the longest due first; hints only."""
        for record, _ in self.due(keys.Due.RECORDS, month, shard, now):
            yield record

    def due(self, kind: keys.Due, month: datetime, shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        """Record and sort key of what is due in a month and shard, the longest due first; hints only."""
        return due(self._table, kind, month, shard, now)

    def consents_naming(self, actor: Identifier, shard: int, after: str, page: int) -> Iterator[tuple[str, str]]:
        """Record and local id of the current Consents that name an actor, in the order of ids; hints only.

        They begin behind the Consent of the id `after`, and are read `page` at a time.
        """
        value = keys.actor_shard(self._keyring.identifier_digest(actor), shard)
        start = None
        if parts := split_resource_id(after):
            start = keys.item_key(keys.partition(parts[0]), keys.consent(parts[1]))
            start |= {"ga_actor": {"S": value}, "ga_at": {"S": after}}
        while True:
            items, start = self._table.query_index("by-actor", "ga_actor", value, after=start, limit=page)
            for item in items:
                yield keys.record_of(item["pk"]["S"]), item["sk"]["S"].removeprefix(keys.CONSENTS)
            if start is None:
                return


def _known(record: Record | None) -> Record:
    if record is None:
        raise NotFound("no-record")
    return record
