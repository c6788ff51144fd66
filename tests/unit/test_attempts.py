"""Pauses between attempts: drawn from the system, so that copies of one process do not pause alike."""

import random
import time

import pytest

from dmp.services.attempts import attempts


def test_environments_that_start_from_one_snapshot_pause_differently(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    snapshot = random.getstate()

    for _ in range(2):
        random.setstate(snapshot)
        list(attempts())

    assert len(pauses) == 30
    assert pauses[:15] != pauses[15:]
