"""What the end of a wait writes: a document becomes available and its formers end, or it never will be (ITI-105)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, RecordUnchanged, SaveDocument
from dmp.domain.document import DocumentEntry, DocumentStatus
from dmp.domain.document_notices import of_release
from dmp.domain.record import Record, RecordStatus
from dmp.domain.upload import failed
from dmp.services.call import Call
from dmp.services.deposit_entries import NewEntries
from dmp.services.document_access import attempt_on, is_concealed
from dmp.services.gate import Gate
from dmp.services.notices import Notices

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


class Reason(StrEnum):
    """Why a document comes further, as the trace tells it."""

    UPLOAD = "upload"
    SCAN = "malware-scan"
    OPERATOR = "operator"
    """Nothing is scanned any more."""


class DocumentRelease:
    """Makes the changes of one step; each is traced."""

    def __init__(self, gate: Gate, documents: "DocumentStore", entries: NewEntries, notices: Notices) -> None:
        self._gate = gate
        self._documents = documents
        self._entries = entries
        self._notices = notices

    def step(
        self,
        call: Call,
        record: Record,
        before: DocumentEntry,
        after: DocumentEntry,
        formers: Sequence[DocumentEntry],
        reason: Reason,
        *,
        later: Sequence[DocumentEntry] = (),
    ) -> list[Change]:
        """The changes by which a document has come further; it is available once it awaits nothing more.

        `formers` are what it replaces: it hides as they do, and they end when it becomes available. So it does as the
        `later` versions that were there before it, the latest of which learns of it.
        """
        later = later or self._found(before, before.successors)
        moved = replace(after, due=before.due if after.awaits else None)
        hidden = self._entries.hidden(call, record, moved, formers, later)
        interaction = Interaction.UPLOAD_VERIFIED if reason is Reason.UPLOAD else Interaction.SCANNED
        changes: list[Change] = [RecordUnchanged(record), SaveDocument(hidden, before)]
        changes += [SaveDocument(latest.following(hidden), latest) for latest in later[:1]]
        if not hidden.awaits:
            changes += self._released(call, record, hidden, formers)
        return [*changes, self._trace(call, record, hidden, interaction, reason)]

    def formers_of(self, entry: DocumentEntry) -> list[DocumentEntry]:
        """What a document replaces, as it stands."""
        return self._found(entry, [one.local for one in entry.predecessors])

    def _found(self, entry: DocumentEntry, wanted: Sequence[str]) -> list[DocumentEntry]:
        found = self._documents.with_documents(entry.record, wanted)[1] if wanted else {}
        return [found[local] for local in wanted if local in found]

    def failure(self, call: Call, record: Record, entry: DocumentEntry, code: str) -> list[Change]:
        """The changes by which a document ends that its content, or the want of it, keeps from becoming available."""
        ended = failed(entry, code, call.now)
        trace = self._trace(call, record, ended, Interaction.UPLOAD_FAILED, Reason.UPLOAD)
        return [RecordUnchanged(record), SaveDocument(ended, entry), trace]

    def _released(
        self, call: Call, record: Record, entry: DocumentEntry, formers: Sequence[DocumentEntry]
    ) -> Iterator[Change]:
        """What is written beside a document that becomes available; in a record that is closed, nobody is told."""
        for former in formers:
            is_current = former.status is DocumentStatus.CURRENT and not former.awaits
            ended = former.with_status(DocumentStatus.SUPERSEDED, call.now) if is_current else former
            yield SaveDocument(replace(ended, successors=(*former.successors, entry.local)), former)
        if record.status is RecordStatus.OPEN:
            for notice in of_release(record, entry, formers):
                yield from self._notices.of(call, record, notice)

    def _trace(
        self, call: Call, record: Record, entry: DocumentEntry, interaction: Interaction, reason: Reason
    ) -> Change:
        attempt = attempt_on("DocumentReference", entry.record, entry.local, interaction, AuditAction.UPDATE)
        attempt = replace(attempt, hides=is_concealed(entry), is_secret=entry.is_secret)
        return self._gate.entry(call, record, attempt, Decision(permit=True, reason=reason.value))
