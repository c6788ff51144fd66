"""The seals in their bucket as an inspection reads them: one that is gone, or damaged, hides no other."""

from collections.abc import Callable

from dmp.adapters.inspection_items import UNREADABLE
from dmp.adapters.object_inspection import is_missing
from dmp.adapters.seal_store import SealStore
from dmp.domain.errors import Unavailable
from dmp.domain.inspection import Fault, SealObject
from dmp.domain.seal import Head, Seal, leaf_of, root_of


class SealObjects:
    """Seals by their numbers, and those over all records; Unavailable where S3 does not say."""

    def __init__(self, seals: SealStore) -> None:
        self._seals = seals

    def public_key(self) -> str:
        """The key that seals are signed by."""
        return self._seals.public_key()

    def stored(self, number: int) -> SealObject | Fault:
        """A seal, or what is wrong with its object."""
        return _found(lambda: self._seals.stored(number)) or Fault.OBJECT_MISSING

    def whole(self, name: str) -> SealObject | Fault | None:
        """The last seal over all the records of a shard, or what is wrong with it; None before the first."""
        return _found(lambda: self._seals.whole(name))


def _found(read: Callable[[], tuple[Seal, list[Head]] | None]) -> SealObject | Fault | None:
    try:
        found = read()
        if found is None:
            return None
        seal, leaves = found
        if not leaves:
            return Fault.OBJECT_DIFFERS
        return SealObject(seal, frozenset(leaves), len(leaves), root_of([leaf_of(one) for one in leaves]).hex())
    except Unavailable as failure:
        if is_missing(failure):
            return Fault.OBJECT_MISSING
        raise
    except UNREADABLE:
        return Fault.OBJECT_DIFFERS
