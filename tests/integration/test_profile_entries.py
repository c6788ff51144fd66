"""Entries of the structured profile: made, read, corrected, deleted, in versions that stay (FHIR R4, L.1111-15)."""

from collections.abc import Callable
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.clinical_profile import ProfileKind
from tests import bodies
from tests import profile_bodies as made
from tests.api_client import ApiClient, Caller, Response
from tests.aws_calls import counted, meanwhile
from tests.open_record import OpenRecord, extension, items_of, open_record
from tests.profile_bodies import BODIES
from tests.requester_factories import requester_employee, requester_patient, requester_professional, requester_server

type Json = dict[str, Any]

DOCTOR = requester_professional()
URL = "/fhir/AllergyIntolerance"


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """A record while time stands still."""
    return open_record(api)


def entered(record: OpenRecord, kind: str = "AllergyIntolerance", as_: Caller = None, **elements: Any) -> Response:
    """Enter something, which succeeds."""
    body = BODIES[ProfileKind(kind)](record.id, **elements)
    response = record.api.post(f"/fhir/{kind}", body, as_=as_ or record.patient)
    assert response.status == 201, response.body
    return response


def get(record: OpenRecord, identity: str, as_: Caller = None, kind: str = "AllergyIntolerance") -> Response:
    return record.api.get(f"/fhir/{kind}/{identity}", as_=as_ or record.patient)


def put(record: OpenRecord, body: Json, as_: Caller = None, identity: str = "", **options: Any) -> Response:
    url = f"/fhir/{body['resourceType']}/{identity or body['id']}"
    return record.api.put(url, body, as_=as_ or record.patient, **options)


def delete(record: OpenRecord, identity: str, as_: Caller = None, **options: Any) -> Response:
    return record.api.delete(f"{URL}/{identity}", as_=as_ or record.patient, **options)


def search(record: OpenRecord, query: str = "", as_: Caller = None, kind: str = "AllergyIntolerance") -> Response:
    return record.api.get(f"/fhir/{kind}?patient={record.id}{query}", as_=as_ or record.patient)


def labels(resource: Json) -> list[str]:
    return [coding["code"] for coding in resource["meta"]["security"]]


def origin(resource: Json) -> list[str]:
    return [coding["code"] for coding in resource["meta"]["tag"]]


# --- made and read


@pytest.mark.parametrize("kind", list(ProfileKind))
def test_what_is_entered_is_answered_as_it_was_sent(record: OpenRecord, kind: ProfileKind) -> None:
    body = BODIES[kind](record.id)

    response = record.api.post(f"/fhir/{kind}", body, as_=record.patient)

    assert response.status == 201, response.body
    resource = response.json
    assert {name: resource[name] for name in body} == body
    assert (labels(resource), origin(resource)) == (["N"], ["patient"])
    assert extension(resource, "dmp-recorded-by")["valueReference"] == {"reference": f"Patient/{record.id}"}
    assert response.headers["location"] == f"https://dmp.example/fhir/{kind}/{response.id}/_history/1"
    assert response.headers["etag"] == 'W/"1"'
    assert get(record, response.id, kind=kind).json == resource
    assert [one["id"] for one in search(record, kind=kind).resources] == [response.id]


def test_a_professional_enters_with_authorship_and_reads_the_own_entries_back(record: OpenRecord) -> None:
    resource = entered(record, as_=DOCTOR).json

    by = extension(resource, "dmp-recorded-by")["valueReference"]
    assert origin(resource) == ["professional"]
    assert by["identifier"] == {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "810101234567"}
    assert by["display"] == "Alix MARTIN"
    assert resource["recorder"] == by
    assert get(record, resource["id"], DOCTOR).json == resource
    assert [one["id"] for one in search(record, as_=DOCTOR).resources] == [resource["id"]]


@pytest.mark.parametrize(
    ("kind", "element"),
    [("Condition", "recorder"), ("MedicationStatement", "informationSource"), ("Procedure", "recorder")],
)
def test_who_enters_is_told_in_the_element_of_fhir_unless_somebody_is_named_there(
    record: OpenRecord, kind: str, element: str
) -> None:
    other = {"display": "Dr Autre"}

    silent = entered(record, kind, DOCTOR).json
    named = entered(record, kind, DOCTOR, **{element: other}).json

    assert silent[element]["identifier"]["value"] == "810101234567"
    assert named[element] == other


def test_a_structure_is_told_as_one_and_records_nothing_in_person(record: OpenRecord) -> None:
    allergy = entered(record, as_=requester_server()).json
    weight = entered(record, "Observation", requester_employee()).json

    assert extension(allergy, "dmp-recorded-by")["valueReference"]["type"] == "Organization"
    assert "recorder" not in allergy
    assert weight["performer"][0]["identifier"]["value"] == "1750100125"


