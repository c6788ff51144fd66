"""Every promise about what is stored, held against one record after the other, by order of the operator.

It reads all and changes nothing. What happens meanwhile is no fault: what looks wrong is looked at again, and told only
where it still does.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.document import DocumentEntry
from dmp.domain.inspection import (
    Broken,
    Fault,
    Head,
    Holding,
    Lead,
    Offered,
    Problem,
    Tally,
    Version,
    Words,
    has_bytes,
    is_full,
)
from dmp.domain.record import RecordStatus
from dmp.services.inspection_contents import own_problems
from dmp.services.inspection_documents import Read, document_problems

if TYPE_CHECKING:
    from dmp.adapters.inspection_store import InspectionStore
    from dmp.adapters.object_inspection import ObjectInspection
    from dmp.services.inspection_offers import OffersInspection
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
    offered: set[str] = field(default_factory=set)
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
                patient = Version("Patient", "", record.patient_version, record.updated, is_current=True)
                self.versions.append(replace(patient, is_indexed=holding.is_indexed))
            case Version():
                self.versions.append(holding)
            case Lead():
                self.leads.append(holding)
            case Words(local):
                self.words.add(local)
            case Offered(local):
                self.offered.add(local)
            case Broken():
                self.broken.append(holding)

    @property
    def is_there(self) -> bool:
        """Whether it has a head that can be read, and its erasure has not begun."""
        return bool(self.heads) and self.heads[0].record.status not in _ERASED

    @property
    def documents(self) -> list[DocumentEntry]:
        """The current versions of its documents."""
        return [one.entry for one in self.versions if one.entry and one.is_current]


class Inspection:
    """Looks at records, one at a time."""

    def __init__(
        self,
        store: "InspectionStore",
        objects: "ObjectInspection",
        trace: "TraceInspection",
        offers: "OffersInspection",
        read: Read,
    ) -> None:
        """`read` reads the stored FHIR body of a document."""
        self._store = store
        self._objects = objects
        self._trace = trace
        self._offers = offers
        self._read = read

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
        found = {*own_problems(held, now), *told, *self._object_problems(held, reads_bytes=reads_bytes)}
        if held.is_there:
            found |= {*self._offers.problems(held), *self._person_problems(held)}
            found |= set(document_problems(held, self._read))
        tally.problems = sorted(found)
        return tally

    def _holdings(self, record: str) -> Holdings:
        held = Holdings(record)
        for holding, size in self._store.holdings(record):
            held.take(holding, size)
        return held

    def _person_problems(self, held: Holdings) -> Iterator[Problem]:
        """The INS of the person leads to the record, and to no other."""
        if self._store.led_to_by(held.heads[0].record.identity.ins) != held.record:
            yield Problem(Fault.NOT_LED_TO, held.record, f"Patient/{held.record}")

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
