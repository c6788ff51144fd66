"""What the patient decides, and what professionals attest: new Consents (TD0.3, IHE PCF)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, SaveConsent, SaveRecord
from dmp.domain.consent import Consent, ConsentKind, ConsentStatus, Directive, Grantor, PatientRef
from dmp.domain.consent_request import ConsentRequest
from dmp.domain.directives import Lasting, check_actor, ended_by, next_due, period_of, with_directive
from dmp.domain.errors import Invalid, NotFound, PreconditionFailed, Unavailable
from dmp.domain.notification import Kind, Notice
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.attempts import attempts, is_committed
from dmp.services.call import Call
from dmp.services.delegations import Delegate, Delegations
from dmp.services.gate import Attempt, Gate, asking
from dmp.services.notices import Notices
from dmp.services.wishes import Wishes

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

_GRANTORS = {"patient": Grantor.PATIENT, "representative": Grantor.REPRESENTATIVE}
_CREATION = Attempt(interaction=Interaction.CREATE, action=AuditAction.CREATE, resource_type="Consent")
_TOLD = frozenset({ConsentKind.AUTHORISATION, ConsentKind.ATTENDING_PHYSICIAN, ConsentKind.DELEGATION})
"""Of these kinds the patient is told: somebody else may read from now on."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A new Consent, the head that knows of it, and what else is written with it."""

    consent: Consent
    changes: list[Change]
    attempt: Attempt


class ConsentsService:
    """Makes the Consents of one record."""

    def __init__(
        self,
        gate: Gate,
        store: "RecordStore",
        ledger: "Ledger",
        delegations: Delegations,
        wishes: Wishes,
        *,
        notices: Notices,
        lasting: Lasting,
    ) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._delegations = delegations
        self._notices = notices
        self._wishes = wishes
        self._lasting = lasting

    def create(
        self,
        call: Call,
        patient: PatientRef,
        read: Callable[[], ConsentRequest],
        same: Callable[[Consent], bool] | None = None,
        kind: ConsentKind | None = None,
    ) -> tuple[Consent, bool]:
        """Record a decision; the second value tells that it was made now.

        `read` gives the request, or raises Invalid, which only those learn who may decide something of that `kind`, or
        where none is known anything, in this record. `same` is the criterion of a conditional create: a Consent that
        satisfies it is answered, and none is made. Raises Refused, NotFound, PreconditionFailed (`multiple-matches`),
        Invalid (`actor-invalid`, `invalid-delegate`, `period-too-long`, …), Conflict (`too-many`).
        """
        record_id = self._store.named(patient)
        for _ in attempts():
            record = self._store.existing(record_id)
            request, decision = self._admit_creation(call, record, read, kind)
            if request.patient.ins not in (None, record.identity.ins):
                raise Invalid("ins-mismatch", "Consent.patient")
            if same and (found := self._made_before(call, record, same)):
                return found, False
            made = self._made(call, record, request, decision)
            told = self._told(call, record, made.consent)
            trace = self._gate.entry(call, record, made.attempt, decision)
            if is_committed(self._ledger, [*made.changes, *told, trace]):
                return made.consent, True
        raise Unavailable("service-unavailable")

    def _admit_creation(
        self, call: Call, record: Record, read: Callable[[], ConsentRequest], kind: ConsentKind | None
    ) -> tuple[ConsentRequest, Decision]:
        question = asking(call, record, Action.CREATE_CONSENT)
        try:
            request = read()
        except Invalid:
            of_kind = replace(question, consent_kind=kind, consent_actor=call.requester.identifier)
            self._gate.admit(call, of_kind, _CREATION)  # whom it names is not known: whoever may name anybody goes on
            raise
        question = replace(question, consent_kind=request.kind, consent_actor=request.actor, purposes=request.purposes)
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
            return self._wishes.as_seen(call, record, [consent])[0]
        return None

    def _made(self, call: Call, record: Record, request: ConsentRequest, decision: Decision) -> _Made:
        check_actor(request)
        delegate = None
        if request.kind is ConsentKind.DELEGATION:
            delegate = self._delegations.delegate(call, record, request.delegate)
        directive = self._directive(call, record, request, decision, delegate)
        ended = ended_by(directive, record.directives, call.now)
        head = record.deciding(with_directive(record.directives, directive, ended, call.now), call.now)
        consent = self._consent(call, record, request, directive)
        changes: list[Change] = [SaveRecord(head, record)]
        touched = [f"Consent/{consent.id}"]
        if delegate:
            consent = replace(consent, delegate=delegate.person.local)
            changes += delegate.changes
            touched += [f"RelatedPerson/{delegate.person.id}"] if delegate.changes else []
        changes += [SaveConsent(consent), *ending(self._store, record, ended, call)]
        return _Made(consent, changes, replace(_CREATION, what=tuple(touched)))

    def _directive(
        self, call: Call, record: Record, request: ConsentRequest, decision: Decision, delegate: Delegate | None
    ) -> Directive:
        start, end = period_of(request, call.now, self._lasting.months, record.identity.birth_date)
        return Directive(
            consent=self._gate.new_local(call),
            kind=request.kind,
            permit=request.permit,
            actor=delegate.ins if delegate else request.actor,
            start=start,
            end=end,
            granted_by=_GRANTORS.get(decision.reason, Grantor.PROFESSIONAL),
            purposes=request.purposes,
            relationship=delegate.relationship if delegate else None,
            is_secret=call.requester.is_secret,
            document=self._wishes.document(call, record, request),
        )

    def _consent(self, call: Call, record: Record, request: ConsentRequest, directive: Directive) -> Consent:
        attested = directive.granted_by is Grantor.PROFESSIONAL
        return replace(
            Consent.made(record.id, directive, call.now),
            actor_display=request.actor_display,
            attested_by=call.requester.identifier if attested else None,
            attested_by_name=call.requester.name if attested else "",
            organization=call.requester.structure,
            policy_uri=request.policy_uri,
            due=next_due(directive, call.now, self._lasting.warning),
        )

    def _told(self, call: Call, record: Record, consent: Consent) -> list[Change]:
        """To the patient; a connexion secrète leaves nothing that a representative would see."""
        if consent.directive.kind not in _TOLD:
            return []
        about = (f"Consent/{consent.id}",)
        notice = Notice(kind=Kind.AUTHORISATION_ADDED, about=about, is_secret=call.requester.is_secret)
        return self._notices.of(call, record, notice)


def ending(store: "RecordStore", record: Record, ended: Iterable[Directive], call: Call) -> list[Change]:
    """The changes that mark inactive the Consents of directives which end; the head no longer holds these."""
    locals_ = [d.consent for d in ended]
    if not locals_:
        return []
    _, consents = store.with_consents(record.id, locals_)
    return [SaveConsent(c.ended(call.now), c) for c in consents.values() if c.status is ConsentStatus.ACTIVE]


def existing(consent: Consent | None) -> Consent:
    """A Consent that was looked for; NotFound `no-consent`."""
    if consent is None:
        raise NotFound("no-consent")
    return consent


def consent_attempt(interaction: Interaction, consent: str, action: AuditAction = AuditAction.READ) -> Attempt:
    """What the trace tells of a request for one Consent, by its FHIR id."""
    return Attempt(interaction=interaction, action=action, resource_type="Consent", what=(f"Consent/{consent}",))


def secret_as(consent: Consent | None, attempt: Attempt) -> Attempt:
    """The attempt, hidden from representatives where its Consent is one of a connexion secrète."""
    return replace(attempt, is_secret=consent is not None and consent.directive.is_secret)
