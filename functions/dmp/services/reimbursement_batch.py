"""Feeding lines of reimbursement, one or many at once: each succeeds or fails by itself (R.1111-42)."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING

from dmp.domain.access import decide_reimbursing
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.consent import PatientRef
from dmp.domain.errors import DmpError, Invalid, NotFound, Unavailable
from dmp.domain.identifiers import ins_is_accepted
from dmp.domain.reimbursement import RESOURCE_TYPE, BrokenLine, LineRequest, Reimbursement
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate
from dmp.services.reimbursement_feed import Outcomes, ReimbursementFeed, Said, names_of

if TYPE_CHECKING:
    from dmp.adapters.record_store import RecordStore
    from dmp.adapters.reimbursement_store import ReimbursementStore, Standing

RECORDS_AT_ONCE = 100
"""Heads that are read together, and held in memory."""
WRITERS = 16
"""Records that are written at once: half of the connections that a client has."""
LONGEST = timedelta(seconds=15)
"""No record is begun after it: what is left is to be sent again, rather than all because the answer comes too late."""
_BATCH = Attempt(interaction=Interaction.CREATE, action=AuditAction.CREATE, resource_type=RESOURCE_TYPE)

type _ByRecord = Mapping[str, Said]


class ReimbursementBatch:
    """Finds whose the lines are, and feeds their records side by side."""

    def __init__(
        self,
        gate: Gate,
        records: "RecordStore",
        store: "ReimbursementStore",
        feed: ReimbursementFeed,
        clock: Callable[[], datetime],
        *,
        test_identities: bool,
    ) -> None:
        self._gate = gate
        self._records = records
        self._store = store
        self._feed = feed
        self._clock = clock
        self._test_identities = test_identities

    def create(self, call: Call, said: LineRequest | BrokenLine) -> tuple[Reimbursement, bool]:
        """Take one line in; the line of the record, and whether it is new.

        Raises NotFound (`no-record`), Refused, Invalid, Conflict (`duplicate-unique-id`), TooLarge.
        """
        record_id = self._records.named(self._patient(said))
        outcome = self._feed.feed(call, record_id, {0: said})[0]
        if isinstance(outcome, DmpError):
            raise outcome
        line = outcome.line or self._store.with_line(record_id, outcome.known.local)[1]
        if line is None:
            raise Unavailable("service-unavailable")
        return line, outcome.line is not None

    def feed(self, call: Call, said: Said) -> Outcomes:
        """Take many lines in; what became of each.

        Raises Refused, before anybody is looked up, for a caller who feeds no reimbursements at all.
        """
        decision = decide_reimbursing(call.requester)
        if not decision.permit:
            self._gate.refuse(call, None, _BATCH, decision)
        outcomes: Outcomes = {}
        by_record = self._by_record(said, outcomes)
        with ThreadPoolExecutor(max_workers=max(1, min(WRITERS, len(by_record)))) as writers:
            for some in batched(by_record.items(), RECORDS_AT_ONCE, strict=False):
                for fed in self._fed(call, dict(some), writers):
                    outcomes |= fed
        return outcomes

    def _by_record(self, said: Said, outcomes: Outcomes) -> dict[str, dict[int, LineRequest | BrokenLine]]:
        """The lines by the record that they name; of those that name none, `outcomes` tell why."""
        patients: dict[int, PatientRef] = {}
        for place, one in said.items():
            try:
                patients[place] = self._patient(one)
            except DmpError as failure:
                outcomes[place] = failure
        unknown = {one.ins for one in patients.values() if one.ins and not one.record}
        found = self._store.records_of(unknown) if unknown else {}
        by_record: dict[str, dict[int, LineRequest | BrokenLine]] = {}
        for place, patient in patients.items():
            record = patient.record or (found.get(patient.ins) if patient.ins else None)
            if record:
                by_record.setdefault(record, {})[place] = said[place]
            else:
                outcomes[place] = NotFound("no-record")
        return by_record

    def _patient(self, said: LineRequest | BrokenLine) -> PatientRef:
        """Whom a line names; raises what is wrong with it where that is nobody, Invalid `ins-invalid`."""
        if isinstance(said, BrokenLine) and said.patient is None:
            raise said.failure
        patient = said.patient or PatientRef()
        if patient.ins and not ins_is_accepted(patient.ins, test_identities=self._test_identities):
            raise Invalid("ins-invalid", f"{said.place}.patient")
        return patient

    def _fed(self, call: Call, by_record: _ByRecord, writers: ThreadPoolExecutor) -> Iterator[Outcomes]:
        """Read what some records hold, then write them side by side; all of it follows from this request."""
        try:
            standings = self._store.standings({record: names_of(said.values()) for record, said in by_record.items()})
        except DmpError as failure:
            yield {place: failure for said in by_record.values() for place in said}
            return

        def feed(follower: Context, record: str) -> Outcomes:
            return follower.run(self._fed_one, call, by_record, standings, record)

        yield from writers.map(feed, [copy_context() for _ in by_record], by_record)

    def _fed_one(self, call: Call, by_record: _ByRecord, standings: "Mapping[str, Standing]", record: str) -> Outcomes:
        said = by_record[record]
        if self._clock() - call.now > LONGEST:
            return dict.fromkeys(said, Unavailable("service-unavailable"))
        return self._feed.feed(call, record, said, standings[record])
