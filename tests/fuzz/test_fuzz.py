"""Requests spoilt at random, through the real handlers: no 5xx, each 4xx with its code, nothing stored on one."""

from random import Random

import pytest

from tests import bodies
from tests.api_client import ApiClient
from tests.fed_record import open_record
from tests.fuzz.fuzz_cases import KINDS
from tests.fuzz.fuzzed_record import FuzzedRecord

CHUNK = 125
SHARES = {
    "cda": 13,
    "publication": 15,
    "submission": 14,
    "text": 9,
    "patch": 8,
    "search": 9,
    "reimbursement": 6,
    "profile": 6,
}
"""Chunks of each kind in `make test`: 10,000 requests; ten times as many in `make test-long`."""
SHORT = [(kind, seed) for kind, share in SHARES.items() for seed in range(share)]
LONG = [(kind, seed) for kind, share in SHARES.items() for seed in range(1_000, 1_000 + share * 10)]


def test_there_are_ten_thousand() -> None:
    assert SHARES.keys() == KINDS.keys()
    assert len(SHORT) * CHUNK == 10_000
    assert len(LONG) * CHUNK == 100_000


@pytest.mark.parametrize(("kind", "seed"), SHORT)
def test_spoilt_requests_break_nothing(api: ApiClient, stack: dict[str, str], kind: str, seed: int) -> None:
    fuzz(api, stack, kind, seed)


@pytest.mark.long
@pytest.mark.parametrize(("kind", "seed"), LONG)
def test_ten_times_as_many_break_nothing(api: ApiClient, stack: dict[str, str], kind: str, seed: int) -> None:
    fuzz(api, stack, kind, seed)


def fuzz(api: ApiClient, stack: dict[str, str], kind: str, seed: int) -> None:
    """Send a chunk of one kind to a record of its own that holds one document."""
    chance = Random(f"{kind} {seed}")
    target = FuzzedRecord(open_record(api, stack))
    target.fed.publish(content=bodies.PDF)

    for _ in range(CHUNK):
        KINDS[kind](target, chance)

    target.assert_whole()
    assert target.refused + target.accepted >= CHUNK
