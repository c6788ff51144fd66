"""What the patient decides beside authorisations: oppositions, choices for emergencies, delegations (IHE PCF)."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.identifiers import INS_NIR, PS_IDNAT, STRUCT_IDNAT
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Caller, Response
from tests.aws_calls import meanwhile
from tests.open_record import OpenRecord, items_of, kind_of, open_record
from tests.requester_factories import requester_patient, requester_professional
from tests.token_factory import TokenFactory

type Json = dict[str, Any]

HEALER = requester_professional()
SAMU = requester_professional("10105550015", "1750000150", regulates_emergency_calls=True)
ELSEWHERE = requester_professional("10101112223", "1310000003")
TELECOM = [{"system": "email", "value": "dominique@example.org"}]
MODES = {"BTG": HEALER, "ETREAT": SAMU}
WRONG_KEY = "279035121518988"


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """A record of an adult, with a mailbox, while time stands still."""
    return open_record(api, telecom=TELECOM)


@pytest.fixture
def minors(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """A record of somebody who comes of age in Paris at the end of 16 May 2027, at 22:00 UTC."""
    return open_record(api, birthDate="2009-05-17")


def purposes(*modes: str) -> list[Json]:
    return [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": mode} for mode in modes]


def opposition(record: OpenRecord, *modes: str, **provision: Any) -> Json:
    return bodies.consent(record.id, "opposition", "deny", None, PS_IDNAT, purpose=purposes(*modes), **provision)


def choice(record: OpenRecord, kind: str, permit: str, **provision: Any) -> Json:
    told = {"purpose": purposes("BTG")} if kind == "masked-in-emergency" else {}
    return bodies.consent(record.id, kind, permit, None, PS_IDNAT, **told, **provision)


def declared(record: OpenRecord, who: Requester = HEALER, mode: str = "BTG") -> Response:
    body = bodies.parameters(mode={"valueCode": mode}, reason={"valueString": "Patient inconscient"})
    return record.api.post(f"/fhir/Patient/{record.id}/$emergency-access", body, as_=who)


def made(response: Response) -> Response:
    assert response.status == 201, response.body
    return response


def deposited(record: OpenRecord, as_: Caller) -> str:
    return made(record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=as_)).id


def reads(record: OpenRecord, document: str, as_: Caller) -> int:
    return record.api.get(f"/fhir/DocumentReference/{document}", as_=as_).status


# --- oppositions


@pytest.mark.parametrize("mode", MODES)
def test_an_opposition_keeps_its_mode_out_until_it_is_revoked(record: OpenRecord, mode: str) -> None:
    consent = made(record.consent(opposition(record, mode))).id

    opposed, *others = (declared(record, who, one) for one, who in sorted(MODES.items(), key=lambda m: m[0] != mode))
    record.revoke(consent)
    afterwards = declared(record, MODES[mode], mode)

    assert (opposed.status, opposed.code) == (403, "emergency-opposed")
    assert [other.status for other in others] == [201]
    assert afterwards.status == 201


@pytest.mark.parametrize("how", ["opposition", "block"])
def test_what_the_patient_refuses_during_an_emergency_ends_it_for_good(record: OpenRecord, how: str) -> None:
    emergency = made(declared(record)).id
    others = made(declared(record, SAMU, "ETREAT")).id
    assert record.may_read(HEALER)

    refusal = made(record.consent(opposition(record, "BTG") if how == "opposition" else bodies.block(record.id)))
    during = record.may_read(HEALER)
    record.revoke(refusal.id)

    assert (during, record.may_read(HEALER)) == (False, False)
    assert [record.status_of(consent) for consent in (emergency, others)] == ["inactive", "active"]
    assert record.may_read(SAMU)


def test_a_new_opposition_takes_the_place_of_those_it_covers(record: OpenRecord) -> None:
    short = made(record.consent(opposition(record, "BTG", period={"end": "2026-06-30"}))).id
    other = made(record.consent(opposition(record, "ETREAT"))).id
    lasting = made(record.consent(opposition(record, "BTG"))).id
    shorter = made(record.consent(opposition(record, "BTG", period={"end": "2026-04-30"}))).id

    statuses = [record.status_of(consent) for consent in (short, other, lasting, shorter)]

    assert statuses == ["inactive", "active", "active", "active"]


def test_one_opposition_ends_all_that_it_can_meet_in_one_transaction(record: OpenRecord) -> None:
    for day in range(9):
        made(record.consent(opposition(record, "BTG", period={"start": "2026-04-01", "end": f"2026-09-{28 - day}"})))
    declarers = [requester_professional(f"1020000{number:04d}", None) for number in range(32)]
    for one in declarers:
        made(declared(record, one))

    made(record.consent(opposition(record, "BTG", "ETREAT")))

    assert not any(record.may_read(one) for one in declarers)
    in_force = record.consents("&status=active&category=opposition,emergency&_count=100").resources
    assert Counter(map(kind_of, in_force)) == {"opposition": 1}


# --- choices


def test_the_patient_shows_masked_documents_in_an_emergency_or_not(record: OpenRecord) -> None:
    document = deposited(record, HEALER)
    record.api.patch(f"/fhir/DocumentReference/{document}", bodies.MASK, as_=record.patient)
    made(declared(record, ELSEWHERE))

    seen = [reads(record, document, ELSEWHERE)]
    for permit in ("permit", "deny", "permit"):
        made(record.consent(choice(record, "masked-in-emergency", permit)))
        seen.append(reads(record, document, ELSEWHERE))

    assert seen == [404, 200, 404, 200]
    assert len(record.consents("&category=masked-in-emergency&status=active").resources) == 1


def test_the_patient_chooses_how_new_documents_arrive(record: OpenRecord) -> None:
    record.authorise("810101112223")
    documents = [deposited(record, HEALER)]
    for permit in ("deny", "permit"):
        made(record.consent(choice(record, "default-visibility", permit)))
        documents.append(deposited(record, HEALER))

    assert [reads(record, document, ELSEWHERE) for document in documents] == [200, 404, 200]
    assert [reads(record, document, record.patient) for document in documents] == [200] * 3


def test_a_choice_that_ends_leaves_none(record: OpenRecord, clock: TimeMachineFixture) -> None:
    record.authorise("810101112223")
    made(record.consent(choice(record, "default-visibility", "deny", period={"end": "2026-03-10"})))
    clock.move_to("2026-03-11T12:00:00Z", tick=False)

    assert reads(record, deposited(record, HEALER), ELSEWHERE) == 200


# --- who may


def test_choices_are_the_patients_and_a_representatives(minors: OpenRecord) -> None:
    parent, caregiver = requester_patient(new()), requester_patient(new())
    delegate(minors, parent, "MTH")
    delegate(minors, caregiver, "NBOR")
    made(minors.consent(bodies.attending_physician(minors.id)))
    wanted = [
        opposition(minors, "BTG"),
        choice(minors, "masked-in-emergency", "permit"),
        choice(minors, "default-visibility", "deny"),
    ]

    statuses = {
        who: [minors.consent(body, as_).status for body in wanted]
        for who, as_ in {"parent": parent, "caregiver": caregiver, "physician": HEALER, "other": ELSEWHERE}.items()
    }

    refused = [403] * 3
    assert statuses == {"parent": [201] * 3, "caregiver": refused, "physician": refused, "other": refused}


def test_only_the_patient_and_the_declarer_end_an_emergency(record: OpenRecord) -> None:
    by_patient, by_declarer, by_another = (made(declared(record, who)).id for who in (HEALER, SAMU, ELSEWHERE))

    refusal = record.revoke(by_another, HEALER)
    statuses = [record.revoke(by_patient).status, record.revoke(by_declarer, SAMU).status]

    assert (refusal.status, refusal.code) == (403, "not-authorised")
    assert statuses == [200, 200]
    assert [record.may_read(who) for who in (HEALER, SAMU, ELSEWHERE)] == [False, False, True]


def test_the_hour_of_an_emergency_never_changes(record: OpenRecord, clock: TimeMachineFixture) -> None:
    emergency = made(declared(record))
    url, body = f"/fhir/Consent/{emergency.id}", emergency.json
    period = {**body["provision"]["period"], "end": "2026-03-02T18:00:00Z"}
    longer = {**body, "provision": {**body["provision"], "period": period}}

    refusals = [
        record.api.patch(url, [{"op": "replace", "path": "/provision/period/end", "value": end}], as_=record.patient)
        for end in ("2026-03-02T18:00:00Z", "2026-03-02T12:30:00Z")
    ]
    refusals.append(record.api.put(url, longer, as_=record.patient))
    ended = record.api.put(url, {**body, "status": "inactive"}, as_=record.patient)

    assert {(r.status, r.code) for r in refusals} == {(422, "consent-immutable")}
    assert (ended.status, ended.json["status"], record.may_read(HEALER)) == (200, "inactive", False)


# --- a purpose outside of care


@pytest.mark.parametrize("code", ["INSURANCE", "EMPLOYMENT", "HPAYMT", "HRESCH"])
def test_a_purpose_outside_of_care_is_refused_and_traced(
    record: OpenRecord, tokens: TokenFactory, clock: TimeMachineFixture, code: str
) -> None:
    body = bodies.authorisation(record.id, purpose=purposes("TREAT", code))
    clock.shift(60)

    refusal = record.consent(body, tokens.patient(ins=bodies.qualified(record.ins)))

    assert (refusal.status, refusal.code) == (403, "purpose-outside-care")
    newest = record.trace()[0]
    assert (newest["outcome"], newest["outcomeDesc"]) == ("8", "Refus : finalité étrangère aux soins.")
    assert not record.may_read(HEALER)


def test_a_purpose_outside_of_care_tells_nobody_of_a_record(record: OpenRecord) -> None:
    stranger = requester_patient(new())

    def asked(patient: Json) -> Response:
        body = {**bodies.authorisation(record.id, purpose=purposes("INSURANCE")), "patient": patient}
        return record.consent(body, stranger)

    system, nobody = bodies.qualified("").rstrip("|"), new().partition("|")[2]
    answers = [asked({"identifier": {"system": system, "value": value}}) for value in (record.ins, nobody)] + [
        asked({"reference": f"Patient/{identity}"}) for identity in (record.id, "0" * 26)
    ]

    assert len({(answer.status, answer.code) for answer in answers}) == 1


# --- notices


def told(stack: dict[str, str], record: OpenRecord) -> Counter[tuple[str, str]]:
    found = [json.loads(item["body"]["S"]) for item in items_of(stack, record.id, "M#")]
    return Counter((m["recipient"], m["email"]) for m in found if m["kind"] == "authorisation-added")


def test_the_patient_is_told_once_of_whoever_may_read_from_now_on(record: OpenRecord, stack: dict[str, str]) -> None:
    criterion = {"If-None-Exist": "category=authorisation&status=active"}
    silent = [opposition(record, "BTG"), bodies.block(record.id), choice(record, "default-visibility", "deny")]
    for body in silent:
        made(record.consent(body))
    before = told(stack, record)

    counts = []
    attempts: list[Callable[[], Response]] = [
        lambda: record.consent(bodies.authorisation(record.id, "810101112223"), ELSEWHERE, headers=criterion),
        lambda: record.consent(bodies.authorisation(record.id, "810101112223"), ELSEWHERE, headers=criterion),
        lambda: record.consent(bodies.attending_physician(record.id, "810101112223")),
        lambda: record.consent(contained(record, new())),
    ]
    for attempt in attempts:
        attempt()
        counts.append(told(stack, record)["patient", "dominique@example.org"])

    assert (before, counts) == ({}, [1, 1, 2, 3])


def test_a_connexion_secrete_leaves_no_consent_for_a_representative(minors: OpenRecord) -> None:
    parent = requester_patient(new())
    delegate(minors, parent, "MTH")
    secret = minors.consent(bodies.authorisation(minors.id), requester_professional(is_secret=True)).id
    open_ = minors.authorise("810101112223").id

    found = {
        who: {c["id"] for c in minors.consents("&category=authorisation", as_).resources}
        for who, as_ in {"patient": minors.patient, "parent": parent}.items()
    }

    assert found == {"patient": {secret, open_}, "parent": {open_}}
    hidden = [
        minors.api.get(f"/fhir/Consent/{secret}", as_=parent),
        minors.api.get(f"/fhir/Consent/{secret}/_history", as_=parent),
        minors.revoke(secret, parent),
        minors.api.get(f"/fhir/Consent/{minors.id}.{'0' * 26}", as_=parent),
    ]
    assert {(r.status, r.code) for r in hidden} == {(404, "no-consent")}


# --- delegations


def new() -> str:
    """A new person's INS, as a token carries it."""
    return bodies.qualified(bodies.new_ins())


