"""What the scheduled jobs share: all that is due, month by month, and one thing that fails holding up no other."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Protocol

from dmp.observability import logger

FIRST_MONTH = (2026, 1)
"""Nothing fell due before the service began: whatever the backlog, all of it lies between then and now."""


class Progress(Protocol):
    """What one run did; `failed` were left as they are, `done` tells that nothing that was due is left."""

    failed: int
    done: bool


def left(progress: Progress) -> int:
    """What a run left though it was due: what failed, or one for all that it did not come to."""
    return progress.failed or int(not progress.done)


class OutOfTime(Exception):
    """The function is about to be stopped."""


def stop_in_time(remaining: Callable[[], float], enough: float) -> None:
    """Raise OutOfTime where fewer seconds remain than are enough for the next step."""
    if remaining() < enough:
        raise OutOfTime


def due[Thing](
    read: Callable[[datetime, int, datetime], Iterator[Thing]], shards: int, now: datetime
) -> Iterator[Thing]:
    """All that is due, the oldest month first; `read` brings that of a month and a shard."""
    for year, month in months_until(now):
        for shard in range(shards):
            yield from read(datetime(year, month, 1, tzinfo=now.tzinfo), shard, now)


def months_until(now: datetime) -> Iterator[tuple[int, int]]:
    """Year and month (UTC) of every month since the service began, oldest first."""
    first = FIRST_MONTH[0] * 12 + FIRST_MONTH[1] - 1
    for number in range(first, now.year * 12 + now.month):
        yield number // 12, number % 12 + 1


def sweep[Thing](
    things: Iterable[Thing],
    handle: Callable[[Thing], None],
    progress: Progress,
    *,
    failure_event: str,
) -> None:
    """Handle each thing, until OutOfTime; one that fails is logged, counted, and does not stop the others."""
    for thing in things:
        try:
            handle(thing)
        except OutOfTime:
            progress.done = False
            return
        except Exception as failure:  # noqa: BLE001 - the others must not wait for one that cannot be handled
            logger.error(failure_event, extra={"failure": type(failure).__name__})
            progress.failed += 1
            progress.done = False
