"""The scheduled job that looks after documents that are still awaited, and ends those that came to nothing (ITI-105).

It may stop anywhere and start again: what is due lies in an index, by the month and a shard.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from dmp.domain.changes import Change, RecordUnchanged, SaveDocument
from dmp.domain.correlation import follow, take_up
from dmp.domain.document import Awaited, DocumentEntry
from dmp.domain.errors import TooLarge, Unavailable
from dmp.domain.record import Record, RecordStatus
from dmp.domain.upload import Place, is_given_up, next_look
from dmp.observability import logger
from dmp.services.attempts import attempts, is_committed
from dmp.services.call import Call
from dmp.services.document_release import Reason
from dmp.services.sweeping import due, stop_in_time, sweep
from dmp.services.upload_completion import UploadCompletionService

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.object_store import ObjectStore
    from dmp.adapters.record_store import RecordStore

_ENOUGH_SECONDS = 60
"""The largest upload is verified well within."""


class Outcome(StrEnum):
    """What one step of the job did to a document."""

    RELEASED = "released"
    """It awaits no verdict any more: nothing is scanned."""
    GIVEN_UP = "given_up"
    SETTLED = "settled"
    """It will never become available, and has left no byte behind."""
    WAITING = "waiting"


@dataclass(slots=True)
class SweptUploads:
    """What one run did, counted; `done` tells that nothing that was due is left."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    failed: int = 0
    done: bool = True

    def summary(self) -> dict[str, int | bool]:
        """All of it, by plain names."""
        return {outcome.value: self.counts[outcome] for outcome in Outcome} | {"failed": self.failed, "done": self.done}


class UploadSweepService:
    """Sweeps what is due, the longest due first, one document at a time."""

    def __init__(
        self,
        records: "RecordStore",
        documents: "DocumentStore",
        objects: "ObjectStore",
        ledger: "Ledger",
        completion: UploadCompletionService,
        *,
        is_scanned: bool,
    ) -> None:
        self._records = records
        self._documents = documents
        self._objects = objects
        self._ledger = ledger
        self._completion = completion
        self._is_scanned = is_scanned

    def sweep(self, call: Call, remaining: Callable[[], float]) -> SweptUploads:
        """Handle every due document, until fewer than 60 seconds remain; one that fails does not stop the others."""
        swept = SweptUploads()

        def handle(document: tuple[str, str]) -> None:
            stop_in_time(remaining, _ENOUGH_SECONDS)
            self._handle(call, *document, swept)

        found = due(self._records.due_uploads, self._records.expiry_shards, call.now)
        sweep(found, handle, swept, failure_event="upload_sweep_failed")
        follow(call.request_id)
        return swept

    def _handle(self, call: Call, record_id: str, local: str, swept: SweptUploads) -> None:
        """Bring a document as far as it is due; each step is taken whole, or by the next run."""
        follow(call.request_id)
        has_looked = False
        for _ in attempts():
            record, entry = self._documents.with_document(record_id, local)
            if record is None or entry is None or not _is_due(record, entry, call.now):
                return
            take_up(entry.correlation_id)
            if entry.is_uploaded and not has_looked:
                self._look(call, entry)
                has_looked = True
                continue
            outcome, changes = self._step(call, record, entry)
            try:
                is_taken = is_committed(self._ledger, changes)
            except TooLarge as broken:
                outcome, changes = self._given_up(call, record, entry, broken.code)
                is_taken = is_committed(self._ledger, changes)
            swept.counts[outcome] += is_taken
        raise Unavailable("service-unavailable")

    def _look(self, call: Call, entry: DocumentEntry) -> None:
        """Look for content; what keeps from it keeps nobody from giving up, unless it passes."""
        try:
            self._look_for_content(call, entry)
        except Unavailable:
            raise
        except Exception as failure:
            if not is_given_up(entry, call.now):
                raise
            logger.error("upload_unreadable", extra={"failure": type(failure).__name__})

    def _look_for_content(self, call: Call, entry: DocumentEntry) -> None:
        """Verify what came by upload without a word of it; the oldest version first, as it would have been told."""
        place = Place(entry.record, entry.local, is_upload=True)
        for version in reversed(self._objects.versions(place.key)):
            self._completion.arrived(call, place, version)

    def _step(self, call: Call, record: Record, entry: DocumentEntry) -> tuple[Outcome, list[Change]]:
        """What is next to do for a document; of one that will never become available no byte is left behind."""
        if not entry.is_pending:
            for version in self._objects.versions(entry.content.key):
                self._objects.remove(entry.content.key, version)
            return Outcome.SETTLED, _looked_at(record, replace(entry, due=None), entry)
        if entry.awaits == {Awaited.VERDICT} and not self._is_scanned:
            return Outcome.RELEASED, self._completion.released(call, record, entry, Reason.OPERATOR)
        if not is_given_up(entry, call.now):
            later = replace(entry, due=next_look(entry, call.now))
            return Outcome.WAITING, _looked_at(record, later, entry)
        code = "upload-abandoned" if Awaited.CONTENT in entry.awaits else "not-scanned"
        return self._given_up(call, record, entry, code)

    def _given_up(self, call: Call, record: Record, entry: DocumentEntry, code: str) -> tuple[Outcome, list[Change]]:
        logger.info("upload_failed", extra={"code": code})
        return Outcome.GIVEN_UP, self._completion.failed(call, record, entry, code)


def _is_due(record: Record, entry: DocumentEntry, now: datetime) -> bool:
    is_going = record.status in (RecordStatus.ERASING, RecordStatus.ERASED)
    return entry.was_never_available and not is_going and entry.due is not None and entry.due <= now


def _looked_at(record: Record, after: DocumentEntry, before: DocumentEntry) -> list[Change]:
    return [RecordUnchanged(record), SaveDocument(after, before)]
