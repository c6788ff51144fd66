"""What a search for documents asks (ITI-67), as the stores and the filter understand it."""

from dataclasses import dataclass
from datetime import datetime

from dmp.domain.clinical_document import unique_id_of
from dmp.domain.code_lists import canonical_system, class_system, document_type
from dmp.domain.consent import PatientRef
from dmp.domain.document import Coding, DocumentEntry, DocumentStatus
from dmp.domain.identifiers import Identifier, moment_of, time_prefix


@dataclass(frozen=True, slots=True)
class Span:
    """Moments from `start` to `end`, excluded; None leaves a side open."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)


type Spans = tuple[tuple[Span, ...], ...]
"""Conditions on a moment: one of each group must hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentQuery:
    """Alternatives within a field are ORed, fields are ANDed; an empty field asks nothing, but for `statuses`.

    `types` and `classes` are codes: an empty system stands for any, an empty code for any of the system.
    """

    patient: PatientRef
    statuses: tuple[DocumentStatus, ...]
    types: tuple[Coding, ...] = ()
    classes: tuple[Coding, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    date: Spans = ()
    updated: Spans = ()
    count: int = 20
    after: str = ""
    """Local id of the last document of the former page."""
    accurate_total: bool = False

    @property
    def low(self) -> str:
        """The local ids of documents that the dates allow begin here."""
        starts = [min((span.start for span in group if span.start), default=None) for group in self._bounded("start")]
        return max((time_prefix(start) for start in starts if start), default="")

    @property
    def high(self) -> str:
        """They end before this one."""
        ends = [max((span.end for span in group if span.end), default=None) for group in self._bounded("end")]
        bounds = [time_prefix(end) for end in ends if end] + ([self.after] if self.after else [])
        return min(bounds, default="")

    def _bounded(self, side: str) -> list[tuple[Span, ...]]:
        """The groups none of whose alternatives is open on a side."""
        return [group for group in self.date if all(getattr(span, side) for span in group)]

    @property
    def indexed_types(self) -> tuple[str, ...]:
        """Codes of types by which an index finds all that can match; none where one of the types is open."""
        return _codes(self.types)

    @property
    def indexed_classes(self) -> tuple[str, ...]:
        """Likewise, codes of classes."""
        return _codes(self.classes)

    def matches(self, entry: DocumentEntry) -> bool:
        """Whether a document is among those that are asked for."""
        return (
            entry.status in self.statuses
            and (not self.types or any(_is_of_type(entry, t) for t in self.types))
            and (not self.classes or any(_is_of_class(entry, c) for c in self.classes))
            and (not self.identifiers or any(carries(entry, i) for i in self.identifiers))
            and (not self.after or entry.local < self.after)
            and _within(self.date, moment_of(entry.local))
            and _within(self.updated, entry.updated)
        )


def _codes(codings: tuple[Coding, ...]) -> tuple[str, ...]:
    codes = tuple(dict.fromkeys(coding.code for coding in codings))
    return () if "" in codes else codes


def _is_of_type(entry: DocumentEntry, wanted: Coding) -> bool:
    return entry.type is not None and _is_meant(wanted, entry.type.system, entry.type.code)


def _is_of_class(entry: DocumentEntry, wanted: Coding) -> bool:
    known = document_type(entry.type.system, entry.type.code) if entry.type else None
    return known is not None and _is_meant(wanted, class_system(), known.class_code)


def _is_meant(wanted: Coding, system: str, code: str) -> bool:
    return wanted.code in ("", code) and (not wanted.system or canonical_system(wanted.system) == system)


def carries(entry: DocumentEntry, wanted: Identifier) -> bool:
    """Whether a document has an identifier, master or other, in any of the ways to write a unique id."""
    carried = [i for i in (entry.master_identifier, *entry.identifiers) if i]
    unique = unique_id_of(wanted)
    return any(i == wanted or unique_id_of(i) == unique for i in carried)


def _within(conditions: Spans, moment: datetime) -> bool:
    return all(any(span.holds(moment) for span in group) for group in conditions)
