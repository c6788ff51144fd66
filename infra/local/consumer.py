"""A consumer of the local stack: it looks for work whenever a function has run, and twice a second besides."""

from abc import ABC, abstractmethod
from threading import Event, Thread

IDLE_SECONDS = 0.5
STOP_SECONDS = 2.0


class Consumer(ABC):
    """Consumes in a thread of its own until it is stopped."""

    def __init__(self) -> None:
        self._something_happened = Event()
        self._stopping = Event()
        self._thread = Thread(target=self._consume, daemon=True)

    def start(self) -> None:
        """Consume in the background."""
        self._thread.start()

    def wake(self) -> None:
        """Look now: there may be something new."""
        self._something_happened.set()

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stopping.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_SECONDS)

    @abstractmethod
    def _consume(self) -> None:
        """Hand over what there is, until `_stopping` is set."""

    def _wait(self) -> bool:
        """Until something happened, or half a second has gone by; whether something did."""
        happened = self._something_happened.wait(IDLE_SECONDS)
        self._something_happened.clear()
        return happened
