"""Chains what is new in the trace of a record: whatever is chained cannot change, go or be moved unseen."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dmp.domain.errors import Unavailable
from dmp.domain.seal import LARGEST_LINK, NOTHING, Link, chained, digest_of
from dmp.services.attempts import attempts

if TYPE_CHECKING:
    from dmp.adapters.chain_store import ChainStore

_REMEMBERED = timedelta(hours=26)
"""How far back a link may hold what a stream brings again: it forgets in a day."""


class AuditChain:
    """The chains of all records."""

    def __init__(self, store: "ChainStore", clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def append(self, record: str, entries: Sequence[tuple[str, str]]) -> int:
        """Chain entries (local id and stored text) that are not chained yet, in this order; how many these were.

        Raises Unavailable where that is not certain: then they must be brought again.
        """
        done = 0
        for _ in attempts():
            now = self._clock()
            known, head, number = self._recent(record, now - _REMEMBERED)
            new = [one for one in dict(entries).items() if one[0] not in known][:LARGEST_LINK]
            if not new:
                return done
            head = chained(head, [digest_of(text) for _, text in new])
            ids = tuple(local for local, _ in new)
            link = Link(record=record, number=number + len(new), entries=ids, head=head.hex(), at=now)
            if self._store.is_linked(link):
                done += len(new)
                if len(new) < LARGEST_LINK:
                    return done
        raise Unavailable("service-unavailable")

    def complete(self, record: str) -> int:
        """Chain whatever of a record is not chained, however old it is; the number of entries that were missing."""
        known = {local for link in self._store.links(record) for local in link.entries}
        missing = [one for one in self._store.all_entries(record) if one[0] not in known]
        for begin in range(0, len(missing), LARGEST_LINK // 2):
            self.append(record, missing[begin : begin + LARGEST_LINK // 2])
        return len(missing)

    def _recent(self, record: str, since: datetime) -> tuple[set[str], bytes, int]:
        """The entries chained since a moment, the head of the chain, and how many entries are before it."""
        known: set[str] = set()
        head, number = NOTHING, 0
        for link in self._store.links(record, newest_first=True):
            if not number:
                head, number = bytes.fromhex(link.head), link.number
            if link.at < since:
                break
            known |= set(link.entries)
        return known, head, number
