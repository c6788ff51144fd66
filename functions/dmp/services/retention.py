"""The scheduled job that ends records: suspended ones close, closed ones go for good, their trace stays (R.1111-36).

It may stop anywhere and start again: what is half erased is finished by the next run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, SaveRecord, UnlinkIns
from dmp.domain.civil_time import same_day_months_later
from dmp.domain.code_lists import closure_reason
from dmp.domain.errors import Unavailable
from dmp.domain.notification import Kind, Notice
from dmp.domain.record import Closure, ClosureMotive, Record, RecordStatus
from dmp.services.attempts import attempts
from dmp.services.call import Call
from dmp.services.gate import Gate
from dmp.services.notices import Notices
from dmp.services.records import patient_attempt
from dmp.services.sweeping import due, stop_in_time, sweep

if TYPE_CHECKING:
    from dmp.adapters.archive_store import ArchiveStore
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

_ENOUGH_SECONDS = 10
_LAST_LOOK = timedelta(hours=1)
"""By then every request has ended that could still bring bytes to a record erased as soon as it was closed."""
_RETENTION = Decision(True, "retention")


@dataclass(slots=True)
class Retained:
    """What one run did; `failed` were left as they are, `done` tells that nothing that was due is left."""

    closed: int = 0
    erased: int = 0
    failed: int = 0
    done: bool = True


class RetentionService:
    """Sweeps the records that are due, the longest due first, in bounded memory."""

    def __init__(
        self,
        gate: Gate,
        store: "RecordStore",
        ledger: "Ledger",
        notices: Notices,
        archive: "ArchiveStore",
        *,
        archive_years: int,
    ) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._notices = notices
        self._archive = archive
        self._archive_years = archive_years

    def sweep(self, call: Call, remaining: Callable[[], float]) -> Retained:
        """Handle every due record, until fewer than 10 seconds remain; one that fails does not stop the others."""
        run = Retained()

        def handle(record: str) -> None:
            stop_in_time(remaining, _ENOUGH_SECONDS)
            self._handle(call, record, remaining, run)

        found = due(self._store.due_records, self._store.expiry_shards, call.now)
        sweep(found, handle, run, failure_event="retention_failed")
        return run

    def _handle(self, call: Call, record_id: str, remaining: Callable[[], float], run: Retained) -> None:
        """Bring a record as far as it is due; every step changes its head, so that nobody else's change is lost."""
        for _ in attempts():
            try:
                while record := self._due_head(record_id, call.now):
                    self._advance(call, record, remaining, run)
            except Contention:
                continue
            return
        raise Unavailable("service-unavailable")

    def _due_head(self, record_id: str, now: datetime) -> Record | None:
        record = self._store.head(record_id)
        is_due = record and record.status is not RecordStatus.OPEN and record.due and record.due <= now
        return record if is_due else None

    def _advance(self, call: Call, record: Record, remaining: Callable[[], float], run: Retained) -> None:
        match record.status:
            case RecordStatus.SUSPENDED:
                self._ledger.commit(self._closing(call, record))
                run.closed += 1
            case RecordStatus.CLOSED:
                self._ledger.commit([SaveRecord(record.being_erased(), record)])
            case RecordStatus.ERASING:
                self._empty(record, remaining)
                self._ledger.commit(self._tombstone(call, record))
                run.erased += 1
            case _:
                self._empty(record, remaining)
                self._ledger.commit([SaveRecord(record.settled(), record)])

    def _empty(self, record: Record, remaining: Callable[[], float]) -> None:
        """Delete all but the head; objects first, for their entries name them."""
        for delete_some in (self._archive.delete_objects, self._archive.delete_items):
            while delete_some(record.id):
                stop_in_time(remaining, _ENOUGH_SECONDS)

    def _closing(self, call: Call, record: Record) -> list[Change]:
        closure = Closure(call.now, ClosureMotive.OTHER, closure_reason("suspension"))
        archived_until = same_day_months_later(call.now, 12 * self._archive_years)
        attempt = patient_attempt(Interaction.CLOSE, AuditAction.UPDATE, record.id)
        return [
            SaveRecord(record.closed(closure, archived_until, call.now), record),
            *self._notices.of(call, record, Notice(kind=Kind.RECORD_CLOSED)),
            self._gate.entry(call, record, attempt, _RETENTION),
        ]

    def _tombstone(self, call: Call, record: Record) -> list[Change]:
        attempt = patient_attempt(Interaction.ERASED, AuditAction.DELETE, record.id)
        return [
            SaveRecord(record.erased(call.now + _LAST_LOOK, call.now), record),
            UnlinkIns(record.identity.ins, record.id),
            self._gate.entry(call, record, attempt, _RETENTION),
        ]
