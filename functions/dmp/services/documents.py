"""One document: its entry, its bytes, its versions, and the changes its people may make (ITI-68, TD3.2, TD3.3)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access import AccessRequest, Decision, decide
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Contention, RecordUnchanged, SaveDocument
from dmp.domain.document import DocumentEntry, DocumentStatus, Metadata, Visibility
from dmp.domain.document_list import ListEntry
from dmp.domain.document_query import carries
from dmp.domain.errors import (
    Conflict,
    Gone,
    Invalid,
    NotFound,
    PreconditionFailed,
    Unavailable,
)
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate, failure_of
from dmp.services.records import ATTEMPTS

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.object_store import ObjectStore

MOST_CANDIDATES = 25
_CHANGES = (Action.MASK, Action.HIDE, Action.ARCHIVE, Action.DELETE, Action.REPLACE)

type Apply = Callable[[DocumentEntry], tuple[Metadata, str]]
"""From an entry to its next metadata and body."""


class DocumentsService:
    """Reads and changes of single documents and lists."""

    def __init__(self, gate: Gate, documents: "DocumentStore", objects: "ObjectStore", ledger: "Ledger") -> None:
        self._gate = gate
        self._documents = documents
        self._objects = objects
        self._ledger = ledger

    def read(self, call: Call, record_id: str, local: str) -> DocumentEntry:
        """Return the entry if the patient's directives let the caller see it; NotFound, Refused or Gone if not."""
        attempt = _attempt(Interaction.READ, record_id, local)
        record, entry, decision = self._admitted(call, record_id, local, attempt)
        self._gate.trace_access(call, record, attempt, decision)
        if entry.status is DocumentStatus.ENTERED_IN_ERROR:
            raise Gone("gone")
        return entry

    def retrieve(self, call: Call, record_id: str, local: str) -> tuple[DocumentEntry, bytes]:
        """ITI-68: the bytes as they were deposited; traced before the first of them leaves."""
        attempt = _attempt(Interaction.RETRIEVE, record_id, local, resource_type="Binary")
        record, entry, decision = self._admitted(call, record_id, local, attempt)
        self._gate.trace_access(call, record, attempt, decision)
        if entry.status is DocumentStatus.ENTERED_IN_ERROR:
            raise Gone("gone")
        return entry, self._objects.get(entry.content)

    def history(self, call: Call, record_id: str, local: str) -> list[DocumentEntry]:
        """Every version, newest first; of a deleted document too, to whoever could read it."""
        attempt = _attempt(Interaction.HISTORY, record_id, local)
        record, entry, decision = self._admitted(call, record_id, local, attempt)
        former = self._documents.former_documents(record_id, local)
        self._gate.trace_access(call, record, attempt, decision)
        return [entry, *reversed(former)]

    def version(self, call: Call, record_id: str, local: str, version: int) -> DocumentEntry:
        """One version of a document."""
        attempt = _attempt(Interaction.VREAD, record_id, local)
        record, entry, decision = self._admitted(call, record_id, local, attempt)
        if version != entry.version:
            former = self._documents.former_documents(record_id, local)
            entry = next((e for e in former if e.version == version), None) or _missing("no-version")
        self._gate.trace_access(call, record, attempt, decision)
        return entry

    def amend(
        self, call: Call, record_id: str, local: str, apply: Apply, expected: int | None = None
    ) -> DocumentEntry:
        """Change status, labels or archiving; each change that is asked needs its own right.

        Raises PreconditionFailed (`version-conflict`), Refused, NotFound, Gone, Conflict (`not-current`).
        """
        for _ in range(ATTEMPTS):
            record, entry = self._documents.with_document(record_id, local)
            record = _known(record)
            attempt = _attempt(Interaction.PATCH, record_id, local, AuditAction.UPDATE)
            self._admit_any(call, record, entry, attempt)
            entry = entry or _missing("no-document")
            if entry.status is DocumentStatus.ENTERED_IN_ERROR:
                raise Gone("gone")
            if expected is not None and expected != entry.version:
                raise PreconditionFailed("version-conflict")
            changed = _changed(entry, *apply(entry), call)
            actions = _actions(entry, changed)
            if Action.DELETE in actions:
                attempt = replace(attempt, interaction=Interaction.DELETE, action=AuditAction.DELETE)
            decision = self._admit_all(call, record, entry, actions, attempt)
            if not actions:
                self._gate.trace_access(call, record, attempt, decision)
                return entry
            if Action.REPLACE in actions and entry.status is not DocumentStatus.CURRENT:
                raise Conflict("not-current")
            trace = self._gate.entry(call, record, attempt, decision)
            try:
                self._ledger.commit([RecordUnchanged(record), SaveDocument(changed, entry), trace])
            except Contention:
                continue
            return changed
        raise Unavailable("service-unavailable")

    def delete(self, call: Call, record_id: str, local: str, apply: Apply, expected: int | None = None) -> None:
        """Logical deletion, by the author; a second one is answered like the first."""
        try:
            self.amend(call, record_id, local, apply, expected)
        except Gone:
            return

    def amendable(self, call: Call, identifier: Identifier) -> tuple[str, str]:
        """The one document with this identifier that the caller may change, in whatever record.

        Raises NotFound where there is none, PreconditionFailed (`several-matches`) where there are several.
        """
        hints = self._documents.candidates(identifier, MOST_CANDIDATES)
        found = [(r, local) for r, local in hints if self._is_amendable(call, r, local, identifier)]
        if len(found) > 1:
            raise PreconditionFailed("several-matches")
        if not found:
            raise NotFound("no-document")
        return found[0]

    def _is_amendable(self, call: Call, record_id: str, local: str, identifier: Identifier) -> bool:
        record, entry = self._documents.with_document(record_id, local)
        if record is None or entry is None or not carries(entry, identifier):
            return False
        decision = _first_permit(call, record, entry)
        if not decision.permit:
            attempt = _attempt(Interaction.PATCH, record_id, local, AuditAction.UPDATE)
            self._gate.trace_refusal(call, record, attempt, decision)
        return decision.permit and entry.status is not DocumentStatus.ENTERED_IN_ERROR

    def read_list(self, call: Call, record_id: str, local: str) -> ListEntry:
        """A SubmissionSet or Folder with those of its documents that the caller may see; NotFound where none is."""
        record, entry = self._documents.with_list(record_id, local)
        record = _known(record)
        what = (f"List/{record_id}.{local}",)
        attempt = Attempt(interaction=Interaction.READ, action=AuditAction.READ, resource_type="List", what=what)
        _, documents = self._documents.with_documents(record_id, entry.documents) if entry else (None, {})
        asked = [_asking(call, record, Action.READ, d) for d in documents.values()]
        decisions = {request.document.local: decide(request) for request in asked if request.document}
        permits = [d for d in decisions.values() if d.permit]
        if entry is None or not permits:
            missing = self._gate.admit(call, _asking(call, record, Action.READ, None), attempt)
            self._gate.trace_refusal(call, record, attempt, replace(missing, permit=False, reason="no-list"))
            raise NotFound("no-list")
        self._gate.trace_access(call, record, attempt, permits[0])
        visible = tuple(d for d in entry.documents if d in decisions and decisions[d].permit)
        return replace(entry, documents=visible)

    def _admitted(
        self, call: Call, record_id: str, local: str, attempt: Attempt
    ) -> tuple[Record, DocumentEntry, Decision]:
        """Load the entry with its record and decide; a missing entry is refused just as a hidden one is."""
        record, entry = self._documents.with_document(record_id, local)
        record = _known(record)
        decision = self._gate.admit(call, _asking(call, record, Action.READ, entry), attempt)
        if entry is None:
            self._gate.trace_refusal(call, record, attempt, Decision(False, "no-document"))
            raise NotFound("no-document")
        return record, entry, decision

    def _admit_any(self, call: Call, record: Record, entry: DocumentEntry | None, attempt: Attempt) -> None:
        """Refuse whoever may make no change at all before anything is told of the document."""
        decision = _first_permit(call, record, entry)
        if not decision.permit:
            self._gate.trace_refusal(call, record, attempt, decision)
            raise failure_of(decision)
        if entry is None:
            self._gate.trace_refusal(call, record, attempt, Decision(False, "no-document"))

    def _admit_all(
        self, call: Call, record: Record, entry: DocumentEntry, actions: Iterable[Action], attempt: Attempt
    ) -> Decision:
        wanted = list(actions) or [Action.READ]
        decisions = [self._gate.admit(call, _asking(call, record, action, entry), attempt) for action in wanted]
        return decisions[0]


