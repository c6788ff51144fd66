"""The records whose patients authorised a professional or the own structure (`Consent?actor=me`, TD0.4)."""

import base64
import json
from typing import TYPE_CHECKING

from dmp.domain.access import AccessRequest, decide
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.consent import Consent, ConsentStatus
from dmp.domain.errors import Refused
from dmp.domain.identifiers import Identifier, resource_id
from dmp.domain.record import Record
from dmp.domain.requester import RequesterKind
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate

if TYPE_CHECKING:
    from dmp.adapters.record_store import RecordStore

MOST_A_PAGE = 25
SHARDS = 8
"""Of the index of actors, as the adapter's keys have it."""


class MyPatientsService:
    """Walks the index of actors shard by shard; the index only proposes, each Consent is read again strongly."""

    def __init__(self, gate: Gate, store: "RecordStore") -> None:
        self._gate = gate
        self._store = store

    def page(self, call: Call, after: str, count: int, query: str) -> tuple[list[Consent], str | None]:
        """At most 25 Consents in force that name the caller, one trace entry a record, and where to go on."""
        if call.requester.kind is not RequesterKind.PROFESSIONAL:
            raise Refused("not-authorised")
        actors = sorted(call.requester.actors)
        place, shard, last = _position(after)
        found: list[Consent] = []
        while place < len(actors) and len(found) < count:
            wanted = count - len(found)
            hints = self._store.consents_naming(actors[place], shard, last, wanted)
            found += [c for record, local in hints if (c := self._confirmed(call, record, local, actors[place], query))]
            if len(hints) == wanted:
                last = resource_id(*hints[-1])
                continue
            last, shard = "", shard + 1
            if shard == SHARDS:
                place, shard = place + 1, 0
        return found, _token(place, shard, last) if place < len(actors) else None

    def _confirmed(self, call: Call, record_id: str, local: str, actor: Identifier, query: str) -> Consent | None:
        record, consent = self._store.with_consent(record_id, local)
        if record is None or consent is None or consent.status is not ConsentStatus.ACTIVE:
            return None
        if consent.directive.actor != actor or not consent.directive.in_force(call.now):
            return None
        decision = decide(self._asking(call, record, consent))
        if not decision.permit:
            return None
        attempt = Attempt(
            interaction=Interaction.SEARCH,
            action=AuditAction.EXECUTE,
            resource_type="Consent",
            what=(f"Consent/{consent.id}",),
            query=query,
        )
        self._gate.trace_access(call, record, attempt, decision)
        return consent

    @staticmethod
    def _asking(call: Call, record: Record, consent: Consent) -> AccessRequest:
        return AccessRequest(
            requester=call.requester,
            action=Action.READ_CONSENT,
            record=record,
            now=call.now,
            consent=consent.directive,
            attested_by=consent.attested_by,
        )


def _position(token: str) -> tuple[int, int, str]:
    if not token:
        return 0, 0, ""
    place, shard, last = json.loads(base64.urlsafe_b64decode(token))
    return place, shard, last


def _token(place: int, shard: int, last: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([place, shard, last]).encode()).decode()