def person_body(record: OpenRecord, ins: str, relationship: str = "NBOR", **elements: Any) -> Json:
    system, _, value = ins.partition("|")
    coding = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": relationship}
    return {
        "resourceType": "RelatedPerson",
        "identifier": [{"system": system, "value": value}],
        "patient": {"reference": f"Patient/{record.id}"},
        "relationship": [{"coding": [coding]}],
        "name": [{"family": "AIDANT", "given": ["CAMILLE"]}],
        **elements,
    }


def delegation(record: OpenRecord, reference: str, **provision: Any) -> Json:
    body = bodies.consent(record.id, "delegation", "permit", None, PS_IDNAT, **provision)
    body["provision"]["actor"] = [{"reference": {"reference": reference}}]
    return body


def contained(record: OpenRecord, ins: str, relationship: str = "NBOR", **elements: Any) -> Json:
    person = {**person_body(record, ins, relationship), "id": "aidant", **elements}
    return {**delegation(record, "#aidant"), "contained": [person]}


def relate(record: OpenRecord, ins: str, relationship: str = "NBOR", **elements: Any) -> str:
    body = person_body(record, ins, relationship, **elements)
    return made(record.api.post("/fhir/RelatedPerson", body, as_=record.patient)).id


def delegate(record: OpenRecord, person: Requester, relationship: str = "NBOR", **provision: Any) -> str:
    """The patient lets a person act for them; the Consent's id."""
    identity = relate(record, str(person.identifier), relationship)
    return made(record.consent(delegation(record, f"RelatedPerson/{identity}", **provision))).id


