"""The parameters of searches of the structured profile, and what each looks at (FHIR R4 search)."""

from collections.abc import Callable, Mapping
from typing import Any

from dmp.domain.clinical_profile import ProfileKind
from dmp.fhir import search_conditions as of
from dmp.fhir.search import Search
from dmp.fhir.search_conditions import Test
from dmp.fhir.search_elements import ranges, spans
from dmp.fhir.search_parameters import PATIENT_NAMES, Kind, Parameter
from dmp.fhir.times import instant_text, parse_datetime

type Resource = Mapping[str, Any]

_ABOUT = (
    *PATIENT_NAMES,
    Parameter("_id", Kind.TOKEN),
    Parameter("_lastUpdated", Kind.DATE),
    Parameter("_tag", Kind.TOKEN),
    Parameter("identifier", Kind.TOKEN),
    Parameter("_sort", Kind.CHOICE, choices=("date", "-date", "_lastUpdated", "-_lastUpdated", "_id", "-_id")),
)
_ON_META = frozenset({"_id", "_lastUpdated", "_tag"})
"""What hangs on who entered something, or where it was found, not on what it says."""


def _when(*names: str) -> Test:
    """A date for what happened at an instant, on a day, or in a period that it overlaps."""

    def test(search: Search, name: str, resource: Resource) -> bool:
        told = [resource[one] for one in names if one in resource]
        moments = list(ranges(one for one in told if isinstance(one, str)))
        periods = list(spans(one for one in told if isinstance(one, Mapping)))
        return all(
            any(
                any(value.matches(*one) for one in moments) or any(value.overlaps(*one) for one in periods)
                for value in values
            )
            for values in search.dates(name)
        )

    return test


def _codes(*names: str) -> Test:
    """A token for codes; `a.b` is the `b` of `a`."""
    found = [of.elements(*name.split(".")) for name in names]
    return of.codes(lambda resource: [value for values in found for value in values(resource)])


_ONSET = _when("onsetDateTime", "onsetPeriod")
_TOKENS: dict[ProfileKind, dict[str, Test]] = {
    ProfileKind.ALLERGY: {
        "code": _codes("code", "reaction.substance"),
        "category": _codes("category"),
        "clinical-status": _codes("clinicalStatus"),
        "verification-status": _codes("verificationStatus"),
        "criticality": _codes("criticality"),
        "type": _codes("type"),
    },
    ProfileKind.CONDITION: {
        "code": _codes("code"),
        "category": _codes("category"),
        "clinical-status": _codes("clinicalStatus"),
        "verification-status": _codes("verificationStatus"),
        "severity": _codes("severity"),
    },
    ProfileKind.MEDICATION: {
        "code": _codes("medicationCodeableConcept", "contained.code"),
        "category": _codes("category"),
        "status": _codes("status"),
    },
    ProfileKind.IMMUNIZATION: {
        "vaccine-code": _codes("vaccineCode"),
        "code": _codes("vaccineCode"),
        "target-disease": _codes("protocolApplied.targetDisease"),
        "status": _codes("status"),
    },
    ProfileKind.PROCEDURE: {
        "code": _codes("code"),
        "category": _codes("category"),
        "status": _codes("status"),
    },
    ProfileKind.FAMILY_HISTORY: {
        "code": _codes("condition.code"),
        "relationship": _codes("relationship"),
        "status": _codes("status"),
    },
    ProfileKind.OBSERVATION: {
        "code": _codes("code"),
        "combo-code": _codes("code", "component.code"),
        "component-code": _codes("component.code"),
        "category": _codes("category"),
        "status": _codes("status"),
    },
}
_DATED: dict[ProfileKind, tuple[str, ...]] = {
    ProfileKind.ALLERGY: ("recordedDate",),
    ProfileKind.CONDITION: ("onsetDateTime", "onsetPeriod", "recordedDate"),
    ProfileKind.MEDICATION: ("effectiveDateTime", "effectivePeriod"),
    ProfileKind.IMMUNIZATION: ("occurrenceDateTime",),
    ProfileKind.PROCEDURE: ("performedDateTime", "performedPeriod"),
    ProfileKind.FAMILY_HISTORY: ("date",),
    ProfileKind.OBSERVATION: ("effectiveDateTime", "effectivePeriod", "effectiveInstant"),
}
"""Elements that tell the date of a resource, the first that is there before the others."""
_DATES: dict[ProfileKind, dict[str, Test]] = {
    ProfileKind.ALLERGY: {"onset": _ONSET, "last-date": _when("lastOccurrence")},
    ProfileKind.CONDITION: {
        "onset-date": _ONSET,
        "abatement-date": _when("abatementDateTime", "abatementPeriod"),
        "recorded-date": _when("recordedDate"),
    },
    ProfileKind.MEDICATION: {"effective": _when(*_DATED[ProfileKind.MEDICATION])},
}
_TESTS: dict[ProfileKind, dict[str, Test]] = {
    kind: {**_TOKENS[kind], "date": _when(*_DATED[kind]), **_DATES.get(kind, {})} for kind in ProfileKind
}
PROFILE_PARAMETERS: dict[ProfileKind, tuple[Parameter, ...]] = {
    kind: (
        *_ABOUT,
        *(Parameter(name, Kind.TOKEN) for name in _TOKENS[kind]),
        *(Parameter(name, Kind.DATE) for name in ("date", *_DATES.get(kind, {}))),
    )
    for kind in ProfileKind
}
_META_TESTS: dict[str, Test] = {
    "_id": of.codes(of.elements("id")),
    "_lastUpdated": of.moments(of.elements("meta", "lastUpdated")),
    "_tag": of.codes(of.elements("meta", "tag")),
}
_IDENTIFIER = of.identifiers(of.elements("identifier"))


def says(search: Search, kind: ProfileKind) -> Callable[[Resource], bool]:
    """Whether a resource says what a search asks, whoever entered it and wherever it was found."""
    conditions = of.conditions(search, {"identifier": _IDENTIFIER, **_TESTS[kind]})
    return lambda resource: all(condition(resource) for condition in conditions)


def is_found(search: Search) -> Callable[[Resource], bool]:
    """Whether a rendered resource is one that a search asks for by id, by its last change or by its origin."""
    conditions = of.conditions(search, _META_TESTS)
    return lambda resource: all(condition(resource) for condition in conditions)


def asks_of_meta(search: Search) -> bool:
    """Whether a search asks for more than what is said."""
    return not _ON_META.isdisjoint(search.values)


def order_of(search: Search, kind: ProfileKind) -> Callable[[Resource], str] | None:
    """The text by which a search wants rendered resources ordered; None where it leaves that to the server."""
    match search.chosen("_sort").removeprefix("-"):
        case "date":
            return lambda resource: _date_of(resource, kind)
        case "_lastUpdated":
            return lambda resource: str(resource["meta"]["lastUpdated"])
        case "_id":
            return lambda resource: str(resource["id"])
    return None


def _date_of(resource: Resource, kind: ProfileKind) -> str:
    """When it was, or began, as sortable text; empty where it does not say."""
    told = next((resource[name] for name in _DATED[kind] if name in resource), "")
    text = told.get("start", told.get("end", "")) if isinstance(told, Mapping) else told
    moments = parse_datetime(text) if text else None
    return instant_text(moments[0]) if moments else ""
