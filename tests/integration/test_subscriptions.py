"""Subscriptions over the API: who may have one, what it may say, who sees it, and how it ends."""

from datetime import timedelta
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import BASE, ApiClient, Response
from tests.aws_calls import counted, meanwhile
from tests.conftest import NOON
from tests.fed_record import AUTHOR, HOSPITAL, SPECIALIST, STRANGER, FedRecord, open_record
from tests.open_record import extension
from tests.requester_factories import (
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
)

ENDPOINT = "https://logiciel.example/hooks?of=dmp"
PHYSICIAN = requester_professional("10108888888", "1690000008", name="Claude LE GALL")
MOST = 50


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    clock.move_to(NOON, tick=False)
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    return record


def body(record: FedRecord, **elements: Any) -> dict[str, Any]:
    resource = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "Suivi du patient",
        "criteria": f"DocumentReference?patient={record.id}",
        "channel": {"type": "rest-hook", "endpoint": ENDPOINT},
        **elements,
    }
    return {name: value for name, value in resource.items() if value is not None}


def subscribe(record: FedRecord, as_: Requester = SPECIALIST, **elements: Any) -> Response:
    return record.api.post("/fhir/Subscription", body(record, **elements), as_=as_)


def subscribed(record: FedRecord, as_: Requester = SPECIALIST, **elements: Any) -> str:
    answer = subscribe(record, as_, **elements)
    assert answer.status == 201, answer.body
    return answer.id


def stored(record: FedRecord) -> list[dict[str, Any]]:
    return [item for item in record.items() if item["sk"]["S"].startswith("S#")]


def traced(record: FedRecord, act: str) -> list[tuple[str, list[str], str]]:
    """Outcome, things touched and reason of every entry of the trace about this act."""
    return [(e["outcome"], e["what"], e["reason"]) for e in record.trace() if e["act"] == act]


def test_a_professional_whom_the_patient_authorised_subscribes(record: FedRecord) -> None:
    answer = subscribe(record)

    assert answer.status == 201
    assert answer.headers["location"] == f"{BASE}/Subscription/{answer.id}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert {name: answer.json[name] for name in ("status", "reason", "criteria", "channel", "end")} == {
        "status": "active",
        "reason": "Suivi du patient",
        "criteria": f"DocumentReference?patient={record.id}",
        "channel": {"type": "rest-hook", "endpoint": ENDPOINT},
        "end": "2027-03-02T12:00:00.000Z",
    }
    assert traced(record, "subscribe") == [("0", [f"Subscription/{answer.id}"], "authorised")]


def test_the_secret_is_shown_once_and_kept_nowhere(record: FedRecord) -> None:
    answers = [subscribe(record), subscribe(record)]

    secrets = [extension(answer.json, "dmp-webhook-secret")["valueString"] for answer in answers]
    again = record.api.get(f"/fhir/Subscription/{answers[0].id}", as_=SPECIALIST)
    assert len(set(secrets)) == 2
    assert all(len(secret) == 64 for secret in secrets)
    assert again.status == 200
    assert "extension" not in again.json
    assert not [secret for secret in secrets if secret in repr(record.items()) + repr(record.trace())]


def test_who_prefers_a_minimal_answer_gets_the_secret_all_the_same(record: FedRecord) -> None:
    prefer = {"Prefer": "return=minimal"}

    answer = record.api.post("/fhir/Subscription", body(record), as_=SPECIALIST, headers=prefer)

    assert extension(answer.json, "dmp-webhook-secret")


def test_of_the_owner_only_what_decides_is_stored(record: FedRecord) -> None:
    caller = requester_professional("10107654321", "1690000005", email="noa@cabinet.example", software="Logiciel 7")

    subscribed(record, caller)

    names, [item] = (caller.name, caller.email, caller.software, "MARTIN", "Cabinet"), stored(record)
    assert not [name for name in names if name in repr(item)]


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [
        (STRANGER, 403, "not-authorised"),
        (AUTHOR, 403, "not-authorised"),
        (HOSPITAL, 403, "not-authorised"),
        (requester_employee(), 403, "not-authorised"),
        (requester_cpam_agent(), 403, "not-authorised"),
        (requester_patient(bodies.qualified("279035100000000")), 404, "no-record"),
        (PHYSICIAN, 201, ""),
    ],
)
def test_only_professionals_who_may_read_subscribe(record: FedRecord, who: Requester, status: int, code: str) -> None:
    record.publish(AUTHOR)
    record.name_attending_physician(PHYSICIAN)

    answer = subscribe(record, who)

    assert answer.status == status
    if status != 201:
        assert answer.code == code
        assert stored(record) == []
        assert traced(record, "subscribe") == [("8", [f"Patient/{record.id}"], code)]


