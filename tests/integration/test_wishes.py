"""Advance directives and organ donation: who tells of them, who reads them, and that they open nothing (L.1111-11)."""

from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.identifiers import PS_IDNAT
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Caller, Response
from tests.aws_calls import counted
from tests.open_record import OpenRecord, open_record
from tests.requester_factories import (
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)

type Json = dict[str, Any]

HEALER = requester_professional()
COLLEAGUE = requester_professional("10101112223", "1310000003")
NURSE = requester_professional("10102223334", "1310000009", profession="60")
SAMU = requester_professional("10105550015", "1750000150")
STRANGER = requester_professional("10109999999", "1310000004")
KINDS = ("advance-directives", "organ-donation")


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """An adult's record while time stands still."""
    return open_record(api)


def wish(record: OpenRecord, kind: str = "advance-directives", permit: str = "permit", **elements: Any) -> Json:
    return bodies.consent(record.id, kind, permit, None, PS_IDNAT) | elements


def made(response: Response) -> Response:
    assert response.status == 201, response.body
    return response


def directives_document(record: OpenRecord, as_: Caller = None, type_code: str = "EXPPAT_3", **elements: Any) -> str:
    system = "https://mos.esante.gouv.fr/NOS/TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire"
    concept = {"coding": [{"system": system, "code": type_code}]}
    body = bodies.document(record.id, **{"type": concept, **elements})
    return made(record.api.post("/fhir/DocumentReference", body, as_=as_ or record.patient)).id


def source(document: str) -> Json:
    return {"sourceReference": {"reference": f"DocumentReference/{document}"}}


def delegate(record: OpenRecord, relationship: str) -> Requester:
    """Somebody who acts for the patient."""
    ins = bodies.new_ins()
    code = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": relationship}
    person = bodies.guardian(ins, relationship=[{"coding": [code]}], patient={"reference": f"Patient/{record.id}"})
    known = made(record.api.post("/fhir/RelatedPerson", person, as_=record.patient)).id
    body = bodies.consent(record.id, "delegation", "permit", None, PS_IDNAT)
    body["provision"]["actor"] = [{"reference": {"reference": f"RelatedPerson/{known}"}}]
    made(record.consent(body))
    return requester_patient(bodies.qualified(ins))


def test_advance_directives_are_told_with_the_document_that_says_them(record: OpenRecord) -> None:
    document = directives_document(record)
    adr = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "adr"}]}

    told = made(record.consent(wish(record, scope=adr, **source(document))))

    assert told.json["sourceReference"] == {"reference": f"DocumentReference/{document}"}
    assert "sourceAttachment" not in told.json
    assert told.json["scope"] == adr
    codes = [coding["code"] for concept in told.json["category"] for coding in concept["coding"]]
    assert codes == ["59284-0", "advance-directives", "42348-3"]
    assert record.get_consent(told.id) == told.json
    assert [c["id"] for c in record.consents("&category=42348-3").resources] == [told.id]


@pytest.mark.parametrize("permit", ["permit", "deny"])
def test_a_wish_for_ones_organs_is_a_yes_or_a_no(record: OpenRecord, permit: str) -> None:
    told = made(record.consent(wish(record, "organ-donation", permit)))

    assert (told.json["provision"]["type"], told.json["status"]) == (permit, "active")


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_wish_of_a_kind_counts(record: OpenRecord, kind: str, clock: TimeMachineFixture) -> None:
    first = made(record.consent(wish(record, kind))).id
    clock.shift(60)

    second = made(record.consent(wish(record, kind))).id

    assert [record.status_of(one) for one in (first, second)] == ["inactive", "active"]
    assert record.revoke(second).status == 200
    assert record.consents("&status=active&category=advance-directives,organ-donation").resources == []


def test_a_wish_sent_back_is_the_same_and_says_no_other_thing(record: OpenRecord) -> None:
    told = made(record.consent(wish(record, "organ-donation", "deny")))
    address, tag = f"/fhir/Consent/{told.id}", {"If-Match": 'W/"1"'}
    other = {**told.json, "provision": {**told.json["provision"], "type": "permit"}}
    ended = {**told.json, "status": "inactive"}

    same = record.api.put(address, told.json, as_=record.patient, headers=tag)
    refused = record.api.put(address, other, as_=record.patient, headers=tag)
    revoked = record.api.put(address, ended, as_=record.patient, headers=tag)

    assert (same.status, revoked.status, revoked.json["status"]) == (200, 200, "inactive")
    assert (refused.status, refused.code) == (422, "consent-immutable")


