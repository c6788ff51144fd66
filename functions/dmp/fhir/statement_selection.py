"""Which statements a summary shows: each thing once, what was entered before what was found, the newest first."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dmp.domain.clinical_profile import ProfileKind
from dmp.fhir.statement_identity import (
    adds_nothing,
    are_told_apart,
    is_handed_over_of,
    key_of,
    names_of,
    product_key,
)
from dmp.fhir.statements import Statement
from dmp.fhir.times import parse_datetime
from dmp.fhir.treatment_courses import goes_on, is_handed_over, is_stale, settled

MOST_OF_A_SERIES = 5
"""Values of one measure or test that are shown, the newest."""
MOST_IN_A_SECTION = 150
_NEVER = datetime.min.replace(tzinfo=UTC)
_MOST_COMPARED = 20
"""Of what has the same key and yet is not the same: more are told than compared."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is shown of a section: series of observations of one code, and each other statement by itself."""

    shown: tuple[tuple[Statement, ...], ...]
    left_out: int
    """How many more there were."""

    @property
    def statements(self) -> Iterator[Statement]:
        """All that is shown."""
        return (statement for group in self.shown for statement in group)


def each_once(statements: Iterable[Statement], now: datetime) -> list[Statement]:
    """Statements without those that repeat an earlier one, whose sources the earlier one then names as well.

    They come in the order of what goes before: those that were entered, then those of the newest documents. What says
    that the person does not have something is told beside what it contradicts, and takes nothing away; an allergy that
    somebody entered as refuted is always told.
    """
    told = settled(one for one in statements if not one.is_in_error)
    kept = _Kept(now)
    for statement in told:
        if not is_handed_over(statement) and _is_told(statement):
            kept.add(statement)
    for statement in newest_first(filter(is_handed_over, told)):
        kept.add_handed_over(statement)
    stated = {name for one in kept.statements if not one.is_refuted for name in names_of(one)}
    for statement in told:
        if not _is_told(statement) and not stated.isdisjoint(names_of(statement)):
            kept.add(statement)
    return kept.statements


def _is_told(statement: Statement) -> bool:
    """Whether it is told by itself: not so what a document denies (a questionnaire, mostly), or a problem refuted."""
    return not statement.is_refuted or (statement.kind is ProfileKind.ALLERGY and not statement.is_found)


class _Kept:
    """The statements that are kept, found again by what they say."""

    def __init__(self, now: datetime) -> None:
        self.statements: list[Statement] = []
        self._now = now
        self._places: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)

    def add(self, statement: Statement) -> None:
        """Keep a statement, or but its source where one that is kept says all that it does."""
        key = ("same", *key_of(statement))
        if not self._absorbed(statement, key, lambda one: _is_said(statement, one)):
            self._keep(statement, key)

    def add_handed_over(self, statement: Statement) -> None:
        """Keep what was handed over as a source of the treatment that goes on, or of what else was handed over."""
        treatment, key = ("product", statement.words), ("handed over", *product_key(statement))
        is_absorbed = self._absorbed(
            statement, treatment, lambda one: goes_on(one, self._now) and is_handed_over_of(statement, one)
        ) or self._absorbed(statement, key, lambda one: adds_nothing(statement, one))
        if not is_absorbed:
            self._places[key].append(len(self.statements))
            self.statements.append(statement)

    def _absorbed(self, statement: Statement, key: tuple[object, ...], is_same: Callable[[Statement], bool]) -> bool:
        known = self._places[key][:_MOST_COMPARED]
        place = next((place for place in known if is_same(self.statements[place])), None)
        if place is None:
            return False
        self.statements[place] = self.statements[place].said_also_by(statement)
        return True

    def _keep(self, statement: Statement, key: tuple[object, ...]) -> None:
        self._places[key].append(len(self.statements))
        if statement.kind is ProfileKind.MEDICATION:
            self._places[("product", statement.words)].append(len(self.statements))
        self.statements.append(statement)


def _is_said(statement: Statement, one: Statement) -> bool:
    return adds_nothing(statement, one) and not are_told_apart(statement, one)


def singly(statements: Iterable[Statement], now: datetime) -> Selection:
    """What goes on before what is over, the newest first in both, those without a date last."""
    return _selected([(one,) for one in sorted(newest_first(statements), key=lambda one: _rank(one, now))])


def _rank(statement: Statement, now: datetime) -> int:
    """What counts today, what may, and what does no longer."""
    if statement.is_over(now) or statement.is_refuted or is_stale(statement, now):
        return 2
    return 1 if is_handed_over(statement) or statement.is_past else 0


def in_series(statements: Iterable[Statement]) -> Selection:
    """The observations of one name and leading code together, the newest first in each and of all; at most 5 each."""
    found: list[list[Statement]] = []
    by_name: dict[tuple[object, ...], list[Statement]] = {}
    for statement in newest_first(statements):
        name = (statement.words, statement.codings[:1])
        same = None if _is_by_itself(statement) else by_name.get(name)
        if same is None:
            found.append(same := [])
        if len(same) < MOST_OF_A_SERIES:
            same.append(statement)
        if not _is_by_itself(statement):
            by_name[name] = same
    return _selected([tuple(group) for group in found])


def _is_by_itself(statement: Statement) -> bool:
    """Whether it is one of several findings of a moment, not a value that changes: a germ with its antibiogram."""
    return {"valueCodeableConcept", "component"} <= statement.resource.keys()


def _selected(groups: Sequence[tuple[Statement, ...]]) -> Selection:
    shown: list[tuple[Statement, ...]] = []
    room = MOST_IN_A_SECTION
    for group in groups:
        room -= len(group)
        if room < 0:
            break
        shown.append(group)
    return Selection(tuple(shown), sum(map(len, groups[len(shown) :])))


def newest_first(statements: Iterable[Statement]) -> list[Statement]:
    """By their moments; those without one last, and equal ones as they come."""
    return sorted(statements, key=_began, reverse=True)


def _began(statement: Statement) -> datetime:
    found = parse_datetime(statement.moment)
    return found[0] if found else _NEVER