def test_neither_the_patient_nor_the_blocked_subscribe_nor_anybody_once_it_is_closed(record: FedRecord) -> None:
    refused = [subscribe(record, record.patient)]
    record.block(SPECIALIST)
    refused += [subscribe(record), subscribe(record, reason="")]
    motive = bodies.parameters(motive={"valueCode": "patient-demande"})
    assert record.api.post(f"/fhir/Patient/{record.id}/$close", motive, as_=record.patient).status == 200
    refused.append(subscribe(record))

    assert [(answer.status, answer.code) for answer in refused] == [
        (403, "not-authorised"),
        (403, "blocked"),
        (403, "blocked"),
        (403, "record-closed"),
    ]


def test_an_unknown_record_is_missing(record: FedRecord) -> None:
    answer = subscribe(record, criteria=f"DocumentReference?patient={'0' * 26}")

    assert (answer.status, answer.code) == (404, "no-record")


def channel(**elements: Any) -> dict[str, Any]:
    return {"channel": {"type": "rest-hook", "endpoint": ENDPOINT, **elements}}


@pytest.mark.parametrize(
    ("elements", "code", "place"),
    [
        (channel(payload="application/fhir+json"), "invalid-resource", "channel.payload"),
        (channel(header=["Authorization: Bearer x"]), "invalid-resource", "channel.header"),
        (channel(type="email"), "invalid-resource", "channel.type"),
        (channel(endpoint="http://logiciel.example/"), "endpoint-invalid", "channel.endpoint"),
        (channel(endpoint="https://10.0.0.1/"), "endpoint-invalid", "channel.endpoint"),
        ({"channel": {"type": "rest-hook"}}, "endpoint-invalid", "channel.endpoint"),
        ({"channel": None}, "invalid-resource", "channel"),
        ({"reason": None}, "invalid-resource", "reason"),
        ({"reason": "x" * 501}, "invalid-resource", "reason"),
        ({"status": "active"}, "invalid-resource", "status"),
        ({"end": "2027-03-02T12:00:01Z"}, "period-too-long", "end"),
        ({"end": "2026-03-02T12:00:00Z"}, "period-invalid", "end"),
        ({"unheard": "of"}, "invalid-resource", "unheard"),
    ],
)
def test_what_no_hook_may_be_is_told_to_those_who_may_subscribe(
    record: FedRecord, elements: dict[str, Any], code: str, place: str
) -> None:
    told, untold = subscribe(record, **elements), subscribe(record, STRANGER, **elements)

    assert (told.status, told.code) == (422, code)
    assert told.json["issue"][0]["expression"] == [f"Subscription.{place}"]
    assert (untold.status, untold.code) == (403, "not-authorised")
    assert stored(record) == []


@pytest.mark.parametrize(
    "criteria", ["Patient?_id=1", "DocumentReference?patient=1&type=2", "DocumentReference?patient.identifier=a|b", "?"]
)
def test_other_criteria_are_not_understood(record: FedRecord, criteria: str) -> None:
    answer = subscribe(record, criteria=criteria)

    assert (answer.status, answer.code) == (422, "unsupported-criterion")


def test_a_body_that_is_none_is_refused_before_any_decision(record: FedRecord) -> None:
    answers = [record.api.post("/fhir/Subscription", content, as_=STRANGER) for content in (None, b"{", b'{"a":1}')]

    assert {answer.status for answer in answers} == {400}


def test_a_conditional_creation_is_not_taken_for_a_plain_one(record: FedRecord) -> None:
    condition = {"If-None-Exist": "url=https://logiciel.example"}

    answer = record.api.post("/fhir/Subscription", body(record), as_=SPECIALIST, headers=condition)

    assert (answer.status, answer.code) == (400, "unsupported-criterion")
    assert stored(record) == []


def test_it_may_name_the_patient_in_full_and_end_sooner(record: FedRecord) -> None:
    criteria, end = f"DocumentReference?patient=Patient/{record.id}", "2026-04-01T00:00:00+02:00"

    answer = subscribe(record, criteria=criteria, end=end)

    assert (answer.json["criteria"], answer.json["end"]) == (criteria, "2026-03-31T22:00:00.000Z")


