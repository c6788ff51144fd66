"""Reads of exports, each with the head of its record where a decision is to be made."""

from dmp.adapters import export_items, keys, record_items
from dmp.adapters.keyring import Keyring
from dmp.adapters.table import Table
from dmp.domain.errors import NotFound
from dmp.domain.export import Export
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Record


class ExportStore:
    """Exports of the records table."""

    def __init__(self, table: Table, keyring: Keyring) -> None:
        self._table = table
        self._keyring = keyring

    def export(self, record: str, local: str) -> Export | None:
        """One export."""
        item = self._table.get(keys.item_key(keys.partition(record), keys.export(local)))
        return export_items.read_export(item) if item else None

    def with_export(self, record: str, local: str) -> tuple[Record, Export | None]:
        """The record and one export of it; NotFound `no-record`."""
        sk = keys.export(local)
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, sk])
        if keys.HEAD not in found:
            raise NotFound("no-record")
        export = export_items.read_export(found[sk]) if sk in found else None
        return record_items.read_record(found[keys.HEAD]), export

    def with_latest(self, record: str, asker: Identifier) -> tuple[Record, str, Export | None]:
        """The record, and what somebody last asked: its local id, empty where that is nothing; NotFound `no-record`."""
        sk = keys.exporter(self._keyring.identifier_digest(asker))
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, sk])
        if keys.HEAD not in found:
            raise NotFound("no-record")
        local = found[sk]["held"]["S"] if sk in found else ""
        return record_items.read_record(found[keys.HEAD]), local, self.export(record, local) if local else None
