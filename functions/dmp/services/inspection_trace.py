"""What is stored of a record against its trace, and the trace against its chain and its seals."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from dmp.domain.audit import AuditAction, AuditEntry, AuditOutcome, Interaction
from dmp.domain.document import DocumentStatus
from dmp.domain.errors import DmpError
from dmp.domain.identifiers import is_local_id, moment_of
from dmp.domain.inspection import SETTLED, Broken, Fault, Problem
from dmp.domain.record import RecordStatus
from dmp.domain.seal import NOTHING, SHARD_CHARS, Head, Link, chained, digest_of

if TYPE_CHECKING:
    from dmp.adapters.inspection_rows import TraceRows
    from dmp.adapters.inspection_seal_objects import SealObjects
    from dmp.services.inspection import Holdings

_CHANGING = (AuditAction.CREATE, AuditAction.UPDATE, AuditAction.DELETE)
_KEPT = frozenset(
    {"DocumentReference", "List", "Consent", "RelatedPerson", "AllergyIntolerance", "Condition", "MedicationStatement"}
    | {"Immunization", "Procedure", "FamilyMemberHistory", "Observation", "Communication"}
)
"""What is there for ever once the trace tells that it was made, unless the record is erased."""
_NOT_TRACED = frozenset({"Export"})
_STATES = {
    **{opening: {RecordStatus.OPEN} for opening in (Interaction.OPEN, Interaction.REOPEN, Interaction.RESUME)},
    Interaction.CLOSE: {RecordStatus.CLOSED, RecordStatus.ERASING},
    Interaction.SUSPEND: {RecordStatus.SUSPENDED},
    Interaction.ERASED: {RecordStatus.ERASED},
}
"""What a record is from such a change on; that its erasure begins, no entry tells."""
_ENDING = (Interaction.DELETE, Interaction.UPLOAD_FAILED)
_MESSAGE = "Communication"
_SEALS_LOOKED_AT = 3
_LEAVES_KEPT = 8


@dataclass(slots=True)
class Told:
    """What the trace of one record says: digests rather than texts, so that it stays small."""

    digests: dict[str, bytes] = field(default_factory=dict)
    instants: set[datetime] = field(default_factory=set)
    made: set[tuple[str, str]] = field(default_factory=set)
    """Kind and local id of what was created; of messages, of whatever was read or marked."""
    states: list[tuple[datetime, Interaction]] = field(default_factory=list)
    """When the state of the record changed, and how."""
    ended: set[str] = field(default_factory=set)
    """Local ids of the documents that were deleted, or never became available."""
    changes: Counter[tuple[datetime, str, tuple[str, ...], str]] = field(default_factory=Counter)
    """How often the same change is told, by the same request."""
    damaged: list[str] = field(default_factory=list)

    def take(self, local: str, entry: AuditEntry) -> None:
        """Take an entry in: what it changed, and which messages there were."""
        if entry.outcome is not AuditOutcome.SUCCESS:
            return
        self.made |= {name for name in map(_named, entry.what) if name[0] == _MESSAGE and name[1]}
        if entry.action not in _CHANGING:
            return
        if entry.interaction in _STATES:
            self.states.append((entry.at, entry.interaction))
        if entry.interaction in _ENDING:
            self.ended |= {local for kind, local in map(_named, entry.what) if kind == "DocumentReference"}
        self.instants.add(entry.at)
        told = f"{entry.interaction} {entry.request_id} {entry.actor} {entry.query}"
        self.changes[entry.at, told, entry.what, entry.resource_type] += 1
        if entry.action is AuditAction.CREATE:
            self.made |= set(map(_named, entry.what))


class TraceInspection:
    """The traces of all records."""

    def __init__(
        self,
        rows: "TraceRows",
        seals: "SealObjects",
        *,
        name_of: Callable[[str], str],
        read: Callable[[str], AuditEntry],
        is_signed: Callable[[str, str, str], bool],
    ) -> None:
        """`name_of` names a record in seals, `read` reads the stored text of an entry.

        `is_signed` tells whether a text has a signature by a public key.
        """
        self._rows = rows
        self._name_of = name_of
        self._read = read
        self._seals = seals
        self._is_signed = is_signed
        self._leaves = lru_cache(_LEAVES_KEPT)(partial(_leaves, seals))
        self._whole = lru_cache(_LEAVES_KEPT)(self._sound_whole)

    def problems(self, held: "Holdings", now: datetime) -> tuple[int, list[Problem]]:
        """How many entries the trace has, and what does not fit: the trace is read after what it tells of."""
        told = self._told(held.record)
        found = [*_versions_without_entry(held, told), *_state_problems(held, told)]
        found += self._chain_problems(held.record, told, now)
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
        damaged = [Problem(Fault.ENTRY_DAMAGED, record, local) for local in told.damaged]
        return len(told.digests), [*damaged, *self._chain_problems(record, told, now)]

    def _told(self, record: str) -> Told:
        told = Told()
        for local, text in self._rows.entries(record):
            told.digests[local] = digest_of(text)
            try:
                entry = self._read(text)
                told.take(local, entry)
            except (AttributeError, LookupError, TypeError, ValueError, DmpError):
                told.damaged.append(local)
                continue
            if (entry.record, entry.local) != (record, local):
                told.damaged.append(local)
        return told

    def _chain_problems(self, record: str, told: Told, now: datetime) -> Iterator[Problem]:
        head, known, last = NOTHING, set[str](), None
        links: dict[int, str] = {}
        for link in self._rows.links(record):
            if isinstance(link, Broken):
                yield Problem(Fault.UNREADABLE, record, link.name)
                continue
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
            if not is_local_id(local) or now - moment_of(local) > SETTLED:
                yield Problem(Fault.NOT_CHAINED, record, local)
        yield from self._seal_problems(record, last, links, now)

    def _seal_problems(self, record: str, last: Link | None, links: dict[int, str], now: datetime) -> Iterator[Problem]:
        name = self._name_of(record)
        if last and now - last.at > SETTLED and not self._is_sealed(name, last):
            yield Problem(Fault.NOT_SEALED, record, str(last.number))
        whole = self._whole(name[:SHARD_CHARS])
        if isinstance(whole, Fault):
            yield Problem(Fault.SEAL_DIFFERS, record, "whole")
            return
        sealed = next((one for one in whole if one.name == name), None)
        if sealed and links.get(sealed.number) != sealed.head:
            yield Problem(Fault.SEAL_DIFFERS, record, str(sealed.number))

    def _sound_whole(self, shard: str) -> frozenset[Head] | Fault:
        """The heads under the seal over all the records of a shard, none before the first; or what is wrong with it."""
        found = self._seals.whole(shard)
        if found is None or isinstance(found, Fault):
            return found or frozenset()
        text, signature = found.seal.text, found.seal.signature
        is_sound = self._is_signed(text, signature, self._seals.public_key()) and found.holds(json.loads(text))
        return found.leaves if is_sound else Fault.SEAL_DIFFERS

    def _is_sealed(self, name: str, link: Link) -> bool:
        head, seals = Head(name, link.number, link.head), self._rows.seals_from(link.at, _SEALS_LOOKED_AT)
        return any(not isinstance(seal, Broken) and head in self._leaves(seal.number) for seal in seals)


def _versions_without_entry(held: "Holdings", told: Told) -> Iterator[Problem]:
    """Every version has an entry of its instant; whatever the trace says to have been made is there."""
    for one in held.versions:
        if one.kind not in _NOT_TRACED and one.at is not None and one.at not in told.instants:
            yield Problem(Fault.NOT_TRACED, held.record, f"{one.kind}/{one.local}/{one.number}")
    if not held.is_there:
        return
    for entry in held.documents:
        if (entry.status is DocumentStatus.ENTERED_IN_ERROR) is not (entry.local in told.ended):
            yield Problem(Fault.STATUS_DIFFERS, held.record, f"DocumentReference/{entry.id}")
    there = {(one.kind, one.local) for one in held.versions}
    for kind, local in sorted(told.made - there):
        if kind in _KEPT:
            yield Problem(Fault.CHANGE_LOST, held.record, f"{kind}/{local}")


def _state_problems(held: "Holdings", told: Told) -> Iterator[Problem]:
    """The record is as the last change of its state left it."""
    if held.heads and told.states:
        newest = max(at for at, _ in told.states)
        possible = set().union(*(_STATES[how] for at, how in told.states if at == newest))
        if held.heads[0].record.status not in possible:
            yield Problem(Fault.HEAD_DIFFERS, held.record, f"Patient/{held.record}")


def _leaves(seals: "SealObjects", number: int) -> frozenset[Head]:
    """The heads under a seal; none where it is not there any more or cannot be read, which its own inspection tells."""
    stored = seals.stored(number)
    return frozenset() if isinstance(stored, Fault) else stored.leaves


def _named(reference: str) -> tuple[str, str]:
    """Kind and local id of what a reference leads to."""
    kind, _, rest = reference.partition("/")
    return kind, rest.partition("/")[0].partition(".")[2]
