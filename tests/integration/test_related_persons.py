"""The people around the patient: kept, read, changed, deleted, and who may (FHIR R4 RelatedPerson)."""

from collections.abc import Callable
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.identifiers import INS_NIR, INS_NIR_TEST, PS_IDNAT
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Caller, Response
from tests.aws_calls import counted, meanwhile
from tests.open_record import OpenRecord, extension, items_of, open_record
from tests.profile_bodies import VISIBILITY
from tests.requester_factories import (
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)
from tests.token_factory import TokenFactory

type Json = dict[str, Any]

HEALER = requester_professional()
URL = "/fhir/RelatedPerson"


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """A record while time stands still."""
    return open_record(api)


def body_of(record: OpenRecord, ins: str = "", **elements: Any) -> Json:
    """A neighbour of the patient; an element given as None is left out."""
    relationship = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "NBOR"}
    body = {
        "resourceType": "RelatedPerson",
        "identifier": [{"system": INS_NIR_TEST, "value": ins or bodies.new_ins()}],
        "patient": {"reference": f"Patient/{record.id}"},
        "relationship": [{"coding": [relationship], "text": "Voisine"}],
        "name": [{"family": "AIDANT", "given": ["CAMILLE"]}],
        "telecom": [{"system": "phone", "value": "0612345678"}],
        **elements,
    }
    return {name: value for name, value in body.items() if value is not None}


def created(record: OpenRecord, as_: Caller = None, **elements: Any) -> Response:
    response = record.api.post(URL, body_of(record, **elements), as_=as_ or record.patient)
    assert response.status == 201, response.body
    return response


def put(record: OpenRecord, identity: str, body: Json, as_: Caller = None, **options: Any) -> Response:
    return record.api.put(f"{URL}/{identity}", body, as_=as_ or record.patient, **options)


def delete(record: OpenRecord, identity: str, as_: Caller = None, **options: Any) -> Response:
    return record.api.delete(f"{URL}/{identity}", as_=as_ or record.patient, **options)


def get(record: OpenRecord, identity: str, as_: Caller = None) -> Response:
    return record.api.get(f"{URL}/{identity}", as_=as_ or record.patient)


def search(record: OpenRecord, query: str = "", as_: Caller = None) -> Response:
    return record.api.get(f"{URL}?patient={record.id}{query}", as_=as_ or record.patient)


def delegate(record: OpenRecord, person: str) -> str:
    """The patient lets a person act for them; the Consent's id."""
    body = bodies.consent(record.id, "delegation", "permit", None, PS_IDNAT)
    body["provision"]["actor"] = [{"reference": {"reference": f"RelatedPerson/{person}"}}]
    response = record.consent(body)
    assert response.status == 201, response.body
    return response.id


def test_every_version_of_a_person_is_kept(record: OpenRecord, tokens: TokenFactory, clock: TimeMachineFixture) -> None:
    patient = tokens.patient(ins=bodies.qualified(record.ins))
    made = created(record, patient)
    clock.shift(60)

    body = {**made.json, "telecom": [{"system": "phone", "value": "0698765432"}]}
    changed = put(record, made.id, body, headers={"If-Match": 'W/"1"'})

    assert (made.headers["etag"], changed.status, changed.headers["etag"]) == ('W/"1"', 200, 'W/"2"')
    assert made.headers["location"] == f"https://dmp.example/fhir/RelatedPerson/{made.id}/_history/1"
    sent = body_of(record, made.json["identifier"][0]["value"])
    assert {name: made.json[name] for name in sent} == sent
    assert get(record, made.id).json == changed.json
    assert [get(record, f"{made.id}/_history/{n}").status for n in (1, 2, 3)] == [200, 200, 404]
    assert get(record, f"{made.id}/_history/1").json == made.json
    assert [coding["code"] for e in record.trace() for coding in e["subtype"]].count("vread") == 4


