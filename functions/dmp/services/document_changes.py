"""The changes that a document's people may make to it: mask, hide, archive, supersede, delete (TD3.3a to TD3.3d)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.announcement import Announcement
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, RecordUnchanged, SaveDocument
from dmp.domain.document import DocumentEntry, DocumentStatus, Metadata, Visibility
from dmp.domain.document_notices import of_change
from dmp.domain.document_query import carries
from dmp.domain.errors import Gone, Invalid, NotFound, PreconditionFailed, Unavailable
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.attempts import attempts
from dmp.services.call import Call
from dmp.services.document_access import attempt_on, existing, is_concealed, may_change, of_document
from dmp.services.document_sight import as_seen
from dmp.services.document_succession import successions
from dmp.services.gate import Attempt, Gate, failure_of
from dmp.services.notices import Notices

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.ledger import Ledger

MOST_CANDIDATES = 25
_BY_IDENTIFIER = "identifier"
"""How the trace tells that the caller did not name the document; the value may be an INS, and is not told."""

type Apply = Callable[[DocumentEntry], tuple[Metadata, str]]
"""From an entry to its next metadata and body."""


class DocumentChangesService:
    """Changes single documents, each in a new version."""

    def __init__(
        self, gate: Gate, documents: "DocumentStore", ledger: "Ledger", notices: Notices, announcement: Announcement
    ) -> None:
        self._gate = gate
        self._documents = documents
        self._ledger = ledger
        self._notices = notices
        self._announcement = announcement

    def amend(self, call: Call, record_id: str, local: str, apply: Apply, expected: int | None = None) -> DocumentEntry:
        """Change status, labels or archiving; each change that is asked needs its own right.

        Raises PreconditionFailed (`version-conflict`), Refused, NotFound, Gone, Invalid (`status-transition`).
        """
        for _ in attempts():
            record, entry = self._admitted(call, record_id, local)
            if expected is not None and expected != entry.version:
                raise PreconditionFailed("version-conflict")
            changed = self._announcement.scheduled(_changed(entry, *apply(entry), call), call.now)
            saved = self._saved(call, record, entry, changed)
            if saved is not None:
                return as_seen(call, record, [saved], self._documents)[0]
        raise Unavailable("service-unavailable")

    def delete(self, call: Call, record_id: str, local: str, apply: Apply, expected: int | None = None) -> None:
        """Logical deletion, by the author; a second one is answered like the first."""
        try:
            self.amend(call, record_id, local, apply, expected)
        except Gone:
            return

    def amendable(self, call: Call, identifier: Identifier) -> tuple[str, str]:
        """The one document with this identifier that the caller may change, in whatever record.

        Raises NotFound where there is none, PreconditionFailed (`multiple-matches`) where there are several.
        """
        hints = self._documents.candidates(identifier, MOST_CANDIDATES)
        found = [(r, local) for r, local in hints if self._is_amendable(call, r, local, identifier)]
        if len(found) > 1:
            raise PreconditionFailed("multiple-matches", "http.identifier")
        if not found:
            raise NotFound("no-document")
        return found[0]

    def _is_amendable(self, call: Call, record_id: str, local: str, identifier: Identifier) -> bool:
        record, entry = self._documents.with_document(record_id, local)
        if record is None or entry is None or not carries(entry, identifier):
            return False
        decision = may_change(call, record, entry)
        if not decision.permit:
            attempt = replace(_attempt(entry, (), entry), query=_BY_IDENTIFIER)
            self._gate.trace_refusal(call, record, attempt, decision)
        return decision.permit and entry.status is not DocumentStatus.ENTERED_IN_ERROR

    def _admitted(self, call: Call, record_id: str, local: str) -> tuple[Record, DocumentEntry]:
        """Refuse whoever may make no change at all before anything is told of the document."""
        found, entry = self._documents.with_document(record_id, local)
        record = existing(found)
        attempt = attempt_on("DocumentReference", record_id, local, Interaction.PATCH, AuditAction.UPDATE)
        attempt = replace(attempt, hides=is_concealed(entry))
        decision = may_change(call, record, entry)
        if entry is None or not decision.permit:
            self._gate.trace_refusal(call, record, attempt, decision)
            raise failure_of(decision)
        if entry.status is DocumentStatus.ENTERED_IN_ERROR:
            self._gate.trace_access(call, record, attempt, decision)
            raise Gone("gone")
        return record, entry

    def _saved(self, call: Call, record: Record, entry: DocumentEntry, changed: DocumentEntry) -> DocumentEntry | None:
        """Decide on each change and write them all; None where somebody else changed the document meanwhile."""
        actions = tuple(_needed(entry, changed))
        attempt = _attempt(entry, actions, changed)
        asked = [of_document(call, record, action, entry) for action in actions or (Action.READ,)]
        decisions = [self._gate.admit(call, request, attempt) for request in asked]
        trace = self._gate.entry(call, record, attempt, decisions[0])
        changes: list[Change] = [RecordUnchanged(record), SaveDocument(changed, entry)] if actions else []
        changes += successions(self._documents, entry, changed)
        try:
            self._ledger.commit([*changes, *self._told(call, record, entry, changed), trace])
        except Contention:
            return None
        return changed if actions else entry

    def _told(self, call: Call, record: Record, entry: DocumentEntry, changed: DocumentEntry) -> Iterator[Change]:
        for notice in of_change(call.requester, record, entry, changed):
            yield from self._notices.of(call, record, notice)


def _attempt(entry: DocumentEntry, actions: tuple[Action, ...], changed: DocumentEntry) -> Attempt:
    """What the trace tells: also of what was hidden before or is from now on."""
    interaction, action = Interaction.PATCH, AuditAction.UPDATE
    if Action.DELETE in actions:
        interaction, action = Interaction.DELETE, AuditAction.DELETE
    attempt = attempt_on("DocumentReference", entry.record, entry.local, interaction, action)
    return replace(attempt, hides=is_concealed(entry) or is_concealed(changed))


def _changed(entry: DocumentEntry, metadata: Metadata, body: str, call: Call) -> DocumentEntry:
    return replace(
        entry,
        version=entry.version + 1,
        updated=call.now,
        status=metadata.status,
        visibility=metadata.visibility,
        is_archived=metadata.is_archived,
        body=body,
    )


def _needed(old: DocumentEntry, new: DocumentEntry) -> Iterator[Action]:
    """Which rights a change needs. Raises Invalid where a status does not lead to the other."""
    named = list(_named(old, new))
    yield from named
    if not named and json.loads(new.body) != json.loads(old.body):
        yield Action.MASK  # other labels than those of the DMP: whoever may mask may set them


def _named(old: DocumentEntry, new: DocumentEntry) -> Iterator[Action]:
    if new.status is not old.status:
        if new.status is DocumentStatus.CURRENT or (new.status is DocumentStatus.SUPERSEDED and old.awaits):
            raise Invalid("status-transition", "DocumentReference.status")
        yield Action.DELETE if new.status is DocumentStatus.ENTERED_IN_ERROR else Action.REPLACE
    different = new.visibility ^ old.visibility
    if Visibility.MASQUE_PS in different:
        yield Action.MASK
    if different - {Visibility.MASQUE_PS}:
        yield Action.HIDE
    if new.is_archived is not old.is_archived:
        yield Action.ARCHIVE