WRONG: dict[str, Any] = {
    "a document of another type": lambda r: directives_document(r, type_code="EXPPAT_1"),
    "a document of another record": lambda r: directives_document(open_record(r.api)),
    "no document": lambda r: f"{r.id}.{'0' * 26}",
    "no id": lambda _: "x",
}


@pytest.mark.parametrize("what", WRONG)
def test_a_source_is_a_document_of_advance_directives_that_the_caller_sees(record: OpenRecord, what: str) -> None:
    refusal = record.consent(wish(record, **source(WRONG[what](record))))

    assert (refusal.status, refusal.code) == (422, "unknown-reference")
    assert record.consents("&category=advance-directives").resources == []


def test_a_source_that_is_no_document_is_refused(record: OpenRecord) -> None:
    refusal = record.consent(wish(record, sourceReference={"reference": f"Patient/{record.id}"}))

    assert (refusal.status, refusal.code) == (422, "unknown-reference")


@pytest.mark.parametrize("kind", KINDS)
def test_wishes_are_expressed_by_the_person_and_for_an_adults_organs_by_nobody_else(
    record: OpenRecord, kind: str
) -> None:
    guardian, neighbour = delegate(record, "GUARD"), delegate(record, "NBOR")
    made(record.consent(bodies.attending_physician(record.id)))
    own = made(record.consent(wish(record, kind))).id
    others = (guardian, neighbour, HEALER, COLLEAGUE, requester_cpam_agent(), requester_server())

    created = {who.name or who.kind: record.consent(wish(record, kind), as_=who).status for who in others[1:]}
    revoked = [record.revoke(own, as_=who).status for who in others[1:]]
    guardians = [record.consent(wish(record, kind), as_=guardian).status, record.revoke(own, as_=guardian).status]

    assert set(created.values()) == {403}
    assert set(revoked) == {403}
    assert guardians == ([403, 403] if kind == "organ-donation" else [201, 200])


SPOILT: dict[str, Json] = {
    "a wrong type": {"provision": {"type": "deny"}},
    "no type": {"provision": {}},
    "another scope": {"scope": {"text": "?"}},
    "an end that is past": {"provision": {"type": "permit", "period": {"end": "2020-01-01"}}},
    "a provision that is none": {"provision": "x"},
}


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize("kind", KINDS)
def test_who_expresses_no_wishes_does_not_learn_how_they_are_told(record: OpenRecord, kind: str, spoilt: str) -> None:
    guardian, neighbour = delegate(record, "GUARD"), delegate(record, "NBOR")
    made(record.consent(bodies.attending_physician(record.id)))
    body = wish(record, kind, **SPOILT[spoilt])
    if (kind, spoilt) == ("organ-donation", "a wrong type"):
        body["provision"] = {"type": "perhaps"}

    own = record.consent(body)
    refusals = [record.consent(body, as_=who) for who in (neighbour, HEALER, COLLEAGUE, STRANGER, requester_server())]
    guardians = record.consent(body, as_=guardian).status

    assert own.status == 422
    assert {(r.status, r.code) for r in refusals} == {(403, "not-authorised")}
    assert guardians == (403 if kind == "organ-donation" else 422)


def test_a_consent_that_somebody_may_make_is_refused_for_what_is_wrong_with_it(record: OpenRecord) -> None:
    mark = bodies.attending_physician(record.id) | {"provision": {"type": "deny"}}
    authorisation = bodies.authorisation(record.id) | {"provision": {"type": "deny"}}
    block = bodies.block(record.id) | {"provision": {"type": "permit"}}

    answers = [record.consent(body, as_=HEALER).status for body in (mark, authorisation, block)]

    assert answers == [422, 422, 403]


def test_who_represents_a_minor_tells_of_the_wishes(api: ApiClient, clock: TimeMachineFixture) -> None:
    minors = open_record(api, birthDate="2011-06-01")
    mother = delegate(minors, "MTH")

    assert made(minors.consent(wish(minors, "organ-donation", "deny"), as_=mother)).json["performer"] == [
        {"type": "RelatedPerson", "display": "Représentant légal"}
    ]