def test_a_caregiver_reads_and_adds_and_nothing_else(record: OpenRecord, tokens: TokenFactory) -> None:
    ins = new()
    caregiver = tokens.patient(ins=ins)
    document = deposited(record, ELSEWHERE)
    person = relate(record, ins)
    before = reads(record, document, caregiver)

    answer = made(record.consent(delegation(record, f"RelatedPerson/{person}")))

    assert before == 404
    [actor] = answer.json["provision"]["actor"]
    assert actor["reference"] == {"reference": f"RelatedPerson/{person}", "type": "RelatedPerson"}
    assert "end" not in answer.json["provision"]["period"]
    assert ins.partition("|")[2] not in answer.body.decode()
    get, close = record.api.get, bodies.parameters(motive={"valueCode": "patient-demande"})
    assert reads(record, document, caregiver) == 200
    assert get(f"/fhir/Patient/{record.id}", as_=caregiver).status == 200
    assert get(f"/fhir/RelatedPerson/{person}", as_=caregiver).status == 200
    assert deposited_by_person(record, caregiver) == 201
    refusals = [
        record.api.post(f"/fhir/Patient/{record.id}/$close", close, as_=caregiver),
        record.consent(bodies.authorisation(record.id), caregiver),
        record.consent(contained(record, new()), caregiver),
        get(f"/fhir/AuditEvent?patient={record.id}", as_=caregiver),
        record.consents(as_=caregiver),
        record.api.post("/fhir/RelatedPerson", person_body(record, new()), as_=caregiver),
        record.api.delete(f"/fhir/RelatedPerson/{person}", as_=caregiver),
        record.revoke(answer.id, caregiver),
    ]
    assert {(r.status, r.code) for r in refusals} == {(403, "not-authorised")}


