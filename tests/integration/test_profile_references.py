"""What an entry of the profile may refer to: itself, its own record, or somebody by name (FHIR R4 References)."""

from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.clinical_profile import ProfileKind
from tests import bodies
from tests import profile_bodies as made
from tests.api_client import ApiClient, Response
from tests.open_record import OpenRecord, items_of, open_record
from tests.profile_bodies import BODIES
from tests.requester_factories import requester_patient, requester_professional

type Json = dict[str, Any]

DOCTOR = requester_professional()
LOCAL = "0" * 26
BASE = "https://dmp.example/fhir"
EXTENSION = "https://editor.example/fhir/StructureDefinition/about"


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """A record while time stands still."""
    return open_record(api)


def about(literal: str) -> Json:
    """An extension that refers to something."""
    return {"extension": [{"url": EXTENSION, "valueReference": {"reference": literal}}]}


def posted(record: OpenRecord, kind: str = "Condition", **elements: Any) -> Response:
    body = BODIES[ProfileKind(kind)](record.id, **elements)
    return record.api.post(f"/fhir/{kind}", body, as_=record.patient)


NOWHERE = {
    "another server": "https://other.example/fhir/Practitioner/1",
    "another server's id of ours": f"https://other.example/fhir/Condition/{LOCAL}.{LOCAL}",
    "a conditional one": "Practitioner?identifier=urn:oid:1.2.250.1.71.4.2.1|810101234567",
    "a conditional patient": "Patient?identifier=urn:oid:1.2.250.1.213.1.4.10|279035121518989",
    "a resource of no Bundle": "urn:uuid:8f5f7c0a-3f0e-4b43-8f3c-6a1a6a0f1a11",
    "an OID": "urn:oid:2.25.1",
    "an id that is none of ours": "Condition/1",
    "a type that is none of ours": f"Practitioner/{LOCAL}.{LOCAL}",
    "a record's id with more": f"Patient/{LOCAL}.{LOCAL}",
    "a record's id with less": f"Condition/{LOCAL}",
    "no path": "asthma",
    "nothing contained": "#nobody",
}


@pytest.mark.parametrize("what", NOWHERE)
@pytest.mark.parametrize("kind", list(ProfileKind))
def test_a_reference_that_leads_nowhere_is_refused_with_its_place(
    record: OpenRecord, stack: dict[str, str], kind: ProfileKind, what: str
) -> None:
    before = items_of(stack, record.id)

    refusal = posted(record, kind, **about(NOWHERE[what]))

    assert (refusal.status, refusal.code) == (422, "unknown-reference")
    assert refusal.json["issue"][0]["expression"] == [f"{kind}.extension[0].valueReference.reference"]
    assert items_of(stack, record.id) == before


def test_another_record_is_refused_whether_or_not_it_has_what_is_named(record: OpenRecord) -> None:
    other = open_record(record.api)
    there = other.api.post("/fhir/Condition", made.condition(other.id), as_=other.patient).id
    named = (
        *(f"Condition/{there}", f"Condition/{other.id}.{LOCAL}", f"Condition/{'z' * 26}.{LOCAL}"),
        *(f"Patient/{other.id}", f"Patient/{'z' * 26}", f"{BASE}/Condition/{there}"),
    )

    refusals = [posted(record, **about(one)) for one in named]

    assert {(r.status, r.code) for r in refusals} == {(422, "unknown-reference")}
    assert {r.body for r in refusals} == {refusals[0].body}


def test_what_is_of_the_record_is_referred_to_by_path_and_by_address(record: OpenRecord) -> None:
    known = posted(record).id
    literals = (
        *(f"Condition/{known}", f"{BASE}/Condition/{known}", f"Condition/{known}/_history/1"),
        *(f"Patient/{record.id}", f"{BASE}/Patient/{record.id}", f"DocumentReference/{record.id}.{LOCAL}"),
        *(f"Observation/{record.id}.{LOCAL}00z", f"RelatedPerson/{record.id}.{LOCAL}"),
    )

    answers = [posted(record, **about(one)) for one in literals]

    assert [a.status for a in answers] == [201] * len(literals)
    assert [a.json["extension"][0]["valueReference"]["reference"] for a in answers] == list(literals)


ELEMENTS: dict[str, tuple[str, Json]] = {
    "AllergyIntolerance.recorder.reference": ("AllergyIntolerance", {"recorder": {"reference": "?"}}),
    "Condition.evidence[0].detail[0].reference": ("Condition", {"evidence": [{"detail": [{"reference": "?"}]}]}),
    "MedicationStatement.derivedFrom[0].reference": ("MedicationStatement", {"derivedFrom": [{"reference": "?"}]}),
    "Immunization.performer[0].actor.reference": ("Immunization", {"performer": [{"actor": {"reference": "?"}}]}),
    "Procedure.partOf[0].reference": ("Procedure", {"partOf": [{"reference": "?"}]}),
    "FamilyMemberHistory.reasonReference[0].reference": (
        "FamilyMemberHistory",
        {"reasonReference": [{"reference": "?"}]},
    ),
    "Observation.performer[0].reference": ("Observation", {"performer": [{"reference": "?"}]}),
    "Condition.code.extension[0].valueReference.reference": (
        "Condition",
        {"code": {"text": "Asthme", "extension": [{"url": EXTENSION, "valueReference": {"reference": "?"}}]}},
    ),
    "Condition.contained[0].organization.reference": (
        "Condition",
        {
            "recorder": {"reference": "#r"},
            "contained": [{"resourceType": "PractitionerRole", "id": "r", "organization": {"reference": "?"}}],
        },
    ),
}


