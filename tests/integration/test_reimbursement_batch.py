"""Batches of reimbursements: a thousand lines at once, each of which succeeds or fails by itself."""

import json
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.identifiers import INS_NIR
from dmp.services import reimbursement_batch, reimbursement_feed
from tests import bodies
from tests.api_client import ApiClient, Caller, Response
from tests.aws_calls import counted, meanwhile, refused
from tests.fed_record import AUTHOR, FedRecord, open_record
from tests.reimbursements import SYSTEM, batch, by_ins, fed, feed_batch, line, statuses
from tests.requester_factories import requester_cpam_agent

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    """A record while time stands still, at noon of 2 March 2026."""
    return open_record(api, stack)


def held(record: FedRecord) -> int:
    return sum(item["sk"]["S"].startswith("B#") for item in record.items())


def traced(record: FedRecord) -> list[Json]:
    """What the trace tells of feeding."""
    return [e for e in record.trace() if (e["type"], e["action"]) == ("ExplanationOfBenefit", "C")]


def responses(answer: Response) -> list[Json]:
    return [entry["response"] for entry in answer.json["entry"]]


def test_a_batch_feeds_many_records_and_tells_of_each_line_in_its_place(record: FedRecord) -> None:
    other = open_record(record.api, record.stores)
    lines = [line(record.id), line(by_ins(other.ins)), line(by_ins(record.ins)), line(other.id)]

    answer = feed_batch(record.api, batch(*lines))

    assert statuses(answer) == ["201"] * 4
    assert (held(record), held(other)) == (2, 2)
    for sent, told in zip(lines, responses(answer), strict=True):
        assert (told["etag"], told["lastModified"]) == ('W/"1"', "2026-03-02T12:00:00.000Z")
        owner = record if record.id in told["location"] else other
        kept = record.api.get(f"/fhir/{told['location']}", as_=owner.patient).json
        assert kept["identifier"] == sent["identifier"]
    assert [len(traced(one)) for one in (record, other)] == [1, 1]
    assert len(traced(record)[0]["what"]) == 2


def test_a_batch_again_finds_what_is_there(record: FedRecord) -> None:
    body = batch(*(line(record.id) for _ in range(3)))
    first = feed_batch(record.api, body)
    single = fed(record.api, line(record.id))
    body["entry"].append({"resource": single.json, "request": {"method": "POST", "url": "ExplanationOfBenefit"}})

    again = feed_batch(record.api, body)

    assert statuses(again) == ["200"] * 4
    assert [one["location"] for one in responses(again)][:3] == [one["location"] for one in responses(first)]
    assert held(record) == 4


def test_each_line_fails_by_itself(record: FedRecord) -> None:
    closed = open_record(record.api, record.stores)
    motive = bodies.parameters(motive={"valueCode": "patient-demande"}, reason={"valueString": "Ne souhaite plus"})
    closed.api.post(f"/fhir/Patient/{closed.id}/$close", motive, as_=closed.patient)
    good = line(record.id, identifier="one")
    cases: dict[str, tuple[object, str]] = {
        "good": (good, "201"),
        "closed": (line(closed.id), "403 record-closed"),
        "closed, and wrong": (line(closed.id, status="paid"), "403 record-closed"),
        "nobody's": (line(by_ins(bodies.new_ins())), "404 no-record"),
        "nobody's, and wrong": (line("0" * 26, status="paid"), "404 no-record"),
        "wrong INS": (line({"identifier": {"system": INS_NIR, "value": "284067505608800"}}), "422 ins-invalid"),
        "wrong": (line(record.id, status="paid"), "422 invalid-resource"),
        "empty": (line(record.id, disposition=""), "422 invalid-resource"),
        "the same": (good, "200"),
        "a clash": (line(record.id, identifier="one", act="CS"), "409 duplicate-unique-id"),
        "too old": (line(record.id, care="2020-01-01"), "422 care-too-old"),
        "too large": (line(record.id, disposition="x" * 100_001), "413 too-large"),
        "another type": (bodies.patient(record.ins), "400 malformed-request"),
        "no resource": (None, "400 malformed-request"),
        "a text": ("line", "400 malformed-request"),
        "good again": (line(record.id), "201"),
    }

    answer = feed_batch(record.api, batch(*(sent for sent, _ in cases.values())))

    assert dict(zip(cases, statuses(answer), strict=True)) == {what: status for what, (_, status) in cases.items()}
    wrong = responses(answer)[list(cases).index("wrong")]["outcome"]["issue"][0]
    assert wrong["expression"] == ["Bundle.entry[6].resource.status"]
    assert held(record) == 2
    assert [entry["reason"] for entry in traced(closed)] == ["record-closed"]


def test_an_entry_that_asks_for_something_else_is_refused_alone(record: FedRecord) -> None:
    body = batch(*(line(record.id) for _ in range(7)))
    requests: list[Any] = [
        {"method": "PUT", "url": "ExplanationOfBenefit/1"},
        {"method": "POST", "url": "Observation"},
        {"method": "POST"},
        None,
        {
            "method": "POST",
            "url": "https://dmp.example/fhir/ExplanationOfBenefit",
            "ifNoneExist": f"identifier={SYSTEM}|x",
        },
        {"method": "POST", "url": "/ExplanationOfBenefit", "ifNoneExist": f"identifier={SYSTEM}%7Cx"},
        {"method": "POST", "url": "ExplanationOfBenefit", "ifNoneExist": "status=active"},
    ]
    for entry, request in zip(body["entry"], requests, strict=True):
        entry["request"] = request

    answer = feed_batch(record.api, body)

    assert statuses(answer) == [
        "405 method-not-allowed", "405 method-not-allowed", "422 invalid-resource", "422 invalid-resource",
        "201", "200", "400 unsupported-criterion",
    ]  # fmt: skip


