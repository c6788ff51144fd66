"""Changes of a Consent that is there: revoked, shortened, renewed (TD0.3, IHE PCF)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, SaveConsent, SaveRecord
from dmp.domain.consent import Consent, ConsentStatus, Directive, PatientRef
from dmp.domain.consent_request import ConsentRequest
from dmp.domain.directives import Lasting, holds_longer, is_immutable, next_due, period_of, without
from dmp.domain.errors import Invalid, PreconditionFailed, Unavailable
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.attempts import attempts, is_committed
from dmp.services.call import Call
from dmp.services.consents import consent_attempt, existing, secret_as
from dmp.services.gate import Attempt, Gate, asking
from dmp.services.wishes import Wishes

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

type Period = tuple[datetime | None, datetime | None]
"""A new start and end; None stands for no change."""


class ConsentChangesService:
    """Changes the status and the period of Consents; what else they say never changes."""

    def __init__(self, gate: Gate, store: "RecordStore", ledger: "Ledger", wishes: Wishes, lasting: Lasting) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._wishes = wishes
        self._lasting = lasting

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
        for _ in attempts():
            record, found = self._store.with_consent(record_id, local)
            attempt = secret_as(found, consent_attempt(interaction, f"{record_id}.{local}", AuditAction.UPDATE))
            decision = self._gate.admit(call, asking(call, record, Action.REVOKE_CONSENT, found), attempt)
            consent = existing(found)
            if expected not in (None, consent.version):
                raise PreconditionFailed("version-conflict")
            period = _really_other(consent.directive, read(consent))
            _check_amendable(call, consent, is_revoked=period is None)
            if period and holds_longer(consent.directive, *period):
                decision = self._admit_renewal(call, record, consent, attempt)
            changed, changes = self._amended(call, record, consent, period)
            if is_committed(self._ledger, [*changes, self._gate.entry(call, record, attempt, decision)]):
                return self._wishes.as_seen(call, record, [changed])[0]
        raise Unavailable("service-unavailable")

    def _admit_renewal(self, call: Call, record: Record, consent: Consent, attempt: Attempt) -> Decision:
        """To make a Consent hold longer takes whoever could make it: a delegate lengthens no delegation."""
        question = asking(call, record, Action.RENEW_CONSENT, consent)
        return self._gate.admit(call, replace(question, consent_kind=consent.directive.kind), attempt)

    def _amended(
        self, call: Call, record: Record, consent: Consent, period: Period | None
    ) -> tuple[Consent, list[Change]]:
        if period == _THE_SAME or consent.status is not ConsentStatus.ACTIVE:
            return consent, []
        held = without(record.directives, consent.local)
        if period is None:
            changed = consent.ended(call.now)
        else:
            directive = self._with_period(call, record, consent, *period)
            if directive == consent.directive:
                return consent, []
            changed = consent.holding(directive, next_due(directive, call.now, self._lasting.warning), call.now)
            held = (*held, directive)
        return changed, [SaveRecord(record.deciding(held, call.now), record), SaveConsent(changed, consent)]

    def _with_period(
        self, call: Call, record: Record, consent: Consent, start: datetime | None, end: datetime | None
    ) -> Directive:
        """The directive with another period, checked as a new one would be."""
        held = consent.directive
        asked = ConsentRequest(
            kind=held.kind,
            permit=held.permit,
            patient=PatientRef(record=consent.record),
            start=start or held.start,
            end=end or held.end,
        )
        new_start, new_end = period_of(asked, call.now, self._lasting.months, record.identity.birth_date, renews=True)
        return replace(held, start=new_start, end=new_end)


_THE_SAME: Period = (None, None)


def _really_other(held: Directive, period: Period | None) -> Period | None:
    """The start and the end that change; a revocation stays what it is."""
    if period is None:
        return None
    start, end = period
    return (None if start == held.start else start), (None if end == held.end else end)


def _check_amendable(call: Call, consent: Consent, *, is_revoked: bool) -> None:
    """Raise Invalid where nobody may change the Consent so, whatever any job has done meanwhile."""
    if is_immutable(consent.directive, is_revoked=is_revoked):
        raise Invalid("consent-immutable", "Consent.category")
    is_past = consent.status is not ConsentStatus.ACTIVE or consent.directive.has_expired(call.now)
    if is_past and not is_revoked:
        raise Invalid("consent-ended", "Consent.status")