def _first_permit(call: Call, record: Record, entry: DocumentEntry | None) -> Decision:
    decisions = [decide(_asking(call, record, action, entry)) for action in _CHANGES]
    hidden = next((d for d in decisions if d.hidden), decisions[0])
    return next((d for d in decisions if d.permit), hidden)


def _asking(call: Call, record: Record, action: Action, entry: DocumentEntry | None) -> AccessRequest:
    return AccessRequest(
        requester=call.requester,
        action=action,
        record=record,
        now=call.now,
        document=entry,
        missing_document=entry is None,
    )


def _attempt(
    interaction: Interaction,
    record_id: str,
    local: str,
    action: AuditAction = AuditAction.READ,
    resource_type: str = "DocumentReference",
) -> Attempt:
    what = (f"{resource_type}/{record_id}.{local}",)
    return Attempt(interaction=interaction, action=action, resource_type=resource_type, what=what)


def _known(record: Record | None) -> Record:
    if record is None:
        raise NotFound("no-record")
    return record


def _missing(code: str) -> DocumentEntry:
    raise NotFound(code)


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


def _actions(old: DocumentEntry, new: DocumentEntry) -> list[Action]:
    """Which rights a change needs. Raises Invalid where a status does not lead to the other."""
    return list(_needed(old, new))


def _needed(old: DocumentEntry, new: DocumentEntry) -> Iterator[Action]:
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
