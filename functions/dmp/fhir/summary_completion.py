"""What the International Patient Summary wants beside what is known: why something is absent, and that nothing is."""

from collections.abc import Mapping
from typing import Any

from dmp.domain.clinical_profile import ProfileKind
from dmp.domain.code_lists import system_url
from dmp.fhir.statements import Statement
from dmp.fhir.summary_texts import texts
from dmp.fhir.systems import DATA_ABSENT, IPS_UNKNOWN, LIST_EMPTY_REASON, OBSERVATION_VALUE

type Json = dict[str, Any]

_ABSENT = {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}
_MOMENTS = {
    ProfileKind.MEDICATION: "effective",
    ProfileKind.PROCEDURE: "performed",
    ProfileKind.OBSERVATION: "effective",
}
_NO_INFORMATION = "1287211007"
"""Of SNOMED CT, as the second edition of the IPS has it; the first has codes of its own."""
_EXCERPT = (
    *("resourceType", "id", "masterIdentifier", "identifier", "status", "docStatus", "type", "category", "subject"),
    *("date", "description", "securityLabel", "content"),
)
_CLINICAL = "http://terminology.hl7.org/CodeSystem/{}-clinical"


def completed(statement: Statement) -> Json:
    """The resource of a statement with all its sources, and with a reason for what the IPS would have it say."""
    resource: Json = dict(statement.resource)
    if statement.sources:
        resource["extension"] = [*resource.get("extension", []), *statement.sources]
    element = _MOMENTS.get(statement.kind)
    if element and not any(name.lstrip("_").startswith(element) for name in resource):
        resource[f"_{element}DateTime"] = _ABSENT
    if statement.kind is ProfileKind.OBSERVATION:
        resource.setdefault("performer", [_ABSENT])
    return resource


def unknown(section: str, patient: Json) -> Json:
    """The resource by which a section that must be there says that nothing is known."""
    told = texts()["unknown"][section]
    codings = [
        {"system": IPS_UNKNOWN, "code": told["code"], "display": told["display"]},
        {"system": system_url("snomed"), "code": _NO_INFORMATION, "display": texts()["no_information"]},
    ]
    concept = {"coding": codings, "text": told["text"]}
    match section:
        case "allergies":
            kind = ProfileKind.ALLERGY
            return {"resourceType": kind.value, "clinicalStatus": _active(kind), "code": concept, "patient": patient}
        case "problems":
            kind = ProfileKind.CONDITION
            return {"resourceType": kind.value, "clinicalStatus": _active(kind), "code": concept, "subject": patient}
        case _:
            return {
                "resourceType": ProfileKind.MEDICATION.value,
                "status": "unknown",
                "medicationCodeableConcept": concept,
                "subject": patient,
                "_effectiveDateTime": _ABSENT,
            }


def not_known() -> Json:
    """Why a section of which not all could be looked at holds nothing: that there is nothing is not said."""
    coding = {"system": LIST_EMPTY_REASON, "code": "unavailable", "display": "Unavailable"}
    return {"coding": [coding], "text": texts()["not_known"]}


def _active(kind: ProfileKind) -> Json:
    names = {ProfileKind.ALLERGY: "allergyintolerance", ProfileKind.CONDITION: "condition"}
    return {"coding": [{"system": _CLINICAL.format(names[kind]), "code": "active"}]}


def excerpt(document: Mapping[str, Any]) -> Json:
    """What a summary tells of a document: enough to know and to fetch it; marked as not being all there is."""
    kept: Json = {name: document[name] for name in _EXCERPT if name in document}
    meta = document["meta"]
    subsetted = {"system": OBSERVATION_VALUE, "code": "SUBSETTED", "display": "subsetted"}
    kept["meta"] = {"versionId": meta["versionId"], "lastUpdated": meta["lastUpdated"], "tag": [subsetted]}
    return kept


def identified(patient: Mapping[str, Any], physicians: list[Json]) -> Json:
    """The Patient with the médecin traitant, and with a reason for a name and a birth date that are not known."""
    absent: Json = {}
    if "name" not in patient:
        absent["name"] = [{"text": texts()["persons"]["unnamed"], **_ABSENT}]
    if "birthDate" not in patient:
        absent["_birthDate"] = _ABSENT
    return {**patient, **absent, **({"generalPractitioner": physicians} if physicians else {})}
