"""The suspension of a record by the operator, on malfunction or fraud; its person is told (R.1111-36)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, SaveRecord
from dmp.domain.errors import Conflict, Invalid, NotFound, Unavailable
from dmp.domain.identifiers import is_record_id
from dmp.domain.notification import Kind, Notice
from dmp.domain.record import Record, RecordStatus, Suspension
from dmp.services.attempts import attempts
from dmp.services.call import Call
from dmp.services.gate import Gate
from dmp.services.notices import Notices
from dmp.services.records import patient_attempt

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore

_OPERATOR = re.compile(r"[A-Za-z0-9._@-]{1,64}", re.ASCII)
_LONGEST_REASON = 1000
_INTERACTIONS = {RecordStatus.SUSPENDED: Interaction.SUSPEND, RecordStatus.OPEN: Interaction.RESUME}


class SuspensionAction(StrEnum):
    """What the operator does."""

    SUSPEND = "suspend"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Order:
    """What the operator wants of which record, and why; `operator` names who it is in the trace."""

    record: str
    action: SuspensionAction
    reason: str
    operator: str


def read_order(event: object) -> Order:
    """Read what the function was invoked with: `record`, `action`, `reason` and `operator`.

    Raises Invalid `invalid-parameter`, whose expression names the first that is wrong.
    """
    given = event if isinstance(event, Mapping) else {}
    texts = {name: value.strip() for name, value in given.items() if isinstance(value, str)}
    record, action, reason = (texts.get(name, "") for name in ("record", "action", "reason"))
    operator = texts.get("operator", "")
    sound = {
        "record": is_record_id(record),
        "action": action in set(SuspensionAction),
        "reason": 0 < len(reason) <= _LONGEST_REASON,
        "operator": bool(_OPERATOR.fullmatch(operator)),
    }
    for name, is_sound in sound.items():
        if not is_sound:
            raise Invalid("invalid-parameter", name, f"{name} is missing or wrong")
    return Order(record, SuspensionAction(action), reason, operator)


class SuspensionsService:
    """Suspends open records and resumes suspended ones."""

    def __init__(self, gate: Gate, store: "RecordStore", ledger: "Ledger", notices: Notices, *, weeks: int) -> None:
        self._gate = gate
        self._store = store
        self._ledger = ledger
        self._notices = notices
        self._weeks = timedelta(weeks=weeks)

    def carry_out(self, call: Call, order: Order) -> RecordStatus:
        """Suspend or resume a record; its state then. What is so already stays so, and is neither traced nor told.

        Raises NotFound `no-record`, Conflict (`record-closed`, `erasure-under-way`), Unavailable.
        """
        wanted = RecordStatus.SUSPENDED if order.action is SuspensionAction.SUSPEND else RecordStatus.OPEN
        for _ in attempts():
            record = self._changeable(order)
            if record.status is wanted:
                return wanted
            attempt = patient_attempt(_INTERACTIONS[wanted], AuditAction.UPDATE, record.id)
            trace = self._gate.entry(call, record, attempt, Decision(True, "operator"))
            try:
                self._ledger.commit([*self._changes(call, record, order), trace])
            except Contention:
                continue
            return wanted
        raise Unavailable("service-unavailable")

    def _changeable(self, order: Order) -> Record:
        record = self._store.existing(order.record)
        match record.status:
            case RecordStatus.ERASED:
                raise NotFound("no-record")
            case RecordStatus.ERASING:
                raise Conflict("erasure-under-way")
            case RecordStatus.CLOSED:
                raise Conflict("record-closed")
        return record

    def _changes(self, call: Call, record: Record, order: Order) -> list[Change]:
        if order.action is SuspensionAction.RESUME:
            return [SaveRecord(record.resumed(call.now), record)]
        suspended = record.suspended(Suspension(call.now, order.reason), call.now + self._weeks, call.now)
        told = self._notices.of(call, record, Notice(kind=Kind.RECORD_SUSPENDED))
        return [SaveRecord(suspended, record), *told]