def deposited_by_person(record: OpenRecord, as_: Caller) -> int:
    """An own document of a person, of a type that persons may deposit."""
    coding = [
        {
            "system": "https://mos.esante.gouv.fr/NOS/TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire",
            "code": "EXPPAT_1",
        }
    ]
    body = bodies.document(record.id, type={"coding": coding})
    return record.api.post("/fhir/DocumentReference", body, as_=as_).status


def test_a_delegate_that_comes_with_the_consent_is_kept_beside_it(record: OpenRecord) -> None:
    ins = new()

    answer = made(record.consent(contained(record, ins)))

    [actor] = answer.json["provision"]["actor"]
    person = record.api.get(f"/fhir/{actor['reference']['reference']}", as_=record.patient).json
    assert person["identifier"][0]["value"] == ins.partition("|")[2]
    assert person["patient"] == {"reference": f"Patient/{record.id}"}
    assert "contained" not in answer.json
    assert record.consents(as_=requester_patient(ins)).status == 403
    assert record.may_read(requester_patient(ins))


@pytest.mark.parametrize("how", ["patch", "put", "person deleted"])
def test_a_delegate_whom_the_patient_no_longer_wants_finds_nothing(record: OpenRecord, how: str) -> None:
    caregiver = requester_patient(new())
    person = relate(record, str(caregiver.identifier))
    consent = made(record.consent(delegation(record, f"RelatedPerson/{person}")))
    document = deposited(record, ELSEWHERE)
    assert reads(record, document, caregiver) == 200

    if how == "patch":
        ended = record.revoke(consent.id)
    elif how == "put":
        body = {**consent.json, "status": "inactive"}
        ended = record.api.put(f"/fhir/Consent/{consent.id}", body, as_=record.patient)
    else:
        ended = record.api.delete(f"/fhir/RelatedPerson/{person}", as_=record.patient)

    assert ended.status == (204 if how == "person deleted" else 200)
    assert reads(record, document, caregiver) == 404
    assert record.api.get(f"/fhir/Patient/{record.id}", as_=caregiver).code == "no-record"
    assert record.status_of(consent.id) == "inactive"


