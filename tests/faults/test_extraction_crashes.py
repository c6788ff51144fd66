"""The reading of a document dies at any call to AWS, or meets another: nothing breaks, and the next one converges."""

import pytest

from tests import texts
from tests.api_client import ApiClient
from tests.aws_calls import Killed, counted, meanwhile
from tests.faults import fsck
from tests.faults.test_crashes import MODES, fault
from tests.fed_record import SPECIALIST, FedRecord, open_record
from tests.uploads import Json

CALLS = ("BatchGetItem", "GetObject", "TransactWriteItems")
PDF = texts.pdf("Suivi de la glycémie")


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    return record


def deposited(record: FedRecord) -> tuple[str, Json]:
    document = record.publish(content=PDF)
    return document, texts.told_by_bucket(record, document)


def found(record: FedRecord) -> list[str]:
    return record.found(SPECIALIST, "status=current&_content=glycemie")


def test_an_undisturbed_reading_makes_the_calls_that_are_swept(record: FedRecord) -> None:
    texts.read(record.api, deposited(record)[1])  # the first digest of a process fetches the secret
    _, event = deposited(record)

    with counted() as calls:
        assert texts.read(record.api, event) == []

    assert tuple(calls) == CALLS


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", CALLS)
def test_a_reading_that_breaks_off_breaks_nothing_and_the_next_one_converges(
    record: FedRecord, call: str, mode: str
) -> None:
    document, event = deposited(record)

    try:
        with fault(mode, call, 1):
            texts.read(record.api, event)
    except Killed:
        pass
    assert fsck.problems(record) == []
    assert found(record) in ([], [document])
    assert texts.read(record.api, event) == []

    assert found(record) == [document]
    assert fsck.problems(record) == []


@pytest.mark.parametrize("call", ["GetObject", "TransactWriteItems"])
def test_two_readings_at_once_are_one(record: FedRecord, call: str) -> None:
    document, event = deposited(record)

    with meanwhile(call, lambda: texts.read(record.api, event)):
        assert texts.read(record.api, event) == []

    assert found(record) == [document]
