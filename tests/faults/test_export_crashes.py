"""An order for an archive, and its building, die at any call to AWS: what was acknowledged is there in the end."""

from collections.abc import Iterator

import pytest
from time_machine import TimeMachineFixture

from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import Killed, counted
from tests.exports import Json, ask, fetched, ordered, run, waiting
from tests.faults import fsck
from tests.faults.test_crashes import MODES, fault
from tests.fed_record import FedRecord, open_record

ORDER = ("BatchGetItem", "SendMessage", "TransactWriteItems")
BUILDING = (
    *("ChangeMessageVisibility", "GetItem", "TransactWriteItems", "BatchGetItem", "CreateMultipartUpload", "Query"),
    *("GetObject", "UploadPart", "CompleteMultipartUpload", "BatchGetItem", "TransactWriteItems"),
)
"""The calls at which a building is broken off: the many reads between are as the first of them."""
FEW_MODES = ("before", *(pytest.param(mode, marks=pytest.mark.long) for mode in ("after", "answer lost", "SlowDown")))
LEASE = 16 * 60 + 31


@pytest.fixture(scope="module", autouse=True)
def secret_known(api: ApiClient, stack: dict[str, str]) -> None:
    """The first digest of a function fetches the secret."""
    record = open_record(api, stack)
    ordered(record)
    run(record, *waiting(record))


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    record = open_record(api, stack)
    record.publish()
    return record


def boundaries(calls: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Every call, and which of its name it is."""
    for place, call in enumerate(calls):
        yield call, calls[: place + 1].count(call)


def delivered(record: FedRecord, clock: TimeMachineFixture, message: Json | None = None) -> None:
    """Hand over what is in the queue, again and again, until nothing is left to be done."""
    messages = [message] if message else waiting(record)
    for _ in range(4):
        messages = [one for one in messages if run(record, one)]
        clock.shift(LEASE)
    assert messages == [] or all(one["body"] == messages[0]["body"] for one in messages)


def test_an_undisturbed_order_makes_the_calls_that_are_swept(record: FedRecord) -> None:
    with counted() as calls:
        assert ask(record).status == 202

    assert tuple(calls) == ORDER


def test_an_undisturbed_building_makes_the_calls_that_are_swept(record: FedRecord) -> None:
    ordered(record)
    messages = waiting(record)

    with counted() as calls:
        assert run(record, *messages) == []

    assert all(calls.count(call) >= BUILDING.count(call) for call in BUILDING)
    assert calls[-2:] == ["BatchGetItem", "TransactWriteItems"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("call", "nth"), list(boundaries(ORDER)))
def test_an_order_that_breaks_off_is_lost_or_whole_and_can_be_repeated(
    record: FedRecord, clock: TimeMachineFixture, call: str, nth: int, mode: str
) -> None:
    acknowledged = ""

    try:
        with fault(mode, call, nth):
            answer = ask(record)
            acknowledged = answer.headers.get("content-location", "")
    except Killed:
        pass
    delivered(record, clock)
    if acknowledged:
        assert fetched(record, acknowledged).under("documents/")
    address = ordered(record)
    delivered(record, clock)

    assert fetched(record, address).under("documents/")
    assert fsck.problems(record) == []


@pytest.mark.parametrize("mode", FEW_MODES)
@pytest.mark.parametrize(("call", "nth"), list(boundaries(BUILDING)))
def test_a_building_that_breaks_off_is_begun_again_and_the_archive_is_whole(
    record: FedRecord, clock: TimeMachineFixture, call: str, nth: int, mode: str
) -> None:
    address = ordered(record)
    [message] = waiting(record)

    try:
        with fault(mode, call, nth):
            run(record, message)
    except Killed:
        pass
    clock.shift(LEASE)
    delivered(record, clock, message)

    archive = fetched(record, address)
    assert [archive.read(name) for name in archive.under("documents/")] == [bodies.PDF]
    told = [entry["act"] for entry in record.trace() if entry["act"] == "exported"]
    assert told == ["exported"]
    messages = [item for item in record.items() if item["sk"]["S"].startswith("M#")]
    assert len(messages) == 2  # of the document, and that the archive is ready
    assert fsck.problems(record) == []
