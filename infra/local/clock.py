"""The clock of the whole process, which `/local/clock` moves: functions, issuers and moto live in the same time."""

from datetime import UTC, datetime, timedelta
from threading import Lock

import time_machine


class Clock:
    """Real time plus an offset; waiting is not affected, for the monotonic clock stays as it is."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._travel: time_machine.travel | None = None
        self._traveller: time_machine.Traveller | None = None
        self._lock = Lock()

    def move(self, offset: timedelta) -> datetime:
        """Set the distance from real time, whatever it was before; return the new present."""
        with self._lock:
            if self._traveller is None:
                self._travel = time_machine.travel(datetime.now(UTC), tick=True)
                self._traveller = self._travel.start()
            self._traveller.shift(offset - self._offset)
            self._offset = offset
            return datetime.now(UTC)

    def stop(self) -> None:
        """Go back to real time."""
        with self._lock:
            if self._travel is not None:
                self._travel.stop()
            self._travel = self._traveller = None
            self._offset = timedelta()
