"""Emergency access: declared with a reason, in force at once, and told to the patient at once ($emergency-access)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, SaveConsent, SaveRecord
from dmp.domain.consent import Consent, ConsentKind, Directive, Grantor, PatientRef
from dmp.domain.emergency import Declaration, ended_by_emergency, with_emergency
from dmp.domain.errors import Invalid, NotFound, Unavailable
from dmp.domain.notification import Kind, Notice, attending_physicians
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.attempts import attempts, is_committed
from dmp.services.call import Call
from dmp.services.consents import ending
from dmp.services.gate import Attempt, Gate, asking
from dmp.services.notices import Notices
from dmp.services.quotas import Quota, Quotas
from dmp.services.record_changes import as_operation

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

_DECLARATION = Attempt(interaction=Interaction.EMERGENCY, action=AuditAction.CREATE, resource_type="Consent")


class EmergenciesService:
    """Opens records in an emergency, for as long as the operator set."""

    def __init__(
        self,
        gate: Gate,
        store: "RecordStore",
        ledger: "Ledger",
        notices: Notices,
        quotas: Quotas,
        *,
        minutes: int,
    ) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._notices = notices
        self._quotas = quotas
        self._duration = timedelta(minutes=minutes)

    def declare(self, call: Call, patient: PatientRef, read: Callable[[], Declaration]) -> Consent:
        """Let the caller in from now on; what they declared before of this mode ends.

        `read` gives the declaration, or raises Invalid, which only those learn who may declare anything here. Raises
        TooManyRequests (`quota-exceeded`), NotFound (`no-record`), Refused (`emergency-opposed`, `blocked`,
        `not-authorised`), Conflict (`record-closed`).
        """
        record = self._found(patient)
        self._quotas.spend(call, Quota.EMERGENCY, record, _attempt(record))
        for _ in attempts():
            if record is None:
                raise NotFound("no-record")
            consent = self._declared(call, record, read)
            if consent:
                return consent
            record = self._store.head(record.id)
        raise Unavailable("service-unavailable")

    def _found(self, patient: PatientRef) -> Record | None:
        known = patient.record or (self._store.id_of(patient.ins) if patient.ins else None)
        return self._store.head(known) if known else None

    def _declared(self, call: Call, record: Record, read: Callable[[], Declaration]) -> Consent | None:
        """One attempt; None where somebody else changed the head meanwhile."""
        declaration, decision = self._admit(call, record, read)
        consent, changes = self._decided(call, record, declaration)
        attempt = replace(_DECLARATION, what=(f"Consent/{consent.id}",), purpose=declaration.mode)
        trace = self._gate.entry(call, record, attempt, decision)
        return consent if is_committed(self._ledger, [*changes, trace]) else None

    def _admit(self, call: Call, record: Record, read: Callable[[], Declaration]) -> tuple[Declaration, Decision]:
        question, attempt = asking(call, record, Action.EMERGENCY), _attempt(record)
        with as_operation():
            try:
                declaration = read()
            except Invalid:
                self._gate.admit(call, question, attempt)
                raise
            question = replace(question, purposes=(declaration.mode,))
            attempt = replace(attempt, purpose=declaration.mode)
            return declaration, self._gate.admit(call, question, attempt)

    def _decided(self, call: Call, record: Record, declaration: Declaration) -> tuple[Consent, list[Change]]:
        directive = self._directive(call, declaration)
        ended = ended_by_emergency(directive, record.directives, call.now)
        held = with_emergency(record.directives, directive, ended, call.now)
        consent = replace(
            Consent.made(record.id, directive, call.now),
            actor_display=call.requester.name,
            organization=call.requester.structure,
            attestation=declaration.reason,
            due=directive.end,
        )
        changes: list[Change] = [SaveRecord(record.deciding(held, call.now), record), SaveConsent(consent)]
        return consent, [*changes, *ending(self._store, record, ended, call), *self._telling(call, record, consent)]

    def _directive(self, call: Call, declaration: Declaration) -> Directive:
        return Directive(
            consent=self._gate.new_local(call),
            kind=ConsentKind.EMERGENCY,
            permit=True,
            actor=call.requester.identifier,
            start=call.now,
            end=call.now + self._duration,
            granted_by=Grantor.PROFESSIONAL,
            purposes=(declaration.mode,),
            is_secret=call.requester.is_secret,
        )

    def _telling(self, call: Call, record: Record, consent: Consent) -> list[Change]:
        """To the person, and to the médecin traitant who is somebody else than the caller."""
        physicians = attending_physicians(record, call.now)
        notice = Notice(
            kind=Kind.EMERGENCY_ACCESS,
            about=(f"Consent/{consent.id}",),
            is_secret=call.requester.is_secret,
            also=tuple(physician for physician in physicians if physician != call.requester.identifier),
        )
        return self._notices.of(call, record, notice)


def _attempt(record: Record | None) -> Attempt:
    what = (f"Patient/{record.id}/$emergency-access",) if record else ()
    return replace(_DECLARATION, what=what)
