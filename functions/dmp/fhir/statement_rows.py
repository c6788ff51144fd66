"""Statements as the rows that a person reads: what, when, in which words, and where it comes from."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dmp.domain.clinical_profile import ProfileKind
from dmp.fhir.statements import Statement, code_in, label
from dmp.fhir.summary_texts import NOTHING, date_text, filled, named, quantity_text, texts

type Json = Mapping[str, Any]
type Row = tuple[str, str, str, str]


def row_of(group: Sequence[Statement]) -> Row:
    """One row: of a series, all values with their dates."""
    first = group[0]
    details = [_detail(first)] if len(group) == 1 else [_dated(one) for one in group]
    return (
        label(first.concept) or NOTHING,
        date_text(first.moment) or NOTHING,
        " ; ".join(filter(None, details)) or NOTHING,
        _sources(group),
    )


def _dated(statement: Statement) -> str:
    date = date_text(statement.moment)
    return f"{_detail(statement)} ({date})" if date else _detail(statement)


def _sources(group: Sequence[Statement]) -> str:
    return " ; ".join(dict.fromkeys(source for one in group for source in (one.source, *one.confirmed_by)))


def _detail(statement: Statement) -> str:
    details = _DETAILS[statement.kind](statement.resource)
    return ", ".join(dict.fromkeys(filter(None, details)))


def _allergy(resource: Json) -> Iterator[str]:
    yield _state(resource.get("clinicalStatus", {}))
    yield named("verifications", code_in(resource.get("verificationStatus", {}))) if _is_doubtful(resource) else ""
    yield named("criticalities", resource.get("criticality", ""))
    for reaction in resource.get("reaction", []):
        found = filter(None, map(label, reaction.get("manifestation", [])))
        if told := ", ".join(found) or reaction.get("description", ""):
            yield filled("reaction", text=told)


def _condition(resource: Json) -> Iterator[str]:
    yield _state(resource.get("clinicalStatus", {}))
    yield named("verifications", code_in(resource.get("verificationStatus", {}))) if _is_doubtful(resource) else ""
    severity = label(resource.get("severity", {}))
    yield filled("severity", text=severity) if severity else ""
    yield from map(label, resource.get("bodySite", []))
    yield _until(resource.get("abatementDateTime", ""))
    yield from _notes(resource)


def _medication(resource: Json) -> Iterator[str]:
    for dosage in resource.get("dosage", []):
        yield dosage.get("text", "") or dosage.get("patientInstruction", "")
    yield named("states", resource.get("status", ""))
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


def _observation(resource: Json) -> Iterator[str]:
    parts = [f"{label(one.get('code', {}))} {_value(one)}".strip() for one in resource.get("component", [])]
    yield " / ".join(filter(None, (_value(resource), *parts)))
    for interpretation in resource.get("interpretation", []):
        yield named("interpretations", code_in(interpretation)) or label(interpretation)
    status = resource.get("status", "")
    yield "" if status == "final" else named("states", status)
    yield from _notes(resource)


def _value(resource: Json) -> str:
    """The value of an observation or of a part of it."""
    match resource:
        case {"valueQuantity": quantity}:
            return quantity_text(quantity)
        case {"valueCodeableConcept": concept}:
            return label(concept)
        case {"valueString": str() as text}:
            return text
        case {"valueInteger": number}:
            return str(number)
        case {"valueBoolean": bool() as truth}:
            return named("booleans", str(truth).lower())
        case {"valueDateTime": str() as moment}:
            return date_text(moment)
        case {"valueRange": {"low": low, "high": high}}:
            return f"{quantity_text(low)} - {quantity_text(high)}"
        case _:
            return ""


def _state(concept: Json) -> str:
    return named("states", code_in(concept)) if code_in(concept) else label(concept)


def _is_doubtful(resource: Json) -> bool:
    return code_in(resource.get("verificationStatus", {})) in texts()["verifications"]


def _until(moment: str) -> str:
    return filled("until", date=date_text(moment)) if moment else ""


def _notes(resource: Json) -> Iterator[str]:
    return (note.get("text", "") for note in resource.get("note", []))


_DETAILS = {
    ProfileKind.ALLERGY: _allergy,
    ProfileKind.CONDITION: _condition,
    ProfileKind.MEDICATION: _medication,
    ProfileKind.IMMUNIZATION: _immunization,
    ProfileKind.PROCEDURE: _procedure,
    ProfileKind.FAMILY_HISTORY: _family,
    ProfileKind.OBSERVATION: _observation,
}
"""What is told of a resource beside its name, date and source."""
