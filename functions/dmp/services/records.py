"""The life of a record once it is open: look up, read, close, reopen (TD0.2, TD1.2, TD1.4, TD1.5)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import AccessRequest, Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.authorisation_state import AuthorisationState, authorisation_state, is_attending_physician
from dmp.domain.changes import SaveConsent
from dmp.domain.civil_time import same_day_months_later
from dmp.domain.consent import ConsentKind
from dmp.domain.errors import Conflict, Invalid, NotFound
from dmp.domain.identifiers import Identifier
from dmp.domain.notification import Kind, Notice
from dmp.domain.record import Closure, Evidence, Record, RecordStatus
from dmp.domain.requester import RequesterKind
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate, asking
from dmp.services.notices import Notices
from dmp.services.openings import opening_consent
from dmp.services.quotas import Quota, Quotas
from dmp.services.record_changes import Changed, RecordChanges, as_operation

if TYPE_CHECKING:
    from dmp.adapters.record_store import RecordStore

_NOT_CLOSED = {
    RecordStatus.OPEN: "record-open",
    RecordStatus.SUSPENDED: "record-suspended",
    RecordStatus.ERASING: "erasure-under-way",
}


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record as far as the caller may see it.

    `full` shows traits and contacts, `own` the preferences too; `authorisation` and `is_attending` tell a
    professional the own standing.
    """

    record: Record
    full: bool
    own: bool = False
    authorisation: AuthorisationState | None = None
    is_attending: bool | None = None


class RecordsService:
    """Operations on the Patient resource."""

    def __init__(
        self,
        gate: Gate,
        store: "RecordStore",
        changes: RecordChanges,
        notices: Notices,
        quotas: Quotas,
        *,
        archive_years: int,
    ) -> None:
        self._gate = gate
        self._store = store
        self._changes = changes
        self._notices = notices
        self._quotas = quotas
        self._archive_years = archive_years

    def status(self, call: Call, ins: Identifier, query: str) -> RecordView | None:
        """TD0.2: whether the person has a record; None where there is none, or none the caller may know of.

        Raises TooManyRequests, Refused.
        """
        known = self._store.id_of(ins)
        record = self._store.head(known) if known else None
        attempt = Attempt(
            interaction=Interaction.STATUS,
            action=AuditAction.EXECUTE,
            resource_type="Patient",
            what=(f"Patient/{record.id}",) if record else (),
            query=query,
        )
        self._quotas.spend(call, Quota.LOOK_UP, record, attempt)
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

    def read(self, call: Call, record_id: str, version: int | None = None) -> RecordView:
        """Read the Patient, now or in a former version."""
        record = self._store.existing(record_id)
        interaction = Interaction.READ if version is None else Interaction.VREAD
        attempt = patient_attempt(interaction, AuditAction.READ, record_id)
        question = asking(call, record, Action.READ_PATIENT)
        decision = self._gate.admit(call, question, attempt)
        is_current = version in (None, record.patient_version)
        wanted = record if is_current else self._store.former_head(record_id, version or 0)
        self._gate.trace_access(call, record, attempt, decision)
        if wanted is None:
            raise NotFound("no-version")
        return RecordView(wanted, full=True, own=_may_change(question))

    def close(self, call: Call, record_id: str, read: Callable[[], tuple[Closure, str]]) -> RecordView:
        """Close an open record: from then on nobody reads or feeds it (R.1111-36).

        `read` gives the closure and its attestation, once the decision stands.
        """

        def closed(record: Record) -> Changed:
            closure, attestation = read()
            require_attestation(call, attestation)
            archived_until = same_day_months_later(call.now, 12 * self._archive_years)
            told = self._notices.of(call, record, Notice(kind=Kind.RECORD_CLOSED))
            return record.closed(closure, archived_until, call.now), told

        return self._operation(call, record_id, Action.CLOSE, Interaction.CLOSE, closed)

    def reopen(self, call: Call, record_id: str, read: Callable[[], Evidence]) -> RecordView:
        """Open a closed record again; what was archived comes back, and the new evidence takes the former's place.

        Nothing is erased then, whatever was asked before. Raises Conflict by the state of the record.
        """

        def reopened(record: Record) -> Changed:
            evidence = read()
            require_attestation(call, evidence.attestation)
            require_closed(record)
            return self._reopened(call, record, evidence)

        return self._operation(call, record_id, Action.REOPEN, Interaction.REOPEN, reopened)

    def _reopened(self, call: Call, record: Record, evidence: Evidence) -> Changed:
        consent = opening_consent(call, record, self._gate.new_local(call), evidence)
        former = [d.consent for d in record.directives if d.kind is ConsentKind.OPENING]
        _, consents = self._store.with_consents(record.id, former)
        others = tuple(d for d in record.directives if d.kind is not ConsentKind.OPENING)
        ended = [SaveConsent(c.ended(call.now), c) for c in consents.values()]
        return record.opened((*others, consent.directive), call.now), [SaveConsent(consent), *ended]

    def _operation(
        self,
        call: Call,
        record_id: str,
        action: Action,
        interaction: Interaction,
        change: Callable[[Record], Changed],
    ) -> RecordView:
        attempt = patient_attempt(interaction, AuditAction.UPDATE, record_id)
        with as_operation():
            changed, decision = self._changes.apply(call, record_id, action, attempt, change)
        is_own = decision.reason != "agent"
        return RecordView(changed, full=is_own, own=is_own)


def _standing(question: AccessRequest) -> RecordView:
    full = decide(replace(question, action=Action.READ_PATIENT)).permit
    if question.requester.kind is not RequesterKind.PROFESSIONAL:
        return RecordView(question.record, full, _may_change(question))
    return RecordView(
        question.record,
        full,
        authorisation=authorisation_state(question),
        is_attending=is_attending_physician(question),
    )


def _may_change(question: AccessRequest) -> bool:
    """Whether the preferences are the caller's business."""
    return decide(replace(question, action=Action.UPDATE_PATIENT)).permit


def require_attestation(call: Call, attestation: str) -> None:
    """An agent of the insurer attests what the person asked for; raises Invalid `attestation-required`."""
    if call.requester.kind is RequesterKind.CPAM_AGENT and not attestation.strip():
        raise Invalid("attestation-required", "Parameters.parameter")


def require_closed(record: Record) -> None:
    """Raise Conflict, by the state of the record, unless it is closed."""
    if record.status in _NOT_CLOSED:
        raise Conflict(_NOT_CLOSED[record.status])


def patient_attempt(interaction: Interaction, action: AuditAction, what: str) -> Attempt:
    """What the trace tells of a request for one Patient, by the record's id and what is asked below it."""
    return Attempt(interaction=interaction, action=action, resource_type="Patient", what=(f"Patient/{what}",))
