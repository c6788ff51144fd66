"""Feeding lines of reimbursement into one record: what is new is written with its trace, a part at a time (R.1111-42).

A line is known again by its identifiers: the same content is there already, another clashes; a line that is shown no
more does not count. Each part of a feed is one transaction; whoever sends a feed again finds what stands, and adds what
does not.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, RecordUnchanged
from dmp.domain.document import INVISIBLE, Depositor
from dmp.domain.errors import DmpError, Unavailable
from dmp.domain.identifiers import Identifier, local_id, resource_id
from dmp.domain.record import Record
from dmp.domain.reimbursement import (
    RESOURCE_TYPE,
    BrokenLine,
    Known,
    LineRequest,
    Reimbursement,
    SaveReimbursement,
    Window,
)
from dmp.domain.reimbursement_query import midnight
from dmp.domain.rights import Action
from dmp.services.attempts import attempts, is_committed
from dmp.services.call import Call
from dmp.services.document_access import existing
from dmp.services.gate import Attempt, Gate
from dmp.services.reimbursement_sight import of_lines

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.reimbursement_store import ReimbursementStore, Standing

MOST_WRITES = 90
"""Items of one part; with the check of the head and the trace beside them, DynamoDB takes a hundred."""
MOST_TOLD = 50
"""Lines that one entry of the trace tells of."""
_ATTEMPT = Attempt(interaction=Interaction.CREATE, action=AuditAction.CREATE, resource_type=RESOURCE_TYPE)

type Said = Mapping[int, LineRequest | BrokenLine]
"""The lines of a feed by their places in it."""


@dataclass(frozen=True, slots=True)
class Fed:
    """A line that the record holds; `line` is the whole of it where it did not before."""

    record: str
    known: Known
    line: Reimbursement | None = None

    @property
    def id(self) -> str:
        """The FHIR id."""
        return resource_id(self.record, self.known.local)


type Outcomes = dict[int, Fed | DmpError]
"""What became of each line, by its place."""


@dataclass(slots=True)
class _Part:
    """What one transaction writes and its trace tells: new lines, and what each place of the feed leads to."""

    lines: list[Reimbursement] = field(default_factory=list)
    fed: dict[int, Fed] = field(default_factory=dict)
    conceals: bool = False

    @property
    def writes(self) -> int:
        return sum(1 + len(line.names) for line in self.lines)

    def takes(self, names: int) -> bool:
        """Whether there is room for one more line, of so many names."""
        return self.writes + 1 + names <= MOST_WRITES and len(self.fed) < MOST_TOLD


class ReimbursementFeed:
    """Takes lines in, one record at a time."""

    def __init__(
        self,
        gate: Gate,
        store: "ReimbursementStore",
        ledger: "Ledger",
        window: Window,
        entropy: Callable[[], bytes],
    ) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._window = window
        self._entropy = entropy

    def feed(self, call: Call, record_id: str, said: Said, standing: "Standing | None" = None) -> Outcomes:
        """What became of each line; `standing` is what the record was just read to hold, where it was.

        A failure is the line's own: NotFound (`no-record`), Refused, Invalid, Conflict (`duplicate-unique-id`),
        TooLarge; Unavailable, where it may or may not stand.
        """
        outcomes: Outcomes = {}
        for _ in attempts():
            left = {place: one for place, one in said.items() if place not in outcomes}
            try:
                outcomes |= self._attempt(call, left, standing or self.standing(record_id, left.values()))
            except DmpError as failure:
                outcomes |= dict.fromkeys(left, failure)
            if len(outcomes) == len(said):
                return outcomes
            standing = None
        return dict.fromkeys(said, Unavailable("service-unavailable")) | outcomes

    def standing(self, record_id: str, said: Iterable[LineRequest | BrokenLine]) -> "Standing":
        """What a record holds beside these lines."""
        return self._store.standings({record_id: names_of(said)})[record_id]

    def _attempt(self, call: Call, left: Said, standing: "Standing") -> Outcomes:
        """What became of the lines in one attempt; those are missing that came upon somebody else's change."""
        record = existing(standing.record)
        decision = self._gate.admit(call, of_lines(call, record, Action.FEED_REIMBURSEMENT), _ATTEMPT)
        outcomes: Outcomes = {}
        shown = {name: known for name, known in standing.held.items() if self._window.shows(known.care, call.now)}
        for part in self._parts(call, record, left, shown, outcomes):
            try:
                if self._is_written(call, record, part, standing.held, decision):
                    outcomes |= part.fed
            except DmpError as failure:
                outcomes |= dict.fromkeys(part.fed, failure)
        return outcomes

    def _parts(
        self, call: Call, record: Record, left: Said, held: dict[Identifier, Known], outcomes: Outcomes
    ) -> list[_Part]:
        """The lines that the record may hold, in parts; of the others, `outcomes` tell what is wrong with them."""
        parts = [_Part()]
        made_in: dict[str, _Part] = {}
        for place, one in left.items():
            try:
                request = _sound(one)
                request.check(record, self._window, call.now)
                known = request.known_in(held)
            except DmpError as failure:
                outcomes[place] = failure
                continue
            part = made_in.get(known.local) if known else None
            if part is None and not parts[-1].takes(len(request.names)):
                parts.append(_Part())
            part = part or parts[-1]
            if known is None:
                line = self._made(call, record, request)
                known = Known(line.local, line.digest, line.updated)
                held |= dict.fromkeys(line.names, known)
                made_in[line.local] = part
                part.lines.append(line)
                part.fed[place] = Fed(record.id, known, line)
            else:
                part.fed[place] = Fed(record.id, known)
            part.conceals |= bool(request.visibility & INVISIBLE)
        return [part for part in parts if part.fed]

    def _made(self, call: Call, record: Record, request: LineRequest) -> Reimbursement:
        local = local_id(midnight(request.care), self._entropy())
        return request.made(record.id, local, Depositor.of(call.requester), self._window, call.now)

    def _is_written(
        self, call: Call, record: Record, part: _Part, held: Mapping[Identifier, Known], decision: Decision
    ) -> bool:
        """Write a part with the entry of the trace that tells of it; False where somebody else came first."""
        what = tuple(dict.fromkeys(f"{RESOURCE_TYPE}/{fed.id}" for fed in part.fed.values()))
        trace = self._gate.entry(call, record, replace(_ATTEMPT, what=what, hides=part.conceals), decision)
        if not part.lines:
            self._ledger.append(trace)
            return True
        changes: list[Change] = [RecordUnchanged(record), *(_saving(line, held) for line in part.lines), trace]
        return is_committed(self._ledger, changes)


def _saving(line: Reimbursement, held: Mapping[Identifier, Known]) -> SaveReimbursement:
    """A new line; what had one of its names is shown no more."""
    return SaveReimbursement(line, {name: held[name].local for name in line.names if name in held})


def names_of(said: Iterable[LineRequest | BrokenLine]) -> list[Identifier]:
    """The names by which lines are known again."""
    return [name for one in said if isinstance(one, LineRequest) for name in one.names]


def _sound(one: LineRequest | BrokenLine) -> LineRequest:
    """A line that breaks no rule by itself; else raises which."""
    if isinstance(one, BrokenLine):
        raise one.failure
    return one
