"""The scheduled job that marks Consents whose end is past, and warns of authorisations about to end.

It grants and takes no right: the decision looks at the clock itself. It may stop anywhere and start again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, SaveConsent
from dmp.domain.consent import Consent, ConsentKind, ConsentStatus
from dmp.domain.notification import Kind, Notice
from dmp.domain.record import Record, RecordStatus
from dmp.services.attempts import ATTEMPTS, attempts
from dmp.services.call import Call
from dmp.services.consents import consent_attempt, secret_as
from dmp.services.gate import Gate
from dmp.services.notices import Notices
from dmp.services.sweeping import due, stop_in_time, sweep

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

_ENOUGH_SECONDS = 10


@dataclass(slots=True)
class Swept:
    """What one run did; `failed` were left as they are, `done` tells that nothing that was due is left."""

    expired: int = 0
    warned: int = 0
    failed: int = 0
    done: bool = True
    waited_seconds: int = 0
    """How long after its time the latest was looked at."""


class ExpiryService:
    """Sweeps what is due, the longest due first, in bounded memory."""

    def __init__(self, gate: Gate, store: "RecordStore", ledger: "Ledger", notices: Notices) -> None:
        self._gate = gate
        self._notices = notices
        self._store = store
        self._ledger = ledger

    def sweep(self, call: Call, remaining: Callable[[], float]) -> Swept:
        """Handle every due Consent, until fewer than 10 seconds remain; one that fails does not stop the others."""
        swept = Swept()

        def handle(consent: tuple[str, str]) -> None:
            stop_in_time(remaining, _ENOUGH_SECONDS)
            self._handle(call, *consent, swept)

        found = due(self._store.due_consents, self._store.expiry_shards, call.now)
        sweep(found, handle, swept, failure_event="consent_expiry_failed")
        return swept

    def _handle(self, call: Call, record_id: str, local: str, swept: Swept) -> None:
        for attempt in attempts():
            record, consent = self._store.with_consent(record_id, local)
            if consent is None or (waited := _waited_seconds(consent, call.now)) is None:
                return
            swept.waited_seconds = max(swept.waited_seconds, waited)
            has_expired = consent.directive.has_expired(call.now)
            try:
                self._ledger.commit(self._changes(call, record, consent, has_expired=has_expired))
            except Contention:
                if attempt == ATTEMPTS:
                    raise
                continue
            swept.expired += has_expired
            swept.warned += not has_expired
            return

    def _changes(self, call: Call, record: Record, consent: Consent, *, has_expired: bool) -> list[Change]:
        if has_expired:
            changed, kind, interaction = consent.ended(call.now), Kind.AUTHORISATION_EXPIRED, Interaction.EXPIRE
        else:
            changed = consent.holding(consent.directive, consent.directive.end, call.now)
            kind, interaction = Kind.AUTHORISATION_EXPIRING, Interaction.WARN
        attempt = secret_as(consent, consent_attempt(interaction, consent.id, AuditAction.UPDATE))
        trace = self._gate.entry(call, record, attempt, Decision(True, "expiry", (consent.local,)))
        return [SaveConsent(changed, consent), *self._messages(call, record, consent, kind), trace]

    def _messages(self, call: Call, record: Record, consent: Consent, kind: Kind) -> list[Change]:
        """To the patient and to who is authorised; nobody is told of what ends in a closed record."""
        held = consent.directive
        is_told = held.kind is ConsentKind.AUTHORISATION and record.status is RecordStatus.OPEN
        if not is_told or held.actor is None:
            return []
        about = (f"Consent/{consent.id}",)
        notice = Notice(kind=kind, about=about, is_secret=held.is_secret, also=(held.actor,))
        return self._notices.of(call, record, notice)


def _waited_seconds(consent: Consent, now: datetime) -> int | None:
    """How long a Consent has been due; None where it is not."""
    if consent.status is not ConsentStatus.ACTIVE or consent.due is None or consent.due > now:
        return None
    return int((now - consent.due).total_seconds())
