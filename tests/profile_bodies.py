"""Bodies of the structured profile that clients send: one of each kind, with defaults a test may change."""

from collections.abc import Callable
from typing import Any

from dmp.domain.clinical_profile import ProfileKind

type Json = dict[str, Any]

LOINC = "http://loinc.org"
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem"
VISIBILITY = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
NORMAL = {"system": f"{HL7}/v3-Confidentiality", "code": "N"}
MASK = {"system": VISIBILITY, "code": "MASQUE_PS"}
INVISIBLE = {"system": VISIBILITY, "code": "INVISIBLE_PATIENT"}


def concept(system: str, code: str, display: str = "") -> Json:
    """A CodeableConcept of one code."""
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def allergy(record: str, **elements: Any) -> Json:
    """An allergy to penicillins."""
    return _made(
        "AllergyIntolerance",
        {
            "clinicalStatus": concept(f"{HL7}/allergyintolerance-clinical", "active"),
            "verificationStatus": concept(f"{HL7}/allergyintolerance-verification", "confirmed"),
            "category": ["medication"],
            "criticality": "high",
            "code": concept(ATC, "J01C", "Bêtalactamines, pénicillines"),
            "patient": {"reference": f"Patient/{record}"},
            "onsetDateTime": "1998",
            "reaction": [{"manifestation": [{"text": "Urticaire"}], "severity": "moderate"}],
        },
        elements,
    )


def condition(record: str, **elements: Any) -> Json:
    """Asthma."""
    return _made(
        "Condition",
        {
            "clinicalStatus": concept(f"{HL7}/condition-clinical", "active"),
            "verificationStatus": concept(f"{HL7}/condition-ver-status", "confirmed"),
            "category": [concept(f"{HL7}/condition-category", "problem-list-item")],
            "code": concept("http://hl7.org/fhir/sid/icd-10", "J45", "Asthme"),
            "subject": {"reference": f"Patient/{record}"},
            "onsetDateTime": "2004-05",
        },
        elements,
    )


def medication(record: str, **elements: Any) -> Json:
    """A daily treatment."""
    return _made(
        "MedicationStatement",
        {
            "status": "active",
            "medicationCodeableConcept": concept(ATC, "C07AB03", "Aténolol"),
            "subject": {"reference": f"Patient/{record}"},
            "effectivePeriod": {"start": "2025-01-10"},
            "dosage": [
                {
                    "text": "1 comprimé le matin",
                    "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["MORN"]}},
                    "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "comprimé"}}],
                }
            ],
        },
        elements,
    )


def immunization(record: str, **elements: Any) -> Json:
    """A vaccination against tetanus."""
    return _made(
        "Immunization",
        {
            "status": "completed",
            "vaccineCode": concept(ATC, "J07AM01", "Anatoxine tétanique"),
            "patient": {"reference": f"Patient/{record}"},
            "occurrenceDateTime": "2021-06-04",
            "lotNumber": "T4-77",
            "protocolApplied": [{"doseNumberPositiveInt": 3}],
        },
        elements,
    )


def procedure(record: str, **elements: Any) -> Json:
    """An appendectomy."""
    return _made(
        "Procedure",
        {
            "status": "completed",
            "code": concept("urn:oid:1.2.250.1.213.2.5", "HHFA001", "Appendicectomie"),
            "subject": {"reference": f"Patient/{record}"},
            "performedDateTime": "1999-11-02",
        },
        elements,
    )


def family_history(record: str, **elements: Any) -> Json:
    """A mother with diabetes."""
    return _made(
        "FamilyMemberHistory",
        {
            "status": "completed",
            "patient": {"reference": f"Patient/{record}"},
            "date": "2026-02-01",
            "relationship": concept(f"{HL7}/v3-RoleCode", "MTH"),
            "condition": [{"code": concept("http://hl7.org/fhir/sid/icd-10", "E11", "Diabète de type 2")}],
        },
        elements,
    )


def observation(record: str, **elements: Any) -> Json:
    """A weight."""
    return _made(
        "Observation",
        {
            "status": "final",
            "category": [concept(f"{HL7}/observation-category", "vital-signs")],
            "code": concept(LOINC, "29463-7", "Poids"),
            "subject": {"reference": f"Patient/{record}"},
            "effectiveDateTime": "2026-02-20T08:00:00+01:00",
            "valueQuantity": quantity(72.5, "kg"),
        },
        elements,
    )


def quantity(value: float, unit: str) -> Json:
    """An amount in a UCUM unit."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def blood_pressure(record: str, **elements: Any) -> Json:
    """A blood pressure with its two parts."""
    parts = [
        {"code": concept(LOINC, code), "valueQuantity": quantity(value, "mm[Hg]")}
        for code, value in (("8480-6", 128), ("8462-4", 79))
    ]
    values = {"code": concept(LOINC, "85354-9"), "valueQuantity": None, "component": parts, **elements}
    return observation(record, **values)


def _made(kind: str, defaults: Json, elements: Json) -> Json:
    """The resource; an element given as None is left out."""
    body = {"resourceType": kind, **defaults, **elements}
    return {name: value for name, value in body.items() if value is not None}


BODIES: dict[ProfileKind, Callable[..., Json]] = {
    ProfileKind.ALLERGY: allergy,
    ProfileKind.CONDITION: condition,
    ProfileKind.MEDICATION: medication,
    ProfileKind.IMMUNIZATION: immunization,
    ProfileKind.PROCEDURE: procedure,
    ProfileKind.FAMILY_HISTORY: family_history,
    ProfileKind.OBSERVATION: observation,
}
