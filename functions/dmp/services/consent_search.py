"""Reading the Consents of one record: one, its versions, a search (TD0.3, IHE PCF)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.consent import Consent, PatientRef
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.consents import consent_attempt, existing, secret_as
from dmp.services.gate import Attempt, Gate, asking
from dmp.services.wishes import Wishes

if TYPE_CHECKING:
    from dmp.adapters.record_store import RecordStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentQuery:
    """A page of a record's Consents; `described` gives the query as the trace keeps it, without any INS."""

    patient: PatientRef
    wanted: Callable[[Consent], bool]
    described: Callable[[str], str]
    count: int
    after: str = ""
    accurate_total: bool = False


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """Consents, newest first; `total` where it is known, `next` where there are more."""

    record: str
    consents: tuple[Consent, ...]
    total: int | None
    next: str | None


class ConsentSearchService:
    """Reads of Consents."""

    def __init__(self, gate: Gate, store: "RecordStore", wishes: Wishes) -> None:
        self._gate = gate
        self._store = store
        self._wishes = wishes

    def read(self, call: Call, record_id: str, local: str, version: int | None = None) -> Consent:
        """Read a Consent, now or in a former version."""
        interaction = Interaction.READ if version is None else Interaction.VREAD
        record, consent, attempt, decision = self._admit(call, record_id, local, interaction)
        is_current = version in (None, consent.version)
        former = [] if is_current else self._store.former_consents(record_id, local)
        self._gate.trace_access(call, record, attempt, decision)
        wanted = consent if is_current else existing(next((c for c in former if c.version == version), None))
        return self._wishes.as_seen(call, record, [wanted])[0]

    def history(self, call: Call, record_id: str, local: str) -> list[Consent]:
        """Every version of a Consent, newest first."""
        record, consent, attempt, decision = self._admit(call, record_id, local, Interaction.HISTORY)
        versions = [consent, *reversed(self._store.former_consents(record_id, local))]
        self._gate.trace_access(call, record, attempt, decision)
        return self._wishes.as_seen(call, record, versions)

    def _admit(
        self, call: Call, record_id: str, local: str, interaction: Interaction
    ) -> tuple[Record, Consent, Attempt, Decision]:
        record, consent = self._store.with_consent(record_id, local)
        attempt = secret_as(consent, consent_attempt(interaction, f"{record_id}.{local}"))
        decision = self._gate.admit(call, asking(call, record, Action.READ_CONSENT, consent), attempt)
        return record, existing(consent), attempt, decision

    def search(self, call: Call, query: ConsentQuery) -> ConsentPage:
        """A page of what the caller may see: everything, or only what concerns a professional.

        Raises NotFound `no-record`, Refused where the caller may see nothing at all.
        """
        record = self._store.existing(self._store.named(query.patient))
        attempt = Attempt(
            interaction=Interaction.SEARCH,
            action=AuditAction.EXECUTE,
            resource_type="Consent",
            what=(f"Patient/{record.id}",),
            query=query.described(record.id),
        )
        decision = decide(asking(call, record, Action.READ_CONSENT))
        if decision.hidden:
            self._gate.refuse(call, record, attempt, decision)
        page = self._page(record, query, lambda consent: _may_see(call, record, consent, decision))
        if not decision.permit:
            if not page.consents:
                self._gate.refuse(call, record, attempt, decision)
            decision = decide(asking(call, record, Action.READ_CONSENT, page.consents[0]))
        self._gate.trace_access(call, record, attempt, decision)
        return replace(page, consents=tuple(self._wishes.as_seen(call, record, page.consents)))

    def _page(self, record: Record, query: ConsentQuery, may_see: Callable[[Consent], bool]) -> ConsentPage:
        def seen(before: str) -> Iterator[Consent]:
            return (c for c in self._store.consents(record.id, before) if query.wanted(c) and may_see(c))

        found = list(islice(seen(query.after), query.count + 1))
        shown = tuple(found[: query.count])
        following = shown[-1].local if len(found) > query.count else None
        is_whole = not query.after and following is None
        total = len(shown) if is_whole else None
        if query.accurate_total and total is None:
            total = sum(1 for _ in seen(""))
        return ConsentPage(record.id, shown, total, following)


def _may_see(call: Call, record: Record, consent: Consent, decision: Decision) -> bool:
    """Whoever may see the Consents of a record sees all; those of a connexion secrète are decided one by one."""
    if decision.permit and not consent.directive.is_secret:
        return True
    return decide(asking(call, record, Action.READ_CONSENT, consent)).permit
