"""The wish that nobody open a record for a person, and its end (R.1111-28)."""

from typing import TYPE_CHECKING

from dmp.domain.access import decide_opposition
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Contention, LiftOpposition, Oppose
from dmp.domain.errors import Conflict, Invalid, Unavailable
from dmp.domain.opposition import Opposition
from dmp.domain.record import Record
from dmp.services.attempts import attempts
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate
from dmp.services.openings import require_ins, require_minor
from dmp.services.quotas import Quota, Quotas
from dmp.services.records import require_attestation

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

_EXISTS = Decision(False, "record-exists")
_OPPOSING = Attempt(interaction=Interaction.OPPOSE, action=AuditAction.CREATE, resource_type="Patient")
_LIFTING = Attempt(interaction=Interaction.LIFT_OPPOSITION, action=AuditAction.UPDATE, resource_type="Patient")
_CHILD = "Parameters.parameter.where(name='patient')"


class OppositionsService:
    """Keeps and lifts oppositions; there is at most one for an INS."""

    def __init__(
        self, gate: Gate, store: "RecordStore", ledger: "Ledger", quotas: Quotas, *, test_identities: bool
    ) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._quotas = quotas
        self._test_identities = test_identities

    def oppose(self, call: Call, opposition: Opposition) -> None:
        """From then on nobody opens a record for the person; asked again, nothing changes.

        Raises TooManyRequests, Refused, Invalid (`ins-invalid`, `attestation-required`, `missing-parameter`,
        `ins-mismatch`, `not-a-minor`), Conflict (`record-exists`).
        """
        self._commit(call, opposition, Oppose(opposition.ins), _OPPOSING)

    def lift(self, call: Call, opposition: Opposition) -> None:
        """Let a record be opened again; where nobody opposes, nothing changes. Raises as `oppose` does."""
        self._commit(call, opposition, LiftOpposition(opposition.ins), _LIFTING)

    def _commit(self, call: Call, opposition: Opposition, change: Oppose | LiftOpposition, attempt: Attempt) -> None:
        record = self._record_of(opposition)
        self._quotas.spend(call, Quota.OPENING, record, attempt)
        for _ in attempts():
            decision = self._admit(call, opposition, record, attempt)
            try:
                self._ledger.commit([change, self._gate.entry(call, None, attempt, decision)])
            except Contention:
                record = self._record_of(opposition)
                continue
            return
        raise Unavailable("service-unavailable")

    def _admit(self, call: Call, opposition: Opposition, record: Record | None, attempt: Attempt) -> Decision:
        decision = decide_opposition(call.requester, opposition.ins, opposition.guardian)
        if not decision.permit:
            self._gate.refuse(call, record, attempt, decision)
        self._check(call, opposition, decision)
        if record:
            self._gate.trace_refusal(call, record, attempt, _EXISTS)
            raise Conflict("record-exists")
        return decision

    def _record_of(self, opposition: Opposition) -> Record | None:
        known = self._store.id_of(opposition.ins)
        return self._store.head(known) if known else None

    def _check(self, call: Call, opposition: Opposition, decision: Decision) -> None:
        place = "Parameters.parameter.where(name='identifier')"
        require_ins(opposition.ins, place, test_identities=self._test_identities)
        require_attestation(call, opposition.attestation)
        if decision.reason != "representative":
            return
        child = opposition.child
        if child is None:
            raise Invalid("missing-parameter", _CHILD, "a guardian names the minor, with the date of birth")
        if child.ins != opposition.ins:
            raise Invalid("ins-mismatch", f"{_CHILD}.resource.identifier")
        require_minor(child.birth_date, call.now, f"{_CHILD}.resource.birthDate")
