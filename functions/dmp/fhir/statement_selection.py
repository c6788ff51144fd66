"""Which statements a summary shows: each thing once, what was entered before what was found, the newest first."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dmp.domain.clinical_profile import ProfileKind
from dmp.domain.code_lists import system_url
from dmp.fhir.statements import Statement

MOST_OF_A_SERIES = 5
"""Values of one measure or test that are shown, the newest."""
MOST_IN_A_SECTION = 150
_EVENTS = frozenset({ProfileKind.IMMUNIZATION, ProfileKind.PROCEDURE, ProfileKind.OBSERVATION})
"""Of these, the same thing on another day is another thing."""
_DAY = len("2026-11-22")
_VALUES = ("valueQuantity", "valueCodeableConcept", "valueString", "valueInteger", "valueBoolean", "component")

type _Key = tuple[ProfileKind, tuple[str, str], str]


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


def each_once(statements: Iterable[Statement]) -> list[Statement]:
    """Statements without those that repeat an earlier one, whose sources the earlier one then names as well.

    They come in the order of what goes before: those that were entered, then those of the newest documents. That a
    document says no to something (a questionnaire, mostly) takes nothing away that another one says.
    """
    kept: list[Statement] = []
    places: defaultdict[_Key, list[int]] = defaultdict(list)
    for statement in statements:
        if statement.is_in_error or (statement.is_found and statement.is_refuted):
            continue
        keys = list(_keys(statement))
        known = dict.fromkeys(place for key in keys for place in places[key])
        same = next((place for place in known if _says_the_same(kept[place], statement)), None)
        if same is not None:
            kept[same] = kept[same].said_also_by(statement)
            continue
        for key in keys:
            places[key].append(len(kept))
        kept.append(statement)
    return kept


def _keys(statement: Statement) -> Iterator[_Key]:
    """By what it is looked for among those before: each code, with the day of an event."""
    day = statement.moment[:_DAY] if statement.kind in _EVENTS else ""
    return ((statement.kind, code, day) for code in statement.codes)


def _says_the_same(one: Statement, other: Statement) -> bool:
    """Whether two statements with a code in common, and events on one day, are one."""
    match one.kind:
        case ProfileKind.MEDICATION:
            return _may_be_one_product(one, other)
        case ProfileKind.OBSERVATION:
            return all(one.resource.get(name) == other.resource.get(name) for name in _VALUES)
        case ProfileKind.FAMILY_HISTORY:
            return bool(one.resource.get("condition") == other.resource.get("condition"))
        case _:
            return True


def _may_be_one_product(one: Statement, other: Statement) -> bool:
    """Two medications of one ATC code are two where each names a product of its own."""
    atc = system_url("atc")
    products = [{code for code in each.codes if code[0] != atc} for each in (one, other)]
    return not all(products) or not products[0].isdisjoint(products[1])


def singly(statements: Iterable[Statement], now: datetime) -> Selection:
    """What goes on before what is over, the newest first in both, those without a date last."""
    return _selected([(one,) for one in sorted(newest_first(statements), key=lambda one: one.is_over(now))])


def in_series(statements: Iterable[Statement]) -> Selection:
    """The observations of each code together, the newest first in each and of all; at most 5 each."""
    found: list[list[Statement]] = []
    by_code: dict[tuple[str, str], list[Statement]] = {}
    for statement in newest_first(statements):
        same = next((by_code[code] for code in statement.codes if code in by_code), None)
        if same is None or _is_by_itself(statement):
            found.append(same := [])
        if len(same) < MOST_OF_A_SERIES:
            same.append(statement)
        if not _is_by_itself(statement):
            by_code |= dict.fromkeys(statement.codes, same)
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
    return sorted(statements, key=lambda one: one.moment if one.moment[:1].isdigit() else "", reverse=True)
