"""One stack for all tests of the operators' tools, each of which begins with its stores as if it were the first."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from time_machine import TimeMachineFixture

from tests.api_client import ApiClient
from tests.closed_record import small_stack
from tests.conftest import NOON
from tests.fed_record import FedRecord
from tests.inspected_record import inspected_record
from tests.kept_stack import KeptStack, Moment
from tests.operator_tools import InProcess, Operator


@pytest.fixture(scope="package")
def kept() -> Iterator[KeptStack]:
    with small_stack() as environment:
        with time_machine.travel(NOON, tick=False):
            stack = KeptStack(environment)
        yield stack


@pytest.fixture(scope="package")
def inspected(kept: KeptStack) -> tuple[FedRecord, Moment]:
    with time_machine.travel(NOON, tick=False) as clock:
        kept.put_back(kept.empty, clock)
        return inspected_record(kept.api, kept.environment, clock), kept.moment()


@pytest.fixture
def stack(kept: KeptStack, clock: TimeMachineFixture) -> dict[str, str]:
    """AWS with no record in it, at noon."""
    kept.put_back(kept.empty, clock)
    return kept.environment


@pytest.fixture
def api(kept: KeptStack, stack: dict[str, str]) -> ApiClient:
    assert stack
    return kept.api


@pytest.fixture
def record(
    inspected: tuple[FedRecord, Moment], kept: KeptStack, stack: dict[str, str], clock: TimeMachineFixture
) -> FedRecord:
    """A record with something of every kind, chained, sealed, and old enough that nothing is under way."""
    assert stack
    record, moment = inspected
    kept.put_back(moment, clock)
    return record


@pytest.fixture
def operator(
    api: ApiClient, stack: dict[str, str], capsys: pytest.CaptureFixture[str], clock: TimeMachineFixture
) -> Operator:
    """Somebody who types commands, while time goes on."""
    clock.move_to(datetime.now(UTC), tick=True)
    return Operator(InProcess(api, stack), capsys)
