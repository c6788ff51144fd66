"""The history of reimbursements, read: one line, or a page of them, as long as they are shown (R.1111-42)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.document import INVISIBLE
from dmp.domain.errors import NotFound
from dmp.domain.record import Record
from dmp.domain.reimbursement import RESOURCE_TYPE, Reimbursement, Window
from dmp.domain.reimbursement_query import ReimbursementQuery
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import existing
from dmp.services.gate import Attempt, Gate
from dmp.services.reimbursement_sight import of_line, of_lines, visible_lines

if TYPE_CHECKING:
    from dmp.adapters.record_store import RecordStore
    from dmp.adapters.reimbursement_store import ReimbursementStore

MOST_READ = 400
"""Lines that one page looks through at most."""
_AT_ONCE = 100
_SLACK = 5
"""Lines read beyond a page, so that a few that are not visible cost no second query."""
_MISSING = Decision(permit=False, reason="not-found", hidden=True)


@dataclass(frozen=True, slots=True)
class ReimbursementPage:
    """Lines with how they are told; `next` is behind which to go on, `total` where it is known."""

    record: str
    resources: tuple[Mapping[str, Any], ...]
    next: str | None
    total: int | None


class ReimbursementsService:
    """Lines of one record; `render` tells a line as FHIR does."""

    def __init__(
        self,
        gate: Gate,
        records: "RecordStore",
        store: "ReimbursementStore",
        window: Window,
        render: Callable[[Reimbursement], Mapping[str, Any]],
    ) -> None:
        self._gate = gate
        self._records = records
        self._store = store
        self._window = window
        self._render = render

    def read(self, call: Call, record_id: str, local: str, version: int | None = None) -> Reimbursement:
        """A line that is shown still. Raises Refused, NotFound: what is over looks as if it had never been."""
        found, stored = self._store.with_line(record_id, local)
        record = existing(found)
        line = stored if stored and self._window.shows(stored.care, call.now) else None
        decision = decide(of_line(call, record, line))
        if line is None and (decision.permit or decision.reason == "masked"):
            decision = _MISSING
        attempt = Attempt(
            interaction=Interaction.READ if version is None else Interaction.VREAD,
            action=AuditAction.READ,
            resource_type=RESOURCE_TYPE,
            what=(f"{RESOURCE_TYPE}/{record_id}.{local}",),
            hides=line is not None and is_concealed(line),
        )
        if line is None or not decision.permit:
            self._gate.refuse(call, record, attempt, decision)
        self._gate.trace_access(call, record, attempt, decision)
        if version not in (None, line.version):
            raise NotFound("no-version")
        return line

    def search(self, call: Call, query: ReimbursementQuery, described: Callable[[str], str]) -> ReimbursementPage:
        """A page of lines; `described` gives the query as the trace keeps it. Raises Refused, NotFound `no-record`."""
        record = self._records.existing(self._records.named(query.patient))
        attempt = Attempt(
            interaction=Interaction.SEARCH,
            action=AuditAction.EXECUTE,
            resource_type=RESOURCE_TYPE,
            what=(f"Patient/{record.id}",),
            query=described(record.id),
        )
        decision = self._gate.admit(call, of_lines(call, record, Action.SEARCH), attempt)
        page = self._page(call, record, query)
        self._gate.trace_access(call, record, attempt, decision)
        return page

    def _page(self, call: Call, record: Record, query: ReimbursementQuery) -> ReimbursementPage:
        """Fill a page, one more to know whether there is a next, within the reading limit; all of them for a total."""
        found: list[tuple[str, Mapping[str, Any]]] = []
        looked_at, last = 0, None
        for lines, following in self._chunks(call, record, query):
            last = following
            looked_at += len(lines)
            for line in visible_lines(call, record, lines, self._window):
                rendered = self._render(line)
                if query.matches(line, rendered):
                    found.append((line.local, rendered))
            if not query.accurate_total and (len(found) > query.count or looked_at >= MOST_READ):
                break
        return _shown(record.id, query, found, last)

    def _chunks(
        self, call: Call, record: Record, query: ReimbursementQuery
    ) -> Iterator[tuple[list[Reimbursement], str | None]]:
        """Lines in order, as they are asked for; a total counts from the first on."""
        stretch = query.stretch(self._window, call.now)
        if query.accurate_total:
            stretch = stretch.behind("")
        limit, last = query.count + _SLACK, None
        while True:
            lines, last = self._store.page(record.id, limit, stretch)
            yield lines, last
            if last is None:
                return
            stretch, limit = stretch.behind(last), _AT_ONCE


def _shown(
    record: str, query: ReimbursementQuery, found: list[tuple[str, Mapping[str, Any]]], last: str | None
) -> ReimbursementPage:
    left = [one for one in found if query.is_behind(one[0])]
    shown = left[: query.count]
    rest = shown[-1][0] if len(left) > query.count else last
    is_whole = query.accurate_total or (rest is None and not query.after)
    resources = tuple(rendered for _, rendered in shown)
    return ReimbursementPage(record, resources, rest, len(found) if is_whole else None)


def is_concealed(line: Reimbursement) -> bool:
    """Whether somebody who reads the trace may have to learn nothing of a line."""
    return bool(line.visibility & INVISIBLE)
