"""The life of a record once it is open: look up, read, close, reopen (TD0.2, TD1.2, TD1.4, TD1.5)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import AccessRequest, Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.authorisation_state import AuthorisationState, authorisation_state, is_attending_physician
from dmp.domain.changes import Change, Contention, SaveConsent, SaveRecord
from dmp.domain.civil_time import same_day_months_later
from dmp.domain.consent import ConsentKind
from dmp.domain.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from dmp.domain.identifiers import Identifier
from dmp.domain.notification import Kind, Notice
from dmp.domain.record import Closure, Evidence, Record, RecordStatus
from dmp.domain.requester import RequesterKind
from dmp.domain.rights import Action
from dmp.services.attempts import attempts
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate, asking
from dmp.services.notices import Notices
from dmp.services.openings import opening_consent

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

type Changed = tuple[Record, list[Change]]


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record as far as the caller may see it.

    `full` shows traits and contacts; `authorisation` and `is_attending` tell a professional the own standing.
    """

    record: Record
    full: bool
    authorisation: AuthorisationState | None = None
    is_attending: bool | None = None


class RecordsService:
    """Operations on the Patient resource."""

    def __init__(
        self, gate: Gate, store: "RecordStore", ledger: "Ledger", notices: Notices, *, archive_years: int
    ) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._notices = notices
        self._archive_years = archive_years

    def status(self, call: Call, ins: Identifier, query: str) -> RecordView | None:
        """TD0.2: whether the person has a record; None where there is none, or none the caller may know of."""
        known = self._store.id_of(ins)
        record = self._store.head(known) if known else None
        attempt = Attempt(
            interaction=Interaction.STATUS,
            action=AuditAction.EXECUTE,
            resource_type="Patient",
            what=(f"Patient/{record.id}",) if record else (),
            query=query,
        )
        if record is None:
            self._gate.trace_access(call, None, attempt, Decision(True, "no-record"))
            return None
        question = asking(call, record, Action.STATUS)
        try:
            decision = self._gate.admit(call, question, attempt)
        except NotFound:
            return None
        self._gate.trace_access(call, record, attempt, decision)
        return _standing(question)

    def read(self, call: Call, record_id: str, version: int | None = None) -> Record:
        """Read the Patient, now or in a former version."""
        record = self._store.existing(record_id)
        interaction = Interaction.READ if version is None else Interaction.VREAD
        attempt = _attempt(interaction, AuditAction.READ, f"Patient/{record_id}")
        decision = self._gate.admit(call, asking(call, record, Action.READ_PATIENT), attempt)
        wanted = record
        if version is not None and version != record.patient_version:
            former = self._store.former_head(record_id, version)
            if former is None:
                raise NotFound("no-version")
            wanted = former
        self._gate.trace_access(call, record, attempt, decision)
        return wanted

    def attestation(self, call: Call, record_id: str) -> Record:
        """The record whose attestation of opening its opener may print."""
        record = self._store.existing(record_id)
        attempt = _attempt(Interaction.READ, AuditAction.READ, f"Patient/{record_id}/$attestation")
        decision = self._admit_operation(call, asking(call, record, Action.PRINT_ATTESTATION), attempt)
        self._gate.trace_access(call, record, attempt, decision)
        return record

    def close(self, call: Call, record_id: str, read: Callable[[], tuple[Closure, str]]) -> RecordView:
        """Close an open record: from then on nobody reads or feeds it (R.1111-36).

        `read` gives the closure and its attestation, once the decision stands.
        """

        def closed(record: Record) -> Changed:
            closure, attestation = read()
            _require_attestation(call, attestation)
            archived_until = same_day_months_later(call.now, 12 * self._archive_years)
            told = self._notices.of(call, record, Notice(kind=Kind.RECORD_CLOSED))
            return record.closed(closure, archived_until, call.now), told

        return self._change(call, record_id, Action.CLOSE, Interaction.CLOSE, closed)

    def reopen(self, call: Call, record_id: str, read: Callable[[], Evidence]) -> RecordView:
        """Open a closed record again; what was archived comes back, and the new evidence takes the former's place."""

        def reopened(record: Record) -> Changed:
            evidence = read()
            _require_attestation(call, evidence.attestation)
            if record.status is not RecordStatus.CLOSED:
                raise Conflict("record-open")
            return self._reopened(call, record, evidence)

        return self._change(call, record_id, Action.REOPEN, Interaction.REOPEN, reopened)

    def _reopened(self, call: Call, record: Record, evidence: Evidence) -> Changed:
        consent = opening_consent(call, record, self._gate.new_local(call), evidence)
        former = [d.consent for d in record.directives if d.kind is ConsentKind.OPENING]
        _, consents = self._store.with_consents(record.id, former)
        others = tuple(d for d in record.directives if d.kind is not ConsentKind.OPENING)
        ended = [SaveConsent(c.ended(call.now), c) for c in consents.values()]
        return record.opened((*others, consent.directive), call.now), [SaveConsent(consent), *ended]

    def _change(
        self,
        call: Call,
        record_id: str,
        action: Action,
        interaction: Interaction,
        apply: Callable[[Record], Changed],
    ) -> RecordView:
        attempt = _attempt(interaction, AuditAction.UPDATE, f"Patient/{record_id}")
        for _ in attempts():
            record = self._store.existing(record_id)
            decision = self._admit_operation(call, asking(call, record, action), attempt)
            changed, changes = apply(record)
            trace = self._gate.entry(call, record, attempt, decision)
            try:
                self._ledger.commit([SaveRecord(changed, record), *changes, trace])
            except Contention:
                continue
            return RecordView(changed, full=decision.reason != "agent")
        raise Unavailable("service-unavailable")

    def _admit_operation(self, call: Call, request: AccessRequest, attempt: Attempt) -> Decision:
        try:
            return self._gate.admit(call, request, attempt)
        except Refused as refused:
            if refused.code == "record-closed":
                raise Conflict("record-closed") from refused
            raise


def _standing(question: AccessRequest) -> RecordView:
    full = decide(replace(question, action=Action.READ_PATIENT)).permit
    if question.requester.kind is not RequesterKind.PROFESSIONAL:
        return RecordView(question.record, full)
    return RecordView(question.record, full, authorisation_state(question), is_attending_physician(question))


def _require_attestation(call: Call, attestation: str) -> None:
    if call.requester.kind is RequesterKind.CPAM_AGENT and not attestation.strip():
        raise Invalid("attestation-required", "Parameters.parameter")


def _attempt(interaction: Interaction, action: AuditAction, what: str) -> Attempt:
    return Attempt(interaction=interaction, action=action, resource_type="Patient", what=(what,))
