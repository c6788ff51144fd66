"""The retention job dies at any call to AWS, or never hears of its success: the next run ends what it began."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import keys
from dmp.domain.errors import Unavailable
from tests.api_client import ApiClient
from tests.aws_calls import Killed, Moment, answer_lost, counted, killed, refused
from tests.closed_record import JOB, forget_what_is_due, small_record, small_stack, suspend, to_be_erased
from tests.faults import fsck
from tests.fed_record import FedRecord

ERASING = (
    "GetItem", "TransactWriteItems", "GetItem",
    "ListObjectVersions", "DeleteObjects", *["ListObjectVersions"] * 3,
    "Query", "BatchWriteItem", "Query",
    "TransactWriteItems", "GetItem",
)  # fmt: skip
CLOSING = ("GetItem", "TransactWriteItems", "GetItem")
SHARDS, MONTHS = 8, 3
ERRORS = {"ThrottlingException": 400, "InternalServerError": 500, "KMS.DisabledException": 400}
MODES = ("before", "after", *(pytest.param(mode, marks=pytest.mark.long) for mode in ("answer lost", *ERRORS)))

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, str]]:
    with small_stack() as environment:
        yield environment


@pytest.fixture(scope="module")
def api(stack: dict[str, str]) -> ApiClient:
    assert stack
    return ApiClient()


@pytest.fixture(autouse=True)
def nothing_due(stack: dict[str, str]) -> None:
    """No record of another test is due."""
    forget_what_is_due(stack)


def boundaries(calls: tuple[str, ...]) -> list[tuple[str, int]]:
    """Every call, and which of its name it is."""
    return [(call, calls[: place + 1].count(call)) for place, call in enumerate(calls)]


def fault(mode: str, call: str, nth: int) -> AbstractContextManager[None]:
    match mode:
        case "before" | "after":
            return killed(call, Moment.BEFORE if mode == "before" else Moment.AFTER, nth=nth)
        case "answer lost":
            return answer_lost(call, nth=nth)
        case _:
            return refused(call, mode, ERRORS[mode], nth=nth)


def test_an_undisturbed_erasure_makes_the_calls_that_are_swept(api: ApiClient, stack: dict[str, str]) -> None:
    to_be_erased(api, stack)
    api.run(JOB)  # the first digest of a process fetches the secret
    to_be_erased(api, stack)

    with counted() as calls:
        api.run(JOB)

    others = Counter(calls)
    others.subtract(ERASING)
    assert +others == {"Query": SHARDS * MONTHS}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("call", "nth"), boundaries(ERASING))
def test_an_erasure_that_breaks_off_leaves_the_record_closed_and_converges(
    api: ApiClient, stack: dict[str, str], call: str, nth: int, mode: str
) -> None:
    record = to_be_erased(api, stack)
    told = record.trace()
    nth += queries_of_the_index(record) if call == "Query" else 0

    try:
        with fault(mode, call, nth):
            api.run(JOB)
    except (Killed, Unavailable):
        pass  # without its index a sweep ends, and the next one begins anew
    meanwhile = [record.find(record.patient).status, api.get(trace_of(record), as_=record.patient).status]
    last = api.run(JOB)

    assert meanwhile in ([403, 200], [404, 200])
    assert (last["failed"], last["done"]) == (0, True)
    assert fsck.left_after_erasure(record, told) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("call", "nth"), boundaries(CLOSING))
def test_a_suspension_is_closed_and_told_once(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture, call: str, nth: int, mode: str
) -> None:
    record = small_record(api, stack)
    suspend(record)
    kept = fsck_problems_and_objects(record)
    clock.move_to("2026-04-13T12:00:00Z", tick=False)

    try:
        with fault(mode, call, nth):
            api.run(JOB)
    except (Killed, Unavailable):
        pass  # without its index a sweep ends, and the next one begins anew
    api.run(JOB)

    messages = [item["body"]["S"] for item in record.items() if item["sk"]["S"].startswith("M#")]
    assert len([message for message in messages if "record-closed" in message]) == 1
    assert [e["act"] for e in record.trace()].count("close") == 1
    assert fsck_problems_and_objects(record) == kept


def queries_of_the_index(record: FedRecord) -> int:
    """How many a sweep makes until it has found the record, which is due in the third month."""
    return SHARDS * (MONTHS - 1) + keys.shard(record.id, SHARDS) + 1


def trace_of(record: FedRecord) -> str:
    return f"/fhir/AuditEvent?patient={record.id}"


def fsck_problems_and_objects(record: FedRecord) -> tuple[list[str], dict[str, int]]:
    return fsck.problems(record), record.objects()
