"""The care team of a record, read from the Consents in force (L.1111-15, R.1111-46)."""

from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.care_team import TEAM, CareTeam, care_team
from dmp.domain.consent import Directive, PatientRef
from dmp.domain.errors import NotFound
from dmp.domain.identifiers import resource_id
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate, asking

if TYPE_CHECKING:
    from collections.abc import Callable

    from dmp.adapters.record_store import RecordStore

_TYPE = "CareTeam"


class CareTeamsService:
    """Reads of the one CareTeam that each record has."""

    def __init__(self, gate: Gate, records: "RecordStore") -> None:
        self._gate = gate
        self._records = records

    def read(self, call: Call, record_id: str, local: str) -> CareTeam:
        """The care team as it is now, to whoever sees the people around the patient. Raises Refused, NotFound."""
        record = self._records.existing(record_id)
        team = f"{_TYPE}/{resource_id(record_id, local)}"
        attempt = Attempt(interaction=Interaction.READ, action=AuditAction.READ, resource_type=_TYPE, what=(team,))
        decision = self._gate.admit(call, asking(call, record, Action.READ_PERSON), attempt)
        found = self._as_known(call, record) if local == TEAM else None
        self._gate.trace_access(call, record, attempt, decision)
        if found is None:
            raise NotFound("not-found")
        return found

    def search(self, call: Call, patient: PatientRef, described: "Callable[[str], str]") -> CareTeam:
        """The care team of a patient; `described` gives the query as the trace keeps it. Raises Refused, NotFound."""
        record = self._records.existing(self._records.named(patient))
        attempt = Attempt(
            interaction=Interaction.SEARCH,
            action=AuditAction.EXECUTE,
            resource_type=_TYPE,
            what=(f"Patient/{record.id}",),
            query=described(record.id),
        )
        decision: Decision = self._gate.admit(call, asking(call, record, Action.READ_PERSON), attempt)
        found = self._as_known(call, record)
        self._gate.trace_access(call, record, attempt, decision)
        return found

    def _as_known(self, call: Call, record: Record) -> CareTeam:
        """The team, with the names that the Consents give: one read more where there is anybody."""

        def may_know(directive: Directive) -> bool:
            question = asking(call, record, Action.READ_PERSON)
            return decide(replace(question, is_secret=directive.is_secret)).permit

        team = care_team(record, call.now, may_know)
        named = [local for member in team.members for local in member.consents]
        if not named:
            return team
        _, consents = self._records.with_consents(record.id, named)
        return replace(team, members=tuple(member.with_name(consents) for member in team.members))