def test_an_entry_of_a_secret_connection_names_nobody(record: OpenRecord) -> None:
    body = made.allergy(record.id)

    resource = record.api.post(URL, body, as_=requester_professional(is_secret=True)).json

    assert not extension(resource, "dmp-recorded-by")
    assert "recorder" not in resource


def test_no_ins_is_told_of_a_representative_who_entered_something(record: OpenRecord) -> None:
    carer = caregiver(record)

    resource = entered(record, as_=carer).json

    assert extension(resource, "dmp-recorded-by")["valueReference"] == {"display": "Camille DUVAL"}
    assert carer.identifier.value not in str(resource)
    assert origin(resource) == ["patient"]


def caregiver(record: OpenRecord) -> Any:
    """A neighbour to whom the patient delegates."""
    ins = bodies.new_ins()
    relationship = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "NBOR"}
    person = {
        "resourceType": "RelatedPerson",
        "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": ins}],
        "patient": {"reference": f"Patient/{record.id}"},
        "relationship": [{"coding": [relationship]}],
    }
    identity = record.api.post("/fhir/RelatedPerson", person, as_=record.patient).id
    consent = bodies.consent(record.id, "delegation", "permit", None, "")
    consent["provision"]["actor"] = [{"reference": {"reference": f"RelatedPerson/{identity}"}}]
    assert record.consent(consent).status == 201
    return requester_patient(bodies.qualified(ins))


def test_what_only_the_server_says_is_not_believed(record: OpenRecord) -> None:
    forged: Json = {
        "id": "mine",
        "meta": {
            "versionId": "7",
            "tag": [
                {"system": "https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-origin", "code": "document"},
                {"system": "urn:oid:2.25.1", "code": "kept"},
            ],
        },
        "extension": [
            {
                "url": "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-recorded-by",
                "valueReference": {"display": "Dr House"},
            }
        ],
    }

    resource = entered(record, as_=DOCTOR, **forged).json

    assert resource["id"] != "mine"
    assert resource["meta"]["versionId"] == "1"
    assert origin(resource) == ["kept", "professional"]
    assert "House" not in str(resource)


def test_a_medication_that_is_contained_is_kept(record: OpenRecord) -> None:
    contained = {"resourceType": "Medication", "id": "m", "code": made.concept(made.ATC, "N02BE01", "Paracétamol")}

    resource = entered(
        record,
        "MedicationStatement",
        medicationCodeableConcept=None,
        medicationReference={"reference": "#m"},
        contained=[contained],
    ).json

    assert resource["contained"] == [contained]
    assert len(search(record, "&code=N02BE01", kind="MedicationStatement").resources) == 1


# --- versions


def test_every_version_of_an_entry_is_kept(record: OpenRecord, clock: TimeMachineFixture) -> None:
    first = entered(record)
    clock.shift(60)

    changed = put(record, {**first.json, "criticality": "low"}, headers={"If-Match": 'W/"1"'})

    assert (changed.status, changed.headers["etag"], changed.json["criticality"]) == (200, 'W/"2"', "low")
    assert get(record, first.id).json == changed.json
    assert [get(record, f"{first.id}/_history/{n}").status for n in (1, 2, 3)] == [200, 200, 404]
    assert get(record, f"{first.id}/_history/1").json == first.json
    history = get(record, f"{first.id}/_history").json
    assert [one["resource"]["meta"]["versionId"] for one in history["entry"]] == ["2", "1"]
    assert [one["request"]["method"] for one in history["entry"]] == ["PUT", "POST"]


def test_an_update_is_one_of_the_version_and_of_the_person_it_names(record: OpenRecord) -> None:
    body = entered(record).json
    other = open_record(record.api)
    nobody = f"{record.id}.{'0' * 26}"

    refusals = {
        "stale": put(record, body, headers={"If-Match": 'W/"7"'}),
        "another id": put(record, {**body, "id": "other"}, identity=body["id"]),
        "another patient": put(record, {**body, "patient": {"reference": f"Patient/{other.id}"}}),
        "another INS": put(record, {**body, "patient": {"identifier": ins_of(other)}}),
        "nothing of a patient": put(record, {name: value for name, value in body.items() if name != "patient"}),
        "nobody": put(record, {**body, "id": nobody}),
        "of another record": put(record, body, other.patient),
        "deleted as stale": delete(record, body["id"], headers={"If-Match": 'W/"7"'}),
    }

    assert {what: (r.status, r.code) for what, r in refusals.items()} == {
        "stale": (412, "version-conflict"),
        "another id": (422, "wrong-id"),
        "another patient": (422, "wrong-patient"),
        "another INS": (422, "ins-mismatch"),
        "nothing of a patient": (422, "invalid-resource"),
        "nobody": (404, "not-found"),
        "of another record": (404, "no-record"),
        "deleted as stale": (412, "version-conflict"),
    }
    assert get(record, body["id"]).headers["etag"] == 'W/"1"'