def of_another_record(record: OpenRecord) -> Json:
    return delegation(record, f"RelatedPerson/{relate(open_record(record.api), new())}")


def of_a_deleted_person(record: OpenRecord) -> Json:
    person = relate(record, new())
    assert record.api.delete(f"/fhir/RelatedPerson/{person}", as_=record.patient).status == 204
    return delegation(record, f"RelatedPerson/{person}")


def under_another_record(record: OpenRecord) -> Json:
    local = relate(record, new()).partition(".")[2]
    return delegation(record, f"RelatedPerson/{open_record(record.api).id}.{local}")


NO_INS = [{"system": "urn:oid:1.2.3", "value": "7"}]
INVALID_DELEGATES: dict[str, Callable[[OpenRecord], Json]] = {
    "the patient": lambda r: contained(r, bodies.qualified(r.ins)),
    "the patient as a person": lambda r: delegation(r, f"RelatedPerson/{relate(r, bodies.qualified(r.ins))}"),
    "a wrong key": lambda r: contained(r, f"{INS_NIR}|{WRONG_KEY}"),
    "no INS": lambda r: contained(r, new(), identifier=NO_INS),
    "no identifier": lambda r: delegation(r, f"RelatedPerson/{relate(r, new(), identifier=NO_INS)}"),
    "a person of another record": of_another_record,
    "a person under the name of another record": under_another_record,
    "a deleted person": of_a_deleted_person,
    "nobody": lambda r: delegation(r, f"RelatedPerson/{r.id}.{'0' * 26}"),
    "no id of ours": lambda r: delegation(r, "RelatedPerson/aidant"),
}


