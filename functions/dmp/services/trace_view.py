"""What one caller may learn of a trace: nothing of what is hidden from them, nor of secret accesses (R.1111-53)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.audit import AuditEntry
from dmp.domain.clinical_profile import ProfileKind, candidate_of
from dmp.domain.identifiers import resource_id, split_resource_id
from dmp.domain.record import Record, RecordStatus
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import may_read
from dmp.services.gate import asking
from dmp.services.profile_access import asked_of

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore

_DOCUMENTS = ("DocumentReference", "Binary")
_ENTRIES = tuple(ProfileKind)
_LIST = "List"
_LINE = "ExplanationOfBenefit"
"""A line of reimbursement never changes: what hides it from representatives hides it for ever."""


class TraceView:
    """The sight of one caller during one request: what was decided once is remembered.

    Only entries that are marked cost a read: those that told of a document, or of an entry of the profile, while an
    INVISIBLE code was on it.
    """

    def __init__(self, call: Call, record: Record, documents: "DocumentStore") -> None:
        self._call = call
        # whether something is hidden does not hang on the state of the record, whose trace outlives it
        self._record = replace(record, status=RecordStatus.OPEN)
        self._documents = documents
        self._is_close = decide(replace(asking(call, record, Action.READ_TRACE), is_secret=True)).permit
        """Whether the caller sees what representatives never do, and what nobody decides any more: it was erased."""
        self._seen: dict[str, bool] = {}
        """By the id of a document, a list or an entry of the profile, whether the caller may know of it."""

    def of(self, entries: Iterable[AuditEntry]) -> list[AuditEntry]:
        """The entries as the caller may see them, in their order."""
        known = [entry for entry in entries if self._is_close or not entry.is_secret]
        self._look_at([what for entry in known if entry.hides for what in entry.what])
        return [told for entry in known if (told := self._told(entry))]

    def _told(self, entry: AuditEntry) -> AuditEntry | None:
        """The entry without what is hidden; None where it tells of that alone.

        Whoever asked for a document by its id, and was told that there is none, finds that in the trace.
        """
        if not entry.hides:
            return entry
        about = [what for what in entry.what if _kind(what) in (*_DOCUMENTS, _LIST, _LINE, *_ENTRIES)]
        hidden = [what for what in about if not self._seen.get(_id(_root(what)), False)]
        if not hidden:
            return entry
        if entry.reason == "invisible" and not entry.query:
            return replace(entry, reason="no-document", basis=())
        if len(hidden) == len(about):
            return None
        return replace(entry, what=tuple(what for what in entry.what if what not in hidden))

    def _look_at(self, references: Sequence[str]) -> None:
        """Decide about the documents of these references, and about the lists: those show that hold one that shows."""
        references = list(map(_root, references))
        self._seen |= {_id(what): self._is_close for what in references if _kind(what) == _LINE}
        self._decide_entries([what for what in references if _kind(what) in _ENTRIES])
        lists = self._unknown(what for what in references if _kind(what) == _LIST)
        found = self._documents.lists(self._record.id, lists) if lists else {}
        held = {local: entry.documents for local, entry in found.items()}
        self._decide(self._unknown(what for what in references if _kind(what) in _DOCUMENTS))
        self._decide([one for documents in held.values() for one in documents if self._key(one) not in self._seen])
        for one in lists:
            shows = [self._seen[self._key(document)] for document in held.get(one, ())]
            self._seen[self._key(one)] = any(shows) if one in held else self._is_close

    def _decide(self, locals_: Sequence[str]) -> None:
        if not locals_:
            return
        _, documents = self._documents.with_documents(self._record.id, locals_)
        for local in locals_:
            document = documents.get(local)
            self._seen[self._key(local)] = may_read(self._call, self._record, document) if document else self._is_close

    def _decide_entries(self, references: Sequence[str]) -> None:
        locals_ = set(self._unknown(references))
        names = [(ProfileKind(_kind(what)), _id(what).partition(".")[2]) for what in references]
        wanted = [name for name in dict.fromkeys(names) if name[1] in locals_]
        found = self._documents.profile_entries(self._record.id, wanted) if wanted else {}
        for kind, local in wanted:
            entry = found.get(local)
            decision = asked_of(self._call, self._record, Action.READ, kind, entry) if entry else None
            self._seen[self._key(local)] = decision.permit if decision else self._is_close

    def _unknown(self, references: Iterable[str]) -> list[str]:
        """The local ids of references that nothing was decided about yet."""
        parts = [split_resource_id(_id(what)) for what in references]
        return list(dict.fromkeys(local for _, local in filter(None, parts) if self._key(local) not in self._seen))

    def _key(self, local: str) -> str:
        return resource_id(self._record.id, local)


def _root(reference: str) -> str:
    """What is decided about: of what a document offers, the document."""
    record, _, local = _id(reference).partition(".")
    place = candidate_of(local) if _kind(reference) in _ENTRIES else None
    return f"DocumentReference/{resource_id(record, place[0])}" if place else reference


def _kind(reference: str) -> str:
    return reference.partition("/")[0]


def _id(reference: str) -> str:
    return reference.partition("/")[2]
