"""The scheduled job that marks Consents whose end is past, and warns of authorisations about to end.

It grants and takes no right: the decision looks at the clock itself. It may stop anywhere and start again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dmp.domain.access import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, Message, SaveConsent, SendMessage
from dmp.domain.consent import Consent, ConsentKind, ConsentStatus
from dmp.domain.record import Record
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

SHARDS = 8
"""Of the expiry index, as the adapter's keys have it."""
MONTHS_BACK = 24
_ENOUGH_SECONDS = 10
_A_MONTH = 28
"""Days that never skip a month."""


@dataclass(slots=True)
class Swept:
    """What one run did; `done` tells that nothing that was due is left."""

    expired: int = 0
    warned: int = 0
    skipped: int = 0
    done: bool = True


class ExpiryService:
    """Sweeps what is due, the longest due first, in bounded memory."""

    def __init__(self, gate: Gate, store: "RecordStore", ledger: "Ledger") -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger

    def sweep(self, call: Call, remaining: Callable[[], float]) -> Swept:
        """Handle every due Consent, until fewer than 10 seconds remain."""
        swept = Swept()
        for record_id, local in self._due(call.now):
            if remaining() < _ENOUGH_SECONDS:
                swept.done = False
                break
            self._handle(call, record_id, local, swept)
        return swept

    def _due(self, now: datetime) -> Iterator[tuple[str, str]]:
        for month in months_until(now):
            for shard in range(SHARDS):
                yield from self._store.due_consents(month, shard, now)

    def _handle(self, call: Call, record_id: str, local: str, swept: Swept) -> None:
        record, consent = self._store.with_consent(record_id, local)
        is_due = consent is not None and consent.due is not None and consent.due <= call.now
        if record is None or consent is None or not is_due or consent.status is not ConsentStatus.ACTIVE:
            return
        has_expired = consent.directive.has_expired(call.now)
        changes = self._expiry(call, record, consent) if has_expired else self._warning(call, record, consent)
        try:
            self._ledger.commit(changes)
        except Contention:
            swept.skipped += 1
            return
        swept.expired += has_expired
        swept.warned += not has_expired

    def _expiry(self, call: Call, record: Record, consent: Consent) -> list[Change]:
        ended = replace(
            consent, version=consent.version + 1, updated=call.now, status=ConsentStatus.INACTIVE, due=None
        )
        return [
            SaveConsent(ended, consent),
            *self._messages(call, record, consent, "expired"),
            self._trace(call, record, consent, Interaction.EXPIRE),
        ]

    def _warning(self, call: Call, record: Record, consent: Consent) -> list[Change]:
        warned = replace(consent, version=consent.version + 1, updated=call.now, due=consent.directive.end)
        return [
            SaveConsent(warned, consent),
            *self._messages(call, record, consent, "expiring"),
            self._trace(call, record, consent, Interaction.WARN),
        ]

    def _messages(self, call: Call, record: Record, consent: Consent, what: str) -> list[Change]:
        if consent.directive.kind is not ConsentKind.AUTHORISATION:
            return []
        email = next((t.value for t in record.identity.telecom if t.system == "email"), "")
        about = (f"Consent/{consent.id}",)
        recipients = [("patient", email)]
        if consent.directive.actor:
            recipients.append((str(consent.directive.actor), ""))
        return [
            SendMessage(
                Message(
                    record=record.id,
                    local=self._gate.new_local(call),
                    sent=call.now,
                    recipient=recipient,
                    kind=f"authorisation-{what}",
                    about=about,
                    email=address,
                )
            )
            for recipient, address in recipients
        ]

    def _trace(self, call: Call, record: Record, consent: Consent, interaction: Interaction) -> Change:
        attempt = Attempt(
            interaction=interaction,
            action=AuditAction.UPDATE,
            resource_type="Consent",
            what=(f"Consent/{consent.id}",),
        )
        return self._gate.entry(call, record, attempt, Decision(True, "expiry", (consent.local,)))


def months_until(now: datetime) -> list[datetime]:
    """A moment of each month from two years ago until now, oldest first."""
    moments = [now - timedelta(days=_A_MONTH * n) for n in range(MONTHS_BACK * 31 // _A_MONTH)]
    return list({(m.year, m.month): m for m in reversed(moments)}.values())
