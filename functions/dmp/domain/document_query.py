"""What a search for documents asks (ITI-67), as the stores and the filter understand it."""

from dataclasses import dataclass, field
from datetime import datetime

from dmp.domain.clinical_document import unique_id_of
from dmp.domain.code_lists import document_type
from dmp.domain.consent import PatientRef
from dmp.domain.document import Coding, DocumentEntry, DocumentStatus
from dmp.domain.identifiers import Identifier, time_prefix


@dataclass(frozen=True, slots=True)
class Span:
    """Moments from `start` to `end`, excluded; None leaves a side open."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentQuery:
    """Alternatives within a field are ORed, fields are ANDed; an empty field asks nothing.

    `types` and `classes` are codes, with an empty system where none was given.
    """

    patient: PatientRef
    statuses: tuple[DocumentStatus, ...]
    types: tuple[Coding, ...] = ()
    classes: tuple[Coding, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    date: Span = field(default=Span())
    updated: Span = field(default=Span())
    count: int = 20
    after: str = ""
    """Local id of the last document of the former page."""
    accurate_total: bool = False

    @property
    def low(self) -> str:
        """The local ids of documents that the dates allow begin here."""
        return time_prefix(self.date.start) if self.date.start else ""

    @property
    def high(self) -> str:
        """They end before this one."""
        bounds = [time_prefix(self.date.end)] if self.date.end else []
        return min([*bounds, self.after] if self.after else bounds, default="")

    def matches(self, entry: DocumentEntry) -> bool:
        """Whether a document is among those that are asked for."""
        return (
            entry.status in self.statuses
            and (not self.types or any(_is_of_type(entry, t) for t in self.types))
            and (not self.classes or any(_is_of_class(entry, c) for c in self.classes))
            and (not self.identifiers or any(carries(entry, i) for i in self.identifiers))
            and entry.local >= self.low
            and (not self.high or entry.local < self.high)
            and _within(self.updated, entry.updated)
        )


def _is_of_type(entry: DocumentEntry, wanted: Coding) -> bool:
    return entry.type is not None and entry.type.code == wanted.code and wanted.system in ("", entry.type.system)


def _is_of_class(entry: DocumentEntry, wanted: Coding) -> bool:
    known = document_type(entry.type.system, entry.type.code) if entry.type else None
    return known is not None and known.class_code == wanted.code


def carries(entry: DocumentEntry, wanted: Identifier) -> bool:
    """Whether a document has an identifier, master or other, in any of the ways to write a unique id."""
    carried = [i for i in (entry.master_identifier, *entry.identifiers) if i]
    unique = unique_id_of(wanted)
    return any(i == wanted or unique_id_of(i) == unique for i in carried)


def _within(span: Span, moment: datetime) -> bool:
    return (span.start is None or span.start <= moment) and (span.end is None or moment < span.end)