def ins_of(record: OpenRecord) -> Json:
    return {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": record.ins}


def test_what_says_the_same_makes_no_version(record: OpenRecord) -> None:
    body = entered(record, as_=DOCTOR).json

    same = put(record, body, DOCTOR)

    assert (same.status, same.headers["etag"], same.json) == (200, 'W/"1"', body)


@pytest.mark.parametrize("way", ["DELETE", "PUT"])
def test_a_deleted_entry_is_gone_and_the_versions_stay(record: OpenRecord, way: str) -> None:
    entry = entered(record)
    in_error = made.concept(f"{made.HL7}/allergyintolerance-verification", "entered-in-error")
    error = {name: value for name, value in entry.json.items() if name != "clinicalStatus"}

    if way == "DELETE":
        assert delete(record, entry.id).status == 204
    else:
        assert put(record, {**error, "verificationStatus": in_error}).status == 200

    gone = [get(record, entry.id), put(record, entry.json), get(record, f"{entry.id}/_history/2")]
    assert {(r.status, r.code) for r in gone} == {(410, "gone")}
    assert delete(record, entry.id).status == 204
    assert get(record, f"{entry.id}/_history/1").json == entry.json
    assert (search(record).json["total"], search(record).resources) == (0, [])
    history = get(record, f"{entry.id}/_history").json["entry"]
    assert [(one["request"]["method"], "resource" in one) for one in history] == [("DELETE", False), ("POST", True)]
    assert [e["action"] for e in record.trace()].count("D") >= 1


def test_what_is_entered_in_error_is_not_entered(record: OpenRecord) -> None:
    refusal = record.api.post("/fhir/Procedure", made.procedure(record.id, status="entered-in-error"), as_=DOCTOR)

    assert (refusal.status, refusal.code) == (422, "status-transition")


# --- conditional create


def conditional(record: OpenRecord, criterion: str = "identifier=urn:oid:2.25.7|A1", as_: Caller = DOCTOR) -> Response:
    body = made.condition(record.id, identifier=[{"system": "urn:oid:2.25.7", "value": "A1"}])
    return record.api.post("/fhir/Condition", body, as_=as_, headers={"If-None-Exist": criterion})


def test_what_is_there_already_is_not_entered_twice(record: OpenRecord) -> None:
    first, again, other = (
        conditional(record),
        conditional(record),
        conditional(record, "identifier=urn:oid:2.25.7|B2"),
    )

    assert [r.status for r in (first, again, other)] == [201, 200, 201]
    assert again.json == first.json
    assert again.headers["location"] == first.headers["location"]
    assert (conditional(record).status, conditional(record).code) == (412, "multiple-matches")


def test_of_two_conditional_creates_that_race_one_makes_the_entry(record: OpenRecord) -> None:
    with meanwhile("TransactWriteItems", lambda: conditional(record)):
        second = conditional(record)

    assert second.status == 200
    assert [one["id"] for one in search(record, as_=DOCTOR, kind="Condition").resources] == [second.id]


def test_what_was_deleted_is_entered_anew(record: OpenRecord) -> None:
    first = conditional(record)
    record.api.delete(f"/fhir/Condition/{first.id}", as_=DOCTOR)

    with meanwhile("TransactWriteItems", lambda: conditional(record)):
        anew = conditional(record)

    assert (anew.status, anew.id == first.id) == (200, False)
    assert len(search(record, as_=DOCTOR, kind="Condition").resources) == 1


def test_a_condition_finds_nothing_that_its_caller_may_not_see(record: OpenRecord) -> None:
    stranger = requester_professional("10109999999", "1310000004")

    first, second = conditional(record), conditional(record, as_=stranger)

    assert (first.status, second.status) == (201, 201)
    assert [one["id"] for one in search(record, as_=stranger, kind="Condition").resources] == [second.id]


@pytest.mark.parametrize("criterion", ["patient={}", "mood=sunny", "patient=Patient/0123456789abcdefghjkmnpqrs&code=x"])
def test_a_condition_must_say_something_of_this_patient(record: OpenRecord, criterion: str) -> None:
    refusal = conditional(record, criterion.format(record.id))

    assert refusal.status == 400


# --- bad input


WRONG: dict[str, Callable[[str], Json]] = {
    "an element that FHIR does not know": lambda r: made.allergy(r, mood="sunny"),
    "a status that is none": lambda r: made.procedure(r, status="nearly"),
    "an allergy without a clinical status": lambda r: made.allergy(r, clinicalStatus=None),
    "a clinical status of another system": lambda r: made.allergy(r, clinicalStatus={"text": "actif"}),
    "two onsets": lambda r: made.condition(r, onsetString="hier"),
    "a problem that has abated and is active": lambda r: made.condition(r, abatementDateTime="2020"),
    "a treatment with nothing": lambda r: made.medication(r, medicationCodeableConcept=None),
    "a vaccination at no time": lambda r: made.immunization(r, occurrenceDateTime=None),
    "a vaccination without a dose": lambda r: made.immunization(r, protocolApplied=[{"series": "x"}]),
    "a relative of an estimated age": lambda r: made.family_history(r, estimatedAge=True),
    "a period without a unit": lambda r: made.medication(r, dosage=[{"timing": {"repeat": {"period": 2}}}]),
    "two patients": lambda r: made.allergy(
        r, patient={"reference": f"Patient/{r}", "identifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "2"}}
    ),
    "a weight in metres": lambda r: made.observation(r, valueQuantity=made.quantity(72, "m")),
    "a weight without a coded unit": lambda r: made.observation(r, valueQuantity={"value": 72, "unit": "kg"}),
    "a weight that is not told": lambda r: made.observation(r, valueQuantity=None),
    "a pressure of one part": lambda r: made.blood_pressure(r, component=made.blood_pressure(r)["component"][:1]),
    "a pressure without parts": lambda r: made.blood_pressure(r, component=None),
    "a value that is absent": lambda r: made.observation(r, dataAbsentReason={"text": "?"}),
    "a label that does not exist": lambda r: made.allergy(
        r, meta={"security": [{"system": made.VISIBILITY, "code": "MASQUE"}]}
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_not_kept(record: OpenRecord, stack: dict[str, str], what: str) -> None:
    before = items_of(stack, record.id)
    body = WRONG[what](record.id)

    refusal = record.api.post(f"/fhir/{body['resourceType']}", body, as_=record.patient)

    assert refusal.status == 422, refusal.body
    assert items_of(stack, record.id) == before


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        *(("8302-2", "cm"), ("39156-5", "kg/m2"), ("8310-5", "Cel"), ("2345-7", "g/L"), ("72514-3", "{score}")),
        *(("41950-7", "{steps}/d"), ("8280-0", "cm"), ("8287-5", "cm"), ("8867-4", "{beats}/min")),
    ],
)
def test_the_measures_are_told_in_units_of_theirs(record: OpenRecord, code: str, unit: str) -> None:
    body = made.observation(record.id, code=made.concept(made.LOINC, code), valueQuantity=made.quantity(9, unit))

    assert record.api.post("/fhir/Observation", body, as_=record.patient).status == 201


@pytest.mark.parametrize(("code", "status"), [("72514-3", 201), ("41950-7", 201), ("29463-7", 422)])
def test_pain_and_steps_are_told_by_a_mere_number_too(record: OpenRecord, code: str, status: int) -> None:
    body = made.observation(record.id, code=made.concept(made.LOINC, code), valueQuantity=None, valueInteger=4)

    assert record.api.post("/fhir/Observation", body, as_=record.patient).status == status


def test_a_blood_pressure_is_told_by_its_parts(record: OpenRecord) -> None:
    response = record.api.post("/fhir/Observation", made.blood_pressure(record.id), as_=record.patient)

    assert response.status == 201, response.body
    found = search(record, "&combo-code=http://loinc.org|8480-6", kind="Observation")
    assert [one["id"] for one in found.resources] == [response.id]


def test_an_entry_is_no_place_for_files(record: OpenRecord) -> None:
    refusal = record.api.post(URL, made.allergy(record.id, note=[{"text": "x" * 100_001}]), as_=record.patient)

    assert (refusal.status, refusal.code) == (413, "too-large")


def test_another_type_in_the_body_is_no_entry_of_this_one(record: OpenRecord) -> None:
    refusal = record.api.post(URL, made.condition(record.id), as_=record.patient)

    assert (refusal.status, refusal.code) == (400, "malformed-request")


# --- cost


def test_a_create_is_one_read_and_one_transaction(record: OpenRecord) -> None:
    with counted() as calls:
        entered(record)

    assert calls == ["GetItem", "TransactWriteItems"]


def test_a_read_is_one_read_and_its_trace(record: OpenRecord) -> None:
    entry = entered(record)

    with counted() as calls:
        get(record, entry.id)

    assert calls == ["BatchGetItem", "PutItem"]


def test_a_change_is_one_read_and_one_transaction(record: OpenRecord) -> None:
    entry = entered(record)

    with counted() as calls:
        put(record, {**entry.json, "criticality": "low"})

    assert calls == ["BatchGetItem", "TransactWriteItems"]