def test_when_its_time_is_over_it_is_off(record: FedRecord, clock: TimeMachineFixture) -> None:
    subscription = subscribed(record, end="2026-03-03T12:00:00Z")
    clock.shift(timedelta(days=1))

    answer = record.api.get(f"/fhir/Subscription/{subscription}", as_=SPECIALIST)

    assert answer.json["status"] == "off"


def test_others_cannot_tell_a_subscription_from_none(record: FedRecord) -> None:
    record.name_attending_physician(PHYSICIAN)
    subscription, missing = subscribed(record), f"{record.id}.{'0' * 26}"

    for who in (PHYSICIAN, STRANGER, record.patient, HOSPITAL):
        for method in ("GET", "DELETE"):
            real = record.api.request(method, f"/fhir/Subscription/{subscription}", as_=who)
            none = record.api.request(method, f"/fhir/Subscription/{missing}", as_=who)
            assert (real.status, real.code, real.body) == (403, "not-authorised", none.body)
    assert [item["st"]["S"] for item in stored(record)] == ["active"]
    assert {(outcome, reason) for outcome, _, reason in traced(record, "delete")} == {("8", "not-authorised")}


def test_its_owner_sees_and_ends_it_even_when_the_authorisation_is_over(record: FedRecord) -> None:
    consent = record.authorise(SPECIALIST)
    subscription = subscribed(record)
    url, revoke = f"/fhir/Subscription/{subscription}", [{"op": "replace", "path": "/status", "value": "inactive"}]
    record.api.patch(f"/fhir/Consent/{consent}", revoke, as_=record.patient)
    seen = record.api.get(url, as_=SPECIALIST)

    stale = record.api.delete(url, as_=SPECIALIST, headers={"If-Match": 'W/"7"'})
    ended = record.api.delete(url, as_=SPECIALIST, headers={"If-Match": seen.headers["etag"]})
    entries = traced(record, "delete")
    gone, again = record.api.get(url, as_=SPECIALIST), record.api.delete(url, as_=SPECIALIST)

    assert (seen.status, stale.status, ended.status, gone.status, again.status) == (200, 412, 204, 410, 204)
    assert entries == [("0", [f"Subscription/{subscription}"], "addressee")]
    assert subscribe(record).status == 403


def test_it_is_neither_changed_nor_searched_nor_versioned(record: FedRecord) -> None:
    url = f"/fhir/Subscription/{subscribed(record)}"

    answers = [
        record.api.put(url, body(record), as_=SPECIALIST),
        record.api.patch(url, [{"op": "replace", "path": "/status", "value": "off"}], as_=SPECIALIST),
        record.api.get("/fhir/Subscription", as_=SPECIALIST),
        record.api.get(f"{url}/_history/1", as_=SPECIALIST),
    ]

    assert [answer.status for answer in answers] == [405, 405, 405, 404]


def test_a_record_has_fifty_and_those_that_ended_make_room(record: FedRecord, clock: TimeMachineFixture) -> None:
    first = subscribed(record)
    for _ in range(MOST - 2):
        subscribed(record)
    subscribed(record, end="2026-03-03T12:00:00Z")
    full = subscribe(record)
    clock.shift(timedelta(days=1))
    room = [subscribe(record), subscribe(record)]
    assert record.api.delete(f"/fhir/Subscription/{first}", as_=SPECIALIST).status == 204
    room.append(subscribe(record))

    assert (full.status, full.code) == (409, "too-many")
    assert [answer.status for answer in room] == [201, 409, 201]
    assert len(stored(record)) == MOST
    assert {item["st"]["S"] for item in stored(record)} == {"active"}


def test_a_revocation_meanwhile_is_decided_anew(record: FedRecord) -> None:
    with meanwhile("TransactWriteItems", lambda: record.block(SPECIALIST)):
        answer = subscribe(record)

    assert (answer.status, answer.code) == (403, "blocked")
    assert stored(record) == []


def test_what_it_costs(record: FedRecord) -> None:
    with counted() as made:
        subscription = subscribed(record)
    with counted() as seen:
        record.api.get(f"/fhir/Subscription/{subscription}", as_=SPECIALIST)

    assert made == ["GetItem", "Query", "TransactWriteItems"]
    assert seen == ["BatchGetItem", "PutItem"]