@pytest.mark.parametrize("place", ELEMENTS)
def test_wherever_a_reference_stands_it_is_looked_at(record: OpenRecord, place: str) -> None:
    kind, elements = ELEMENTS[place]

    refusal = posted(record, kind, **_filled(elements, "https://other.example/fhir/Practitioner/1"))

    assert (refusal.status, refusal.code) == (422, "unknown-reference")
    assert refusal.json["issue"][0]["expression"] == [place]


def _filled(value: Any, literal: str) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item, literal) for name, item in value.items()}
    return [_filled(item, literal) for item in value] if isinstance(value, list) else literal if value == "?" else value


def test_who_is_named_by_an_identifier_a_name_or_within_the_entry_is_kept(record: OpenRecord) -> None:
    logical = {"type": "Practitioner", "identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "899900000001"}}
    contained = [{"resourceType": "Practitioner", "id": "p", "name": [{"family": "NOIR"}]}]

    named = posted(record, recorder=logical, asserter={"display": "Ma mère"})
    within = posted(record, recorder={"reference": "#p"}, contained=contained)

    assert (named.status, within.status) == (201, 201)
    assert (named.json["recorder"], named.json["asserter"]) == (logical, {"display": "Ma mère"})
    assert (within.json["recorder"], within.json["contained"]) == ({"reference": "#p"}, contained)


def test_where_to_read_of_a_vaccine_is_an_address_and_no_reference(record: OpenRecord) -> None:
    education = [{"reference": "https://vaccination-info-service.fr/", "presentationDate": "2021-06-04"}]

    assert posted(record, "Immunization", education=education).json["education"] == education


def test_an_entry_is_sent_back_as_it_was_answered_and_no_worse(record: OpenRecord) -> None:
    entry = record.api.post("/fhir/AllergyIntolerance", made.allergy(record.id), as_=DOCTOR).json
    address = f"/fhir/AllergyIntolerance/{entry['id']}"
    foreign = {**entry, "asserter": {"reference": "https://other.example/fhir/Patient/1"}}

    again = record.api.put(address, entry, as_=DOCTOR)
    refusal = record.api.put(address, foreign, as_=DOCTOR)

    assert (again.status, again.headers["etag"]) == (200, 'W/"1"')
    assert (refusal.status, refusal.code) == (422, "unknown-reference")


# --- the people around the patient


def person(record: OpenRecord, **elements: Any) -> Json:
    relationship = {"system": f"{made.HL7}/v3-RoleCode", "code": "NBOR"}
    return {
        "resourceType": "RelatedPerson",
        "patient": {"reference": f"Patient/{record.id}"},
        "relationship": [{"coding": [relationship]}],
        "name": [{"family": "AIDANT"}],
        **elements,
    }


def test_of_a_person_nothing_of_another_record_is_told(record: OpenRecord) -> None:
    other = open_record(record.api)
    known = record.api.post("/fhir/RelatedPerson", person(record), as_=record.patient)
    nowhere = (*NOWHERE.values(), f"Patient/{other.id}", f"RelatedPerson/{other.id}.{LOCAL}")

    refusals = [
        *(record.api.post("/fhir/RelatedPerson", person(record, **about(one)), as_=record.patient) for one in nowhere),
        record.api.put(
            f"/fhir/RelatedPerson/{known.id}", {**known.json, **about(f"Patient/{other.id}")}, as_=record.patient
        ),
    ]
    own = record.api.post("/fhir/RelatedPerson", person(record, **about(f"Patient/{record.id}")), as_=record.patient)

    assert {(r.status, r.code) for r in refusals} == {(422, "unknown-reference")}
    assert refusals[-1].json["issue"][0]["expression"] == ["RelatedPerson.extension[0].valueReference.reference"]
    assert own.status == 201


def test_neither_is_it_of_one_who_comes_with_a_consent_or_an_opening(record: OpenRecord) -> None:
    ins = bodies.new_ins()
    within = bodies.guardian(ins, id="g", **about(f"Patient/{open_record(record.api).id}"))
    body = bodies.consent(record.id, "delegation", "permit", None, "")
    body["provision"]["actor"] = [{"reference": {"reference": "#g"}}]
    child = bodies.new_ins()
    opening = bodies.opening(
        child, patient={"resource": bodies.patient(child, birthDate="2016-06-01")}, guardian={"resource": within}
    )

    refusals = [
        record.consent(body | {"contained": [{**within, "patient": {"reference": f"Patient/{record.id}"}}]}),
        record.api.post("/fhir/Patient/$open", opening, as_=requester_patient(bodies.qualified(ins))),
    ]

    assert {(r.status, r.code) for r in refusals} == {(422, "unknown-reference")}
