"""Which professionals have been in a record already (R.1111-43)."""

from collections.abc import Mapping
from typing import Any

from dmp.adapters import audit_items, keys, record_items
from dmp.adapters.keyring import Keyring
from dmp.adapters.table import Table
from dmp.domain.audit import AuditEntry
from dmp.domain.record import Record


def new_entry(change: Mapping[str, Any]) -> AuditEntry | None:
    """The entry of the trace that a change of the stream appended; None for any other change."""
    image = change.get("dynamodb", {}).get("NewImage")
    return audit_items.read_entry(image) if change.get("eventName") == "INSERT" and image else None


class FirstAccessStore:
    """The marks that `FirstAccess` leaves."""

    def __init__(self, table: Table, keyring: Keyring) -> None:
        self._table = table
        self._keyring = keyring

    def has_been_in(self, entry: AuditEntry) -> tuple[Record | None, bool]:
        """The record of an entry, and whether its actor has been in it before, as far as this access may tell.

        An access in a connexion secrète does not make the next one, which representatives may see, a second one.
        """
        digest = self._keyring.identifier_digest(entry.actor)
        marks = [keys.first_access(digest)] + ([keys.first_access(digest, is_secret=True)] if entry.is_secret else [])
        found = self._table.batch_get(keys.partition(entry.record), [keys.HEAD, *marks])
        head = found.get(keys.HEAD)
        return record_items.read_record(head) if head else None, any(mark in found for mark in marks)
