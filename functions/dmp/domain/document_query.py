"""What a search for documents asks (ITI-67), as the stores and the filter understand it."""

import json
from dataclasses import dataclass
from datetime import datetime

from dmp.domain.clinical_document import is_unique_id, unique_id_of
from dmp.domain.clinical_profile import DocumentText
from dmp.domain.code_lists import canonical_system, class_system, document_type
from dmp.domain.consent import PatientRef
from dmp.domain.document import Coding, DocumentEntry, DocumentStatus
from dmp.domain.identifiers import Identifier, moment_of
from dmp.domain.search_terms import (
    Condition,
    Groups,
    Naming,
    Order,
    Spans,
    Stretch,
    changed_position,
    highest,
    instant_position,
    is_beyond,
    is_within,
    latest_start,
    lowest,
    nothing_named,
)
from dmp.domain.words import tell

FINDABLE = (DocumentStatus.CURRENT, DocumentStatus.SUPERSEDED)
"""The statuses of what searches find."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentQuery:
    """Fields are ANDed; an empty field asks nothing, but for `statuses`.

    `types` and `classes` are codes: an empty system stands for any, an empty code for any of the system. `conditions`
    must hold of the document as the caller sees it; `asks_relations` says that some are on what it tells of others.
    `words`: all of one of each group must be in what the document says, as `dmp.domain.words` finds them.
    """

    patient: PatientRef
    statuses: tuple[DocumentStatus, ...]
    ids: Groups[str] = ()
    types: Groups[Coding] = ()
    classes: Groups[Coding] = ()
    identifiers: Groups[Identifier] = ()
    date: Spans = ()
    updated: Spans = ()
    words: Groups[tuple[str, ...]] = ()
    conditions: tuple[Condition, ...] = ()
    asks_relations: bool = False
    order: Order = Order.NEWEST
    count: int = 20
    after: str = ""
    """Position of the last document of the former page."""
    accurate_total: bool = False
    named: Naming = nothing_named
    with_patient: bool = False

    @property
    def stretch(self) -> Stretch:
        """The part of the order of dates, or of changes, that holds all that can match behind the former page."""
        if not self.order.is_by_change:
            return Stretch(self.order, lowest(self.date), highest(self.date), self.after)
        since = self.changed_since
        return Stretch(self.order, low=instant_position(since) if since else "", after=self.after)

    @property
    def changed_since(self) -> datetime | None:
        """All that can match has changed at this moment or later; None where nothing says so."""
        return latest_start(self.updated)

    @property
    def indexed_types(self) -> tuple[str, ...]:
        """Codes of types by which an index finds all that can match; none where one of the types is open."""
        return _codes(self.types)

    @property
    def indexed_classes(self) -> tuple[str, ...]:
        """Likewise, codes of classes."""
        return _codes(self.classes)

    @property
    def indexed_identifiers(self) -> tuple[Identifier, ...]:
        """Identifiers by which an index finds all that can match; none where one of them leaves its system open."""
        group = self.identifiers[0] if self.identifiers else ()
        return group if all(one.value and (one.system or is_unique_id(one)) for one in group) else ()

    @property
    def is_narrow(self) -> bool:
        """Whether it may leave out documents of the record."""
        asked = (self.ids, self.types, self.classes, self.identifiers, self.date, self.updated, self.words)
        return any(asked) or bool(self.conditions) or bool(self.after) or set(self.statuses) != set(FINDABLE)

    def position(self, entry: DocumentEntry) -> str:
        """Where a document stands in the order that is asked for."""
        return changed_position(entry.updated, entry.local) if self.order.is_by_change else entry.local

    def is_behind(self, entry: DocumentEntry) -> bool:
        """Whether a document comes after the former page."""
        return not self.after or is_beyond(self.order, self.position(entry), self.after)

    def matches(self, entry: DocumentEntry) -> bool:
        """Whether a document is among those that are asked for, its conditions aside."""
        return (
            entry.status in self.statuses
            and not entry.awaits
            and not entry.was_never_available
            and all(any(_is_of_type(entry, t) for t in group) for group in self.types)
            and all(any(_is_of_class(entry, c) for c in group) for group in self.classes)
            and all(any(carries(entry, i) for i in group) for group in self.identifiers)
            and all(entry.id in group for group in self.ids)
            and self.is_behind(entry)
            and is_within(self.date, moment_of(entry.local))
            and is_within(self.updated, entry.updated)
        )

    def is_told_by(self, text: DocumentText | None) -> bool:
        """Whether the words are found among those of a document; none are where nothing was kept of it."""
        said = text.words if text else ""
        return all(any(tell(said, wanted) for wanted in group) for group in self.words)

    def holds(self, entry: DocumentEntry) -> bool:
        """Whether a document, as it is told here, satisfies the conditions."""
        if not self.conditions:
            return True
        resource = json.loads(entry.body)
        return all(condition(resource) for condition in self.conditions)


def _codes(groups: Groups[Coding]) -> tuple[str, ...]:
    """The codes of the first group that names codes alone."""
    found = (tuple(dict.fromkeys(coding.code for coding in group)) for group in groups)
    return next((codes for codes in found if "" not in codes), ())


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
    return any(_is_named(i, wanted) or unique_id_of(i) == unique for i in carried)


def _is_named(identifier: Identifier, wanted: Identifier) -> bool:
    """Whether an identifier is meant: an empty system stands for any, an empty value for any of the system."""
    return wanted.system in ("", identifier.system) and wanted.value in ("", identifier.value)
