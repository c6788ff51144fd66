"""A record with a profile and with documents that offer something, put into the store past the API under test."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from dmp.adapters import aws, keys, profile_items
from dmp.domain.clinical_profile import Candidate, Extraction, ProfileEntry, ProfileKind
from dmp.domain.document import Coding, Depositor, Visibility
from dmp.domain.identifiers import local_id, split_resource_id
from tests.fed_record import AUTHOR, FedRecord

type Json = dict[str, Any]

ATC, SNOMED, LOINC = "http://www.whocc.no/atc", "http://snomed.info/sct", "http://loinc.org"
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
_entries = count()


@dataclass(frozen=True)
class HealthRecord:
    """What is known of health in a record."""

    record: FedRecord

    def enter(self, resource: Json, *, by: Any = AUTHOR, visibility: Iterable[Visibility] = (), **fields: Any) -> str:
        """An entry of the profile; its FHIR id."""
        number = next(_entries)
        moment = FIRST + timedelta(seconds=number)
        entry = ProfileEntry(
            record=self.record.id,
            local=local_id(moment, number.to_bytes(16)),
            kind=ProfileKind(resource["resourceType"]),
            version=1,
            updated=moment,
            depositor=Depositor.of(by),
            depositor_name=by.name,
            visibility=frozenset(visibility),
            resource=resource,
            **fields,
        )
        self._put(profile_items.write_entry(entry))
        return entry.id

    def offer(self, *found: Json, document: str = "", section: str = "11450-4", **elements: Any) -> str:
        """A document that offers these resources; its FHIR id."""
        document = document or self.record.publish(**elements)
        local = (split_resource_id(document) or ("", ""))[1]
        coding = Coding(LOINC, section)
        candidates = tuple(
            Candidate(kind=ProfileKind(one["resourceType"]), section=coding, section_title="Section", resource=one)
            for one in found
        )
        self._put(profile_items.write_extraction(Extraction(record=self.record.id, local=local, candidates=candidates)))
        return document

    def _put(self, item: Json) -> None:
        assert item["pk"]["S"] == keys.partition(self.record.id)
        aws.client("dynamodb").put_item(TableName=self.record.stores["RECORDS_TABLE"], Item=item)


def concept(code: str, display: str, system: str = SNOMED, *further: tuple[str, str]) -> Json:
    """A CodeableConcept; further codings as system and code."""
    codings = [{"system": system, "code": code, "display": display}, *({"system": s, "code": c} for s, c in further)]
    return {"coding": codings, "text": display}


def allergy(code: str = "91936005", display: str = "Allergie aux pénicillines", **elements: Any) -> Json:
    """An AllergyIntolerance without what the server gives it."""
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": _status("allergyintolerance-clinical", "active"),
        "verificationStatus": _status("allergyintolerance-verification", "unconfirmed"),
        "code": concept(code, display),
        **elements,
    }


def condition(
    code: str = "38341003", display: str = "Hypertension artérielle", status: str = "active", **elements: Any
) -> Json:
    """A Condition without what the server gives it."""
    return {
        "resourceType": "Condition",
        "clinicalStatus": _status("condition-clinical", status),
        "verificationStatus": _status("condition-ver-status", "unconfirmed"),
        "code": concept(code, display),
        **elements,
    }


def medication(atc: str = "J01CA04", display: str = "Amoxicilline", status: str = "active", **elements: Any) -> Json:
    """A MedicationStatement without what the server gives it."""
    code = concept(atc, display, ATC)
    return {"resourceType": "MedicationStatement", "status": status, "medicationCodeableConcept": code, **elements}


def immunization(code: str = "J07AM", display: str = "Vaccin tétanique", date: str = "2024-05-02") -> Json:
    """An Immunization without what the server gives it."""
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": concept(code, display, ATC),
        "occurrenceDateTime": date,
    }


def procedure(code: str = "80146002", display: str = "Appendicectomie", **elements: Any) -> Json:
    """A Procedure without what the server gives it."""
    return {"resourceType": "Procedure", "status": "completed", "code": concept(code, display), **elements}


def observation(
    value: float, date: str, code: str = "2160-0", display: str = "Créatinine", category: str = "laboratory"
) -> Json:
    """An Observation without what the server gives it."""
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": system, "code": category}]}],
        "code": concept(code, display, LOINC),
        "effectiveDateTime": date,
        "valueQuantity": {"value": value, "unit": "µmol/L"},
    }


def family(relation: str = "MTH", display: str = "Mère", disease: str = "Cancer du sein") -> Json:
    """A FamilyMemberHistory without what the server gives it."""
    role = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
    return {
        "resourceType": "FamilyMemberHistory",
        "status": "completed",
        "relationship": concept(relation, display, role),
        "condition": [{"code": concept("254837009", disease)}],
    }


def _status(system: str, code: str) -> Json:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}
