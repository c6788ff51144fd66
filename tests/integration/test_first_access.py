"""The first access of each professional to a record: told once, whatever the stream of the trace brings (R.1111-43)."""

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from dmp.composition import foundation
from dmp.domain.changes import SaveRecord
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import Killed, Moment, answer_lost, counted, killed, meanwhile, refused
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord, open_record, partition
from tests.given_stream import GivenStream, mappings_of
from tests.requester_factories import requester_employee, requester_patient, requester_professional, requester_server
from tests.told import lost

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: Mapping[str, str]) -> FedRecord:
    """A record with one document, which the specialist may read, and whose trace so far is told."""
    record = open_record(api, stack)
    record.publish()
    record.authorise(SPECIALIST)
    return record


def events(record: FedRecord) -> list[Json]:
    """The trace of a record as its stream brings it, in order."""
    found = partition(record.stores["AUDIT_TABLE"], f"R#{record.id}")
    return [
        {"eventName": "INSERT", "dynamodb": {"Keys": {}, "NewImage": item, "SequenceNumber": str(number)}}
        for number, item in enumerate(found)
    ]


def consume(record: FedRecord, *given: Json) -> list[str]:
    """Hand entries over, all of the trace where none is given; the sequence numbers that failed come back."""
    answer = record.api.run("FirstAccesses", {"Records": list(given) or events(record)})
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def told(record: FedRecord, as_: Requester | None = None) -> list[Json]:
    """The messages of first accesses that somebody finds, the newest first."""
    answer = record.api.get(f"/fhir/Communication?recipient=Patient/{record.id}&_count=100", as_=as_ or record.patient)
    assert answer.status == 200, answer.body
    return [one for one in answer.resources if one["category"][0]["coding"][0]["code"] == "first-access"]


def events_told(record: FedRecord) -> list[str]:
    """The events of the trace that these messages are about."""
    return [reference["reference"] for one in told(record) for reference in one["about"]]


def test_the_patient_is_told_once_of_each_professional_and_where_it_stands_in_the_trace(record: FedRecord) -> None:
    record.found(SPECIALIST)
    first = consume(record)
    record.found(SPECIALIST)
    record.name_attending_physician(AUTHOR)
    record.found(AUTHOR)

    again = consume(record), consume(record)

    assert (first, again) == ([], ([], []))
    about = [record.api.get(f"/fhir/{reference}", as_=record.patient).json for reference in events_told(record)]
    assert [one["agent"][0]["who"]["identifier"]["value"] for one in about] == [
        AUTHOR.identifier.value,
        SPECIALIST.identifier.value,
    ]


@pytest.mark.parametrize("way", ["search", "read", "version", "history", "retrieve", "patient"])
def test_every_way_of_reading_content_is_an_access(record: FedRecord, way: str) -> None:
    [document] = record.found(record.patient)
    urls = {
        "search": f"DocumentReference?patient={record.id}&status=current",
        "read": f"DocumentReference/{document}",
        "version": f"DocumentReference/{document}/_history/1",
        "history": f"DocumentReference/{document}/_history",
        "retrieve": f"Binary/{document}",
        "patient": f"Patient/{record.id}",
    }
    consume(record)

    assert record.api.get(f"/fhir/{urls[way]}", as_=SPECIALIST).status == 200
    consume(record)

    assert len(told(record)) == 1


def test_what_reads_no_content_is_no_access(record: FedRecord) -> None:
    stranger, [document] = requester_professional("10105555555", "1310000003"), record.found(record.patient)
    record.publish(as_=stranger)
    record.publish(as_=requester_server("1330000009"))
    ins = f"urn:oid:1.2.250.1.213.1.4.10|{record.ins}"
    asked = [
        record.api.get(f"/fhir/Patient?identifier={ins}", as_=stranger),
        record.api.get(f"/fhir/Consent?patient={record.id}", as_=SPECIALIST),
        record.api.get("/fhir/Consent?actor=me&status=active", as_=SPECIALIST),
        record.api.get("/fhir/Communication?recipient=me", as_=SPECIALIST),
        record.api.get(f"/fhir/DocumentReference/{document}", as_=stranger),
        record.find(requester_professional("10106666666", "1310000004")),
        record.find(requester_employee("secretaire-9", "1330000009")),
        record.find(requester_server("1330000009")),
    ]

    assert consume(record) == []

    assert [answer.status for answer in asked] == [200, 200, 200, 200, 403, 403, 200, 200]
    assert told(record) == []


def test_an_access_in_an_emergency_is_told_by_the_emergency_alone(record: FedRecord) -> None:
    record.found(SPECIALIST)
    [event] = [e for e in events(record) if '"act":"ITI-67"' in e["dynamodb"]["NewImage"]["entry"]["S"]]

    consume(record, altered(event, reason="emergency", purpose="BTG"))
    assert told(record) == []
    consume(record, event)

    assert len(told(record)) == 1


def altered(event: Json, **changes: Any) -> Json:
    """The same event, whose entry tells something else."""
    image = event["dynamodb"]["NewImage"]
    entry = json.dumps(json.loads(image["entry"]["S"]) | changes)
    return {**event, "dynamodb": {**event["dynamodb"], "NewImage": {**image, "entry": {"S": entry}}}}


def test_an_entry_that_names_an_invisible_document_tells_nothing_and_the_next_one_does(record: FedRecord) -> None:
    record.found(SPECIALIST)
    *_, event = events(record)

    consume(record, altered(event, hides=True))
    before = told(record)
    consume(record, event)

    assert (before, len(told(record))) == ([], 1)


