"""A sound record passes the inspection of the operator, each planted fault is found by name."""

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from infra.local.resources import ACCOUNT
from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import meanwhile, refused
from tests.closed_record import close, erase, full_record
from tests.damaged_records import PLANTED, current_object
from tests.fed_record import AUTHOR, FedRecord, open_record, partition
from tests.inspected_record import drop, faults, items, order, put, settle
from tests.reimbursements import fed, line


def test_a_record_with_something_of_every_kind_is_sound(record: FedRecord) -> None:
    answer = order(record.api, "records", record=record.id)

    assert answer["problems"] == []
    assert (answer["records"], answer["documents"], answer["objects"]) == (1, 5, 3)
    assert answer["entries"] == len(record.trace())
    assert answer["items"] == len(record.items())
    assert answer["stored_bytes"] == sum(record.objects().values()) - len(bodies.PDF + b"b") - len(bodies.PDF + b"d")


def test_reading_every_byte_finds_the_same(record: FedRecord) -> None:
    assert faults(record, bytes=True) == []


def test_an_authorisation_that_is_over_is_no_fault_whether_or_not_it_was_marked(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    clock.shift(timedelta(days=400))
    unmarked = faults(record)
    record.api.run("ConsentExpiry")
    settle(record, clock)
    marked = faults(record)
    record.authorise(AUTHOR)
    settle(record, clock)
    dropped = faults(record)

    assert (unmarked, marked, dropped) == ([], [], [])


def test_a_line_of_reimbursement_whose_name_went_over_to_another_is_no_fault(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    record = open_record(api, stack)
    assert fed(api, line(record.id, identifier=record.id)).status == 201
    clock.shift(timedelta(days=735))
    assert fed(api, line(record.id, identifier=record.id)).status == 201

    assert len(items(record, "B#")) == 2
    assert faults(record) == ["not-chained"]


def test_what_is_still_on_its_way_is_no_fault(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> None:
    record = full_record(api, stack)

    assert faults(record) == []


def test_a_closed_and_an_erased_record_are_sound(record: FedRecord, clock: TimeMachineFixture) -> None:
    close(record)
    settle(record, clock)
    closed = faults(record)
    assert erase(record).status == 202
    record.api.run("Retention")
    settle(record, clock)

    assert (closed, faults(record)) == ([], [])


def test_what_happens_while_it_looks_is_no_fault(record: FedRecord) -> None:
    document = f"/fhir/DocumentReference/{record.found(record.patient)[0]}"
    mask = bodies.MASK

    with meanwhile("HeadObject", lambda: record.api.patch(document, mask, as_=record.patient)):
        assert faults(record) == []


@pytest.mark.parametrize(("plant", "wanted"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_what_is_broken_is_found(record: FedRecord, plant: Callable[[FedRecord], None], wanted: set[str]) -> None:
    plant(record)

    found = set(faults(record))

    assert found >= wanted


def test_a_change_without_its_entry_is_found(record: FedRecord, clock: TimeMachineFixture) -> None:
    document = record.publish()
    clock.shift(timedelta(seconds=1))
    record.mask(document)
    table = record.stores["AUDIT_TABLE"]
    newest = max(partition(table, f"R#{record.id}"), key=lambda one: one["sk"]["S"])
    drop(table, newest)

    found = order(record.api, "records", record=record.id)["problems"]

    local = document.partition(".")[2]
    assert {"fault": "not-traced", "record": record.id, "what": f"DocumentReference/{local}/2"} in found


def test_a_trace_without_its_seals_is_found(record: FedRecord) -> None:
    table = record.stores["AUDIT_TABLE"]
    seals = partition(table, "SEALS")
    for one in seals:
        drop(table, one)

    found = faults(record)

    for one in seals:
        put(table, one)
    assert (found, faults(record)) == (["not-sealed"], [])


def test_bytes_that_only_their_reading_betrays_are_found_by_it(record: FedRecord) -> None:
    from moto.s3.models import s3_backends

    key = current_object(record)
    stored: Any = s3_backends[ACCOUNT]["aws"].get_object(record.stores["DOCUMENTS_BUCKET"], key)
    content = stored.value
    # moto keeps a hash only under another header than that by which S3 is given it here
    stored.checksum_algorithm = "SHA256"
    stored.checksum_value = b64encode(sha256(content).digest()).decode()
    stored.value = b"y" * len(content)

    assert (faults(record), faults(record, bytes=True)) == ([], ["object-differs"])


def test_what_an_erasure_left_is_found(record: FedRecord, stack: dict[str, str]) -> None:
    left = items(record, "T#")[0]
    close(record)
    assert erase(record).status == 202
    record.api.run("Retention")
    put(stack["RECORDS_TABLE"], left)

    assert "left-after-erasure" in faults(record)


def test_where_storage_does_not_answer_nothing_is_said_to_be_broken(record: FedRecord) -> None:
    with refused("HeadObject", "SlowDown", 503):
        answer = order(record.api, "records", record=record.id)

    assert answer["error"] == "service-unavailable"


def test_heads_that_are_nearly_full_are_named(record: FedRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmp.domain.inspection.MANY_DIRECTIVES", 2)

    [head] = order(record.api, "records", record=record.id, counts=True)["full_heads"]

    assert (head["record"], head["directives"]) == (record.id, 3)
