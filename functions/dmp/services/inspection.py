"""Every promise about what is stored, held against one record after the other, by order of the operator.

It reads all and changes nothing. What happens meanwhile is no fault: what looks wrong is looked at again, and told only
where it still does.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.document import DocumentEntry
from dmp.domain.inspection import (
    Broken,
    Fault,
    Head,
    Holding,
    Lead,
    Problem,
    Tally,
    Version,
    Words,
    has_bytes,
    is_full,
    may_be_named_later,
)
from dmp.domain.record import RecordStatus

if TYPE_CHECKING:
    from dmp.adapters.inspection_store import InspectionStore
    from dmp.adapters.object_inspection import ObjectInspection
    from dmp.services.inspection_trace import TraceInspection

_AT_ONCE = 16
"""Objects asked about at the same time."""
_ERASED = (RecordStatus.ERASING, RecordStatus.ERASED)


@dataclass(slots=True)
class Holdings:
    """What one record holds, as far as an inspection needs it: no content, no name."""

    record: str
    heads: list[Head] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    items: int = 0
    item_bytes: int = 0

    def take(self, holding: Holding, size: int) -> None:
        """Take one item in."""
        self.items += 1
        self.item_bytes += size
        match holding:
            case Head():
                self.heads.append(holding)
                record = holding.record
                self.versions.append(Version("Patient", "", record.patient_version, record.updated, is_current=True))
            case Version():
                self.versions.append(holding)
            case Lead():
                self.leads.append(holding)
            case Words(local):
                self.words.add(local)
            case Broken():
                self.broken.append(holding)

    @property
    def documents(self) -> list[DocumentEntry]:
        """The current versions of its documents."""
        return [one.entry for one in self.versions if one.entry and one.is_current]


class Inspection:
    """Looks at records, one at a time."""

    def __init__(self, store: "InspectionStore", objects: "ObjectInspection", trace: "TraceInspection") -> None:
        self._store = store
        self._objects = objects
        self._trace = trace

    def counted(self, record: str) -> Tally:
        """What a record holds, without a look at its objects or its trace."""
        return _tally(self._holdings(record))

    def inspected(self, record: str, clock: Callable[[], datetime], *, reads_bytes: bool) -> Tally:
        """What a record holds, and what of it is not as it must be, twice in a row."""
        first = self._once(record, clock(), reads_bytes=reads_bytes)
        if not first.problems:
            return first
        second = self._once(record, clock(), reads_bytes=reads_bytes)
        second.problems = sorted(set(first.problems) & set(second.problems))
        return second

    def _once(self, record: str, now: datetime, *, reads_bytes: bool) -> Tally:
        held = self._holdings(record)
        tally = _tally(held)
        entries, told = self._trace.problems(held, now)
        tally.entries = entries
        found = {*_own_problems(held, now), *told, *self._object_problems(held, reads_bytes=reads_bytes)}
        tally.problems = sorted(found)
        return tally

    def _holdings(self, record: str) -> Holdings:
        held = Holdings(record)
        for holding, size in self._store.holdings(record):
            held.take(holding, size)
        return held

    def _object_problems(self, held: Holdings, *, reads_bytes: bool) -> Iterator[Problem]:
        def look(entry: DocumentEntry) -> Problem | None:
            fault = self._objects.fault_of(entry.content, reads_bytes=reads_bytes)
            if fault is None and entry.is_uploaded and not entry.content.version:
                fault = Fault.OBJECT_NOT_PINNED
            return Problem(fault, held.record, f"DocumentReference/{entry.id}") if fault else None

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield from filter(None, pool.map(look, [one for one in held.documents if has_bytes(one)]))


def _tally(held: Holdings) -> Tally:
    documents = held.documents
    stored = [one.content.size for one in documents if has_bytes(one)]
    full = [
        {"record": held.record, "bytes": head.size, "directives": len(head.record.directives)}
        for head in held.heads
        if is_full(head)
    ]
    return Tally(
        records=1,
        documents=len(documents),
        objects=len(stored),
        stored_bytes=sum(stored),
        items=held.items,
        item_bytes=held.item_bytes,
        full_heads=full,
    )


def _own_problems(held: Holdings, now: datetime) -> Iterator[Problem]:
    """What is wrong with the items of a record, by themselves."""
    yield from (Problem(Fault.UNREADABLE, held.record, one.name) for one in held.broken)
    if not held.heads:
        yield Problem(Fault.HEAD_MISSING, held.record)
        return
    record = held.heads[0].record
    if record.status in _ERASED:
        if record.status is RecordStatus.ERASED and held.items > 1:
            yield Problem(Fault.LEFT_AFTER_ERASURE, held.record)
        return
    yield from _former_versions(held)
    yield from _leads(held)
    yield from _directives(held, now)
    for entry in held.documents:
        if has_bytes(entry) and entry.local not in held.words:
            yield Problem(Fault.NOT_INDEXED, held.record, f"DocumentReference/{entry.id}")


def _former_versions(held: Holdings) -> Iterator[Problem]:
    """Version n has n - 1 former ones."""
    former: dict[tuple[str, str], set[int]] = {}
    for one in held.versions:
        if not one.is_current:
            former.setdefault((one.kind, one.local), set()).add(one.number)
    for one in held.versions:
        if one.is_current and former.pop((one.kind, one.local), set()) != set(range(1, one.number)):
            yield Problem(Fault.FORMER_VERSION_LOST, held.record, f"{one.kind}/{one.local}")
    yield from (Problem(Fault.CHANGE_LOST, held.record, f"{kind}/{local}") for kind, local in former)


def _leads(held: Holdings) -> Iterator[Problem]:
    """A unique id is held by a resource that is there, and every document holds its own."""
    there = {one.local for one in held.versions if one.is_current}
    claimed: set[str] = set()
    for lead in held.leads:
        if lead.is_claim:
            claimed.update(lead.locals)
            if not there.issuperset(lead.locals):
                yield Problem(Fault.LEADS_NOWHERE, held.record, lead.name)
    for entry in held.documents:
        if entry.local not in claimed and not may_be_named_later(entry):
            yield Problem(Fault.NOT_CLAIMED, held.record, f"DocumentReference/{entry.id}")


def _directives(held: Holdings, now: datetime) -> Iterator[Problem]:
    """What the head says to be in force are the active Consents; one that is over may be told either way."""
    [head, *_] = held.heads
    if head.record.status is not RecordStatus.OPEN:
        return
    consents = [one for one in held.versions if one.kind == "Consent" and one.is_current and one.is_active]
    active = {one.local for one in consents if one.until is None or one.until > now}
    told = {one.consent for one in head.record.directives if not one.has_expired(now)}
    yield from (Problem(Fault.DIRECTIVE_DIFFERS, held.record, f"Consent/{one}") for one in sorted(active ^ told))