@pytest.mark.parametrize("order", [(True, False), (False, True), (True, True), (False, False)])
def test_a_secret_access_is_told_to_the_minor_alone_and_hides_no_later_one(
    api: ApiClient, stack: Mapping[str, str], order: tuple[bool, bool]
) -> None:
    child, parent = family(api, stack)
    child.authorise(SPECIALIST)
    child.found(SPECIALIST)
    *_, event = events(child)

    for number, is_secret in enumerate(order):
        consume(child, altered(event, secret=is_secret, id=f"{number}" * 26))

    assert len(told(child, parent)) == (not all(order))
    assert len(told(child)) == (2 if order == (True, False) else 1)


def family(api: ApiClient, stack: Mapping[str, str]) -> tuple[FedRecord, Requester]:
    """The record of a minor, and the parent who opened it."""
    parent, ins = requester_patient(bodies.qualified(bodies.new_ins())), bodies.new_ins()
    minor = {"resource": bodies.patient(ins, birthDate="2012-03-28")}
    guardian = {"resource": bodies.guardian(parent.identifier.value)}
    opening = bodies.opening(ins, patient=minor, guardian=guardian)
    answer = api.post("/fhir/Patient/$open", opening, as_=parent)
    assert answer.status == 201, answer.body
    return FedRecord(api, answer.id, ins, requester_patient(bodies.qualified(ins)), stack), parent


def test_nothing_is_told_of_a_record_that_is_open_no_more(record: FedRecord) -> None:
    record.found(SPECIALIST)
    given = events(record)

    with meanwhile("TransactWriteItems", lambda: close(record)):
        first = consume(record, *given)
    second = consume(record, *given)

    assert (first, second) == ([], [])
    assert not [i for i in record.items() if i["sk"]["S"].startswith("F#")]
    assert "first-access" not in str([i["body"] for i in record.items() if i["sk"]["S"].startswith("M#")])


def close(record: FedRecord) -> None:
    motive = bodies.parameters(motive={"valueCode": "patient-demande"})
    assert record.api.post(f"/fhir/Patient/{record.id}/$close", motive, as_=record.patient).status == 200


def test_who_wants_no_message_of_it_gets_none_and_it_counts_all_the_same(record: FedRecord) -> None:
    refuse_message(record, wanted=False)
    record.found(SPECIALIST)
    consume(record)
    refuse_message(record, wanted=True)

    consume(record)

    assert told(record) == []


def refuse_message(record: FedRecord, *, wanted: bool) -> None:
    """Store the person's preference, as a change of the Patient does."""
    base = foundation()
    head = base.records.existing(record.id)
    unwanted = frozenset() if wanted else frozenset({("first-access", "message")})
    base.ledger.commit([SaveRecord(head.with_contacts(head.identity.telecom, unwanted, base.clock()), head)])


def test_shuffled_and_triplicated_events_tell_of_each_professional_once(record: FedRecord) -> None:
    healers = [requester_professional(f"1020000000{number}", "1310000003") for number in range(4)]
    for healer in healers:
        record.authorise(healer)
        for _ in range(3):
            record.found(healer)
    chance = random.Random(7)
    given = chance.sample(events(record) * 3, 3 * len(events(record)))

    for start in range(0, len(given), 7):
        assert consume(record, *given[start : start + 7]) == []

    assert len(events_told(record)) == len(set(events_told(record))) == 4


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("operation", ["BatchGetItem", "TransactWriteItems"])
def test_a_consumer_killed_at_any_call_converges_to_one_message(
    record: FedRecord, operation: str, moment: Moment
) -> None:
    record.found(SPECIALIST)

    with pytest.raises(Killed), killed(operation, moment):
        consume(record)

    assert consume(record) == []
    assert len(told(record)) == 1


def test_a_lost_answer_a_refusing_database_and_a_double_lose_and_repeat_nothing(record: FedRecord) -> None:
    record.found(SPECIALIST)
    *_, event = events(record)

    with refused("TransactWriteItems"):
        first = consume(record, event)
    with answer_lost("TransactWriteItems"):
        second = consume(record, event)
    third = consume(record, event)

    number = event["dynamodb"]["SequenceNumber"]
    assert (first, second, third) == ([number], [number], [])
    assert len(told(record)) == 1


def test_two_consumers_at_once_tell_once(record: FedRecord) -> None:
    record.found(SPECIALIST)
    *_, event = events(record)

    with meanwhile("TransactWriteItems", lambda: consume(record, event)):
        assert consume(record, event) == []

    assert len(told(record)) == 1


def test_a_known_professional_costs_one_read_and_everything_else_nothing(record: FedRecord) -> None:
    record.found(SPECIALIST)
    consume(record)
    given = events(record)

    with counted() as calls:
        consume(record, *given)

    assert calls == ["BatchGetItem"]


def test_an_entry_that_cannot_be_read_ends_in_the_queue_of_the_lost_and_the_others_are_told(
    record: FedRecord, stack: dict[str, str]
) -> None:
    record.found(SPECIALIST)
    image = {"pk": {"S": f"R#{record.id}"}, "sk": {"S": "0"}, "entry": {"S": "{}"}}
    key = {"pk": image["pk"], "sk": image["sk"]}
    poison = {"eventName": "INSERT", "dynamodb": {"Keys": key, "NewImage": image, "SequenceNumber": "poison"}}
    [mapping] = mappings_of("FirstAccesses")

    GivenStream(mapping, "never", record.api.functions, [poison, *events(record)]).consume()

    [put_aside] = [one for one in lost(stack) if one["keys"] == key]
    assert put_aside["DDBStreamBatchInfo"]["startSequenceNumber"] == "poison"
    assert len(told(record)) == 1