@pytest.mark.parametrize("who", [AUTHOR, requester_cpam_agent()])
def test_nobody_else_feeds_a_batch_or_learns_by_it_who_has_a_record(record: FedRecord, who: Caller) -> None:
    with counted() as calls:
        answer = feed_batch(record.api, batch(line(by_ins(record.ins)), line(by_ins(bodies.new_ins()))), who)

    assert (answer.status, answer.code) == (403, "not-authorised")
    assert list(calls) == ["PutItem"]
    assert (held(record), traced(record)) == (0, [])


def test_a_batch_has_a_thousand_entries_at_most(record: FedRecord) -> None:
    empty = feed_batch(record.api, {"resourceType": "Bundle", "type": "batch"})
    many = feed_batch(record.api, batch(*({"resourceType": "ExplanationOfBenefit"} for _ in range(1001))))

    assert (empty.status, empty.code) == (400, "malformed-request")
    assert (many.status, many.code) == (413, "too-many")


def test_lines_of_one_record_are_written_in_parts_each_with_its_trace(record: FedRecord) -> None:
    two_names = [{"system": SYSTEM, "value": "a"}, {"system": SYSTEM, "value": "b"}]
    lines = [line(record.id) for _ in range(100)] + [line(record.id, identifier="") | {"identifier": two_names}]

    with counted() as calls:
        answer = feed_batch(record.api, batch(*lines))
    told = [what for entry in traced(record) for what in entry["what"]]
    with counted() as calls_again:
        again = feed_batch(record.api, batch(*lines))

    assert (set(statuses(answer)), set(statuses(again))) == ({"201"}, {"200"})
    assert list(calls) == ["BatchGetItem"] * 2 + ["TransactWriteItems"] * 3
    assert list(calls_again) == ["BatchGetItem"] * 2 + ["PutItem"] * 3
    assert len(told) == len(set(told)) == 101
    assert max(len(entry["what"]) for entry in traced(record)) <= reimbursement_feed.MOST_TOLD


def test_a_record_that_changes_meanwhile_is_decided_anew(record: FedRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reimbursement_batch, "WRITERS", 1)
    other = open_record(record.api, record.stores)
    motive = bodies.parameters(motive={"valueCode": "patient-demande"}, reason={"valueString": "Ne souhaite plus"})

    def close() -> None:
        record.api.post(f"/fhir/Patient/{record.id}/$close", motive, as_=record.patient)

    with meanwhile("TransactWriteItems", close):
        answer = feed_batch(record.api, batch(line(record.id), line(other.id)))

    assert statuses(answer) == ["403 record-closed", "201"]
    assert held(record) == 0


def test_where_dynamodb_fails_each_line_is_to_be_sent_again(record: FedRecord) -> None:
    body = batch(line(record.id), line(record.id, status="paid"), line(by_ins(bodies.new_ins())))

    with refused("TransactWriteItems", "ValidationException", 400):
        writing = feed_batch(record.api, body)
    with refused("BatchGetItem", "ValidationException", 400, nth=2):
        reading = feed_batch(record.api, body)
    with refused("BatchGetItem", "ValidationException", 400):
        looking_up = feed_batch(record.api, body)

    assert statuses(writing) == ["503 service-unavailable", "422 invalid-resource", "404 no-record"]
    assert statuses(reading) == ["503 service-unavailable", "503 service-unavailable", "404 no-record"]
    assert (looking_up.status, looking_up.code) == (503, "service-unavailable")
    assert held(record) == 0
    assert statuses(feed_batch(record.api, body))[0] == "201"


def test_what_cannot_be_begun_in_time_is_to_be_sent_again(record: FedRecord, clock: TimeMachineFixture) -> None:
    others = [open_record(record.api, record.stores) for _ in range(2)]
    body = batch(*(line(one.id) for one in (record, *others)))

    with meanwhile("BatchGetItem", lambda: clock.shift(reimbursement_batch.LONGEST + timedelta(seconds=1))):
        late = feed_batch(record.api, body)

    assert statuses(late) == ["503 service-unavailable"] * 3
    assert statuses(feed_batch(record.api, body)) == ["201"] * 3


def test_a_thousand_lines_of_two_hundred_people_are_fed_and_found_again(record: FedRecord) -> None:
    people = [record, *(open_record(record.api, record.stores) for _ in range(199))]
    body = batch(*(line(by_ins(one.ins), identifier=f"{one.id}-{n}") for n in range(5) for one in people))
    assert len(json.dumps(body)) < 4_500_000

    begin = monotonic()
    first = feed_batch(record.api, body)
    took = monotonic() - begin
    again = feed_batch(record.api, body)

    assert (set(statuses(first)), set(statuses(again))) == ({"201"}, {"200"})
    assert [one["location"] for one in responses(again)] == [one["location"] for one in responses(first)]
    assert {held(one) for one in people} == {5}
    assert took < 20


@pytest.mark.parametrize("kind", [["ExplanationOfBenefit"], {"a": 1}, 1, None])
def test_an_entry_whose_type_is_no_text_fails_by_itself(record: FedRecord, kind: object) -> None:
    answer = feed_batch(record.api, batch({**line(record.id), "resourceType": kind}, line(record.id)))

    assert statuses(answer) == ["400 malformed-request", "201"]
