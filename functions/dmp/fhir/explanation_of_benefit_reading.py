"""A line of reimbursement as the insurer sends it: who, when, which acts, and what is kept of it (FHIR R4)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from dmp.domain.civil_time import PARIS
from dmp.domain.document import Visibility
from dmp.domain.errors import Invalid, TooLarge
from dmp.domain.identifiers import Identifier
from dmp.domain.reimbursement import MOST_NAMES, RESOURCE_TYPE, BrokenLine, LineRequest
from dmp.fhir import security_labels
from dmp.fhir.coverage_model import Coverage
from dmp.fhir.datatypes import Element
from dmp.fhir.explanation_of_benefit_model import ExplanationOfBenefit
from dmp.fhir.explanation_of_benefit_sayings import sayings_of
from dmp.fhir.parsing import check_values
from dmp.fhir.profile_rendering import codings_of, labels_of
from dmp.fhir.references import Surroundings, identifiers_of, named_patient, patient_of, with_logical
from dmp.fhir.search_elements import at
from dmp.fhir.times import parse_date, parse_datetime
from dmp.fhir.validation import validate, without_orphans

type Resource = Mapping[str, Any]

LARGEST = 100_000
"""Bytes of JSON that a line may have: a hundred are written at once."""
_MODELS: dict[str, type[Element]] = {RESOURCE_TYPE: ExplanationOfBenefit, "Coverage": Coverage}
_SERVERS = frozenset({"resourceType", "id", "meta", "patient"})
"""What this server says of a line, whatever a client sends."""


def line_said(
    resource: dict[str, Any], base_url: str, condition: Identifier | None = None, place: str = RESOURCE_TYPE
) -> LineRequest | BrokenLine:
    """What a parsed resource says of a line, or which rule it breaks: for those to learn who may feed the record."""
    try:
        return read_line(resource, base_url, condition, place)
    except (Invalid, TooLarge) as failure:
        return BrokenLine(named_patient(resource, base_url), failure, place)


def read_line(
    resource: dict[str, Any], base_url: str, condition: Identifier | None = None, place: str = RESOURCE_TYPE
) -> LineRequest:
    """Read a parsed ExplanationOfBenefit.

    Raises Invalid `invalid-resource`, `unknown-reference`, `wrong-patient`, `unknown-code`; TooLarge.
    """
    check_values(resource, place)
    checked = validate(resource, RESOURCE_TYPE, place, models=_MODELS)
    around = Surroundings(base_url=base_url).within(checked)
    patient = patient_of(checked["patient"], around, f"{place}.patient")
    days = sorted(_days(checked)) or [_first_day(checked["created"])]
    kept = _kept(checked, place)
    return LineRequest(
        patient=patient,
        identifiers=_identifiers(checked, place),
        condition=condition,
        first=min([days[0], *_days_of_procedures(checked)]),
        care=days[-1],
        sayings=frozenset(sayings_of(kept)),
        visibility=_visibility(checked, place),
        place=place,
        resource=kept,
    )


def _kept(checked: Resource, place: str) -> dict[str, Any]:
    """What is stored: without what this server says, and without what nothing refers to any longer."""
    content = without_orphans({name: value for name, value in checked.items() if name not in _SERVERS})
    meta = _meta(checked.get("meta", {}), place)
    kept: dict[str, Any] = with_logical({**({"meta": meta} if meta else {}), **content})
    if len(json.dumps(kept, ensure_ascii=False).encode()) > LARGEST:
        raise TooLarge("too-large", place, f"a line is described in {LARGEST} bytes at most")
    return kept


def _meta(sent: Resource, place: str) -> dict[str, Any]:
    """Source, tags, and the labels that are not ours."""
    labels = security_labels.normalised(labels_of(sent), f"{place}.meta.security")
    others = codings_of(security_labels.relabelled({"securityLabel": labels}, ())["securityLabel"][1:])
    told = {name: sent[name] for name in ("source", "tag") if name in sent}
    return {**told, **({"security": others} if others else {})}


def _visibility(checked: Resource, place: str) -> frozenset[Visibility]:
    """What hides it; nothing that an insurer feeds is hidden from the patient (R.1111-53 is for professionals)."""
    found = security_labels.visibility_of(labels_of(checked.get("meta", {})))
    if Visibility.INVISIBLE_PATIENT in found:
        raise Invalid("label-not-permitted", f"{place}.meta.security")
    return found


def _identifiers(checked: Resource, place: str) -> tuple[Identifier, ...]:
    found = tuple(dict.fromkeys(identifiers_of(checked)))
    if len(found) > MOST_NAMES:
        raise Invalid("too-many", f"{place}.identifier", f"a line has {MOST_NAMES} identifiers at most")
    return found


def _days(checked: Resource) -> Iterator[date]:
    """The days of care in Paris: those of the items, else those of the period that is billed; begun ones count."""
    items = [*at(checked, "item"), *at(checked, "addItem")]
    days = [*_bounds(at(item, "servicedPeriod") for item in items), *_texts(at(item, "servicedDate") for item in items)]
    yield from map(_first_day, days or _bounds([at(checked, "billablePeriod")]))


def _days_of_procedures(checked: Resource) -> Iterator[date]:
    """The days of what was done, for whoever was a minor then."""
    return map(_first_day, at(checked, "procedure", "date"))


def _bounds(periods: Iterable[Iterable[Any]]) -> list[str]:
    return [one[side] for found in periods for one in found for side in ("start", "end") if side in one]


def _texts(values: Iterable[Iterable[Any]]) -> list[str]:
    return [text for found in values for text in found]


def _first_day(text: str) -> date:
    """The first day of a date or dateTime of any precision; one that no calendar reaches counts as the first of all."""
    if days := parse_date(text):
        return days[0]
    moments = parse_datetime(text)
    return moments[0].astimezone(PARIS).date() if moments else date.min
