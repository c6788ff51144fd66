"""Warnings about treatments as a summary tells them: a DetectedIssue each, a Flag that leads there, and in words."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dmp.domain.clinical_profile import ProfileKind
from dmp.domain.code_lists import system_url
from dmp.domain.medication_warnings import (
    KnownAllergy,
    MedicationWarning,
    Severity,
    Treatment,
    WarningKind,
    atc_code,
    warnings,
)
from dmp.fhir.dosage_texts import dosage_texts
from dmp.fhir.statements import Statement, code_in, codes_of, label
from dmp.fhir.summary_texts import filled, named, texts
from dmp.fhir.systems import ACT_CODE, FLAG_CATEGORY, FLAG_DETAIL, FLAG_HAS_PRIORITY, FLAG_PRIORITY
from dmp.fhir.times import instant_text
from dmp.fhir.treatment_courses import goes_on, is_stale

type Json = dict[str, Any]

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_OVER = frozenset({"inactive", "resolved"})
_CODES = {
    WarningKind.DUPLICATE: {"code": "DUPTHPY", "display": "Duplicate Therapy Alert"},
    WarningKind.ALLERGY: {"code": "ALGY", "display": "Allergy Alert"},
}
_MOST_SHOWN, _MOST_NAMED, _LONGEST_NAME = 50, 5, 100
"""Warnings, the most severe first; treatments named in the words of each; characters of a name."""
_PRIORITIES = {Severity.HIGH: "PH", Severity.MODERATE: "PM", Severity.LOW: "PL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """What the rules found in the statements of a summary, and what they could not look at."""

    issues: tuple[tuple[MedicationWarning, str], ...]
    """Each with its French text."""
    paragraphs: tuple[str, ...]
    """What was checked, for a reader; nothing where there was nothing to check."""


def alerts_of(statements: Iterable[Statement], now: datetime) -> Alerts:
    """The warnings about the treatments that go on, each statement known by the id of its resource."""
    known = {statement.resource["id"]: statement for statement in statements}
    treatments = [_treatment(key, one) for key, one in known.items() if goes_on(one, now)]
    allergies = [_allergy(key, one) for key, one in known.items() if _is_feared(one)]
    stale = sum(is_stale(one, now) for one in known.values())
    found = warnings([one for one in treatments if one.is_checkable], allergies)
    shown = found[:_MOST_SHOWN]
    names = {key: label(statement.concept) for key, statement in known.items()}
    return Alerts(
        issues=tuple((warning, _text(warning, names)) for warning in shown),
        paragraphs=tuple(_checked(treatments, stale, allergies, found)) if treatments or stale else (),
    )


def _is_feared(statement: Statement) -> bool:
    if statement.kind is not ProfileKind.ALLERGY or statement.is_refuted or statement.is_of_nothing:
        return False
    return code_in(statement.resource.get("clinicalStatus", {})) not in _OVER


def _treatment(key: str, statement: Statement) -> Treatment:
    told = " ".join(dosage_texts(statement.resource.get("dosage", [])))
    leading = statement.codings[0] if statement.codings else ("", "")
    return Treatment(
        key,
        frozenset(_atc_codes(statement.concept)),
        product="|".join((*leading, statement.words)),
        doses=tuple(sorted(_NUMBER.findall(told))),
    )


def _allergy(key: str, statement: Statement) -> KnownAllergy:
    substances = [one["substance"] for one in statement.resource.get("reaction", []) if "substance" in one]
    concepts = [statement.concept, *substances]
    snomed = system_url("snomed")
    return KnownAllergy(
        key,
        atc=frozenset(code for concept in concepts for code in _atc_codes(concept)),
        snomed=frozenset(code for concept in concepts for system, code in codes_of(concept) if system == snomed),
        words="\n".join(word for concept in concepts for word in _words(concept)),
    )


def _words(concept: Mapping[str, Any]) -> Iterator[str]:
    """Its names, each on a line of its own."""
    names = (concept.get("text", ""), *(coding.get("display", "") for coding in concept.get("coding", [])))
    return (" ".join(name.split()) for name in names)


def _atc_codes(concept: Mapping[str, Any]) -> Iterator[str]:
    atc = system_url("atc")
    found = (atc_code(code) for system, code in codes_of(concept) if system == atc)
    return (code for code in found if code)


def _checked(
    treatments: list[Treatment],
    stale: int,
    allergies: list[KnownAllergy],
    found: tuple[MedicationWarning, ...],
) -> Iterator[str]:
    checked = sum(one.is_checkable for one in treatments)
    yield filled("alerts.checked", checked=checked)
    if unchecked := len(treatments) - checked:
        yield filled("alerts.unchecked", count=unchecked)
    if stale:
        yield filled("alerts.stale", count=stale)
    if unknown := sum(not one.is_judged for one in allergies):
        yield filled("alerts.unchecked_allergies", count=unknown)
    if checked and not found:
        yield filled("alerts.none")
    if len(found) > _MOST_SHOWN:
        yield filled("alerts.more", count=len(found) - _MOST_SHOWN)


def _text(warning: MedicationWarning, names: Mapping[str, str]) -> str:
    return filled(
        f"alerts.{warning.kind.value}-{warning.severity.value}",
        about=warning.about if warning.kind is WarningKind.DUPLICATE else _met(warning.about),
        treatments=_listed([_short(names[key]) for key in warning.treatments]),
        allergy=_short(names.get(warning.allergy, "")),
    )


def _listed(names: list[str]) -> str:
    told = ", ".join(names[:_MOST_NAMED])
    return filled("alerts.others", names=told, count=len(names) - _MOST_NAMED) if len(names) > _MOST_NAMED else told


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _met(about: str) -> str:
    return named("groups", about) if about in texts()["groups"] else filled("alerts.class", code=about)


def render_issue(
    warning: MedicationWarning, text: str, *, patient: Json, author: Json, now: datetime, known: Mapping[str, Json]
) -> Json:
    """The DetectedIssue of a warning; `known` are the references of resources by their ids."""
    implicated = [*warning.treatments, *([warning.allergy] if warning.allergy else [])]
    return {
        "resourceType": "DetectedIssue",
        "status": "final",
        "code": {"coding": [{"system": ACT_CODE, **_CODES[warning.kind]}], "text": text},
        "severity": warning.severity.value,
        "patient": patient,
        "identifiedDateTime": instant_text(now),
        "author": author,
        "implicated": [known[one] for one in implicated],
        "detail": text,
    }


def render_flag(
    warning: MedicationWarning, text: str, *, patient: Json, author: Json, now: datetime, issue: str
) -> Json:
    """The Flag by which a summary of the IPS tells of a DetectedIssue."""
    priority = {"coding": [{"system": FLAG_PRIORITY, "code": _PRIORITIES[warning.severity]}]}
    return {
        "resourceType": "Flag",
        "extension": [
            {"url": FLAG_DETAIL, "valueReference": {"reference": issue}},
            {"url": FLAG_HAS_PRIORITY, "valueCodeableConcept": priority},
        ],
        "status": "active",
        "category": [{"coding": [{"system": FLAG_CATEGORY, "code": "drug", "display": "Drug"}]}],
        "code": {"text": text},
        "subject": patient,
        "period": {"start": instant_text(now)},
        "author": author,
    }