@pytest.fixture
def readers(record: OpenRecord) -> dict[str, Requester]:
    """Everybody around the record who may read of the person."""
    found = {
        "patient": record.patient,
        "representative": delegate(record, "GUARD"),
        "caregiver": delegate(record, "NBOR"),
        "médecin traitant": HEALER,
        "authorised": COLLEAGUE,
        "nurse": NURSE,
        "emergency": SAMU,
    }
    made(record.consent(bodies.attending_physician(record.id)))
    record.authorise("810101112223")
    record.authorise("810102223334")
    reason = bodies.parameters(mode={"valueCode": "BTG"}, reason={"valueString": "Patient inconscient"})
    made(record.api.post(f"/fhir/Patient/{record.id}/$emergency-access", reason, as_=SAMU))
    return found


def test_wishes_are_read_by_whoever_reads_of_the_person(record: OpenRecord, readers: dict[str, Requester]) -> None:
    told = {made(record.consent(wish(record, kind))).id for kind in KINDS}
    others = {
        "stranger": STRANGER,
        "employee": requester_employee(),
        "server": requester_server(),
        "agent": requester_cpam_agent(),
    }

    read = {who: [_read(record, one, caller) for one in told] for who, caller in (readers | others).items()}
    found = {who: {c["id"] for c in _found(record, caller)} & told for who, caller in readers.items()}

    assert read == {who: [200, 200] if who in readers else [403, 403] for who in read}
    assert found == dict.fromkeys(readers, told)
    assert record.consents(as_=STRANGER).status == 403


def _read(record: OpenRecord, consent: str, as_: Caller) -> int:
    return record.api.get(f"/fhir/Consent/{consent}", as_=as_).status


def _found(record: OpenRecord, as_: Caller) -> list[Json]:
    answer = record.consents("&category=advance-directives,organ-donation", as_=as_)
    assert answer.status == 200, answer.body
    return answer.resources


def test_an_access_by_an_emergency_tells_so_in_the_trace(
    record: OpenRecord, readers: dict[str, Requester], clock: TimeMachineFixture
) -> None:
    made(record.consent(wish(record, "organ-donation")))
    clock.shift(60)

    _found(record, readers["emergency"])

    event = record.trace()[0]
    purposes = [c["code"] for a in event["agent"] for p in a.get("purposeOfUse", []) for c in p["coding"]]
    assert "BTG" in purposes


def test_wishes_open_and_close_nothing(record: OpenRecord) -> None:
    for permit in ("permit", "deny"):
        for kind in KINDS if permit == "permit" else KINDS[1:]:
            made(record.consent(wish(record, kind, permit)))

    assert [record.may_read(who) for who in (record.patient, STRANGER)] == [True, False]
    record.authorise("810109999999")
    assert record.may_read(STRANGER)


def test_a_wish_does_not_tell_of_a_document_that_its_reader_may_not_see(
    record: OpenRecord, readers: dict[str, Requester]
) -> None:
    document = directives_document(record)
    told = made(record.consent(wish(record, **source(document)))).id
    seen = {who: "sourceReference" in record.get_consent(told, caller) for who, caller in readers.items()}
    record.api.patch(f"/fhir/DocumentReference/{document}", bodies.MASK, as_=record.patient)

    masked = {who: record.get_consent(told, caller) for who, caller in readers.items()}
    listed = {who: _found(record, caller) for who, caller in readers.items()}

    close = {"patient", "representative", "caregiver", "médecin traitant"}
    assert {who for who, is_seen in seen.items() if is_seen} >= close | {"authorised"}
    assert {who for who, one in masked.items() if "sourceReference" in one} == close
    assert {who for who, [one] in listed.items() if "sourceReference" in one} == close
    assert all("sourceAttachment" in one for who, one in masked.items() if who not in close)


def test_what_wishes_cost(record: OpenRecord) -> None:
    document = directives_document(record)
    with counted() as plain:
        made(record.consent(wish(record, "organ-donation")))
    with counted() as creating:
        told = made(record.consent(wish(record, **source(document)))).id
    with counted() as reading:
        record.get_consent(told)

    assert plain == ["GetItem", "TransactWriteItems"]
    assert creating == ["GetItem", "BatchGetItem", "TransactWriteItems"]
    assert reading == ["BatchGetItem", "PutItem", "BatchGetItem"]
