"""What the patient decides, and what professionals attest: create, change and revoke Consents (TD0.3, IHE PCF)."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, SaveConsent, SaveRecord
from dmp.domain.consent import Consent, ConsentKind, ConsentRequest, ConsentStatus, Directive, Grantor, PatientRef
from dmp.domain.directives import check_actor, ended_by, holds_longer, next_due, period_of, with_directive, without
from dmp.domain.errors import Invalid, NotFound, PreconditionFailed, Unavailable
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.attempts import attempts
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate, asking

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

type Period = tuple[datetime | None, datetime | None]
"""A new start and end; None stands for no change."""

_GRANTORS = {"patient": Grantor.PATIENT, "representative": Grantor.REPRESENTATIVE}
_CREATION = Attempt(interaction=Interaction.CREATE, action=AuditAction.CREATE, resource_type="Consent")
_IMMUTABLE = frozenset({ConsentKind.OPENING, ConsentKind.EMERGENCY})


class ConsentsService:
    """Changes of the Consents of one record."""

    def __init__(self, gate: Gate, store: "RecordStore", ledger: "Ledger", *, months: int, warning_days: int) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._months = months
        self._warning = timedelta(days=warning_days)

    def create(
        self,
        call: Call,
        patient: PatientRef,
        read: Callable[[], ConsentRequest],
        same: Callable[[Consent], bool] | None = None,
    ) -> tuple[Consent, bool]:
        """Record a decision; the second value tells that it was made now.

        `read` gives the request, or raises Invalid, which only those learn who may decide anything in this record.
        `same` is the criterion of a conditional create: a Consent that satisfies it is answered, and none is made.
        Raises Refused, NotFound, PreconditionFailed (`multiple-matches`), Invalid (`actor-invalid`,
        `period-too-long`, …), Conflict (`too-many`).
        """
        record_id = self._store.named(patient)
        for _ in attempts():
            record = self._store.existing(record_id)
            request, decision = self._admit_creation(call, record, read)
            if request.patient.ins not in (None, record.identity.ins):
                raise Invalid("ins-mismatch", "Consent.patient")
            if same and (made := self._made_before(call, record, same)):
                return made, False
            consent, changes = self._decided(call, record, request, decision)
            attempt = replace(_CREATION, what=(f"Consent/{consent.id}",))
            if self._is_committed([*changes, self._gate.entry(call, record, attempt, decision)]):
                return consent, True
        raise Unavailable("service-unavailable")

    def _admit_creation(
        self, call: Call, record: Record, read: Callable[[], ConsentRequest]
    ) -> tuple[ConsentRequest, Decision]:
        question = asking(call, record, Action.CREATE_CONSENT)
        try:
            request = read()
        except Invalid:
            self._gate.admit(call, question, _CREATION)
            raise
        question = replace(question, consent_kind=request.kind, consent_actor=request.actor)
        return request, self._gate.admit(call, question, _CREATION)

    def _made_before(self, call: Call, record: Record, same: Callable[[Consent], bool]) -> Consent | None:
        """The one Consent that satisfies a criterion, among those the caller may see.

        Whoever makes one meanwhile changes the head, so that this call decides, and looks, again.
        """
        alike = [c for c in self._store.consents(record.id) if same(c)]
        decisions = [decide(asking(call, record, Action.READ_CONSENT, c)) for c in alike]
        found = [(c, decision) for c, decision in zip(alike, decisions, strict=True) if decision.permit]
        if len(found) > 1:
            raise PreconditionFailed("multiple-matches")
        for consent, decision in found:
            self._gate.trace_access(call, record, consent_attempt(Interaction.READ, consent.id), decision)
            return consent
        return None

    def _decided(
        self, call: Call, record: Record, request: ConsentRequest, decision: Decision
    ) -> tuple[Consent, list[Change]]:
        check_actor(request)
        start, end = period_of(request, call.now, self._months)
        directive = Directive(
            consent=self._gate.new_local(call),
            kind=request.kind,
            permit=request.permit,
            actor=request.actor,
            start=start,
            end=end,
            granted_by=_GRANTORS.get(decision.reason, Grantor.PROFESSIONAL),
        )
        ended = ended_by(directive, record.directives, call.now)
        head = record.deciding(with_directive(record.directives, directive, ended, call.now), call.now)
        consent = self._consent(call, record, request, directive)
        return consent, [SaveRecord(head, record), SaveConsent(consent), *self._ending(call, record, ended)]

    def _consent(self, call: Call, record: Record, request: ConsentRequest, directive: Directive) -> Consent:
        attested = directive.granted_by is Grantor.PROFESSIONAL
        return replace(
            Consent.made(record.id, directive, call.now),
            actor_display=request.actor_display,
            attested_by=call.requester.identifier if attested else None,
            attested_by_name=call.requester.name if attested else "",
            organization=call.requester.structure,
            policy_uri=request.policy_uri,
            due=next_due(directive, call.now, self._warning),
        )

    def _ending(self, call: Call, record: Record, ended: Iterable[Directive]) -> list[Change]:
        locals_ = [d.consent for d in ended]
        if not locals_:
            return []
        _, consents = self._store.with_consents(record.id, locals_)
        return [SaveConsent(c.ended(call.now), c) for c in consents.values() if c.status is ConsentStatus.ACTIVE]

    def amend(
        self,
        call: Call,
        record_id: str,
        local: str,
        read: Callable[[Consent], Period | None],
        *,
        interaction: Interaction,
        expected: int | None = None,
    ) -> Consent:
        """Change the period, or revoke; `read` gives the change once the decision stands, None to revoke.

        Revocation is in force for every request that starts after the answer. Raises PreconditionFailed
        (`version-conflict`), Invalid (`consent-ended`, `consent-immutable`, `period-too-long`).
        """
        attempt = consent_attempt(interaction, f"{record_id}.{local}", AuditAction.UPDATE)
        for _ in attempts():
            record, found = self._store.with_consent(record_id, local)
            decision = self._gate.admit(call, asking(call, record, Action.REVOKE_CONSENT, found), attempt)
            consent = existing(found)
            if expected not in (None, consent.version):
                raise PreconditionFailed("version-conflict")
            period = read(consent)
            if period and holds_longer(consent.directive, *period):
                decision = self._gate.admit(call, asking(call, record, Action.RENEW_CONSENT, consent), attempt)
            changed, changes = self._amended(call, record, consent, period)
            if self._is_committed([*changes, self._gate.entry(call, record, attempt, decision)]):
                return changed
        raise Unavailable("service-unavailable")

    def _amended(
        self, call: Call, record: Record, consent: Consent, period: Period | None
    ) -> tuple[Consent, list[Change]]:
        if consent.directive.kind in _IMMUTABLE:
            raise Invalid("consent-immutable", "Consent.category")
        if consent.status is not ConsentStatus.ACTIVE:
            if period:
                raise Invalid("consent-ended", "Consent.status")
            return consent, []
        held = without(record.directives, consent.local)
        if period is None:
            changed = consent.ended(call.now)
        else:
            directive = self._with_period(call, consent, *period)
            if directive == consent.directive:
                return consent, []
            changed = consent.holding(directive, next_due(directive, call.now, self._warning), call.now)
            held = (*held, directive)
        return changed, [SaveRecord(record.deciding(held, call.now), record), SaveConsent(changed, consent)]

    def _with_period(self, call: Call, consent: Consent, start: datetime | None, end: datetime | None) -> Directive:
        """The directive with another period, checked as a new one would be."""
        held = consent.directive
        if (start or held.start, end or held.end) == (held.start, held.end):
            return held
        asked = ConsentRequest(
            kind=held.kind,
            permit=held.permit,
            patient=PatientRef(record=consent.record),
            start=start or held.start,
            end=end or held.end,
        )
        new_start, new_end = period_of(asked, call.now, self._months)
        return replace(held, start=new_start, end=new_end)

    def _is_committed(self, changes: list[Change]) -> bool:
        try:
            self._ledger.commit(changes)
        except Contention:
            return False
        return True


def existing(consent: Consent | None) -> Consent:
    """A Consent that was looked for; NotFound `no-consent`."""
    if consent is None:
        raise NotFound("no-consent")
    return consent


def consent_attempt(interaction: Interaction, consent: str, action: AuditAction = AuditAction.READ) -> Attempt:
    """What the trace tells of a request for one Consent, by its FHIR id."""
    return Attempt(interaction=interaction, action=action, resource_type="Consent", what=(f"Consent/{consent}",))
