"""What the demonstration enters of a person's health beside documents: an allergy, a vaccination, a contact, acts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from infra.local.personas import PATIENT

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_ATC = "http://www.whocc.no/atc"
_ACTS = "urn:oid:1.2.250.1.215.200.1"
_LINES = "urn:oid:1.2.250.1.215.200.2"

type Resource = dict[str, Any]


def allergy(record: str) -> Resource:
    """An allergy to penicillins, as a physician enters it."""
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": _concept(f"{_TERMINOLOGY}/allergyintolerance-clinical", "active"),
        "verificationStatus": _concept(f"{_TERMINOLOGY}/allergyintolerance-verification", "confirmed"),
        "category": ["medication"],
        "criticality": "high",
        "code": _concept(_ATC, "J01C", "Pénicillines"),
        "patient": {"reference": f"Patient/{record}"},
        "reaction": [{"manifestation": [{"text": "Œdème de Quincke"}]}],
    }


def vaccination(record: str, at: datetime) -> Resource:
    """A vaccination against influenza."""
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": _concept(_ATC, "J07BB02", "Vaccin contre la grippe"),
        "patient": {"reference": f"Patient/{record}"},
        "occurrenceDateTime": at.date().isoformat(),
        "lotNumber": "DEMO-2026",
    }


def contact(record: str) -> Resource:
    """Whom to call in an emergency, who is the trusted person too."""
    return {
        "resourceType": "RelatedPerson",
        "patient": {"reference": f"Patient/{record}"},
        "relationship": [_concept(f"{_TERMINOLOGY}/v2-0131", "C", "Personne à prévenir")],
        "name": [{"family": "ROUSSEL", "given": ["Antoine"]}],
        "telecom": [{"system": "phone", "value": "+33 6 99 00 11 22"}],
    }


def reimbursements(days: Sequence[datetime]) -> Resource:
    """A batch of the insurer's feed: a consultation on each of these days."""
    lines = [{"resource": _line(day), "request": {"method": "POST", "url": "ExplanationOfBenefit"}} for day in days]
    return {"resourceType": "Bundle", "type": "batch", "entry": lines}


def _line(day: datetime) -> Resource:
    ins = {"system": PATIENT.ins_system, "value": PATIENT.ins}
    return {
        "resourceType": "ExplanationOfBenefit",
        "identifier": [{"system": _LINES, "value": f"demo-{day.date().isoformat()}"}],
        "status": "active",
        "type": _concept(f"{_TERMINOLOGY}/claim-type", "professional"),
        "use": "claim",
        "patient": {"identifier": ins},
        "created": (day + timedelta(days=4)).date().isoformat(),
        "insurer": {"display": "Assurance maladie"},
        "provider": {"display": "Louis GARNIER"},
        "outcome": "complete",
        "insurance": [{"focal": True, "coverage": {"display": "Régime général"}}],
        "item": [
            {
                "sequence": 1,
                "productOrService": _concept(_ACTS, "G", "Consultation du médecin traitant"),
                "servicedDate": day.date().isoformat(),
                "net": {"value": 30, "currency": "EUR"},
            }
        ],
    }


def _concept(system: str, code: str, text: str = "") -> Resource:
    coding = {"system": system, "code": code} | ({"display": text} if text else {})
    return {"coding": [coding]} | ({"text": text} if text else {})
