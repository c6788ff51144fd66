"""What a caller may see of the structured profile: entries by themselves, candidates by the document they come from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import AccessRequest
from dmp.domain.clinical_profile import Candidate, Extraction, ProfileEntry, ProfileKind, candidate_local
from dmp.domain.document import DocumentEntry, DocumentStatus
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import is_listed, of_document
from dmp.services.gate import asking

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A candidate that the caller may see, with the document that it comes from."""

    candidate: Candidate
    number: int
    document: DocumentEntry

    @property
    def local(self) -> str:
        """Its local id."""
        return candidate_local(self.document.local, self.number)


def of_entry(call: Call, record: Record, action: Action, entry: ProfileEntry | None) -> AccessRequest:
    """May the caller do this to an entry of the profile, or to one that is not there (None)?

    What waited for an announcement long enough is hidden from the patient no more (R.1111-53).
    """
    as_it_is = entry.at(call.now) if entry else None
    request = replace(asking(call, record, action), document=as_it_is, missing_document=entry is None)
    return replace(request, resource_type=entry.kind) if entry else request


def visible_entries(call: Call, record: Record, entries: Iterable[ProfileEntry]) -> Iterator[ProfileEntry]:
    """Those that are there and that the caller may see, as they are now."""
    for entry in entries:
        if not entry.is_deleted and decide(of_entry(call, record, Action.READ, entry)).permit:
            yield entry.at(call.now)


def offering(
    call: Call, record: Record, extractions: Sequence[Extraction], documents: "DocumentStore"
) -> dict[str, DocumentEntry]:
    """The documents of these extractions which the caller may see and which are current: one read per 100."""
    if not extractions:
        return {}
    _, found = documents.with_documents(record.id, [one.local for one in extractions])
    return {local: document for local, document in found.items() if offers(call, record, document)}


def offers(call: Call, record: Record, document: DocumentEntry) -> bool:
    """Whether what a document says is told to the caller: it is current, and theirs to read."""
    is_current = document.status is DocumentStatus.CURRENT and is_listed(document)
    return is_current and decide(of_document(call, record, Action.READ, document)).permit


def offered(
    call: Call, record: Record, extractions: Iterable[Extraction], documents: dict[str, DocumentEntry]
) -> Iterator[Offered]:
    """The candidates of the documents that `offering` gave, whose kinds the caller may see."""
    for extraction in extractions:
        document = documents.get(extraction.local)
        kinds = {candidate.kind for candidate in extraction.candidates} if document else set()
        seen = {kind for kind in kinds if decide(of_candidate(call, record, kind, document)).permit}
        for number, candidate in enumerate(extraction.candidates):
            if document and candidate.kind in seen:
                yield Offered(candidate=candidate, number=number, document=document)


def of_candidate(call: Call, record: Record, kind: ProfileKind, document: DocumentEntry | None) -> AccessRequest:
    """May the caller see what a document, or one that is not there (None), offers of a kind?"""
    return replace(of_document(call, record, Action.READ, document), resource_type=kind)
