"""A RelatedPerson as it is answered, and its search (FHIR R4 RelatedPerson)."""

from typing import Any

from dmp.domain.related_person import RelatedPerson
from dmp.fhir.recorder import recorder_of, with_recorder
from dmp.fhir.search import Search
from dmp.fhir.search_parameters import PATIENT, PATIENT_IDENTIFIER, Kind, Parameter
from dmp.fhir.times import instant_text

PERSON_PARAMETERS = (PATIENT, PATIENT_IDENTIFIER, Parameter("_lastUpdated", Kind.DATE))
_FIRST = ("language", "text", "contained", "extension", "identifier", "active")
_OWN = frozenset({"resourceType", "id", "meta", "patient"})


def render_person(person: RelatedPerson) -> dict[str, Any]:
    """What was sent of the person, with this server's id, version and patient."""
    sent: dict[str, Any] = {name: value for name, value in person.resource.items() if name not in _OWN}
    if told := with_recorder(sent.get("extension", []), recorder_of(person)):
        sent["extension"] = told
    first = {name: sent.pop(name) for name in _FIRST if name in sent}
    return {
        "resourceType": "RelatedPerson",
        "id": person.id,
        "meta": {"versionId": str(person.version), "lastUpdated": instant_text(person.updated)},
        **first,
        "patient": {"reference": f"Patient/{person.record}"},
        **sent,
    }


def is_wanted(search: Search, person: RelatedPerson) -> bool:
    """Whether a person satisfies every parameter of a search; deleted ones never do."""
    return not person.is_deleted and search.within("_lastUpdated", person.updated)
