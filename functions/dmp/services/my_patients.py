"""The records whose patients authorised a professional or the own structure (`Consent?actor=me`, TD0.4)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dmp.domain.access import decide, decide_across_records
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.consent import Consent, ConsentStatus
from dmp.domain.identifiers import Identifier, resource_id
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate, asking

if TYPE_CHECKING:
    from dmp.adapters.record_store import RecordStore

MOST_A_PAGE = 25
_MOST_LOOKED_AT = 100
"""Candidates that one page reads again: where many of them are past, a page may hold less than was asked for."""
_ATTEMPT = Attempt(interaction=Interaction.SEARCH, action=AuditAction.EXECUTE, resource_type="Consent")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the index the walk goes on: which of the caller's names, which shard, behind which Consent."""

    name: int = 0
    shard: int = 0
    last: str = ""

    @classmethod
    def parse(cls, text: str) -> "_Place":
        return cls(*json.loads(text)) if text else cls()

    def __str__(self) -> str:
        return json.dumps([self.name, self.shard, self.last])


@dataclass(frozen=True, slots=True)
class _Found:
    """A Consent in force that names the caller, as the strong read has it."""

    record: Record
    consent: Consent
    decision: Decision


class MyPatientsService:
    """Walks the index of actors shard by shard; the index only proposes, each Consent is read again strongly."""

    def __init__(self, gate: Gate, store: "RecordStore") -> None:
        self._gate = gate
        self._store = store

    def page(
        self, call: Call, wanted: Callable[[Consent], bool], *, after: str, count: int, query: str
    ) -> tuple[list[Consent], str | None]:
        """At most `count` Consents in force that name the caller, one trace entry a record, and where to go on."""
        decision = decide_across_records(call.requester)
        if not decision.permit:
            self._gate.refuse(call, None, _ATTEMPT, decision)
        found: list[_Found] = []
        onward: _Place | None = None
        for looked_at, (place, actor, record, local) in enumerate(self._hints(call, _Place.parse(after), count)):
            if len(found) == count or looked_at == _MOST_LOOKED_AT:
                break
            onward = place
            one = self._confirmed(call, record, local, actor)
            if one and wanted(one.consent):
                found.append(one)
        else:
            onward = None
        self._trace(call, found, query)
        return [one.consent for one in found], str(onward) if onward else None

    def _hints(self, call: Call, start: _Place, limit: int) -> Iterator[tuple[_Place, Identifier, str, str]]:
        """Every candidate from a place on, each with the place behind it; read a page at a time."""
        shard, last = start.shard, start.last
        for name, actor in list(enumerate(sorted(call.requester.actors)))[start.name :]:
            for number in range(shard, self._store.actor_shards):
                for record, local in self._store.consents_naming(actor, number, last, limit):
                    yield _Place(name, number, resource_id(record, local)), actor, record, local
                last = ""
            shard = 0

    def _confirmed(self, call: Call, record_id: str, local: str, actor: Identifier) -> _Found | None:
        record, consent = self._store.with_consent(record_id, local)
        if consent is None or consent.status is not ConsentStatus.ACTIVE:
            return None
        if consent.directive.actor != actor or not consent.directive.in_force(call.now):
            return None
        decision = decide(asking(call, record, Action.READ_CONSENT, consent))
        return _Found(record, consent, decision) if decision.permit else None

    def _trace(self, call: Call, found: list[_Found], query: str) -> None:
        """One entry a record, of all its Consents on this page."""
        for record_id in dict.fromkeys(one.record.id for one in found):
            of_record = [one for one in found if one.record.id == record_id]
            attempt = Attempt(
                interaction=_ATTEMPT.interaction,
                action=_ATTEMPT.action,
                resource_type=_ATTEMPT.resource_type,
                what=tuple(f"Consent/{one.consent.id}" for one in of_record),
                query=query,
            )
            self._gate.trace_access(call, of_record[0].record, attempt, of_record[0].decision)
