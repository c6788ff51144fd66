"""What searches for documents and for lists have in common: conditions, spans of time, orders and places in them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from dmp.domain.identifiers import time_prefix


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
type Groups[Value] = tuple[tuple[Value, ...], ...]
"""One of each group must hold: values with commas between are one group, a repeated parameter is another."""
type Condition = Callable[[Mapping[str, Any]], bool]
"""What a FHIR resource must satisfy: the more it tells, the rather it does."""
type Naming = Callable[[Mapping[str, Any]], frozenset[str]]
"""The ids of the resources that a FHIR resource names and that are to come with it."""


class Order(StrEnum):
    """In which order things are found."""

    NEWEST = "-date"
    OLDEST = "date"
    LAST_CHANGED = "-_lastUpdated"
    FIRST_CHANGED = "_lastUpdated"

    @property
    def descends(self) -> bool:
        """Whether the latest comes first."""
        return self.value.startswith("-")

    @property
    def is_by_change(self) -> bool:
        """Whether it is that of changes rather than of dates."""
        return self in (Order.LAST_CHANGED, Order.FIRST_CHANGED)

    @property
    def by_change(self) -> "Order":
        """The order of changes in the same direction."""
        return Order.LAST_CHANGED if self.descends else Order.FIRST_CHANGED

    @property
    def by_date(self) -> "Order":
        """The order of dates in the same direction."""
        return Order.NEWEST if self.descends else Order.OLDEST


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of an order of positions: from `low` on and before `high`, behind `after`; empty ones leave it open."""

    order: Order
    low: str = ""
    high: str = ""
    after: str = ""

    @property
    def begin(self) -> str:
        """The least position that may be in it."""
        return self.low if self.order.descends else max(self.low, self.after)

    @property
    def end(self) -> str:
        """The greatest position that may be in it; empty where that is open."""
        bounds = [self.high, self.after] if self.order.descends else [self.high]
        return min(filter(None, bounds), default="")

    def behind(self, position: str) -> "Stretch":
        """What is left of it behind a position."""
        return replace(self, after=position)


def nothing_named(_resource: Mapping[str, Any]) -> frozenset[str]:
    """No other resource comes with one."""
    return frozenset()


def changed_position(updated: datetime, local: str) -> str:
    """Where a thing stands in the order of changes; as text, in the order of time."""
    return f"{instant_position(updated)}#{local}"


def instant_position(moment: datetime) -> str:
    """Where in the order of changes a moment begins."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def is_beyond(order: Order, position: str, other: str) -> bool:
    """Whether a position comes behind another one."""
    return position < other if order.descends else position > other


def lowest(date: Spans) -> str:
    """The local ids of what these dates allow begin here."""
    start = latest_start(date)
    return time_prefix(start) if start else ""


def highest(date: Spans) -> str:
    """They end before this one; empty where the dates leave that open."""
    ends = [max(span.end for span in group if span.end) for group in _bounded(date, "end")]
    return min(map(time_prefix, ends), default="")


def latest_start(conditions: Spans) -> datetime | None:
    """The earliest moment that satisfies each group of conditions; None where it is open."""
    starts = [min(span.start for span in group if span.start) for group in _bounded(conditions, "start")]
    return max(starts, default=None)


def _bounded(conditions: Spans, side: str) -> list[tuple[Span, ...]]:
    """The groups none of whose alternatives is open on a side."""
    return [group for group in conditions if all(getattr(span, side) for span in group)]


def is_within(conditions: Spans, moment: datetime) -> bool:
    """Whether a moment satisfies all conditions."""
    return all(any(span.holds(moment) for span in group) for group in conditions)
