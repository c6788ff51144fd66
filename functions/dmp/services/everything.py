"""All that a record holds for a caller, page by page: a few reads and one trace entry each (Patient $everything)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.errors import Malformed
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate, asking
from dmp.services.record_changes import as_operation
from dmp.services.record_contents import TYPES_OF, Found, RecordContents, Section

if TYPE_CHECKING:
    from dmp.adapters.record_store import RecordStore

MOST_READ = 400
"""Things that one page may look at."""
_SLACK = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class EverythingQuery:
    """A page: of these types, changed at this moment or later, behind a place; `described` is for the trace."""

    record: str
    types: frozenset[str]
    since: datetime | None
    count: int
    after: str
    described: str

    def wants(self, found: Found) -> bool:
        """Whether something is asked for."""
        return found.type in self.types and (self.since is None or self.since <= found.updated)

    def stretches(self) -> Iterator[tuple[Section, str]]:
        """The sections that are asked for, each with the place behind which it begins. Raises Malformed."""
        wanted = [one for one in Section if not self.types.isdisjoint(TYPES_OF[one])]
        name, _, place = self.after.partition(":")
        if not self.after:
            return ((one, "") for one in wanted)
        if name not in wanted:
            raise Malformed("invalid-cursor", "http._cursor")
        begin = wanted.index(Section(name))
        return ((one, place if one == name else "") for one in wanted[begin:])


@dataclass(frozen=True, slots=True)
class EverythingPage:
    """Things in the order of their sections; `total` where it is known, `next` where there may be more."""

    found: tuple[Found, ...]
    next: str | None
    total: int | None


class EverythingService:
    """Pages through one record."""

    def __init__(self, gate: Gate, records: "RecordStore", contents: RecordContents) -> None:
        self._gate = gate
        self._records = records
        self._contents = contents

    def page(self, call: Call, query: EverythingQuery) -> EverythingPage:
        """What the caller may see. Raises NotFound `no-record`, Refused, Conflict `record-closed`."""
        record = self._records.existing(query.record)
        attempt = Attempt(
            interaction=Interaction.EVERYTHING,
            action=AuditAction.EXECUTE,
            resource_type="Patient",
            what=(f"Patient/{record.id}",),
            query=query.described,
        )
        with as_operation():
            decision = self._gate.admit(call, asking(call, record, Action.SEARCH), attempt)
        page = self._page(call, record, query)
        self._gate.trace_access(call, record, attempt, decision)
        return page

    def _page(self, call: Call, record: Record, query: EverythingQuery) -> EverythingPage:
        """Fill a page, one more to know whether there is a next, within the reading limit."""
        found: list[tuple[Section, Found]] = []
        looked_at = 0
        for section, begin in query.stretches():
            after: str | None = begin
            while after is not None:
                if looked_at >= MOST_READ:
                    return _cut(query, found, f"{section}:{after}")
                part = self._contents.part(call, record, section, after, query.count - len(found) + _SLACK)
                found += [(section, one) for one in part.found if query.wants(one)]
                if len(found) > query.count:
                    last, shown = found[query.count - 1]
                    return _cut(query, found, f"{last}:{shown.place}")
                looked_at, after = looked_at + part.looked_at, part.next
        return _cut(query, found, None)


def _cut(query: EverythingQuery, found: list[tuple[Section, Found]], onward: str | None) -> EverythingPage:
    is_whole = onward is None and not query.after
    return EverythingPage(tuple(one for _, one in found[: query.count]), onward, len(found) if is_whole else None)
