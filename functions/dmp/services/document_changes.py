"""The changes that a document's people may make to it: mask, hide, archive, supersede, delete (TD3.3a to TD3.3d)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, RecordUnchanged, SaveDocument
from dmp.domain.document import DocumentEntry, DocumentStatus, Metadata, Visibility
from dmp.domain.document_query import carries
from dmp.domain.errors import Gone, Invalid, NotFound, PreconditionFailed, Unavailable
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.attempts import attempts
from dmp.services.call import Call
from dmp.services.document_access import attempt_on, existing, may_change, of_document
from dmp.services.gate import Attempt, Gate, failure_of

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.ledger import Ledger

MOST_CANDIDATES = 25

type Apply = Callable[[DocumentEntry], tuple[Metadata, str]]
"""From an entry to its next metadata and body."""


class DocumentChangesService:
    """Changes single documents, each in a new version."""

    def __init__(self, gate: Gate, documents: "DocumentStore", ledger: "Ledger") -> None:
        self._gate = gate
        self._documents = documents
        self._ledger = ledger

    def amend(self, call: Call, record_id: str, local: str, apply: Apply, expected: int | None = None) -> DocumentEntry:
        """Change status, labels or archiving; each change that is asked needs its own right.

        Raises PreconditionFailed (`version-conflict`), Refused, NotFound, Gone, Invalid (`status-transition`).
        """
        for _ in attempts():
            record, entry = self._admitted(call, record_id, local)
            if expected is not None and expected != entry.version:
                raise PreconditionFailed("version-conflict")
            saved = self._saved(call, record, entry, _changed(entry, *apply(entry), call))
            if saved is not None:
                return saved
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
            self._gate.trace_refusal(call, record, _attempt(entry, ()), decision)
        return decision.permit and entry.status is not DocumentStatus.ENTERED_IN_ERROR

    def _admitted(self, call: Call, record_id: str, local: str) -> tuple[Record, DocumentEntry]:
        """Refuse whoever may make no change at all before anything is told of the document."""
        found, entry = self._documents.with_document(record_id, local)
        record = existing(found)
        attempt = attempt_on("DocumentReference", record_id, local, Interaction.PATCH, AuditAction.UPDATE)
        decision = may_change(call, record, entry)
        if not decision.permit:
            self._gate.trace_refusal(call, record, attempt, decision)
            raise failure_of(decision)
        if entry is None:
            self._gate.trace_refusal(call, record, attempt, Decision(permit=False, reason="no-document"))
            raise NotFound("no-document")
        if entry.status is DocumentStatus.ENTERED_IN_ERROR:
            self._gate.trace_access(call, record, attempt, decision)
            raise Gone("gone")
        return record, entry

    def _saved(self, call: Call, record: Record, entry: DocumentEntry, changed: DocumentEntry) -> DocumentEntry | None:
        """Decide on each change and write them all; None where somebody else changed the document meanwhile."""
        actions = tuple(_needed(entry, changed))
        attempt = _attempt(entry, actions)
        asked = [of_document(call, record, action, entry) for action in actions or (Action.READ,)]
        decisions = [self._gate.admit(call, request, attempt) for request in asked]
        trace = self._gate.entry(call, record, attempt, decisions[0])
        changes: list[Change] = [RecordUnchanged(record), SaveDocument(changed, entry)] if actions else []
        try:
            self._ledger.commit([*changes, trace])
        except Contention:
            return None
        return changed if actions else entry


def _attempt(entry: DocumentEntry, actions: tuple[Action, ...]) -> Attempt:
    if Action.DELETE in actions:
        return attempt_on("DocumentReference", entry.record, entry.local, Interaction.DELETE, AuditAction.DELETE)
    return attempt_on("DocumentReference", entry.record, entry.local, Interaction.PATCH, AuditAction.UPDATE)


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
        if new.status is DocumentStatus.CURRENT:
            raise Invalid("status-transition", "DocumentReference.status")
        yield Action.DELETE if new.status is DocumentStatus.ENTERED_IN_ERROR else Action.REPLACE
    different = new.visibility ^ old.visibility
    if Visibility.MASQUE_PS in different:
        yield Action.MASK
    if different - {Visibility.MASQUE_PS}:
        yield Action.HIDE
    if new.is_archived is not old.is_archived:
        yield Action.ARCHIVE
