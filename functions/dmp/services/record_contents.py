"""Everything that a record holds for one caller, a stretch of one kind at a time, as the searches would show it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.clinical_profile import ProfileEntry, ProfileKind, candidate_of
from dmp.domain.consent import Consent
from dmp.domain.document import DocumentEntry
from dmp.domain.document_list import ListEntry
from dmp.domain.document_query import FINDABLE
from dmp.domain.notification import Message
from dmp.domain.record import Record
from dmp.domain.reimbursement import RESOURCE_TYPE, Reimbursement, Window
from dmp.domain.related_person import RelatedPerson
from dmp.domain.rights import Action
from dmp.domain.search_terms import Order, Stretch
from dmp.services.call import Call
from dmp.services.document_access import is_listed, may_read
from dmp.services.document_sight import as_seen
from dmp.services.gate import asking
from dmp.services.included import IncludedPatient, included_patient
from dmp.services.list_sight import list_as_seen, with_visible_lists
from dmp.services.message_access import as_seen as messages_as_seen
from dmp.services.profile_sight import Offered, offered, offering, visible_entries
from dmp.services.reimbursement_sight import visible_lines
from dmp.services.wishes import Wishes

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.message_store import MessageStore
    from dmp.adapters.person_store import PersonStore
    from dmp.adapters.profile_store import ProfileStore
    from dmp.adapters.record_store import RecordStore
    from dmp.adapters.reimbursement_store import ReimbursementStore

type Thing = (
    IncludedPatient
    | Consent
    | RelatedPerson
    | ProfileEntry
    | Offered
    | Reimbursement
    | ListEntry
    | DocumentEntry
    | Message
)


class Section(StrEnum):
    """What is read together, in this order."""

    PATIENT = "patient"
    CONSENTS = "consents"
    PERSONS = "persons"
    ENTRIES = "entries"
    CANDIDATES = "candidates"
    LINES = "lines"
    LISTS = "lists"
    DOCUMENTS = "documents"
    MESSAGES = "messages"


_PROFILE = tuple(kind.value for kind in ProfileKind)
TYPES_OF: dict[Section, tuple[str, ...]] = {
    Section.PATIENT: ("Patient",),
    Section.CONSENTS: ("Consent",),
    Section.PERSONS: ("RelatedPerson",),
    Section.ENTRIES: _PROFILE,
    Section.CANDIDATES: _PROFILE,
    Section.LINES: (RESOURCE_TYPE,),
    Section.LISTS: ("List",),
    Section.DOCUMENTS: ("DocumentReference",),
    Section.MESSAGES: ("Communication",),
}
"""The types of resource of each section."""
TYPES = tuple(dict.fromkeys(name for names in TYPES_OF.values() for name in names))
MOST_LISTS = 25
"""Lists that are read at once: each may hold thirty documents, which are read with it."""
_MOST_EXTRACTIONS = 10
"""Documents whose candidates are read at once: each may offer some hundred."""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that the caller may see: the type of its resource, where it stands in its section, its last change."""

    type: str
    place: str
    updated: datetime
    thing: Thing


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a section in order; `next` is the place behind which it goes on, None at its end.

    `looked_at` counts what was read for it, visible or not.
    """

    found: Sequence[Found]
    next: str | None
    looked_at: int


class RecordContents:
    """Reads sections, each part in a few reads, and shows of them what the caller may see."""

    def __init__(
        self,
        records: "RecordStore",
        profiles: "ProfileStore",
        persons: "PersonStore",
        documents: "DocumentStore",
        messages: "MessageStore",
        reimbursements: "ReimbursementStore",
        *,
        window: Window,
    ) -> None:
        """`window` tells how long lines of reimbursement are shown."""
        self._records = records
        self._profiles = profiles
        self._persons = persons
        self._documents = documents
        self._wishes = Wishes(documents)
        self._messages = messages
        self._reimbursements = reimbursements
        self._window = window
        self._readers: dict[Section, Callable[[Call, Record, str, int], Part]] = {
            Section.PATIENT: self._patient,
            Section.CONSENTS: self._consents,
            Section.PERSONS: self._people,
            Section.ENTRIES: self._entries,
            Section.CANDIDATES: self._candidates,
            Section.LINES: self._lines,
            Section.LISTS: self._lists,
            Section.DOCUMENTS: self._papers,
            Section.MESSAGES: self._letters,
        }

    def part(self, call: Call, record: Record, section: Section, after: str, limit: int) -> Part:
        """What is read at once of a section, behind a place of it: about `limit` things, more where they come along."""
        return self._readers[section](call, record, after, limit)

    def every(self, call: Call, record: Record, name: str, limit: int = 100) -> Iterator[Found]:
        """All that the caller may see of one type, read as far as it is asked for."""
        for section in (one for one in Section if name in TYPES_OF[one]):
            after: str | None = ""
            while after is not None:
                part = self.part(call, record, section, after, limit)
                yield from (found for found in part.found if found.type == name)
                after = part.next

    def _patient(self, call: Call, record: Record, after: str, _limit: int) -> Part:
        patient = None if after else included_patient(call, record)
        return Part([Found("Patient", "-", record.updated, patient)] if patient else [], None, 0)

    def _consents(self, call: Call, record: Record, after: str, limit: int) -> Part:
        read = list(islice(self._records.consents(record.id, after), limit + 1))
        seen = self._wishes.as_seen(call, record, [c for c in read[:limit] if _may_see_consent(call, record, c)])
        found = [Found("Consent", one.local, one.updated, one) for one in seen]
        return Part(found, read[limit - 1].local if len(read) > limit else None, len(read))

    def _people(self, call: Call, record: Record, after: str, limit: int) -> Part:
        if not _may(call, record, Action.READ_PERSON, "RelatedPerson"):
            return _NOTHING
        read = list(islice(self._persons.persons(record.id, after), limit + 1))
        found = [Found("RelatedPerson", one.local, one.updated, one) for one in read[:limit] if not one.is_deleted]
        return Part(found, read[limit - 1].local if len(read) > limit else None, len(read))

    def _entries(self, call: Call, record: Record, after: str, limit: int) -> Part:
        read, onward = self._profiles.all_entries(record.id, limit, after)
        seen = visible_entries(call, record, read)
        return Part([Found(one.kind, f"{one.kind}#{one.local}", one.updated, one) for one in seen], onward, len(read))

    def _candidates(self, call: Call, record: Record, after: str, limit: int) -> Part:
        """Of a document whose candidates a page divided, the rest; of further ones, all that they offer."""
        document, number = candidate_of(after) or ("", -1)
        onward: str | None = document
        if document:
            one = self._profiles.extraction(record.id, document)
            read = [one] if one else []
        else:
            read, onward = self._profiles.extractions(record.id, min(limit, _MOST_EXTRACTIONS), after)
        readable = offering(call, record, read, self._documents)
        seen = [one for one in offered(call, record, read, readable) if one.number > number]
        found = [Found(one.candidate.kind, one.local, one.document.updated, one) for one in seen]
        return Part(found, onward, max(len(read), len(found)))

    def _lines(self, call: Call, record: Record, after: str, limit: int) -> Part:
        read, onward = self._reimbursements.lines(record.id, limit, after)
        seen = visible_lines(call, record, read, self._window)
        return Part([Found(RESOURCE_TYPE, one.local, one.updated, one) for one in seen], onward, len(read))

    def _lists(self, call: Call, record: Record, after: str, limit: int) -> Part:
        if not _may(call, record, Action.SEARCH, "List"):
            return _NOTHING
        stretch = Stretch(Order.NEWEST, after=after)
        read, onward = self._documents.lists_page(record.id, min(limit, MOST_LISTS), stretch)
        held = sorted({local for entry in read for local in entry.documents})
        documents = self._documents.with_documents(record.id, held)[1] if held else {}
        seen = [one for entry in read if (one := list_as_seen(call, record, entry, documents))]
        shown = with_visible_lists(call, record, seen, self._documents)
        return Part([Found("List", one.local, one.updated, one) for one in shown], onward, len(read) + len(held))

    def _papers(self, call: Call, record: Record, after: str, limit: int) -> Part:
        if not _may(call, record, Action.SEARCH, "DocumentReference"):
            return _NOTHING
        statuses = [status.value for status in FINDABLE]
        read, onward = self._documents.page(record.id, statuses, limit, Stretch(Order.NEWEST, after=after))
        listed = (one for one in read if is_listed(one) and not one.was_never_available)
        visible = [one for one in listed if may_read(call, record, one)]
        shown = as_seen(call, record, visible, self._documents, visible)
        return Part([Found("DocumentReference", one.local, one.updated, one) for one in shown], onward, len(read))

    def _letters(self, call: Call, record: Record, after: str, limit: int) -> Part:
        if not _may(call, record, Action.READ_MESSAGE, "Communication"):
            return _NOTHING
        read, onward = self._messages.page(record.id, after, limit)
        shown = messages_as_seen(call, record, read, self._documents)
        found = [Found("Communication", one.local, one.updated or one.sent, one) for one in shown]
        return Part(found, onward, len(read))


_NOTHING = Part((), None, 0)


def _may(call: Call, record: Record, action: Action, name: str) -> bool:
    """Whether the caller, and the app that calls, may look for a type of resource at all."""
    return decide(replace(asking(call, record, action), resource_type=name)).permit


def _may_see_consent(call: Call, record: Record, consent: Consent) -> bool:
    question = asking(call, record, Action.READ_CONSENT, consent)
    return decide(replace(question, resource_type="Consent")).permit
