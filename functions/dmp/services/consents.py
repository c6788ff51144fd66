"""What the patient decides, and what professionals attest: create, read, find, revoke Consents (TD0.3, IHE PCF)."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dmp.domain.access import AccessRequest, Decision, decide
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, ClaimCriterion, Contention, SaveConsent, SaveRecord
from dmp.domain.consent import (
    Consent,
    ConsentKind,
    ConsentRequest,
    ConsentStatus,
    Directive,
    Grantor,
    PatientRef,
)
from dmp.domain.directives import check_actor, ended_by, next_due, period_of, with_directive, without
from dmp.domain.errors import Conflict, Invalid, NotFound, PreconditionFailed, Unavailable
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate, failure_of
from dmp.services.records import ATTEMPTS

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

_GRANTORS = {"patient": Grantor.PATIENT, "representative": Grantor.REPRESENTATIVE}


class ConsentsService:
    """Operations on Consents of one record."""

    def __init__(
        self, gate: Gate, store: "RecordStore", ledger: "Ledger", *, months: int, warning_days: int
    ) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._months = months
        self._warning = timedelta(days=warning_days)

    def create(self, call: Call, request: ConsentRequest, criterion: str = "") -> tuple[Consent, bool]:
        """Record a decision; the second value tells that it was made now, not by an earlier conditional create.

        Raises Refused, NotFound, Invalid (`actor-invalid`, `period-too-long`, …), Conflict (`record-closed`,
        `too-many`).
        """
        record_id = self.resolve(request.patient)
        for _ in range(ATTEMPTS):
            record, _claims, made = self._store.with_claims(record_id, [], criterion)
            record = _known(record)
            attempt = Attempt(interaction=Interaction.CREATE, action=AuditAction.CREATE, resource_type="Consent")
            decision = self._admit_creation(call, record, request, attempt)
            if made:
                return self._made_before(call, record, made), False
            consent, changes = self._decided(call, record, request, decision)
            attempt = replace(attempt, what=(f"Consent/{consent.id}",))
            if criterion:
                changes.append(ClaimCriterion(record_id, criterion, consent.local))
            try:
                self._ledger.commit([*changes, self._gate.entry(call, record, attempt, decision)])
            except Contention:
                continue
            return consent, True
        raise Unavailable("service-unavailable")

    def resolve(self, patient: PatientRef) -> str:
        """The record that a reference or an INS names; NotFound `no-record`."""
        record_id = patient.record or (self._store.id_of(patient.ins) if patient.ins else None)
        if record_id is None:
            raise NotFound("no-record")
        return record_id

    def _admit_creation(self, call: Call, record: Record, request: ConsentRequest, attempt: Attempt) -> Decision:
        question = AccessRequest(
            requester=call.requester,
            action=Action.CREATE_CONSENT,
            record=record,
            now=call.now,
            consent_kind=request.kind,
            consent_actor=request.actor,
        )
        return self._gate.admit(call, question, attempt)

    def _made_before(self, call: Call, record: Record, local: str) -> Consent:
        _, consent = self._store.with_consent(record.id, local)
        if consent is None or not decide(self._asking(call, record, Action.READ_CONSENT, consent)).permit:
            raise Conflict("version-conflict")
        return consent

    def _decided(
        self, call: Call, record: Record, request: ConsentRequest, decision: Decision
    ) -> tuple[Consent, list[Change]]:
        check_actor(request)
        start, end = period_of(request, call.now, self._months)
        granted_by = _GRANTORS.get(decision.reason, Grantor.PROFESSIONAL)
        local = self._gate.new_local(call)
        directive = Directive(
            consent=local,
            kind=request.kind,
            permit=request.permit,
            actor=request.actor,
            start=start,
            end=end,
            granted_by=granted_by,
        )
        attested = granted_by is Grantor.PROFESSIONAL
        consent = Consent(
            record=record.id,
            local=local,
            version=1,
            updated=call.now,
            status=ConsentStatus.ACTIVE,
            directive=directive,
            date_time=call.now,
            actor_display=request.actor_display,
            attested_by=call.requester.identifier if attested else None,
            attested_by_name=call.requester.name if attested else "",
            organization=call.requester.structure,
            policy_uri=request.policy_uri,
            due=next_due(directive, call.now, self._warning),
        )
        ended = ended_by(directive, record.directives, call.now)
        head = replace(
            record,
            version=record.version + 1,
            directives=with_directive(record.directives, directive, ended, call.now),
        )
        return consent, [SaveRecord(head, record), SaveConsent(consent), *self._ending(call, record, ended)]

    def _ending(self, call: Call, record: Record, ended: Iterable[Directive]) -> list[Change]:
        locals_ = [d.consent for d in ended]
        if not locals_:
            return []
        _, consents = self._store.with_consents(record.id, locals_)
        return [SaveConsent(_ended(c, call), c) for c in consents.values() if c.status is ConsentStatus.ACTIVE]

    def read(self, call: Call, record_id: str, local: str, version: int | None = None) -> Consent:
        """Read a Consent, now or in a former version."""
        record, consent = self._store.with_consent(record_id, local)
        record = _known(record)
        interaction = Interaction.READ if version is None else Interaction.VREAD
        decision = self._admit(call, record, consent, Action.READ_CONSENT, self._attempt(interaction, record_id, local))
        consent = _found(consent)
        if version is not None and version != consent.version:
            former = self._store.former_consents(record_id, local)
            consent = _found(next((c for c in former if c.version == version), None))
        self._gate.trace_access(call, record, self._attempt(interaction, record_id, local), decision)
        return consent

    def history(self, call: Call, record_id: str, local: str) -> list[Consent]:
        """Every version of a Consent, newest first."""
        record, consent = self._store.with_consent(record_id, local)
        record = _known(record)
        attempt = self._attempt(Interaction.HISTORY, record_id, local)
        decision = self._admit(call, record, consent, Action.READ_CONSENT, attempt)
        versions = [_found(consent), *reversed(self._store.former_consents(record_id, local))]
        self._gate.trace_access(call, record, attempt, decision)
        return versions

    def amend(
        self,
        call: Call,
        record_id: str,
        local: str,
        change: Callable[[Consent], Directive | None],
        expected: int | None = None,
    ) -> Consent:
        """Apply a change: `change` gives the new directive, or None to revoke.

        Revocation is in force for every request that starts after the answer. Raises PreconditionFailed
        (`version-conflict`), Invalid (`consent-ended`, `period-too-long`).
        """
        attempt = self._attempt(Interaction.PATCH, record_id, local, AuditAction.UPDATE)
        for _ in range(ATTEMPTS):
            record, consent = self._store.with_consent(record_id, local)
            record = _known(record)
            decision = self._admit(call, record, consent, Action.REVOKE_CONSENT, attempt)
            consent = _found(consent)
            if expected is not None and expected != consent.version:
                raise PreconditionFailed("version-conflict")
            directive = change(consent)
            if directive is not None and _holds_longer(directive, consent.directive):
                decision = self._admit(call, record, consent, Action.RENEW_CONSENT, attempt)
            changed, changes = self._amended(call, record, consent, directive)
            try:
                self._ledger.commit([*changes, self._gate.entry(call, record, attempt, decision)])
            except Contention:
                continue
            return changed
        raise Unavailable("service-unavailable")

    def _amended(
        self, call: Call, record: Record, consent: Consent, directive: Directive | None
    ) -> tuple[Consent, list[Change]]:
        if consent.directive.kind in (ConsentKind.OPENING, ConsentKind.EMERGENCY) or (
            consent.status is not ConsentStatus.ACTIVE and directive is not None
        ):
            raise Invalid("consent-ended", "Consent.status")
        if directive == consent.directive or consent.status is not ConsentStatus.ACTIVE:
            return consent, []
        held = without(record.directives, consent.local)
        changed = _ended(consent, call)
        if directive is not None:
            held = (*held, directive)
            due = next_due(directive, call.now, self._warning)
            changed = replace(changed, status=ConsentStatus.ACTIVE, directive=directive, due=due)
        head = replace(record, version=record.version + 1, directives=held)
        return changed, [SaveRecord(head, record), SaveConsent(changed, consent)]

    def with_period(
        self, call: Call, consent: Consent, start: datetime | None, end: datetime | None
    ) -> Directive:
        """The directive of a Consent with another period, checked as a new one would be; None changes nothing."""
        held = consent.directive
        asked = ConsentRequest(
            kind=held.kind,
            permit=held.permit,
            patient=PatientRef(record=consent.record),
            start=start or held.start,
            end=end or held.end,
        )
        start, end = period_of(asked, call.now, self._months)
        return replace(held, start=start, end=end)

    def search(
        self,
        call: Call,
        record_id: str,
        wanted: Callable[[Consent], bool],
        *,
        query: str,
        before: str,
        count: int,
    ) -> tuple[list[Consent], str | None]:
        """A page of the Consents that the caller may see, newest first, and where to go on."""
        record = _known(self._store.head(record_id))
        attempt = Attempt(
            interaction=Interaction.SEARCH, action=AuditAction.EXECUTE, resource_type="Consent", query=query
        )
        decision = decide(self._asking(call, record, Action.READ_CONSENT))
        found: list[Consent] = []
        more = True
        while more and len(found) <= count:
            page, more = self._store.consents(record_id, before, max(count, 20))
            before = page[-1].local if page else before
            found += [c for c in page if wanted(c) and self._visible(call, record, decision, c)]
        if not decision.permit and not found:
            self._gate.trace_refusal(call, record, attempt, decision)
            raise failure_of(decision)
        shown = found[:count]
        granted = decision if decision.permit else Decision(True, "own-consent")
        self._gate.trace_access(call, record, replace(attempt, what=(f"Patient/{record_id}",)), granted)
        return shown, shown[-1].local if len(found) > count else None

    def _visible(self, call: Call, record: Record, decision: Decision, consent: Consent) -> bool:
        if decision.permit:
            return True
        return decide(self._asking(call, record, Action.READ_CONSENT, consent)).permit

    def _admit(
        self, call: Call, record: Record, consent: Consent | None, action: Action, attempt: Attempt
    ) -> Decision:
        return self._gate.admit(call, self._asking(call, record, action, consent), attempt)

    @staticmethod
    def _asking(call: Call, record: Record, action: Action, consent: Consent | None = None) -> AccessRequest:
        return AccessRequest(
            requester=call.requester,
            action=action,
            record=record,
            now=call.now,
            consent=consent.directive if consent else None,
            attested_by=consent.attested_by if consent else None,
        )

    @staticmethod
    def _attempt(
        interaction: Interaction, record_id: str, local: str, action: AuditAction = AuditAction.READ
    ) -> Attempt:
        what = (f"Consent/{record_id}.{local}",)
        return Attempt(interaction=interaction, action=action, resource_type="Consent", what=what)


def _known(record: Record | None) -> Record:
    if record is None:
        raise NotFound("no-record")
    return record


def _found(consent: Consent | None) -> Consent:
    if consent is None:
        raise NotFound("no-consent")
    return consent


def _holds_longer(new: Directive, old: Directive) -> bool:
    ends_later = old.end is not None and (new.end is None or new.end > old.end)
    return ends_later or new.start < old.start


def _ended(consent: Consent, call: Call) -> Consent:
    return replace(
        consent, version=consent.version + 1, updated=call.now, status=ConsentStatus.INACTIVE, due=None
    )
