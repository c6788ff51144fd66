"""A clinical statement of a section, with what its reader needs around it: the section and the narrative's texts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dmp.cda.markup import Node
from dmp.cda.passages import Passages, is_code, is_uri, shortened
from dmp.cda.sections import Section
from dmp.domain.clinical_profile import Candidate, ProfileKind
from dmp.domain.document import Coding

ACTS = frozenset(
    {"act", "encounter", "observation", "observationMedia", "organizer", "procedure", "regionOfInterest"}
    | {"substanceAdministration", "supply"}
)
"""The clinical statements of CDA R2."""
_LINKS = frozenset({"entryRelationship", "component"})
_HAPPENED = frozenset({"", "EVN"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A clinical statement: `act` is its element, whether it stands in the section itself or in another statement.

    `link` is the element that holds it there: its `typeCode` and `inversionInd` tell what it is to the other.
    """

    act: Node
    section: Section
    passages: Passages = field(repr=False)
    written: datetime | None = None
    """When the document was written."""
    link: Node = field(default_factory=lambda: Node("entry"), repr=False)
    is_denied: bool = False
    """Whether the concern that holds it says that it is not so."""

    @property
    def template_ids(self) -> tuple[str, ...]:
        """The models that the statement names, in its order."""
        return tuple(one.get("root") for one in self.act.elements("templateId") if one.get("root"))

    @property
    def code(self) -> str:
        """The code of what the statement is about, or an empty text."""
        code = self.act.first("code")
        return code.get("code") if code else ""

    @property
    def section_code(self) -> str:
        """The code of the section, or an empty text."""
        return self.section.code.code if self.section.code else ""

    @property
    def is_event(self) -> bool:
        """Whether it tells of what happened: no plan, order, goal or definition."""
        return self.act.get("moodCode").upper() in _HAPPENED

    @property
    def is_of_another(self) -> bool:
        """Whether it tells of somebody else than the person: a relative, or the child of a pregnancy."""
        return self.act.first("subject") is not None

    @property
    def is_negated(self) -> bool:
        """Whether it says that something is not so."""
        return self.is_denied or self.act.get("negationInd").lower() in ("true", "1")

    @property
    def was_given_up(self) -> bool:
        """Whether it was not carried through: what it says does not hold any more."""
        status = self.act.first("statusCode")
        return status is not None and status.get("code").lower() in ("aborted", "cancelled")

    def held(self) -> Iterator["Entry"]:
        """The observations of a concern, denied where it is."""
        return (replace(one, is_denied=self.is_negated) for one in self.inner("observation"))

    def inner(self, *names: str) -> Iterator["Entry"]:
        """The statements right within this one, those of some elements where any is named."""
        for link in self.act.elements():
            if link.name in _LINKS:
                found = statements(link, self.section, self.passages, self.written)
                yield from (one for one in found if not names or one.act.name in names)

    def candidate(self, kind: ProfileKind, resource: Mapping[str, object]) -> Candidate:
        """What the statement offers; of the resource all but its type, which is the kind."""
        return Candidate(
            kind=kind,
            section=_writable(self.section.code),
            section_title=shortened(self.section.title),
            resource={"resourceType": kind.value, **resource},
        )


type Reader = Callable[[Entry], Iterator[Candidate]]
type Readers = Mapping[tuple[str, str], Reader]
"""What reads a statement, by the code of its section (empty: any), and its template id or the name of its element."""


def statements(link: Node, section: Section, passages: Passages, written: datetime | None) -> Iterator[Entry]:
    """The clinical statements right in an `entry`, an `entryRelationship` or a `component`, none that was withdrawn."""
    acts = (act for act in link.elements() if act.name in ACTS and not _is_withdrawn(act))
    return (Entry(act, section, passages, written, link) for act in acts)


def _is_withdrawn(act: Node) -> bool:
    status = act.first("statusCode")
    return status is not None and status.get("code").lower() == "nullified"


def _writable(code: Coding | None) -> Coding | None:
    """The code of a section where FHIR can write it."""
    if code is None or not is_code(code.code) or not is_uri(code.system):
        return None
    return Coding(code.system, code.code, shortened(code.display))