@pytest.mark.parametrize("who", INVALID_DELEGATES)
def test_nobody_acts_who_is_not_a_person_with_an_ins(record: OpenRecord, stack: dict[str, str], who: str) -> None:
    body = INVALID_DELEGATES[who](record)
    before = items_of(stack, record.id)

    refusal = record.consent(body)

    assert (refusal.status, refusal.code) == (422, "invalid-delegate")
    assert items_of(stack, record.id) == before


def test_a_contained_delegate_is_one_of_this_patient(record: OpenRecord) -> None:
    system, other = bodies.qualified("").rstrip("|"), open_record(record.api)
    named = [
        {"reference": f"Patient/{other.id}"},
        {"identifier": {"system": system, "value": other.ins}},
        {"identifier": {"system": system, "value": new().partition("|")[2]}},
    ]

    refusals = [record.consent(contained(record, new(), patient=patient)) for patient in named]

    assert {(r.status, r.code) for r in refusals} == {(422, "wrong-patient")}


def test_a_person_deleted_meanwhile_acts_for_nobody(record: OpenRecord) -> None:
    ins = new()
    person = relate(record, ins)
    delete = f"/fhir/RelatedPerson/{person}"

    with meanwhile("TransactWriteItems", lambda: record.api.delete(delete, as_=record.patient)):
        refusal = record.consent(delegation(record, f"RelatedPerson/{person}"))

    assert (refusal.status, refusal.code) == (422, "invalid-delegate")
    assert record.documents(requester_patient(ins)).status == 404


def test_a_new_delegation_of_the_same_person_takes_the_place_of_the_former(record: OpenRecord) -> None:
    caregiver = requester_patient(new())
    first, other = delegate(record, caregiver), delegate(record, requester_patient(new()))

    second = delegate(record, caregiver, "GUARD", period={"end": "2026-03-31"})

    assert [record.status_of(c) for c in (first, other, second)] == ["inactive", "active", "active"]
    assert record.consents(as_=caregiver).status == 200


RELATIONSHIPS = {"MTH": (True, False), "GUARD": (True, True), "NBOR": (False, False)}


@pytest.mark.parametrize("relationship", RELATIONSHIPS)
def test_the_relationship_tells_a_representative_from_a_caregiver(
    record: OpenRecord, minors: OpenRecord, relationship: str
) -> None:
    person = requester_patient(new())

    represents = []
    for one in (minors, record):
        delegate(one, person, relationship)
        represents.append(one.consents(as_=person).status == 200)

    assert tuple(represents) == RELATIONSHIPS[relationship]


def test_a_representative_of_a_minor_acts_until_the_birthday_begins(
    minors: OpenRecord, tokens: TokenFactory, clock: TimeMachineFixture
) -> None:
    ins = new()
    consent = delegate(minors, requester_patient(ins), "MTH", period={"end": "2040-01-01"})
    end = minors.get_consent(consent)["provision"]["period"]["end"]

    seen = {}
    for moment in ("21:59:59", "22:00:00"):
        clock.move_to(f"2027-05-16T{moment}Z", tick=False)
        parent = tokens.patient(ins=ins)
        trace = minors.api.get(f"/fhir/AuditEvent?patient={minors.id}", as_=parent)
        seen[moment] = (minors.documents(parent).status, trace.status)

    assert end == "2027-05-16T22:00:00.000Z"
    assert seen == {"21:59:59": (200, 200), "22:00:00": (404, 404)}


