"""The seals of the trace, one after the other: each names the one before, and none is gone, changed or unsigned."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dmp.domain.errors import Unavailable
from dmp.domain.inspection import Fault, Problem
from dmp.domain.seal import Seal, leaf_of, root_of, seal_hash

if TYPE_CHECKING:
    from dmp.adapters.chain_store import ChainStore
    from dmp.adapters.seal_store import SealStore

_PAGE = 50
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SealPosition:
    """Behind which seal to go on: its number, its moment, and the hash of its text."""

    number: int = 0
    until: datetime = _BEGINNING
    digest: str = ""


class SealsInspection:
    """All seals of one installation."""

    def __init__(
        self, chains: "ChainStore", seals: "SealStore", is_signed: Callable[[str, str, str], bool], most: int = _PAGE
    ) -> None:
        """`is_signed` tells whether a text has a signature by a public key."""
        self._chains = chains
        self._seals = seals
        self._is_signed = is_signed
        self._most = most

    def page(self, position: SealPosition) -> tuple[int, list[Problem], SealPosition | None]:
        """How many seals were looked at, what is wrong with them, and where to go on."""
        found = [one for one in self._chains.seals_from(position.until, self._most + 1) if one.number > position.number]
        if not found:
            return 0, [], None
        key, problems = self._seals.public_key(), []
        for seal in found[: self._most]:
            problems += [Problem(fault, "", f"seal {seal.number}") for fault in self._faults(seal, position, key)]
            position = SealPosition(seal.number, seal.until, seal_hash(seal.text))
        return len(found[: self._most]), problems, position

    def _faults(self, seal: Seal, before: SealPosition, key: str) -> Iterator[Fault]:
        if not self._is_signed(seal.text, seal.signature, key):
            yield Fault.SEAL_DIFFERS
            return
        told = json.loads(seal.text)
        if (seal.number, told["number"], told["previous"]) != (before.number + 1, seal.number, before.digest):
            yield Fault.CHAIN_BROKEN
        try:
            stored, leaves = self._seals.stored(seal.number)
        except Unavailable:
            yield Fault.OBJECT_MISSING
            return
        is_same = (stored.text, stored.signature) == (seal.text, seal.signature)
        if (
            not is_same
            or told["size"] != len(leaves)
            or told["root"] != root_of([leaf_of(one) for one in leaves]).hex()
        ):
            yield Fault.OBJECT_DIFFERS
