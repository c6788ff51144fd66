"""The seals of the trace, one after the other: each names the one before, and none is gone, changed or unsigned."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dmp.domain.inspection import Broken, Fault, Problem, SealObject
from dmp.domain.seal import Seal, seal_hash

if TYPE_CHECKING:
    from dmp.adapters.inspection_rows import TraceRows
    from dmp.adapters.inspection_seal_objects import SealObjects

_PAGE = 50
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_SEALED_WHOLE = timedelta(hours=2)
"""All records are sealed every hour: what is older is held against that seal, record by record."""


@dataclass(frozen=True, slots=True)
class SealPosition:
    """Behind which seal to go on: its number, its sort key, and the hash of its text."""

    number: int = 0
    key: str = ""
    digest: str = ""


class SealsInspection:
    """All seals of one installation, and the chains that grew since the last of them."""

    def __init__(
        self, rows: "TraceRows", seals: "SealObjects", is_signed: Callable[[str, str, str], bool], most: int = _PAGE
    ) -> None:
        """`is_signed` tells whether a text has a signature by a public key."""
        self._rows = rows
        self._seals = seals
        self._is_signed = is_signed
        self._most = most

    def page(self, position: SealPosition) -> tuple[int, list[Problem], SealPosition | None]:
        """How many seals were looked at, what is wrong with them, and where to go on."""
        found, going_on = self._rows.seals(position.key, self._most)
        key, problems = self._seals.public_key() if found else "", list[Problem]()
        for seal in found:
            if isinstance(seal, Broken):
                problems.append(Problem(Fault.UNREADABLE, "", seal.name))
                continue
            problems += [Problem(fault, "", f"seal {seal.number}") for fault in self._faults(seal, position, key)]
            position = SealPosition(seal.number, "", seal_hash(seal.text))
        number = len(found)
        return number, problems, SealPosition(position.number, going_on, position.digest) if going_on else None

    def _faults(self, seal: Seal, before: SealPosition, key: str) -> Iterator[Fault]:
        if not self._is_signed(seal.text, seal.signature, key):
            yield Fault.SEAL_DIFFERS
            return
        told = json.loads(seal.text)
        if (seal.number, told["number"], told["previous"]) != (before.number + 1, seal.number, before.digest):
            yield Fault.CHAIN_BROKEN
        stored = self._seals.stored(seal.number)
        if not isinstance(stored, SealObject):
            yield stored
        elif (stored.seal.text, stored.seal.signature) != (seal.text, seal.signature) or not stored.holds(told):
            yield Fault.OBJECT_DIFFERS


def chains_cut(rows: "TraceRows", now: datetime) -> Iterator[Problem]:
    """The chains that end before what was to be sealed of them, as far as no seal of all records tells it.

    A link and what is to be sealed are put together: who takes the newest links away leaves the other behind.
    """
    last = rows.last_seal()
    since = min(last.until, now - _SEALED_WHOLE) if last else _BEGINNING
    newest: dict[str, tuple[int, str]] = {}
    for one in rows.grown(since, now):
        if isinstance(one, Broken):
            yield Problem(Fault.UNREADABLE, "", one.name)
            continue
        record, number, head = one
        newest[record] = max(newest.get(record, (0, "")), (number, head))
    for record, (number, head) in sorted(newest.items()):
        if rows.head_at(record, number) != head:
            yield Problem(Fault.CHAIN_CUT, record, str(number))
