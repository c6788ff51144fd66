"""Whoever does not want a record says so once, and nobody opens one until they say otherwise (R.1111-28)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dmp.domain.identifiers import INS_NIR, INS_NIR_TEST
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Caller, Response
from tests.aws_calls import answer_lost, meanwhile, refused
from tests.caller_trace import traced_of
from tests.open_record import OpenRecord, everything_stored, open_record
from tests.requester_factories import (
    requester_cnam_feed,
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)

HEALER = requester_professional()
AGENT = requester_cpam_agent()
ATTESTED = {"attestation": bodies.attested()}
CHILD = "2020-05-17"
OPPOSE, LIFT = "$oppose", "$lift-opposition"
both = pytest.mark.parametrize("operation", [OPPOSE, LIFT])


def person(ins: str) -> Requester:
    return requester_patient(bodies.qualified(ins))


def ask(api: ApiClient, operation: str, ins: str, as_: Caller = None, **more: Any) -> Response:
    """Without `as_`, the person asks."""
    identifier = {"valueIdentifier": {"system": INS_NIR_TEST, "value": ins}}
    body = bodies.parameters(**{"identifier": identifier, **more})
    given = {**body, "parameter": [one for one in body["parameter"] if len(one) > 1]}
    return api.post(f"/fhir/Patient/{operation}", given, as_=as_ or person(ins))


def opens(api: ApiClient, ins: str, as_: Caller = None, **more: Any) -> Response:
    return api.post("/fhir/Patient/$open", bodies.opening(ins, **more), as_=as_ or person(ins))


def of_child(ins: str, birth_date: str = CHILD) -> dict[str, Any]:
    return {"resource": bodies.patient(ins, birthDate=birth_date)}


def test_nobody_opens_a_record_for_whoever_opposed_it_until_the_opposition_is_lifted(
    api: ApiClient, stack: dict[str, str]
) -> None:
    ins, parent = bodies.new_ins(), bodies.new_ins()
    guarded = {"patient": of_child(ins), "guardian": {"resource": bodies.guardian(parent)}}
    opposed = ask(api, OPPOSE, ins)
    before = everything_stored(stack)

    refusals = [
        opens(api, ins),
        opens(api, ins, person(parent), **guarded),
        *(opens(api, ins, who, **ATTESTED) for who in (AGENT, HEALER, requester_employee(), requester_server())),
    ]
    after = everything_stored(stack)
    lifted = ask(api, LIFT, ins)
    opened = opens(api, ins)

    assert (opposed.status, opposed.body, lifted.status, lifted.body) == (204, b"", 204, b"")
    assert {(a.status, a.code) for a in refusals} == {(409, "opposed")}
    assert after == before
    assert opened.status == 201
    own = sorted((e["act"], e["outcome"], e["reason"]) for e in traced_of(stack, person(ins)))
    assert own == [("lift-opposition", "0", "patient"), ("open", "8", "opposed"), ("oppose", "0", "patient")]
    assert ins not in str(traced_of(stack, person(ins)))


@both
def test_asking_again_changes_nothing(api: ApiClient, stack: dict[str, str], operation: str) -> None:
    ins = bodies.new_ins()
    first = ask(api, operation, ins)
    before = everything_stored(stack)

    again = ask(api, operation, ins)

    assert (first.status, again.status) == (204, 204)
    assert everything_stored(stack) == before


@both
def test_an_agent_of_the_insurer_attests_what_the_person_asked(api: ApiClient, operation: str) -> None:
    ins = bodies.new_ins()

    without = ask(api, operation, ins, AGENT)
    attested = ask(api, operation, ins, AGENT, **ATTESTED)

    assert (without.status, without.code) == (422, "attestation-required")
    assert attested.status == 204


@both
def test_a_guardian_asks_for_a_minor(api: ApiClient, operation: str) -> None:
    ins, parent = bodies.new_ins(), bodies.new_ins()
    guardian = {"resource": bodies.guardian(parent)}
    bare = {"resource": {k: v for k, v in bodies.patient(ins, birthDate=CHILD).items() if k not in ("name", "gender")}}

    asked = ask(api, operation, ins, person(parent), guardian=guardian, patient=bare)
    opened = opens(api, ins)

    assert asked.status == 204
    assert (opened.status, "opposed" in str(opened.body)) == ((409, True) if operation == OPPOSE else (201, False))


NEIGHBOUR = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "NBOR"}]}]
WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "no minor": ({"patient": {}}, 422, "missing-parameter"),
    "an adult": ({"patient": of_child("", "1979-03-28")}, 422, "not-a-minor"),
    "another minor": ({"patient": of_child("279035121518989")}, 422, "ins-mismatch"),
    "no date of birth": ({"patient": of_child("", "")}, 422, "ins-invalid"),
    "a neighbour": (
        {"guardian": {"resource": bodies.guardian("", relationship=NEIGHBOUR)}},
        422,
        "not-a-representative",
    ),
    "no guardian": ({"guardian": {}}, 403, "not-authorised"),
    "another guardian": ({"guardian": {"resource": bodies.guardian("279035121518989")}}, 403, "not-authorised"),
}


@both
@pytest.mark.parametrize("what", WRONG)
def test_a_guardian_proves_whose_it_is(api: ApiClient, stack: dict[str, str], operation: str, what: str) -> None:
    ins, parent = bodies.new_ins(), bodies.new_ins()
    changed, status, code = WRONG[what]
    if resource := changed.get("patient", {}).get("resource"):
        found = resource["identifier"][0]["value"] or ins
        child = bodies.patient(found, birthDate=resource["birthDate"])
        changed = {"patient": {"resource": {name: value for name, value in child.items() if value}}}
    if (
        "relationship" in (other := changed.get("guardian", {}).get("resource", {}))
        and not other["identifier"][0]["value"]
    ):
        changed = {"guardian": {"resource": bodies.guardian(parent, relationship=other["relationship"])}}
    given = {"guardian": {"resource": bodies.guardian(parent)}, "patient": of_child(ins), **changed}
    before = everything_stored(stack)

    refusal = ask(api, operation, ins, person(parent), **given)

    assert (refusal.status, refusal.code) == (status, code)
    assert everything_stored(stack) == before


@both
def test_nobody_becomes_the_guardian_of_an_adult_by_inventing_a_birth_date(
    api: ApiClient, stack: dict[str, str], operation: str
) -> None:
    adult, stranger = "279035121518989", bodies.new_ins()
    identifier = {"valueIdentifier": {"system": INS_NIR, "value": adult}}
    invented = {"resource": bodies.patient(adult, INS_NIR, birthDate=CHILD)}
    guardian = {"resource": bodies.guardian(stranger)}
    before = everything_stored(stack)

    asked = ask(api, operation, adult, person(stranger), identifier=identifier, patient=invented, guardian=guardian)
    opened = opens(api, adult, person(stranger), patient=invented, guardian=guardian)

    assert [(a.status, a.code) for a in (asked, opened)] == [(422, "ins-invalid")] * 2
    assert everything_stored(stack) == before


def test_a_guardian_lifts_what_a_guardian_asked_and_nothing_else(api: ApiClient, stack: dict[str, str]) -> None:
    parent = bodies.new_ins()
    guardian = {"resource": bodies.guardian(parent)}

    def by_guardian(operation: str, ins: str) -> Response:
        return ask(api, operation, ins, person(parent), guardian=guardian, patient=of_child(ins))

    def by_agent(operation: str, ins: str) -> Response:
        return ask(api, operation, ins, AGENT, **ATTESTED)

    own, attested, guarded, both_ways = (bodies.new_ins() for _ in range(4))
    ask(api, OPPOSE, own)
    by_guardian(OPPOSE, own)
    by_agent(OPPOSE, attested)
    by_guardian(OPPOSE, guarded)
    by_guardian(OPPOSE, both_ways)
    ask(api, OPPOSE, both_ways)
    before = everything_stored(stack)
    refusals = [by_guardian(LIFT, ins) for ins in (own, attested, both_ways)]
    after = everything_stored(stack)

    assert {(a.status, a.code) for a in refusals} == {(403, "not-authorised")}
    assert after == before
    assert own not in str(after)
    adult = {"guardian": guardian, "patient": of_child(own, "1979-03-28")}
    assert ask(api, LIFT, own, person(parent), **adult).code == "not-a-minor"
    assert [(by_guardian(LIFT, guarded).status, opens(api, guarded).status)] == [(204, 201)]
    assert [(by_agent(LIFT, attested).status, opens(api, attested).status)] == [(204, 201)]
    assert [(ask(api, LIFT, both_ways).status, opens(api, both_ways).status)] == [(204, 201)]


def test_a_guardian_who_lifts_while_the_person_opposes_lifts_nothing(api: ApiClient) -> None:
    ins, parent = bodies.new_ins(), bodies.new_ins()
    given = {"guardian": {"resource": bodies.guardian(parent)}, "patient": of_child(ins)}
    ask(api, OPPOSE, ins, person(parent), **given)

    with meanwhile("TransactWriteItems", lambda: ask(api, OPPOSE, ins)):
        late = ask(api, LIFT, ins, person(parent), **given)

    assert (late.status, late.code, opens(api, ins).code) == (403, "not-authorised", "opposed")


@both
def test_nobody_else_asks(api: ApiClient, stack: dict[str, str], operation: str) -> None:
    ins = bodies.new_ins()
    others = (HEALER, requester_employee(), requester_server(), requester_cnam_feed(), person(bodies.new_ins()))
    before = everything_stored(stack)

    refusals = [ask(api, operation, ins, who, **ATTESTED) for who in others]

    assert {(a.status, a.code) for a in refusals} == {(403, "not-authorised")}
    assert everything_stored(stack) == before


@both
def test_a_record_that_is_there_is_told_and_traced_in_it_in_every_state(api: ApiClient, operation: str) -> None:
    record = open_record(api)

    answers = [ask(api, operation, record.ins), ask(api, operation, record.ins, AGENT, **ATTESTED)]
    refusal = ask(api, operation, record.ins, HEALER)
    record.close()
    answers.append(ask(api, operation, record.ins))

    assert {(a.status, a.code) for a in answers} == {(409, "record-exists")}
    assert refusal.status == 403
    assert opposing(record, operation) == 4


def opposing(record: OpenRecord, operation: str) -> int:
    """How many refused attempts the trace of the record tells of."""
    codes = [coding["code"] for e in record.trace() if e["outcome"] == "8" for coding in e["subtype"]]
    return codes.count(operation.removeprefix("$"))


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"identifier": {}}, "missing-parameter"),
        ({"identifier": {"valueString": "279035121518989"}}, "invalid-parameter"),
        ({"identifier": {"valueIdentifier": {"value": "279035121518989"}}}, "invalid-parameter"),
        ({"identifier": {"valueIdentifier": {"system": "urn:oid:1.2.3", "value": "1"}}}, "ins-required"),
        ({"identifier": {"valueIdentifier": {"system": INS_NIR, "value": "279035121518988"}}}, "ins-invalid"),
    ],
)
def test_a_wrong_request_opposes_nothing(
    api: ApiClient, stack: dict[str, str], parameters: dict[str, Any], code: str
) -> None:
    before = everything_stored(stack)

    refusal = ask(api, OPPOSE, bodies.new_ins(), AGENT, **{**ATTESTED, **parameters})

    assert (refusal.status, refusal.code) == (422, code)
    assert everything_stored(stack) == before


def test_an_opposition_that_comes_first_wins_over_an_opening_under_way(api: ApiClient, stack: dict[str, str]) -> None:
    ins = bodies.new_ins()

    with meanwhile("TransactWriteItems", lambda: ask(api, OPPOSE, ins)):
        late = opens(api, ins, HEALER, **ATTESTED)

    assert (late.status, late.code) == (409, "opposed")
    assert records_of(stack, ins, api) == 0


def test_an_opening_that_comes_first_wins_over_an_opposition_under_way(api: ApiClient) -> None:
    ins = bodies.new_ins()

    with meanwhile("TransactWriteItems", lambda: opens(api, ins, HEALER, **ATTESTED)):
        late = ask(api, OPPOSE, ins)

    assert (late.status, late.code) == (409, "record-exists")
    trace = api.get(f"/fhir/AuditEvent?patient.identifier={bodies.qualified(ins)}", as_=person(ins)).resources
    assert sorted(e["outcome"] for e in trace) == ["0", "8"]


def test_of_openings_and_oppositions_at_once_one_kind_wins(api: ApiClient, stack: dict[str, str]) -> None:
    for _ in range(5):
        ins = bodies.new_ins()
        requests = [
            lambda ins=ins: opens(api, ins, HEALER, **ATTESTED),
            lambda ins=ins: ask(api, OPPOSE, ins),
            lambda ins=ins: opens(api, ins, AGENT, **ATTESTED),
            lambda ins=ins: ask(api, OPPOSE, ins, AGENT, **ATTESTED),
        ]

        with ThreadPoolExecutor() as pool:
            answers = [answer.result() for answer in [pool.submit(request) for request in requests]]

        statuses = sorted(a.status for a in answers)
        assert statuses in ([201, 409, 409, 409], [204, 204, 409, 409])
        assert records_of(stack, ins, api) == statuses.count(201)


@both
def test_what_was_not_written_or_not_heard_of_is_asked_again(
    api: ApiClient, stack: dict[str, str], operation: str
) -> None:
    ins = bodies.new_ins()
    before = everything_stored(stack)

    with refused("TransactWriteItems"):
        failed = ask(api, operation, ins)
    after = everything_stored(stack)
    with answer_lost("TransactWriteItems"):
        lost = ask(api, operation, ins)
    again = ask(api, operation, ins)

    assert (failed.status, lost.status, again.status) == (503, 503, 204)
    assert after == before
    assert opens(api, ins).status == (409 if operation == OPPOSE else 201)


def records_of(stack: dict[str, str], ins: str, api: ApiClient) -> int:
    """How many records the INS leads to."""
    assert stack
    found = api.get(f"/fhir/Patient?identifier={bodies.qualified(ins)}", as_=HEALER)
    return int(found.json["total"])
