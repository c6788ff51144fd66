"""The wish that nobody open a record for a person, and its end (R.1111-28)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from dmp.domain.access import decide_opposition
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import LiftOpposition, Oppose
from dmp.domain.consent import Grantor
from dmp.domain.errors import Conflict, Invalid, Unavailable
from dmp.domain.opposition import Opposition
from dmp.domain.record import Record
from dmp.services.attempts import attempts, is_committed
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate
from dmp.services.openings import require_ins, require_minor, require_representative
from dmp.services.quotas import Quota, Quotas
from dmp.services.records import require_attestation

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

_EXISTS = Decision(False, "record-exists")
_OPPOSING = Attempt(interaction=Interaction.OPPOSE, action=AuditAction.CREATE, resource_type="Patient")
_LIFTING = Attempt(interaction=Interaction.LIFT_OPPOSITION, action=AuditAction.UPDATE, resource_type="Patient")
_CHILD = "Parameters.parameter.where(name='patient')"
_GUARDIAN = "Parameters.parameter.where(name='guardian')"


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

    def oppose(self, call: Call, read: Callable[[], Opposition]) -> None:
        """From then on nobody opens a record for the person; asked again, nothing changes.

        `read` gives what is asked. A guardian's opposition becomes that of the person who asks too. Raises
        TooManyRequests, Refused, Invalid (`ins-invalid`, `attestation-required`, `missing-parameter`, `ins-mismatch`,
        `not-a-minor`, `not-a-representative`), Conflict (`record-exists`).
        """
        opposition = self._read(call, read, _OPPOSING)
        for _ in attempts():
            former = self._store.opposed_by(opposition.ins)
            decision = self._admit(call, opposition, None, _OPPOSING)
            is_anothers = former not in (None, Grantor.REPRESENTATIVE)
            by = former if former and is_anothers else Grantor(decision.reason)
            trace = self._gate.entry(call, None, _OPPOSING, decision)
            if is_committed(self._ledger, [Oppose(opposition.ins, by, former), trace]):
                return
        raise Unavailable("service-unavailable")

    def lift(self, call: Call, read: Callable[[], Opposition]) -> None:
        """Let a record be opened again; where nobody opposes, nothing changes. Raises as `oppose` does."""
        opposition = self._read(call, read, _LIFTING)
        for _ in attempts():
            former = self._store.opposed_by(opposition.ins)
            decision = self._admit(call, opposition, former, _LIFTING)
            trace = self._gate.entry(call, None, _LIFTING, decision)
            if is_committed(self._ledger, [LiftOpposition(opposition.ins, former), trace]):
                return
        raise Unavailable("service-unavailable")

    def _read(self, call: Call, read: Callable[[], Opposition], attempt: Attempt) -> Opposition:
        self._quotas.spend_unread(call, Quota.OPENING, attempt, lambda: self._record_of(read()))
        return read()

    def _admit(self, call: Call, opposition: Opposition, lifted: Grantor | None, attempt: Attempt) -> Decision:
        """Decide in two steps: whether somebody else opposes, only a proven guardian learns."""
        record = self._record_of(opposition)
        decision = self._decided(call, opposition, record, None, attempt)
        self._check(call, opposition, decision)
        self._decided(call, opposition, record, lifted, attempt)
        if record:
            self._gate.trace_refusal(call, record, attempt, _EXISTS)
            raise Conflict("record-exists")
        return decision

    def _decided(
        self, call: Call, opposition: Opposition, record: Record | None, lifted: Grantor | None, attempt: Attempt
    ) -> Decision:
        decision = decide_opposition(call.requester, opposition.ins, opposition.guardian, lifted)
        if not decision.permit:
            self._gate.refuse(call, record, attempt, decision)
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
        if opposition.guardian:
            require_representative(opposition.guardian, _GUARDIAN)