def test_an_update_is_one_of_the_version_and_of_the_person_it_names(record: OpenRecord) -> None:
    person = created(record)
    other = open_record(record.api)
    body = person.json

    refusals = {
        "stale": put(record, person.id, body, headers={"If-Match": 'W/"7"'}),
        "another id": put(record, person.id, {**body, "id": "other"}),
        "another patient": put(record, person.id, {**body, "patient": {"reference": f"Patient/{other.id}"}}),
        "nobody": put(record, f"{record.id}.{'0' * 26}", {**body, "id": f"{record.id}.{'0' * 26}"}),
        "of another record": put(record, f"{other.id}.{person.id.partition('.')[2]}", body, other.patient),
        "deleted as stale": delete(record, person.id, headers={"If-Match": 'W/"7"'}),
    }

    assert {what: (r.status, r.code) for what, r in refusals.items()} == {
        "stale": (412, "version-conflict"),
        "another id": (422, "wrong-id"),
        "another patient": (422, "wrong-patient"),
        "nobody": (404, "not-found"),
        "of another record": (404, "not-found"),
        "deleted as stale": (412, "version-conflict"),
    }
    assert get(record, person.id).headers["etag"] == 'W/"1"'


@pytest.mark.parametrize("code", ["MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX", "NOPAT"])
def test_nobody_around_the_patient_can_be_masked(record: OpenRecord, code: str) -> None:
    person = created(record)
    labels = [{"system": VISIBILITY, "code": "N"}, {"system": VISIBILITY, "code": code}]
    meta = {"security": labels}

    refusals = [
        record.api.post(URL, body_of(record, meta=meta), as_=record.patient),
        put(record, person.id, {**person.json, "meta": meta}),
    ]

    assert {(r.status, r.code) for r in refusals} == {(422, "label-not-permitted")}
    assert refusals[0].json["issue"][0]["expression"] == ["RelatedPerson.meta.security[1]"]
    assert get(record, person.id).headers["etag"] == 'W/"1"'


def test_a_misspelt_mask_of_a_person_is_refused_and_what_hides_nobody_is_not(record: OpenRecord) -> None:
    misspelt = [{"system": VISIBILITY, "code": "MASQUE"}]
    harmless = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]

    refusal = record.api.post(URL, body_of(record, meta={"security": misspelt}), as_=record.patient)

    assert (refusal.status, refusal.code) == (422, "unknown-code")
    assert created(record, meta={"security": harmless}).status == 201


def test_a_deleted_person_is_gone_and_the_versions_stay(record: OpenRecord) -> None:
    person = created(record)

    statuses = [delete(record, person.id).status for _ in range(2)]

    assert statuses == [204, 204]
    gone = [get(record, person.id), put(record, person.id, person.json), get(record, f"{person.id}/_history/2")]
    assert {(r.status, r.code) for r in gone} == {(410, "gone")}
    assert get(record, f"{person.id}/_history/1").json == person.json
    assert (search(record).json["total"], search(record).resources) == (0, [])


def test_pages_hold_everybody_once_newest_first(record: OpenRecord, clock: TimeMachineFixture) -> None:
    made = []
    for _ in range(5):
        clock.shift(60)
        made.append(created(record).id)
    delete(record, made.pop(2))

    pages, url = [], f"{URL}?patient={record.id}&_count=2"
    while url:
        pages.append(record.api.get(url, as_=record.patient))
        url = pages[-1].links.get("next", "")

    assert [p["id"] for page in pages for p in page.resources] == made[::-1]
    assert [len(page.resources) for page in pages] == [2, 2]
    assert search(record, "&_count=1&_total=accurate").json["total"] == 4
    assert search(record).json["total"] == 4
    assert len(search(record, "&_lastUpdated=ge2026-03-02T12:04:00Z").resources) == 2
    following = pages[0].links["next"]
    foreign = [record.api.get(following, as_=HEALER), record.api.get(following + "x", as_=record.patient)]
    assert {(r.status, r.code) for r in foreign} == {(400, "invalid-cursor")}


