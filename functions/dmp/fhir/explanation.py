"""The answer of `$explain`: Parameters that say who may see what, by which rule, and on which Consents it rests."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from dmp.domain.access_request import Decision
from dmp.domain.explanation import OfActor, OfDocument, Outcome
from dmp.domain.identifiers import resource_id
from dmp.fhir.audit_shapes import reason_text

type Json = dict[str, Any]

_TEXTS = Path(__file__).parent.parent / "data" / "explanations_fr.json"


def render_explanation(found: OfActor | OfDocument) -> Json:
    """`access` and a `document` for each document, or an `actor` for each group of people."""
    parameters = _of_actor(found) if isinstance(found, OfActor) else [_actor(found.record, o) for o in found.outcomes]
    return {"resourceType": "Parameters", "parameter": parameters}


def _of_actor(found: OfActor) -> list[Json]:
    access: Json = {"name": "access", "part": _decision(found.record, found.access)}
    documents = [
        _part("document", [_reference(f"DocumentReference/{one}"), *_decision(found.record, decision)])
        for one, decision in found.documents
    ]
    truncated: list[Json] = [{"name": "truncated", "valueBoolean": True}] if found.is_truncated else []
    return [access, *documents, *truncated]


def _actor(record: str, outcome: Outcome) -> Json:
    professions = [{"name": "profession", "valueCode": code} for code in outcome.professions]
    return _part("actor", [_who(outcome), *professions, *_decision(record, outcome.decision)])


def _who(outcome: Outcome) -> Json:
    subject = outcome.subject
    if subject.identifier:
        value = {"system": subject.identifier.system, "value": subject.identifier.value}
        return {"name": "identifier", "valueIdentifier": value}
    if subject.reference:
        return _reference(subject.reference)
    other = {"type": "Practitioner", "display": _texts()["other-professional"]}
    return {"name": "reference", "valueReference": other}


@cache
def _texts() -> Json:
    return dict(json.loads(_TEXTS.read_bytes()))


def _reference(literal: str) -> Json:
    return {"name": "reference", "valueReference": {"reference": literal}}


def _decision(record: str, decision: Decision) -> list[Json]:
    consents = [f"Consent/{resource_id(record, local)}" for local in decision.consents]
    return [
        {"name": "permit", "valueBoolean": decision.permit},
        {"name": "rule", "valueCode": decision.reason},
        {"name": "text", "valueString": reason_text(decision.reason)},
        *({"name": "consent", "valueReference": {"reference": consent}} for consent in consents),
    ]


def _part(name: str, parts: Iterable[Json]) -> Json:
    return {"name": name, "part": list(parts)}
