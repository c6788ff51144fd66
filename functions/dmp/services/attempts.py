"""Deciding anew when somebody else changed the record meanwhile: a patient's revocation must get through."""

import random
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dmp.domain.changes import Change, Contention

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger

ATTEMPTS = 16
"""Enough for a dozen writers of one record at once: each wave lets one of them through."""
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.25
_CHANCE = random.SystemRandom()
"""The system's: environments that start from one snapshot would draw the same from a generator of this process."""


def attempts() -> Iterator[int]:
    """Count the attempts at a change, from 1 on, with a random pause before each but the first."""
    for attempt in range(1, ATTEMPTS + 1):
        if attempt > 1:
            longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            time.sleep(_CHANCE.uniform(0, longest))
        yield attempt


def is_committed(ledger: "Ledger", changes: Sequence[Change]) -> bool:
    """Write all changes; False, and nothing is written, where somebody else came first."""
    try:
        ledger.commit(changes)
    except Contention:
        return False
    return True
