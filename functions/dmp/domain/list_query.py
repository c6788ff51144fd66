"""What a search for SubmissionSets and Folders asks (ITI-66), as the stores and the filter understand it."""

import json
from dataclasses import dataclass

from dmp.domain.consent import PatientRef
from dmp.domain.document_list import ListEntry, ListKind
from dmp.domain.identifiers import Identifier
from dmp.domain.search_terms import (
    Condition,
    Groups,
    Order,
    Spans,
    Stretch,
    highest,
    is_beyond,
    is_within,
    lowest,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """Fields are ANDed; an empty field asks nothing, but for `kinds` and `statuses`.

    `conditions` must hold of the resource.
    `identifiers` are those by which a store may find all that can match.
    """

    patient: PatientRef
    kinds: frozenset[ListKind]
    statuses: frozenset[str]
    ids: Groups[str] = ()
    identifiers: tuple[Identifier, ...] = ()
    date: Spans = ()
    updated: Spans = ()
    conditions: tuple[Condition, ...] = ()
    order: Order = Order.NEWEST
    count: int = 20
    after: str = ""
    """Local id of the last list of the former page."""
    accurate_total: bool = False
    with_documents: bool = False
    with_patient: bool = False

    @property
    def wants_folders_alone(self) -> bool:
        """Whether an index finds all that can match: Folders are few among the SubmissionSets."""
        return self.kinds == {ListKind.FOLDER}

    @property
    def stretch(self) -> Stretch:
        """The part of the order of dates that holds all that can match behind the former page.

        A Folder keeps its place when its date moves on: dates bound SubmissionSets alone.
        """
        if ListKind.FOLDER in self.kinds:
            return Stretch(self.order, after=self.after)
        return Stretch(self.order, lowest(self.date), highest(self.date), self.after)

    def is_behind(self, local: str) -> bool:
        """Whether a list comes after the former page."""
        return not self.after or is_beyond(self.order, local, self.after)

    def matches(self, entry: ListEntry) -> bool:
        """Whether a list is among those that are asked for, whoever may see it."""
        if entry.kind not in self.kinds or entry.status not in self.statuses or not self.is_behind(entry.local):
            return False
        if any(entry.id not in group for group in self.ids) or not is_within(self.updated, entry.updated):
            return False
        resource = json.loads(entry.body) if self.conditions else {}
        return all(condition(resource) for condition in self.conditions)