def test_a_search_by_ins_works_and_no_link_carries_it(record: OpenRecord) -> None:
    person = created(record).id

    found = record.api.search(URL, {"patient.identifier": bodies.qualified(record.ins)}, as_=record.patient)
    nobody = record.api.get(URL, as_=record.patient)

    assert [p["id"] for p in found.resources] == [person]
    assert found.links["self"] == f"https://dmp.example{URL}?patient={record.id}"
    assert (nobody.status, nobody.code) == (400, "missing-parameter")


# --- who may


@pytest.fixture
def callers(record: OpenRecord) -> dict[str, Requester]:
    """Everybody around the record, each with the right that makes them so."""
    found = {
        "patient": record.patient,
        "representative": requester_patient(bodies.qualified(bodies.new_ins())),
        "caregiver": requester_patient(bodies.qualified(bodies.new_ins())),
        "physician": HEALER,
        "authorised": requester_professional("10101112223", "1310000003"),
        "emergency": requester_professional("10105550015", "1750000150"),
        "without a right": requester_professional("10109999999", "1310000004"),
        "stranger": requester_patient(bodies.qualified(bodies.new_ins())),
        "employee": requester_employee(),
        "server": requester_server(),
        "agent": requester_cpam_agent(),
    }
    for who, code in {"representative": "GUARD", "caregiver": "NBOR"}.items():
        relationship = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": code}
        ins = found[who].identifier.value
        delegate(record, created(record, ins=ins, relationship=[{"coding": [relationship]}]).id)
    record.consent(bodies.attending_physician(record.id))
    record.authorise("810101112223")
    reason = bodies.parameters(mode={"valueCode": "BTG"}, reason={"valueString": "Patient inconscient"})
    record.api.post(f"/fhir/Patient/{record.id}/$emergency-access", reason, as_=found["emergency"])
    return found


READERS = {"patient", "representative", "caregiver", "physician", "authorised", "emergency"}
WRITERS = {"patient", "representative"}
FEEDERS = WRITERS | {"physician", "authorised", "emergency", "without a right", "employee", "server"}
"""Caregivers feed, too, but name nobody who could act for the patient."""


def test_people_are_seen_by_who_reads_and_changed_by_who_decides(
    record: OpenRecord, callers: dict[str, Requester]
) -> None:
    person = created(record)
    operations: dict[str, Callable[[Requester], Response]] = {
        "read": lambda who: get(record, person.id, who),
        "vread": lambda who: get(record, f"{person.id}/_history/1", who),
        "search": lambda who: search(record, "", who),
        "create": lambda who: record.api.post(URL, body_of(record), as_=who),
        "create wrongly": lambda who: record.api.post(URL, body_of(record, mood="sunny"), as_=who),
        "create emptily": lambda who: record.api.post(URL, body_of(record, telecom=[]), as_=who),
        "update": lambda who: put(record, person.id, person.json, who),
        "update emptily": lambda who: put(record, person.id, person.json | {"telecom": []}, who),
        "delete": lambda who: delete(record, created(record).id, who),
    }
    done = {"create": 201, "create wrongly": 422, "create emptily": 422, "update emptily": 422, "delete": 204}

    for what, operation in operations.items():
        permitted = READERS if what in ("read", "vread", "search") else WRITERS
        if what.startswith("create"):
            permitted = FEEDERS | ({"caregiver"} if what != "create" else set())
        statuses = {who: operation(caller).status for who, caller in callers.items()}

        refused = {who: 404 if who == "stranger" else 403 for who in callers}
        assert statuses == {who: done.get(what, 200) if who in permitted else refused[who] for who in callers}, what


