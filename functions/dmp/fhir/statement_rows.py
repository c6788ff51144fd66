"""Statements as the rows that a person reads: what, when, in which words, and where it comes from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from dmp.domain.clinical_profile import ProfileKind
from dmp.fhir.dosage_texts import dosage_texts
from dmp.fhir.statements import Statement, code_in, label
from dmp.fhir.summary_texts import NOTHING, date_text, filled, named, quantity_text, range_text, texts
from dmp.fhir.treatment_courses import state_text

type Json = Mapping[str, Any]
type Row = tuple[str, str, str, str]

_LONGEST_DOSAGE = 280


def row_of(group: Sequence[Statement], now: datetime) -> Row:
    """One row: of a series, all values with their dates."""
    first = group[0]
    details = [_detail(first, now)] if len(group) == 1 else [_dated(one, now) for one in group]
    return (
        label(first.concept) or NOTHING,
        date_text(first.moment) or NOTHING,
        " ; ".join(filter(None, details)) or NOTHING,
        _sources(group),
    )


def _dated(statement: Statement, now: datetime) -> str:
    date, detail = date_text(statement.moment), _detail(statement, now)
    return f"{detail} ({date})" if date else detail


def _sources(group: Sequence[Statement]) -> str:
    return " ; ".join(dict.fromkeys(source for one in group for source in (one.source, *one.confirmed_by)))


def _detail(statement: Statement, now: datetime) -> str:
    if statement.kind is ProfileKind.MEDICATION:
        details = _medication(statement, now)
    else:
        details = _DETAILS[statement.kind](statement.resource)
    return ", ".join(dict.fromkeys(filter(None, details)))


def _allergy(resource: Json) -> Iterator[str]:
    yield "" if _is_refuted(resource) else _state(resource.get("clinicalStatus", {}))
    yield named("verifications", code_in(resource.get("verificationStatus", {}))) if _is_doubtful(resource) else ""
    yield named("criticalities", resource.get("criticality", ""))
    for reaction in resource.get("reaction", []):
        found = filter(None, map(label, reaction.get("manifestation", [])))
        told = ", ".join(found) or reaction.get("description", "")
        if text := " : ".join(filter(None, (label(reaction.get("substance", {})), told))):
            yield filled("reaction", text=text)
    yield from _notes(resource)


def _condition(resource: Json) -> Iterator[str]:
    yield "" if _is_refuted(resource) else _state(resource.get("clinicalStatus", {}))
    yield named("verifications", code_in(resource.get("verificationStatus", {}))) if _is_doubtful(resource) else ""
    severity = label(resource.get("severity", {}))
    yield filled("severity", text=severity) if severity else ""
    yield from map(label, resource.get("bodySite", []))
    yield _until(resource.get("abatementDateTime", ""))
    yield from _notes(resource)


def _medication(statement: Statement, now: datetime) -> Iterator[str]:
    """How it is taken, so short that a cell has room for whether it is."""
    resource = statement.resource
    dosage = ", ".join(dosage_texts(resource.get("dosage", [])))
    yield dosage if len(dosage) <= _LONGEST_DOSAGE else f"{dosage[:_LONGEST_DOSAGE]}…"
    yield state_text(statement, now)
    yield _until(resource.get("effectivePeriod", {}).get("end", ""))
    yield from _notes(resource)


def _immunization(resource: Json) -> Iterator[str]:
    status = resource.get("status", "")
    yield "" if status == "completed" else named("states", status)
    for protocol in resource.get("protocolApplied", []):
        number = protocol.get("doseNumberPositiveInt") or protocol.get("doseNumberString")
        yield filled("dose", number=number) if number else ""
    yield filled("lot", number=resource["lotNumber"]) if resource.get("lotNumber") else ""
    yield from _notes(resource)


def _procedure(resource: Json) -> Iterator[str]:
    status = resource.get("status", "")
    yield "" if status == "completed" else named("states", status)
    yield from map(label, resource.get("bodySite", []))
    yield from _notes(resource)


def _family(resource: Json) -> Iterator[str]:
    for condition in resource.get("condition", []):
        yield label(condition.get("code", {}))
    status = resource.get("status", "")
    yield named("states", status) if status not in ("completed", "health-unknown") else ""
    yield from _notes(resource)


def _observation(resource: Json) -> Iterator[str]:
    parts = [_part(one) for one in resource.get("component", [])]
    yield " / ".join(filter(None, (_value(resource), *parts))) or label(resource.get("dataAbsentReason", {}))
    yield from (label(resource.get(name, {})) for name in ("bodySite", "method"))
    yield from _interpreted(resource)
    status = resource.get("status", "")
    yield "" if status == "final" else named("states", status)
    yield from _notes(resource)


def _part(component: Json) -> str:
    """A component with its value and what it means: of an antibiogram, whether the germ resists."""
    meaning = ", ".join(filter(None, _interpreted(component)))
    return " ".join(
        filter(None, (label(component.get("code", {})), _value(component), f"({meaning})" if meaning else ""))
    )


def _interpreted(resource: Json) -> Iterator[str]:
    for interpretation in resource.get("interpretation", []):
        yield named("interpretations", code_in(interpretation)) or label(interpretation)


def _value(resource: Json) -> str:
    """The value of an observation or of a part of it, whatever its type."""
    return next((written(resource[name]) for name, written in _VALUES.items() if name in resource), "")


def _ratio(ratio: Json) -> str:
    return " / ".join(quantity_text(ratio[name]) for name in ("numerator", "denominator") if name in ratio)


def _period(period: Json) -> str:
    return " - ".join(date_text(period[name]) for name in ("start", "end") if name in period)


def _truth(truth: bool) -> str:
    return named("booleans", str(truth).lower())


_VALUES: Mapping[str, Callable[[Any], str]] = {
    "valueQuantity": quantity_text,
    "valueCodeableConcept": label,
    "valueString": str,
    "valueInteger": str,
    "valueBoolean": _truth,
    "valueDateTime": date_text,
    "valueRange": range_text,
    "valueRatio": _ratio,
    "valuePeriod": _period,
    "valueTime": str,
}


def _state(concept: Json) -> str:
    return named("states", code_in(concept)) if code_in(concept) else label(concept)


def _is_doubtful(resource: Json) -> bool:
    return code_in(resource.get("verificationStatus", {})) in texts()["verifications"]


def _is_refuted(resource: Json) -> bool:
    return code_in(resource.get("verificationStatus", {})) == "refuted"


def _until(moment: str) -> str:
    return filled("until", date=date_text(moment)) if moment else ""


def _notes(resource: Json) -> Iterator[str]:
    return (note.get("text", "") for note in resource.get("note", []))


_DETAILS = {
    ProfileKind.ALLERGY: _allergy,
    ProfileKind.CONDITION: _condition,
    ProfileKind.IMMUNIZATION: _immunization,
    ProfileKind.PROCEDURE: _procedure,
    ProfileKind.FAMILY_HISTORY: _family,
    ProfileKind.OBSERVATION: _observation,
}
"""What is told of a resource beside its name, date and source."""
