"""Seals the chains of the trace: a signature a minute over the heads of all that grew (RFC 6962, KMS)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dmp.domain.seal import SHARD_CHARS, Head, Seal, leaf_of, root_of, seal_hash, seal_text
from dmp.metrics import Metric, Metrics
from dmp.observability import logger

if TYPE_CHECKING:
    from dmp.adapters.chain_store import ChainStore
    from dmp.adapters.seal_store import SealStore

_OVERLAP = timedelta(minutes=2)
"""What was sealed so long before is looked at again, for what was written late."""
_A_DAY_AND_MORE = timedelta(hours=50)
"""How far back records are looked for that grew: twice the time between two seals of the whole, and some."""
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one run sealed: how many heads, and since when the first of them had waited; none where nothing grew."""

    heads: int = 0
    since: datetime | None = None


class AuditSealer:
    """The seals of one installation."""

    def __init__(
        self, chains: "ChainStore", seals: "SealStore", name_of: Callable[[str], str], metrics: Metrics
    ) -> None:
        """`name_of` gives the name of a record in the leaves, which tell nobody whose they are."""
        self._metrics = metrics
        self._chains = chains
        self._seals = seals
        self._name_of = name_of

    def seal(self, now: datetime) -> Sealed:
        """Seal what grew since the last seal; nothing is written where nothing did.

        Raises Unavailable where that is not certain; done again, it comes to the same.
        """
        last = self._chains.last_seal()
        since = last.until - _OVERLAP if last else _BEGINNING
        heads, grown_at = self._heads(since, now)
        if not heads or (last and last.until >= now):
            return Sealed()
        leaves = sorted(heads.values())
        known = set(self._seals.leaves(last.number)) if last else set()
        if known.issuperset(leaves):
            return Sealed()
        number, before = (last.number + 1, seal_hash(last.text)) if last else (1, "")
        text = seal_text(number, before, now.isoformat(), len(leaves), root_of([leaf_of(one) for one in leaves]))
        made = Seal(number=number, until=now, text=text, signature=self._seals.signed(text))
        self._chains.keep_seal(self._seals.keep(made, leaves))
        until = {head.name: head.number for head in known}
        new = [at for head, at in grown_at.items() if until.get(head.name, 0) < head.number]
        return Sealed(len(leaves), min(new, default=now))

    def seal_whole(self, now: datetime) -> int:
        """Seal all records anew, shard by shard, where one grew since their last seal; the number of shards written.

        A record whose chain does not go on where it was sealed keeps its sealed head, so that no proof of it holds any
        more, and is an alarm. Raises Unavailable; done again, it comes to the same.
        """
        grown: dict[str, dict[str, tuple[str, Head]]] = {}
        for record, number, head, _ in self._chains.changed(now - _A_DAY_AND_MORE, now):
            name = self._name_of(record)
            shard = grown.setdefault(name[:SHARD_CHARS], {})
            if name not in shard or shard[name][1].number < number:
                shard[name] = record, Head(name, number, head)
        return sum(self._is_written(shard, heads, now) for shard, heads in sorted(grown.items()))

    def _is_written(self, shard: str, grown: dict[str, tuple[str, Head]], now: datetime) -> bool:
        before = self._seals.whole(shard)
        last, sealed = before or (None, [])
        known = {one.name: one for one in sealed}
        merged = known | {name: self._next(known.get(name), *grown[name]) for name in grown}
        if merged == known:
            return False
        leaves = sorted(merged.values())
        number, previous = (last.number + 1, seal_hash(last.text)) if last else (1, "")
        text = seal_text(number, previous, now.isoformat(), len(leaves), root_of([leaf_of(one) for one in leaves]))
        self._seals.keep_whole(
            shard, Seal(number=number, until=now, text=text, signature=self._seals.signed(text)), leaves
        )
        return True

    def _next(self, sealed: Head | None, record: str, head: Head) -> Head:
        """The head to be sealed: the new one where it goes on from the one that was sealed, else that one for ever."""
        if sealed is None or sealed == head:
            return head
        if sealed.number < head.number and self._chains.head_at(record, sealed.number) == sealed.head:
            return head
        logger.error("trace_rewritten", extra={"leaf": head.name})
        self._metrics.count(Metric.TRACE_TAMPERED, reason="rewritten")
        return sealed

    def _heads(self, since: datetime, until: datetime) -> tuple[dict[str, Head], dict[Head, datetime]]:
        """The newest head of each chain that grew, by the name of its record, and when each head came to be."""
        found: dict[str, Head] = {}
        grown_at: dict[Head, datetime] = {}
        for record, number, text, at in self._chains.changed(since, until):
            head = Head(self._name_of(record), number, text)
            grown_at[head] = at
            if head.name not in found or found[head.name].number < number:
                found[head.name] = head
        return found, grown_at
