"""A change of the head of a record: read, decided, written with its trace, and begun anew where somebody came first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.changes import Change, Contention, RecordUnchanged, SaveRecord
from dmp.domain.errors import Conflict, Refused, Unavailable
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.attempts import attempts
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate, asking

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

type Changed = tuple[Record, list[Change]]
"""The next head, or the same, and what is written beside it."""


class RecordChanges:
    """Changes records as their people ask."""

    def __init__(self, gate: Gate, store: "RecordStore", ledger: "Ledger") -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger

    def apply(
        self, call: Call, record_id: str, action: Action, attempt: Attempt, change: Callable[[Record], Changed]
    ) -> tuple[Record, Decision]:
        """Change a record, and answer it as it then is, with the decision that permitted it.

        `change` may raise what it finds wrong once the decision stands; a Conflict is in the trace, as a refusal is.
        """
        for _ in attempts():
            record = self._store.existing(record_id)
            decision = self._gate.admit(call, asking(call, record, action), attempt)
            changed, changes = self._changed(call, record, attempt, change)
            saved = SaveRecord(changed, record) if changed != record else RecordUnchanged(record)
            try:
                self._ledger.commit([saved, *changes, self._gate.entry(call, record, attempt, decision)])
            except Contention:
                continue
            return changed, decision
        raise Unavailable("service-unavailable")

    def _changed(self, call: Call, record: Record, attempt: Attempt, change: Callable[[Record], Changed]) -> Changed:
        try:
            return change(record)
        except Conflict as conflict:
            self._gate.trace_refusal(call, record, attempt, Decision(False, conflict.code))
            raise


@contextmanager
def as_operation() -> Iterator[None]:
    """Tell that the state of the record forbids an operation, where a read would be told that it is closed."""
    try:
        yield
    except Refused as refused:
        if refused.code == "record-closed":
            raise Conflict("record-closed") from refused
        raise
