"""The end of a record: erased on request or after ten years, for good, and nothing left but the trace (R.1111-36)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import archive_store, aws
from tests import bodies, exports
from tests.api_client import ApiClient
from tests.aws_calls import counted, meanwhile, refused
from tests.closed_record import (
    JOB,
    close,
    erase,
    forget_what_is_due,
    full_record,
    reopen,
    retain_for,
    small_record,
    small_stack,
    suspend,
    to_be_erased,
)
from tests.faults import fsck
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord
from tests.open_record import everything_stored
from tests.requester_factories import requester_cpam_agent, requester_patient

NOTHING = {"closed": 0, "erased": 0, "failed": 0, "done": True}
AGENT = requester_cpam_agent()


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, str]]:
    with small_stack() as environment:
        yield environment


@pytest.fixture(scope="module")
def api(stack: dict[str, str]) -> ApiClient:
    assert stack
    return ApiClient()


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    forget_what_is_due(stack)
    return full_record(api, stack)


def test_an_archive_that_was_asked_for_goes_with_the_record(api: ApiClient, stack: dict[str, str]) -> None:
    forget_what_is_due(stack)
    record = small_record(api, stack)
    exports.built(record)
    exports.ordered(record)
    assert (close(record).status, erase(record).status) == (200, 202)

    assert api.run(JOB)["erased"] == 1

    exports.run(record, *exports.waiting(record))
    assert fsck.left_after_erasure(record, []) == []


def head(record: FedRecord) -> dict[str, object]:
    [item] = [item for item in record.items() if item["sk"]["S"] == "D~"]
    return {"status": item["st"]["S"], **json.loads(item["body"]["S"])}


def neighbours(stack: dict[str, str], record: FedRecord) -> dict[tuple[str, str], str]:
    return {key: item for key, item in everything_stored(stack).items() if key[0] != f"R#{record.id}"}


def test_what_is_asked_to_be_erased_goes_with_the_next_run_but_for_the_trace(
    record: FedRecord, stack: dict[str, str]
) -> None:
    other = full_record(record.api, stack)
    objects = other.objects()
    close(record)
    asked = erase(record)
    told, kept = record.trace(), neighbours(stack, record)

    run = record.api.run(JOB)

    assert (asked.status, asked.body) == (202, b"")
    assert run == {**NOTHING, "erased": 1}
    assert fsck.left_after_erasure(record, told) == []
    link = set(kept) - set(neighbours(stack, record))
    assert [sort for _, sort in link] == ["INS"]
    assert {key: item for key, item in kept.items() if key not in link} == neighbours(stack, record)
    assert other.objects() == objects


def test_of_an_erased_record_its_person_reads_the_trace_and_everything_else_is_unknown(record: FedRecord) -> None:
    document = record.publish()
    close(record)
    erase(record)
    record.api.run(JOB)
    url = f"/fhir/Patient/{record.id}"

    trace = record.api.get(f"/fhir/AuditEvent?patient={record.id}&_count=100", as_=record.patient)
    again = [
        record.api.get(url, as_=record.patient),
        record.api.get(f"{url}/_history/1", as_=record.patient),
        record.api.get(f"/fhir/DocumentReference/{document}", as_=record.patient),
        record.api.get(f"/fhir/Binary/{document}", as_=AUTHOR),
        record.find(SPECIALIST),
        record.find(record.patient),
        record.api.get(f"/fhir/Consent?patient={record.id}", as_=record.patient),
        record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=AUTHOR),
        record.api.get(f"/fhir/AuditEvent?patient={record.id}", as_=AUTHOR),
        record.api.get(f"/fhir/AuditEvent?patient={record.id}", as_=requester_patient()),
        *(close(record), reopen(record), erase(record), reopen(record, AGENT, attestation=bodies.attested())),
    ]

    erased = [e for e in trace.resources if e["subtype"][0]["code"] == "erased"]
    assert [(e["action"], e["outcome"], e["agent"][0]["name"]) for e in erased] == [
        ("D", "0", "Conservation des dossiers")
    ]
    assert {(a.status, a.code) for a in again} == {(404, "no-record")}
    found = record.api.get(f"/fhir/Patient?identifier={bodies.qualified(record.ins)}", as_=SPECIALIST)
    assert (found.status, found.json["total"]) == (200, 0)


def test_after_the_erasure_a_new_record_is_opened_for_the_same_person(record: FedRecord) -> None:
    close(record)
    erase(record)
    under_way = record.api.post("/fhir/Patient/$open", bodies.opening(record.ins), as_=record.patient)
    record.api.run(JOB)

    opened = record.api.post("/fhir/Patient/$open", bodies.opening(record.ins), as_=record.patient)

    assert (under_way.status, under_way.code) == (409, "record-exists")
    assert (opened.status, opened.id == record.id) == (201, False)
    new = FedRecord(record.api, opened.id, record.ins, record.patient, record.stores)
    assert new.found(record.patient) == []
    assert record.api.get(f"/fhir/AuditEvent?patient={record.id}", as_=record.patient).status == 200


def test_asking_twice_is_asking_once(record: FedRecord, clock: TimeMachineFixture) -> None:
    close(record)
    erase(record)
    before = head(record)
    clock.shift(3600)

    again = erase(record)

    assert (again.status, head(record)) == (202, before)
    assert [e["act"] for e in record.trace()].count("erase") == 2


def test_only_a_closed_record_is_erased_and_only_for_its_people(record: FedRecord) -> None:
    stranger = requester_patient(bodies.qualified(bodies.new_ins()))
    while_open = [erase(record, who) for who in (record.patient, AUTHOR, SPECIALIST, AGENT, stranger)]
    close(record)
    while_closed = [erase(record, who) for who in (AUTHOR, SPECIALIST, AGENT, stranger)]

    assert [(a.status, a.code) for a in while_open] == [
        (409, "record-open"), *[(403, "not-authorised")] * 3, (404, "no-record")
    ]  # fmt: skip
    assert [(a.status, a.code) for a in while_closed] == [*[(403, "not-authorised")] * 3, (404, "no-record")]
    assert len([e for e in record.trace() if e["act"] == "erase" and e["outcome"] == "8"]) == 9
    assert record.api.run(JOB) == NOTHING


def test_a_representative_has_the_record_of_the_child_erased(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    parent, ins = bodies.new_ins(), bodies.new_ins()
    mother = requester_patient(bodies.qualified(parent))
    child = {"resource": bodies.patient(ins, birthDate="2020-05-17")}
    body = bodies.opening(ins, patient=child, guardian={"resource": bodies.guardian(parent)})
    record = FedRecord(api, api.post("/fhir/Patient/$open", body, as_=mother).id, ins, mother, stack)
    close(record)

    asked = erase(record)
    api.run(JOB)

    assert asked.status == 202
    assert fsck.left_after_erasure(record, []) == []


def test_reopening_before_the_job_ran_keeps_everything(record: FedRecord, clock: TimeMachineFixture) -> None:
    before = record.found(record.patient)
    close(record)
    erase(record)

    reopened = reopen(record)
    clock.shift(86_400)
    run = record.api.run(JOB)

    assert (reopened.status, run, head(record)["due"]) == (200, NOTHING, None)
    assert record.found(record.patient) == before


def test_a_reopening_while_the_job_begins_wins(record: FedRecord) -> None:
    close(record)
    erase(record)

    with meanwhile("TransactWriteItems", lambda: reopen(record)):
        run = record.api.run(JOB)

    assert (run, head(record)["status"]) == (NOTHING, "open")
    assert record.found(record.patient)


def test_once_it_has_begun_nothing_stops_the_erasure(
    record: FedRecord, stack: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR", logger="dmp")
    close(record)
    erase(record)
    with refused("ListObjectVersions"):
        failed = record.api.run(JOB)

    late = [reopen(record), erase(record), reopen(record, AGENT, attestation=bodies.attested())]
    oppose = bodies.parameters(identifier={"valueIdentifier": bodies.patient(record.ins)["identifier"][0]})
    opposed = record.api.post("/fhir/Patient/$oppose", oppose, as_=record.patient)
    read = record.api.get(f"/fhir/Patient/{record.id}", as_=record.patient)
    told = record.trace()
    run = record.api.run(JOB)

    logged = [one.__dict__["failure"] for one in caplog.records if one.message == "retention_failed"]
    assert (failed["failed"], failed["done"], logged) == (1, False, ["Unavailable"])
    assert {(a.status, a.code) for a in late} == {(409, "erasure-under-way")}
    assert (opposed.status, opposed.code) == (409, "record-exists")
    assert (read.status, read.code) == (403, "record-closed")
    assert run["erased"] == 1
    assert fsck.left_after_erasure(record, told) == []


def test_an_archive_lasts_ten_years(record: FedRecord) -> None:
    close(record)

    assert head(record)["due"] == "2036-03-02T12:00:00.000000+00:00"


def test_when_the_archive_is_over_or_the_delay_of_a_wish_the_record_goes_to_the_second(
    clock: TimeMachineFixture,
) -> None:
    with small_stack(ErasureDelayDays="10", ArchiveYears="1") as stack:
        wished, archived = to_be_erased(ApiClient(), stack), full_record(ApiClient(), stack)
        close(archived)
        moments = ("2026-03-12T11:59:59Z", "2026-03-12T12:00:00Z", "2027-03-02T11:59:59Z", "2027-03-02T12:00:00Z")
        runs = []
        for moment in moments:
            clock.move_to(moment, tick=False)
            runs.append(wished.api.run(JOB)["erased"])
        left = fsck.left_after_erasure(wished, []) + fsck.left_after_erasure(archived, [])

    assert runs == [0, 1, 0, 1]
    assert left == []


def test_what_a_deposit_under_way_brought_late_goes_too(record: FedRecord, clock: TimeMachineFixture) -> None:
    close(record)
    erase(record)
    record.api.run(JOB)
    late = [f"{kind}/{record.id}/late" for kind in ("documents", "uploads", "exports")]
    for key in late:
        aws.client("s3").put_object(Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key, Body=b"late")
    brought = fsck.versions(record)
    clock.shift(3600)

    run = record.api.run(JOB)
    settled = record.items()
    last = record.api.run(JOB)

    assert brought == late
    assert (run, last) == (NOTHING, NOTHING)
    assert fsck.versions(record) == []
    assert [item["sk"]["S"] for item in settled] == ["D~"]
    assert "gx_month" not in settled[0]


def test_one_record_that_fails_stops_no_other(record: FedRecord, stack: dict[str, str]) -> None:
    records = [to_be_erased(record.api, stack) for _ in range(3)]

    with refused("BatchWriteItem", nth=2):
        first = record.api.run(JOB)
    states = [head(one)["status"] for one in records]
    second = record.api.run(JOB)

    assert (first["erased"] + first["failed"], first["done"]) == (3, False)
    assert first["failed"] >= 1
    assert set(states) <= {"erased", "erasing"}
    assert (second["erased"], second["failed"], second["done"]) == (first["failed"], 0, True)


def test_an_object_that_cannot_be_deleted_fails_the_record_until_it_can(
    record: FedRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(record)
    erase(record)
    told = record.trace()

    def keep(parsed: dict[str, object], **_: object) -> None:
        parsed["Errors"] = [{"Key": "k", "Code": "AccessDenied"}]

    events = aws.client("s3").meta.events
    events.register("after-call.s3.DeleteObjects", keep)
    try:
        failed = record.api.run(JOB)
    finally:
        events.unregister("after-call.s3.DeleteObjects", keep)

    assert (failed["failed"], failed["erased"]) == (1, 0)
    assert record.api.run(JOB)["erased"] == 1
    assert fsck.left_after_erasure(record, told) == []


def test_items_that_dynamodb_leaves_over_are_deleted_next(record: FedRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_store, "_PAUSE_SECONDS", 0)
    close(record)
    erase(record)
    left = []

    def keep(params: dict[str, dict[str, list[object]]], **_: object) -> None:
        for requests in params["RequestItems"].values():
            left.append(len(requests))
            del requests[1:]

    def tell(parsed: dict[str, object], **_: object) -> None:
        parsed["UnprocessedItems"] = {"table": [{}]} if left[-1] > 1 else {}

    events = aws.client("dynamodb").meta.events
    events.register("provide-client-params.dynamodb.BatchWriteItem", keep)
    events.register("after-call.dynamodb.BatchWriteItem", tell)
    try:
        run = record.api.run(JOB)
    finally:
        events.unregister("provide-client-params.dynamodb.BatchWriteItem", keep)
        events.unregister("after-call.dynamodb.BatchWriteItem", tell)

    assert (run["erased"], len(left) > 10) == (1, True)
    assert fsck.left_after_erasure(record, []) == []


def test_without_time_the_job_stops_between_two_portions_and_the_next_run_goes_on(
    record: FedRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_store, "_ITEMS", 4)
    monkeypatch.setattr(archive_store, "_OBJECTS", 1)
    close(record)
    erase(record)
    told, items = record.trace(), len(record.items())

    runs: list[dict[str, Any]] = []
    with counted() as calls:
        while not runs or not runs[-1]["done"]:
            runs.append(retain_for(1))

    assert len(runs) > 4 + (items - 1) // 4
    assert [run["erased"] for run in runs] == [0] * (len(runs) - 1) + [1]
    assert {run["failed"] for run in runs} == {0}
    assert calls.count("DeleteObjects") == 6
    assert fsck.left_after_erasure(record, told) == []


def test_a_run_that_finds_nothing_due_writes_nothing(record: FedRecord) -> None:
    close(record)

    with counted() as calls:
        run = record.api.run(JOB)

    assert (run, calls) == (NOTHING, ["Query"] * 8 * 3)


def test_two_runs_at_once_erase_once(record: FedRecord) -> None:
    close(record)
    erase(record)

    with meanwhile("BatchWriteItem", lambda: record.api.run(JOB)):
        late = record.api.run(JOB)

    assert late["failed"] == 0
    assert [e["act"] for e in record.trace()].count("erased") == 1
    assert fsck.left_after_erasure(record, []) == []


def test_a_suspended_record_is_not_erased(record: FedRecord) -> None:
    suspend(record)

    answer = erase(record)

    assert (answer.status, answer.code) == (409, "record-suspended")
