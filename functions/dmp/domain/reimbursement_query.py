"""What a search for lines of reimbursement asks, as the store and the filter understand it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dmp.domain.civil_time import PARIS
from dmp.domain.consent import PatientRef
from dmp.domain.identifiers import time_prefix
from dmp.domain.reimbursement import Reimbursement, Window
from dmp.domain.search_terms import Condition, Groups, Order, Spans, Stretch, highest, is_beyond, is_within, lowest


@dataclass(frozen=True, slots=True, kw_only=True)
class ReimbursementQuery:
    """Fields are ANDed; an empty field asks nothing. `care` is on the day of care, which begins at midnight in Paris.

    `after` is the local id of the last line of the former page.
    """

    patient: PatientRef
    care: Spans = ()
    updated: Spans = ()
    ids: Groups[str] = ()
    conditions: tuple[Condition, ...] = ()
    order: Order = Order.NEWEST
    count: int = 20
    after: str = ""
    accurate_total: bool = False

    def stretch(self, window: Window, now: datetime) -> Stretch:
        """The part of the order of days of care that holds all that can match and may still be shown."""
        shown = time_prefix(midnight(window.begin(now)))
        return Stretch(self.order, max(shown, lowest(self.care)), highest(self.care), self.after)

    def matches(self, line: Reimbursement, rendered: Mapping[str, Any]) -> bool:
        """Whether a line, as it is told, is among those that are asked for."""
        return (
            is_within(self.care, midnight(line.care))
            and is_within(self.updated, line.updated)
            and all(line.id in group for group in self.ids)
            and all(holds(rendered) for holds in self.conditions)
        )

    def is_behind(self, local: str) -> bool:
        """Whether a line comes after the former page."""
        return not self.after or is_beyond(self.order, local, self.after)


def midnight(day: date) -> datetime:
    """The instant at which a day begins in Paris."""
    return datetime(day.year, day.month, day.day, tzinfo=PARIS)