def test_a_representative_decides_everything_but_who_represents(minors: OpenRecord, tokens: TokenFactory) -> None:
    ins = new()
    parent = tokens.patient(ins=ins)
    consent = delegate(minors, requester_patient(ins), "MTH", period={"end": "2026-12-31"})
    other = delegate(minors, requester_patient(new()), "FTH", period={"end": "2026-12-31"})
    longer = [{"op": "replace", "path": "/provision/period/end", "value": "2027-03-01"}]

    authorised = minors.consent(bodies.authorisation(minors.id), parent)
    person = minors.api.post("/fhir/RelatedPerson", person_body(minors, new()), as_=parent)
    refusals = [
        minors.consent(contained(minors, new(), "GUARD"), parent),
        minors.consent(delegation(minors, f"RelatedPerson/{person.id}"), parent),
        minors.api.patch(f"/fhir/Consent/{consent}", longer, as_=parent),
        minors.api.patch(f"/fhir/Consent/{other}", longer, as_=parent),
    ]
    lengthened = minors.api.patch(f"/fhir/Consent/{consent}", longer, as_=minors.patient)

    assert (authorised.status, person.status) == (201, 201)
    assert authorised.json["performer"][0]["type"] == "RelatedPerson"
    assert {(r.status, r.code) for r in refusals} == {(403, "not-authorised")}
    assert lengthened.json["provision"]["period"]["end"] == "2027-03-01T23:00:00.000Z"


def test_nobody_prolongs_the_minority(minors: OpenRecord) -> None:
    consent = delegate(minors, requester_patient(new()), "MTH")
    longer = [{"op": "replace", "path": "/provision/period/end", "value": "2030-01-01"}]

    answer = minors.api.patch(f"/fhir/Consent/{consent}", longer, as_=minors.patient)

    assert (answer.status, answer.headers["etag"]) == (200, 'W/"1"')
    assert answer.json["provision"]["period"]["end"] == "2027-05-16T22:00:00.000Z"


# --- changes and searches


def test_what_is_past_cannot_be_brought_back_before_the_job_has_marked_it(
    record: OpenRecord, clock: TimeMachineFixture
) -> None:
    body = bodies.attending_physician(record.id)
    body["provision"]["period"] = {"end": "2026-03-10"}
    past = made(record.consent(body)).id
    clock.move_to("2026-03-11T12:00:00Z", tick=False)
    made(record.consent(bodies.attending_physician(record.id, "810101112223")))
    longer = [{"op": "replace", "path": "/provision/period/end", "value": "2026-12-31"}]

    refusal = record.api.patch(f"/fhir/Consent/{past}", longer, as_=record.patient)

    assert (refusal.status, refusal.code) == (422, "consent-ended")
    assert [record.may_read(who) for who in (HEALER, ELSEWHERE)] == [False, True]


def test_a_search_understands_every_kind(record: OpenRecord) -> None:
    caregiver = requester_patient(new())
    person = relate(record, str(caregiver.identifier))
    ids = {
        "delegation": made(record.consent(delegation(record, f"RelatedPerson/{person}"))).id,
        "emergency": made(declared(record)).id,
        "opposition": made(record.consent(opposition(record, "ETREAT", period={"end": "2026-03-31"}))).id,
        "masked": made(record.consent(choice(record, "masked-in-emergency", "permit"))).id,
        "visibility": made(record.consent(choice(record, "default-visibility", "deny"))).id,
    }
    record.revoke(ids["masked"])
    cases = {
        "category=delegation": {"delegation"},
        "category=masked-in-emergency,default-visibility": {"masked", "visibility"},
        "category=masked-in-emergency,default-visibility&status=active": {"visibility"},
        f"actor=RelatedPerson/{person}": {"delegation"},
        f"actor={person}": {"delegation"},
        f"actor=https://dmp.example/fhir/RelatedPerson/{person}": {"delegation"},
        f"actor={PS_IDNAT}|810101234567": {"emergency"},
        f"actor={STRUCT_IDNAT}|1750100125": set(),
        "period=eb2026-03-03": {"emergency"},
        "period=eb2026-04-02": {"emergency", "opposition"},
        "period=gt2026-04-02&category=opposition,delegation,emergency": {"delegation"},
    }

    found = {query: {c["id"] for c in record.consents(f"&{quote(query, safe='=&,/:|')}").resources} for query in cases}

    assert found == {query: {ids[name] for name in names} for query, names in cases.items()}
    by_ins = record.consents(f"&actor={quote(str(caregiver.identifier))}")
    assert (by_ins.status, by_ins.code) == (400, "invalid-parameter")