def test_in_a_closed_record_people_are_neither_seen_nor_changed(record: OpenRecord) -> None:
    person = created(record)
    record.close()

    refusals = [
        get(record, person.id),
        search(record),
        put(record, person.id, person.json),
        delete(record, person.id),
        record.api.post(URL, body_of(record), as_=record.patient),
    ]

    assert {(r.status, r.code) for r in refusals} == {(403, "record-closed")}


# --- whom professionals tell of


RECORDED_BY = "dmp-recorded-by"
RECORDED_BY_URL = f"https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/{RECORDED_BY}"


def without_ins(record: OpenRecord, **elements: Any) -> Json:
    return body_of(record, identifier=None, **elements)


def recorded_by(person: Json) -> Json:
    found: Json = extension(person, RECORDED_BY).get("valueReference", {})
    return found


FEEDING = {
    "professional": (HEALER, {"type": "Practitioner", "value": "810101234567", "display": "Alix MARTIN"}),
    "employee": (
        requester_employee(structure_name="Hôpital"),
        {"type": "Organization", "value": "1750100125", "display": "Hôpital"},
    ),
    "server": (requester_server(), {"type": "Organization", "value": "1750100125"}),
}


@pytest.mark.parametrize("who", FEEDING)
def test_whoever_feeds_tells_of_people_and_keeps_what_they_told(record: OpenRecord, who: str) -> None:
    feeder, named = FEEDING[who]
    patients = created(record)
    told = created(record, feeder)
    reference = recorded_by(told.json)

    seen = [get(record, told.id, feeder).json, *search(record, "", feeder).resources]
    changed = put(record, told.id, {**told.json, "telecom": [{"system": "phone", "value": "0600000000"}]}, feeder)
    others = [get(record, patients.id, feeder), put(record, patients.id, patients.json, feeder)]
    refused = delete(record, patients.id, feeder)

    flat = {**reference, "value": reference["identifier"]["value"]}
    assert {name: flat[name] for name in named} == named
    assert seen == [told.json, told.json]
    assert (changed.status, recorded_by(changed.json)) == (200, reference)
    assert {r.status for r in (*others, refused)} == {403}
    assert delete(record, told.id, feeder).status == 204


def test_the_people_that_a_person_tells_of_are_marked_as_theirs(
    record: OpenRecord, callers: dict[str, Requester]
) -> None:
    own = created(record, extension=[{"url": RECORDED_BY_URL, "valueReference": {"display": "Moi"}}])
    others = record.api.post(URL, without_ins(record), as_=callers["caregiver"])

    assert recorded_by(own.json) == {"reference": f"Patient/{record.id}"}
    assert recorded_by(others.json) == {"display": "Camille DUVAL"}
    assert record.ins not in str(others.json)


def test_what_somebody_else_said_last_is_no_longer_the_professionals(record: OpenRecord) -> None:
    told = created(record, HEALER)
    by_patient = put(record, told.id, told.json)

    refused = [put(record, told.id, told.json, HEALER), delete(record, told.id, HEALER)]

    assert recorded_by(by_patient.json) == {"reference": f"Patient/{record.id}"}
    assert recorded_by(get(record, f"{told.id}/_history/1").json) == recorded_by(told.json)
    assert {(r.status, r.code) for r in refused} == {(403, "not-authorised")}


def test_a_blocked_professional_tells_of_nobody(record: OpenRecord) -> None:
    told = created(record, HEALER)
    record.consent(bodies.block(record.id))

    refused = [
        record.api.post(URL, body_of(record), as_=HEALER),
        put(record, told.id, told.json, HEALER),
        get(record, told.id, HEALER),
    ]

    assert {(r.status, r.code) for r in refused} == {(403, "blocked")}


def test_who_told_of_somebody_in_a_connexion_secrete_is_told_to_nobody(record: OpenRecord) -> None:
    told = record.api.post(
        URL, body_of(record), as_=HEALER, headers={"X-Confidentiality-Code": "INVISIBLE_REPRESENTANTS_LEGAUX"}
    )

    assert (told.status, recorded_by(told.json)) == (201, {})


