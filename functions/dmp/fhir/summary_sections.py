"""Which section of a summary a statement stands in (International Patient Summary)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from dmp.domain.clinical_profile import ProfileKind
from dmp.fhir.statement_selection import Selection, each_once, in_series, singly
from dmp.fhir.statements import Statement, codes_of
from dmp.fhir.systems import LOINC

REQUIRED = ("allergies", "medications", "problems")
"""Sections that are there, whatever is known."""
ORDER = (
    *REQUIRED,
    *("past-illness", "procedures", "immunizations", "results", "vital-signs", "social-history", "family-history"),
)
_OF_KIND = {
    ProfileKind.ALLERGY: "allergies",
    ProfileKind.MEDICATION: "medications",
    ProfileKind.IMMUNIZATION: "immunizations",
    ProfileKind.PROCEDURE: "procedures",
    ProfileKind.FAMILY_HISTORY: "family-history",
}
_CATEGORIES = {
    "laboratory": "results",
    "imaging": "results",
    "procedure": "results",
    "exam": "vital-signs",
    "vital-signs": "vital-signs",
    "activity": "vital-signs",
    "social-history": "social-history",
    "survey": "social-history",
}
_MEASURES = frozenset(
    {
        *("29463-7", "8302-2", "39156-5", "85354-9", "8310-5", "2345-7", "72514-3", "41950-7", "8280-0", "8287-5"),
        "8867-4",
    }
)
"""LOINC codes of the measures of a profile, for those without a category."""
_SERIES = frozenset({"results", "vital-signs", "social-history"})


def sections_of(statements: Iterable[Statement], now: datetime) -> Iterator[tuple[str, Selection]]:
    """What stands in each section, in their order: those that must be there, and those that hold something."""
    found: defaultdict[str, list[Statement]] = defaultdict(list)
    for statement in each_once(statements, now):
        found[_section(statement)].append(statement)
    for name in ORDER:
        told = _something(found[name])
        if told or name in REQUIRED:
            yield name, in_series(told) if name in _SERIES else singly(told, now)


def _something(statements: list[Statement]) -> list[Statement]:
    """Statements without those that there is nothing, unless there are no others but what is refuted."""
    found = [one for one in statements if not one.is_of_nothing]
    return found if any(not one.is_refuted for one in found) else statements


def _section(statement: Statement) -> str:
    match statement.kind:
        case ProfileKind.CONDITION:
            return "past-illness" if statement.is_past and not statement.is_refuted else "problems"
        case ProfileKind.OBSERVATION:
            return _of_observation(statement)
        case kind:
            return _OF_KIND[kind]


def _of_observation(statement: Statement) -> str:
    """By its category; without one, a measure by its code and anything else as a result."""
    codes = (code for concept in statement.resource.get("category", []) for _, code in codes_of(concept))
    named = next((_CATEGORIES[code] for code in codes if code in _CATEGORIES), None)
    is_measure = any(system == LOINC and code in _MEASURES for system, code in statement.codes)
    return named or ("vital-signs" if is_measure else "results")
