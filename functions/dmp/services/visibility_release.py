"""The scheduled job that ends the wait for an announcement: it tells the patient, then shows (R.1111-53).

It may stop anywhere and start again: what is due lies in an index, by the month and a shard.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.announcement import Announcement
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, RecordUnchanged, SaveDocument
from dmp.domain.document import DocumentEntry, DocumentStatus, Labelling, Visibility
from dmp.domain.document_notices import of_change
from dmp.domain.errors import Unavailable
from dmp.domain.notification import Kind, Notice
from dmp.domain.record import Record, RecordStatus
from dmp.services.attempts import attempts
from dmp.services.call import Call
from dmp.services.document_access import attempt_on
from dmp.services.document_succession import successions
from dmp.services.gate import Gate
from dmp.services.notices import Notices
from dmp.services.sweeping import due, stop_in_time, sweep

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

_ENOUGH_SECONDS = 10
_PATIENCE = timedelta(days=1)
"""After so long the job looks again at what lies in a record that is not open, lest it come first in every run."""
_OVER = Decision(permit=True, reason="release")


@dataclass(slots=True)
class Released:
    """What one run did; `waiting` lie in records that are not open, `done` tells that nothing else is left."""

    announced: int = 0
    released: int = 0
    waiting: int = 0
    failed: int = 0
    done: bool = True


@dataclass(slots=True)
class _Run:
    call: Call
    released: Released = field(default_factory=Released)
    told: set[str] = field(default_factory=set)
    """Records whose patient was told of something in this run: several documents are one message."""


class VisibilityReleaseService:
    """Sweeps what is due, the longest due first, in bounded memory."""

    def __init__(
        self,
        gate: Gate,
        records: "RecordStore",
        documents: "DocumentStore",
        ledger: "Ledger",
        notices: Notices,
        *,
        announcement: Announcement,
        label: Labelling,
    ) -> None:
        self._gate = gate
        self._records = records
        self._documents = documents
        self._ledger = ledger
        self._notices = notices
        self._announcement = announcement
        self._label = label

    def sweep(self, call: Call, remaining: Callable[[], float]) -> Released:
        """Handle every due document, until fewer than 10 seconds remain; one that fails does not stop the others."""
        run = _Run(call)

        def handle(document: tuple[str, str]) -> None:
            stop_in_time(remaining, _ENOUGH_SECONDS)
            self._handle(run, *document)

        sweep(
            due(self._records.due_documents, self._records.expiry_shards, call.now),
            handle,
            run.released,
            failure_event="visibility_release_failed",
        )
        return run.released

    def _handle(self, run: _Run, record_id: str, local: str) -> None:
        for _ in attempts():
            record, entry = self._documents.with_document(record_id, local)
            if record is None or entry is None or not _is_due(entry, run.call.now):
                return
            step = self._step if record.status is RecordStatus.OPEN else self._postpone
            try:
                step(run, record, entry)
            except Contention:
                continue
            return
        raise Unavailable("service-unavailable")

    def _postpone(self, run: _Run, record: Record, entry: DocumentEntry) -> None:
        """Look again later: nothing is told, shown or traced of it, and its version stays."""
        later = replace(entry, due=run.call.now + _PATIENCE)
        self._ledger.commit([RecordUnchanged(record), SaveDocument(later, entry)])
        run.released.waiting += 1

    def _step(self, run: _Run, record: Record, entry: DocumentEntry) -> None:
        """Show the document where its time is up; before, tell the patient that something awaits a consultation."""
        release = self._announcement.release_of(entry.hidden_at or run.call.now)
        if release <= run.call.now:
            self._commit(run, record, entry, self._shown(entry, run.call.now), Interaction.RELEASE)
            run.released.released += 1
        else:
            self._commit(run, record, entry, replace(entry, due=release), Interaction.WARN)
            run.released.announced += 1
            if entry.status is DocumentStatus.CURRENT:
                run.told.add(record.id)

    def _shown(self, entry: DocumentEntry, now: datetime) -> DocumentEntry:
        shown = entry.labelled(entry.visibility - {Visibility.INVISIBLE_PATIENT}, self._label)
        return replace(shown, version=entry.version + 1, updated=now, due=None)

    def _commit(
        self, run: _Run, record: Record, entry: DocumentEntry, changed: DocumentEntry, interaction: Interaction
    ) -> None:
        attempt = attempt_on("DocumentReference", entry.record, entry.local, interaction, AuditAction.UPDATE)
        trace = self._gate.entry(run.call, record, replace(attempt, hides=True), _OVER)
        messages = self._messages(run, record, entry, changed)
        successors = successions(self._documents, entry, changed)
        self._ledger.commit([RecordUnchanged(record), SaveDocument(changed, entry), *successors, *messages, trace])

    def _messages(self, run: _Run, record: Record, entry: DocumentEntry, changed: DocumentEntry) -> Iterator[Change]:
        """To the patient; nothing of a document that was replaced meanwhile."""
        if changed.version > entry.version:
            notices = list(of_change(run.call.requester, record, entry, changed))
        else:
            is_told = record.id in run.told or entry.status is not DocumentStatus.CURRENT
            notices = [] if is_told else [Notice(kind=Kind.CONSULTATION, is_secret=_is_secret(entry))]
        for notice in notices:
            yield from self._notices.of(run.call, record, notice)


def _is_due(entry: DocumentEntry, now: datetime) -> bool:
    return entry.due is not None and entry.due <= now and not entry.was_never_available


def _is_secret(entry: DocumentEntry) -> bool:
    return Visibility.INVISIBLE_REPRESENTANTS_LEGAUX in entry.visibility