def test_a_caregiver_adds_people_and_gives_nobody_the_means_to_act(
    record: OpenRecord, callers: dict[str, Requester]
) -> None:
    caregiver = callers["caregiver"]
    told = record.api.post(URL, without_ins(record), as_=caregiver)
    with_ins = {**told.json, "identifier": [{"system": INS_NIR_TEST, "value": bodies.new_ins()}]}

    refused = [record.api.post(URL, body_of(record), as_=caregiver), put(record, told.id, with_ins, caregiver)]
    renamed = put(record, told.id, {**told.json, "name": [{"family": "AUTRE"}]}, caregiver)
    foreign = delete(record, created(record).id, caregiver)

    assert told.status == 201
    assert {(r.status, r.code) for r in (*refused, foreign)} == {(403, "not-authorised")}
    assert (renamed.status, delete(record, told.id, caregiver).status) == (200, 204)


def test_a_professional_ends_no_delegation_by_deleting_whom_they_told_of(record: OpenRecord) -> None:
    ins = bodies.new_ins()
    told = created(record, HEALER, ins=ins)
    consent = delegate(record, told.id)
    other = {**told.json, "identifier": [{"system": INS_NIR_TEST, "value": bodies.new_ins()}]}

    refused = [delete(record, told.id, HEALER), put(record, told.id, other, HEALER)]

    assert {(r.status, r.code) for r in refused} == {(409, "delegation-in-force")}
    assert record.status_of(consent) == "active"
    assert record.documents(requester_patient(bodies.qualified(ins))).status == 200
    assert delete(record, told.id).status == 204


# --- delegations


def test_the_ins_of_a_delegate_stays_while_a_delegation_rests_on_it(record: OpenRecord) -> None:
    ins, another = bodies.new_ins(), bodies.new_ins()
    person = created(record, ins=ins)
    consent = delegate(record, person.id)
    replaced = {**person.json, "identifier": [{"system": INS_NIR_TEST, "value": another}]}
    removed = {name: value for name, value in person.json.items() if name != "identifier"}

    refusals = [put(record, person.id, body) for body in (replaced, removed)]
    renamed = put(record, person.id, {**person.json, "name": [{"family": "AUTRE"}]})
    record.revoke(consent)
    afterwards = put(record, person.id, replaced)

    assert {(r.status, r.code) for r in refusals} == {(409, "delegation-in-force")}
    assert (renamed.status, afterwards.status) == (200, 200)
    assert [record.documents(requester_patient(bodies.qualified(one))).status for one in (ins, another)] == [404, 404]


def test_a_changed_relationship_gives_a_delegate_nothing_more(record: OpenRecord) -> None:
    ins = bodies.new_ins()
    person = created(record, ins=ins)
    delegate(record, person.id)
    guardian = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "GUARD"}

    changed = put(record, person.id, {**person.json, "relationship": [{"coding": [guardian]}]})

    caregiver = requester_patient(bodies.qualified(ins))
    assert changed.status == 200
    assert (record.documents(caregiver).status, record.consents(as_=caregiver).status) == (200, 403)


def test_deleting_a_person_ends_their_delegation_and_nobody_elses(
    record: OpenRecord, clock: TimeMachineFixture
) -> None:
    ins, other = bodies.new_ins(), bodies.new_ins()
    person, same, neighbour = (created(record, ins=one).id for one in (ins, ins, other))
    consents = [delegate(record, one) for one in (person, neighbour)]
    clock.shift(60)

    delete(record, same)
    untouched = record.documents(requester_patient(bodies.qualified(ins))).status
    clock.shift(60)
    delete(record, person)

    seen = [record.documents(requester_patient(bodies.qualified(one))).status for one in (ins, other)]
    assert (untouched, seen) == (200, [404, 200])
    assert [record.status_of(consent) for consent in consents] == ["inactive", "active"]
    deletion = next(event for event in record.trace() if event["action"] == "D")
    touched = {entity["what"].get("reference") for entity in deletion["entity"]}
    assert {f"RelatedPerson/{person}", f"Consent/{consents[0]}"} <= touched


