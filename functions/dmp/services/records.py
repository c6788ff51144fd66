"""The life of a record: open, look up, read, close, reopen (TD1.1 to TD1.5, TD0.2)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.access import (
    AccessRequest,
    AuthorisationState,
    Decision,
    authorisation_state,
    decide,
    decide_opening,
    is_attending_physician,
)
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, LinkIns, SaveConsent, SaveRecord, SaveRelatedPerson
from dmp.domain.civil_time import eighteenth_birthday
from dmp.domain.consent import Consent, ConsentKind, ConsentStatus, Directive, Grantor, Relationship
from dmp.domain.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from dmp.domain.identifiers import INS_REAL_SYSTEMS, Identifier, ins_key_is_valid, record_id
from dmp.domain.record import Closure, Opening, OpeningMethod, Record, RecordStatus
from dmp.domain.requester import RequesterKind
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate, failure_of

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

ATTEMPTS = 4
"""How often a change is decided anew when somebody else changed the record meanwhile."""


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record as far as the caller may see it; `full` shows traits and contacts."""

    record: Record
    full: bool
    authorisation: AuthorisationState | None
    is_attending: bool
    has_attending: bool = False


class RecordsService:
    """Operations on the Patient resource."""

    def __init__(
        self,
        gate: Gate,
        store: "RecordStore",
        ledger: "Ledger",
        *,
        entropy: Callable[[], bytes],
        test_identities: bool,
    ) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._entropy = entropy
        self._test_identities = test_identities

    def open(self, call: Call, opening: Opening) -> RecordView:
        """Open the only record of a person, with the evidence of consent in the same transaction.

        Raises Refused, Invalid (`ins-invalid`, `attestation-required`), Conflict (`record-exists`).
        """
        attempt = Attempt(interaction=Interaction.OPEN, action=AuditAction.CREATE, resource_type="Patient")
        decision = decide_opening(call.requester, opening)
        if not decision.permit:
            raise failure_of(decision)
        self._check_identity(opening.identity.ins)
        if decision.reason == "attested" and not opening.attestation.strip():
            raise Invalid("attestation-required", "Parameters.parameter")
        existing = self._store.id_of(opening.identity.ins)
        if existing:
            raise self._already_there(call, existing, attempt)
        record, changes = self._new_record(call, opening)
        attempt = replace(attempt, what=(f"Patient/{record.id}",))
        try:
            self._ledger.commit([*changes, self._gate.entry(call, record, attempt, decision)])
        except Contention:
            winner = self._store.id_of(opening.identity.ins)
            if winner is None:
                raise Unavailable("service-unavailable") from None
            raise self._already_there(call, winner, attempt) from None
        return RecordView(record, full=True, authorisation=None, is_attending=False)

    def _check_identity(self, ins: Identifier) -> None:
        real = ins.system in INS_REAL_SYSTEMS
        if (real and not ins_key_is_valid(ins.value)) or not (real or self._test_identities):
            raise Invalid("ins-invalid", "Parameters.parameter.where(name='patient').resource.identifier")

    def _already_there(self, call: Call, existing: str, attempt: Attempt) -> Conflict:
        record = self._store.head(existing)
        seen = replace(attempt, what=(f"Patient/{existing}",))
        self._gate.trace_refusal(call, record, seen, Decision(False, "record-exists"))
        return Conflict("record-exists")

    def _new_record(self, call: Call, opening: Opening) -> tuple[Record, list[Change]]:
        record = Record(
            id=record_id(self._entropy()),
            version=1,
            patient_version=1,
            updated=call.now,
            status=RecordStatus.OPEN,
            identity=opening.identity,
            opened_at=call.now,
            opened_by=call.requester.identifier if call.requester.ins is None else None,
        )
        consents = [self._opening_consent(call, record, opening.method, opening.date, opening.attestation)]
        persons: list[Change] = []
        if opening.guardian and opening.guardian.identifier:
            delegation, person = self._delegation(call, record, opening)
            consents.append(delegation)
            persons.append(person)
        record = replace(record, directives=tuple(c.directive for c in consents))
        links: list[Change] = [SaveRecord(record), LinkIns(record.identity.ins, record.id)]
        return record, links + persons + [SaveConsent(c) for c in consents]

    def _opening_consent(
        self, call: Call, record: Record, method: OpeningMethod, date: datetime, attestation: str
    ) -> Consent:
        by_person = call.requester.ins is not None
        granted_by = Grantor.PATIENT if call.requester.ins == record.identity.ins else Grantor.REPRESENTATIVE
        local = self._gate.new_local(call)
        return Consent(
            record=record.id,
            local=local,
            version=1,
            updated=call.now,
            status=ConsentStatus.ACTIVE,
            directive=Directive(
                consent=local,
                kind=ConsentKind.OPENING,
                permit=True,
                actor=None,
                start=call.now,
                end=None,
                granted_by=granted_by if by_person else Grantor.AGENT,
            ),
            date_time=date,
            attested_by=None if by_person else call.requester.identifier,
            attested_by_name="" if by_person else call.requester.name,
            organization=call.requester.structure,
            method=method.value,
            attestation=attestation,
        )

    def _delegation(self, call: Call, record: Record, opening: Opening) -> tuple[Consent, SaveRelatedPerson]:
        guardian = opening.guardian
        if guardian is None:
            raise Invalid("invalid-resource", "Parameters.parameter.where(name='guardian')")
        majority = eighteenth_birthday(record.identity.birth_date)
        if majority <= call.now:
            raise Invalid("not-a-minor", "Parameters.parameter.where(name='guardian')")
        person, local = self._gate.new_local(call), self._gate.new_local(call)
        consent = Consent(
            record=record.id,
            local=local,
            version=1,
            updated=call.now,
            status=ConsentStatus.ACTIVE,
            directive=Directive(
                consent=local,
                kind=ConsentKind.DELEGATION,
                permit=True,
                actor=guardian.identifier,
                start=call.now,
                end=majority,
                granted_by=Grantor.REPRESENTATIVE,
                relationship=Relationship.LEGAL_REPRESENTATIVE,
            ),
            date_time=opening.date,
            delegate=person,
            due=majority,
        )
        return consent, SaveRelatedPerson(record.id, person, guardian.resource)

    def status(self, call: Call, ins: Identifier, query: str) -> RecordView | None:
        """TD0.2: whether the person has a record; None where there is none, or none the caller may know of."""
        attempt = Attempt(
            interaction=Interaction.STATUS, action=AuditAction.EXECUTE, resource_type="Patient", query=query
        )
        known = self._store.id_of(ins)
        record = self._store.head(known) if known else None
        if record is None:
            self._gate.trace_access(call, None, attempt, Decision(True, "no-record"))
            return None
        attempt = replace(attempt, what=(f"Patient/{record.id}",))
        request = self._asking(call, record, Action.STATUS)
        decision = decide(request)
        if decision.hidden:
            self._gate.trace_refusal(call, record, attempt, decision)
            return None
        if not decision.permit:
            self._gate.trace_refusal(call, record, attempt, decision)
            raise failure_of(decision)
        self._gate.trace_access(call, record, attempt, decision)
        return self._view(request)

    def read(self, call: Call, record_id: str, version: int | None = None) -> RecordView:
        """Read the Patient, now or in a former version."""
        record = self._existing(record_id)
        attempt = Attempt(
            interaction=Interaction.READ if version is None else Interaction.VREAD,
            action=AuditAction.READ,
            resource_type="Patient",
            what=(f"Patient/{record.id}",),
        )
        request = self._asking(call, record, Action.READ_PATIENT)
        decision = self._gate.admit(call, request, attempt)
        former = None
        if version is not None and version != record.patient_version:
            former = self._store.former_head(record_id, version)
            if former is None:
                raise NotFound("no-version")
        self._gate.trace_access(call, record, attempt, decision)
        view = self._view(request)
        return replace(view, record=former) if former else view

    def attestation(self, call: Call, record_id: str) -> Record:
        """The record whose attestation of opening its opener may print."""
        record = self._existing(record_id)
        attempt = Attempt(
            interaction=Interaction.READ,
            action=AuditAction.READ,
            resource_type="Patient",
            what=(f"Patient/{record.id}/$attestation",),
        )
        decision = self._gate.admit(call, self._asking(call, record, Action.PRINT_ATTESTATION), attempt)
        self._gate.trace_access(call, record, attempt, decision)
        return record

    def close(self, call: Call, record_id: str, closure: Closure, attestation: str) -> RecordView:
        """Close an open record: from then on nobody reads or feeds it (R.1111-36)."""
        self._require_attestation(call, attestation)

        def closed(record: Record) -> tuple[Record, list[Change]]:
            return replace(record, status=RecordStatus.CLOSED, closure=closure), []

        return self._change(call, record_id, Action.CLOSE, Interaction.CLOSE, closed)

    def reopen(
        self, call: Call, record_id: str, method: OpeningMethod, date: datetime, attestation: str
    ) -> RecordView:
        """Open a closed record again, with a new evidence of consent; what was archived comes back."""
        self._require_attestation(call, attestation)

        def reopened(record: Record) -> tuple[Record, list[Change]]:
            if record.status is not RecordStatus.CLOSED:
                raise Conflict("record-open")
            consent = self._opening_consent(call, record, method, date, attestation)
            directives = (*record.directives, consent.directive)
            return (
                replace(record, status=RecordStatus.OPEN, closure=None, directives=directives),
                [SaveConsent(consent)],
            )

        return self._change(call, record_id, Action.REOPEN, Interaction.REOPEN, reopened)

    def _change(
        self,
        call: Call,
        record_id: str,
        action: Action,
        interaction: Interaction,
        apply: Callable[[Record], tuple[Record, list[Change]]],
    ) -> RecordView:
        attempt = Attempt(
            interaction=interaction, action=AuditAction.UPDATE, resource_type="Patient", what=(f"Patient/{record_id}",)
        )
        for _ in range(ATTEMPTS):
            record = self._existing(record_id)
            request = self._asking(call, record, action)
            decision = self._admit_operation(call, request, attempt)
            changed, changes = apply(record)
            changed = replace(
                changed, version=record.version + 1, patient_version=record.patient_version + 1, updated=call.now
            )
            trace = self._gate.entry(call, record, attempt, decision)
            try:
                self._ledger.commit([SaveRecord(changed, record), *changes, trace])
            except Contention:
                continue
            return replace(self._view(request), record=changed, full=decision.reason != "agent")
        raise Unavailable("service-unavailable")

    def _admit_operation(self, call: Call, request: AccessRequest, attempt: Attempt) -> Decision:
        try:
            return self._gate.admit(call, request, attempt)
        except Refused as refused:
            if refused.code == "record-closed":
                raise Conflict("record-closed") from refused
            raise

    def _existing(self, record_id: str) -> Record:
        record = self._store.head(record_id)
        if record is None:
            raise NotFound("no-record")
        return record

    @staticmethod
    def _asking(call: Call, record: Record, action: Action) -> AccessRequest:
        return AccessRequest(requester=call.requester, action=action, record=record, now=call.now)

    @staticmethod
    def _require_attestation(call: Call, attestation: str) -> None:
        if call.requester.kind is RequesterKind.CPAM_AGENT and not attestation.strip():
            raise Invalid("attestation-required", "Parameters.parameter")

    @staticmethod
    def _view(request: AccessRequest) -> RecordView:
        full = decide(replace(request, action=Action.READ_PATIENT)).permit
        is_professional = request.requester.kind is RequesterKind.PROFESSIONAL
        return RecordView(
            record=request.record,
            full=full,
            authorisation=authorisation_state(request) if is_professional else None,
            is_attending=is_attending_physician(request),
        )
