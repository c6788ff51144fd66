"""A process that dies at any call to AWS, or never hears of its success, leaves nothing broken; a retry converges."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from tests.api_client import ApiClient
from tests.aws_calls import Killed, Moment, answer_lost, counted, killed, refused
from tests.faults import fsck
from tests.faults.operations import OPERATIONS
from tests.fed_record import FedRecord, open_record

ERRORS = {
    "ThrottlingException": 400,
    "ProvisionedThroughputExceededException": 400,
    "InternalServerError": 500,
    "SlowDown": 503,
    "KMS.DisabledException": 400,
    "AccessDeniedException": 400,
    "ValidationException": 400,
}
MODES = ("before", "after", "answer lost", *(pytest.param(code, marks=pytest.mark.long) for code in ERRORS))


@pytest.fixture(scope="module", autouse=True)
def secret_known(api: ApiClient, stack: dict[str, str]) -> None:
    """The first digest of a function fetches the secret."""
    open_record(api, stack).publish()


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def boundaries() -> Iterator[tuple[str, str, int]]:
    """Every call of every operation: its operation, its name, and which of that name it is."""
    for name, operation in OPERATIONS.items():
        for place, call in enumerate(operation.calls):
            yield name, call, operation.calls[: place + 1].count(call)


def fault(mode: str, call: str, nth: int) -> AbstractContextManager[None]:
    match mode:
        case "before" | "after":
            return killed(call, Moment.BEFORE if mode == "before" else Moment.AFTER, nth=nth)
        case "answer lost":
            return answer_lost(call, nth=nth)
        case _:
            return refused(call, mode, ERRORS[mode], nth=nth)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_undisturbed_operation_makes_the_calls_that_are_swept(record: FedRecord, name: str) -> None:
    operation = OPERATIONS[name]
    request = operation.prepare(record)
    # the first digest of a function fetches the secret
    record.found(record.patient, "status=current&identifier=urn:oid:1.2.3")

    with counted() as calls:
        answer = request()

    assert answer.status < 300, answer.body
    assert tuple(calls) == operation.calls
    assert fsck.problems(record) == []
    assert fsck.orphans(record) == set()
    assert len(record.found(record.patient)) == operation.found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "call", "nth"), list(boundaries()))
def test_a_fault_breaks_nothing_and_a_retry_converges(
    record: FedRecord, name: str, call: str, nth: int, mode: str
) -> None:
    operation = OPERATIONS[name]
    request = operation.prepare(record)
    acknowledged = 0

    try:
        with fault(mode, call, nth):
            acknowledged = request().status
    except Killed:
        pass
    assert acknowledged in {0, 503}
    assert fsck.problems(record) == []
    left = fsck.orphans(record)
    assert len(left) <= operation.calls.count("PutObject")
    answer = request()

    assert answer.status in {200, 201, *operation.again}, answer.body
    assert fsck.problems(record) == []
    assert fsck.orphans(record) <= left
    assert len(record.found(record.patient)) == operation.found
    assert request().status in operation.again