def test_a_delegation_made_meanwhile_ends_with_its_person(record: OpenRecord) -> None:
    ins = bodies.new_ins()
    person = created(record, ins=ins).id

    with meanwhile("TransactWriteItems", lambda: delegate(record, person)):
        deleted = delete(record, person)

    assert deleted.status == 204
    assert record.documents(requester_patient(bodies.qualified(ins))).status == 404


# --- bad input, trace, cost


WRONG: dict[str, Callable[[OpenRecord], Json]] = {
    "no patient": lambda r: body_of(r, patient=None),
    "a patient without a name": lambda r: body_of(r, patient={"display": "Moi"}),
    "an element that FHIR does not know": lambda r: body_of(r, mood="sunny"),
    "a wrong key": lambda r: body_of(r, identifier=[{"system": INS_NIR, "value": "279035121518988"}]),
    "no INS at all": lambda r: body_of(r, "né à Paris"),
    "two INS": lambda r: body_of(r, identifier=[{"system": INS_NIR_TEST, "value": bodies.new_ins()} for _ in "ab"]),
    "the INS of another patient": lambda r: body_of(
        r,
        patient={
            "reference": f"Patient/{r.id}",
            "identifier": {"system": INS_NIR_TEST, "value": "279035121518989"},
        },
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_person_is_not_kept(record: OpenRecord, stack: dict[str, str], what: str) -> None:
    before = items_of(stack, record.id)

    refusal = record.api.post(URL, WRONG[what](record), as_=record.patient)

    assert refusal.status == 422
    assert items_of(stack, record.id) == before


def test_a_person_is_no_place_for_files(record: OpenRecord) -> None:
    photo = {"contentType": "image/png", "data": "AAAA" * 50_000}

    refusal = record.api.post(URL, body_of(record, photo=[photo]), as_=record.patient)

    assert (refusal.status, refusal.code) == (413, "too-large")


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_what_is_not_stated_is_not_allowed(record: OpenRecord, method: str) -> None:
    person = created(record)

    refusal = record.api.request(method, f"{URL}/{person.id}", person.json, as_=record.patient)

    assert (refusal.status, refusal.code) == (405, "method-not-allowed")


def test_whatever_is_done_to_a_person_is_in_the_trace(record: OpenRecord, clock: TimeMachineFixture) -> None:
    person = created(record)
    steps: list[Callable[[], Any]] = [
        lambda: get(record, person.id),
        lambda: search(record),
        lambda: put(record, person.id, person.json),
        lambda: get(record, person.id, HEALER),
        lambda: record.api.post(URL, body_of(record), as_=HEALER),
        lambda: put(record, person.id, person.json, HEALER),
        lambda: delete(record, person.id),
    ]
    for step in steps:
        clock.shift(60)
        step()
    clock.shift(60)

    told = [(event["action"], event["outcome"]) for event in reversed(record.trace())][2:]

    assert told == [("R", "0"), ("E", "0"), ("U", "0"), ("E", "8"), ("C", "0"), ("E", "8"), ("D", "0")]


def test_what_a_person_costs(record: OpenRecord) -> None:
    with counted() as creating:
        person = created(record)
    with counted() as reading:
        get(record, person.id)
    with counted() as searching:
        search(record)
    with counted() as changing:
        put(record, person.id, person.json)
    with counted() as deleting:
        delete(record, person.id)

    assert creating == ["GetItem", "TransactWriteItems"]
    assert reading == ["BatchGetItem", "PutItem"]
    assert searching == ["GetItem", "Query", "PutItem"]
    assert changing == deleting == ["BatchGetItem", "TransactWriteItems"]
