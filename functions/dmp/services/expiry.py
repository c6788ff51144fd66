"""The scheduled job that marks Consents whose end is past, and warns of authorisations about to end.

It grants and takes no right: the decision looks at the clock itself. It may stop anywhere and start again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, SaveConsent
from dmp.domain.consent import Consent, ConsentKind, ConsentStatus
from dmp.domain.notification import Kind, Notice
from dmp.domain.record import Record, RecordStatus
from dmp.observability import logger
from dmp.services.attempts import ATTEMPTS, attempts
from dmp.services.call import Call
from dmp.services.consents import consent_attempt, secret_as
from dmp.services.gate import Gate
from dmp.services.notices import Notices

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

FIRST_MONTH = (2026, 1)
"""No Consent fell due before the service began: whatever the backlog, all of it lies between then and now."""
_ENOUGH_SECONDS = 10


@dataclass(slots=True)
class Swept:
    """What one run did; `failed` were left as they are, `done` tells that nothing that was due is left."""

    expired: int = 0
    warned: int = 0
    failed: int = 0
    done: bool = True


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
        for record_id, local in self._due(call.now):
            if remaining() < _ENOUGH_SECONDS:
                swept.done = False
                break
            try:
                self._handle(call, record_id, local, swept)
            except Exception as failure:  # noqa: BLE001 - the others must not wait for a Consent that cannot be handled
                what = {"consent": f"{record_id}.{local}", "failure": type(failure).__name__}
                logger.error("consent_expiry_failed", extra=what)
                swept.failed += 1
                swept.done = False
        return swept

    def _due(self, now: datetime) -> Iterator[tuple[str, str]]:
        for year, month in months_until(now):
            for shard in range(self._store.expiry_shards):
                yield from self._store.due_consents(datetime(year, month, 1, tzinfo=now.tzinfo), shard, now)

    def _handle(self, call: Call, record_id: str, local: str, swept: Swept) -> None:
        for attempt in attempts():
            record, consent = self._store.with_consent(record_id, local)
            if consent is None or not _is_due(consent, call.now):
                return
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


def _is_due(consent: Consent, now: datetime) -> bool:
    return consent.status is ConsentStatus.ACTIVE and consent.due is not None and consent.due <= now


def months_until(now: datetime) -> Iterator[tuple[int, int]]:
    """Year and month (UTC) of every month since the service began, oldest first."""
    first = FIRST_MONTH[0] * 12 + FIRST_MONTH[1] - 1
    for number in range(first, now.year * 12 + now.month):
        yield number // 12, number % 12 + 1
