"""What is stored of a record against its trace, and the trace against its chain and its seals."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from dmp.domain.audit import AuditAction, AuditEntry, AuditOutcome
from dmp.domain.identifiers import moment_of
from dmp.domain.inspection import SETTLED, Fault, Problem
from dmp.domain.record import RecordStatus
from dmp.domain.seal import NOTHING, Head, Link, chained, digest_of

if TYPE_CHECKING:
    from dmp.adapters.chain_store import ChainStore
    from dmp.adapters.seal_store import SealStore
    from dmp.services.inspection import Holdings

_CHANGING = (AuditAction.CREATE, AuditAction.UPDATE, AuditAction.DELETE)
_KEPT = frozenset(
    {"DocumentReference", "List", "Consent", "RelatedPerson", "AllergyIntolerance", "Condition", "MedicationStatement"}
    | {"Immunization", "Procedure", "FamilyMemberHistory", "Observation"}
)
"""What is there for ever once the trace tells that it was made, unless the record is erased."""
_NOT_TRACED = frozenset({"Export"})
_SEALS_LOOKED_AT = 3
_LEAVES_KEPT = 8


@dataclass(slots=True)
class Told:
    """What the trace of one record says: digests rather than texts, so that it stays small."""

    digests: dict[str, bytes] = field(default_factory=dict)
    instants: set[datetime] = field(default_factory=set)
    made: set[tuple[str, str]] = field(default_factory=set)
    """Kind and local id of what was created."""
    changes: Counter[tuple[datetime, str, tuple[str, ...], str]] = field(default_factory=Counter)
    """How often the same change is told, by the same request."""
    damaged: list[str] = field(default_factory=list)

    def take(self, local: str, entry: AuditEntry) -> None:
        """Take the change of an entry in; accesses leave nothing that it could be held against."""
        if entry.outcome is not AuditOutcome.SUCCESS or entry.action not in _CHANGING:
            return
        self.instants.add(entry.at)
        told = f"{entry.interaction} {entry.request_id} {entry.actor} {entry.query}"
        self.changes[entry.at, told, entry.what, entry.resource_type] += 1
        if entry.action is AuditAction.CREATE:
            self.made |= {_named(what) for what in entry.what}


class TraceInspection:
    """The traces of all records."""

    def __init__(
        self,
        chains: "ChainStore",
        seals: "SealStore",
        *,
        name_of: Callable[[str], str],
        read: Callable[[str], AuditEntry],
    ) -> None:
        """`name_of` names a record in seals, `read` reads the stored text of an entry."""
        self._chains = chains
        self._name_of = name_of
        self._read = read
        self._leaves = lru_cache(_LEAVES_KEPT)(lambda number: frozenset(seals.leaves(number)))
        self._whole = lru_cache(_LEAVES_KEPT)(seals.whole)

    def problems(self, held: "Holdings", now: datetime) -> tuple[int, list[Problem]]:
        """How many entries the trace has, and what does not fit: the trace is read after what it tells of."""
        told = self._told(held.record)
        found = [*_versions_without_entry(held, told), *self._chain_problems(held.record, told, now)]
        found += [Problem(Fault.ENTRY_DAMAGED, held.record, local) for local in told.damaged]
        found += [
            Problem(Fault.TRACED_TWICE, held.record, " ".join(change[2]))
            for change, times in told.changes.items()
            if times > 1
        ]
        return len(told.digests), found

    def of_operators(self, record: str, now: datetime) -> tuple[int, list[Problem]]:
        """The same of a trace that tells of no record."""
        told = self._told(record)
        return len(told.digests), list(self._chain_problems(record, told, now))

    def _told(self, record: str) -> Told:
        told = Told()
        for local, text in self._chains.all_entries(record):
            told.digests[local] = digest_of(text)
            try:
                entry = self._read(text)
            except (KeyError, TypeError, ValueError):
                told.damaged.append(local)
                continue
            if (entry.record, entry.local) != (record, local):
                told.damaged.append(local)
            told.take(local, entry)
        return told

    def _chain_problems(self, record: str, told: Told, now: datetime) -> Iterator[Problem]:
        head, known, last = NOTHING, set[str](), None
        links: dict[int, str] = {}
        for link in self._chains.links(record):
            yield from (Problem(Fault.CHAINED_TWICE, record, one) for one in link.entries if one in known)
            gone = [one for one in link.entries if one not in told.digests]
            yield from (Problem(Fault.ENTRY_GONE, record, one) for one in gone)
            known.update(link.entries)
            if not gone:
                head = chained(head, [told.digests[one] for one in link.entries])
            if not gone and head.hex() != link.head:
                yield Problem(Fault.CHAIN_BROKEN, record, str(link.number))
            head, last, links[link.number] = bytes.fromhex(link.head), link, link.head
        for local in sorted(told.digests.keys() - known):
            if now - moment_of(local) > SETTLED:
                yield Problem(Fault.NOT_CHAINED, record, local)
        yield from self._seal_problems(record, last, links, now)

    def _seal_problems(self, record: str, last: Link | None, links: dict[int, str], now: datetime) -> Iterator[Problem]:
        name = self._name_of(record)
        if last and now - last.at > SETTLED and not self._is_sealed(name, last):
            yield Problem(Fault.NOT_SEALED, record, str(last.number))
        whole = self._whole(name) if last else None
        sealed = next((one for one in whole[1] if one.name == name), None) if whole else None
        if sealed and links.get(sealed.number) != sealed.head:
            yield Problem(Fault.SEAL_DIFFERS, record, str(sealed.number))

    def _is_sealed(self, name: str, link: Link) -> bool:
        head = Head(name, link.number, link.head)
        return any(head in self._leaves(seal.number) for seal in self._chains.seals_from(link.at, _SEALS_LOOKED_AT))


def _versions_without_entry(held: "Holdings", told: Told) -> Iterator[Problem]:
    """Every version has an entry of its instant; whatever the trace says to have been made is there."""
    for one in held.versions:
        if one.kind not in _NOT_TRACED and one.at is not None and one.at not in told.instants:
            yield Problem(Fault.NOT_TRACED, held.record, f"{one.kind}/{one.local}/{one.number}")
    if not held.heads or held.heads[0].record.status in (RecordStatus.ERASING, RecordStatus.ERASED):
        return
    there = {(one.kind, one.local) for one in held.versions}
    for kind, local in sorted(told.made - there):
        if kind in _KEPT:
            yield Problem(Fault.CHANGE_LOST, held.record, f"{kind}/{local}")


def _named(reference: str) -> tuple[str, str]:
    """Kind and local id of what a reference leads to."""
    kind, _, rest = reference.partition("/")
    return kind, rest.partition("/")[0].partition(".")[2]
