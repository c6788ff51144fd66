"""The wish that nothing of a closed record be left but its trace; the retention job carries it out (R.1111-36)."""

from datetime import timedelta

from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.record_changes import Changed, RecordChanges, as_operation
from dmp.services.records import patient_attempt, require_closed


class ErasuresService:
    """Takes the wish down."""

    def __init__(self, changes: RecordChanges, *, delay_days: int) -> None:
        self._changes = changes
        self._delay = timedelta(days=delay_days)

    def ask(self, call: Call, record_id: str) -> None:
        """Let a closed record be erased once the delay is over; asked again, the first wish stands.

        Raises Refused, NotFound, Conflict (`record-open`, `record-suspended`, `erasure-under-way`).
        """

        def asked(record: Record) -> Changed:
            require_closed(record)
            if record.erasure_asked:
                return record, []
            due = call.now + self._delay
            return record.to_be_erased(min(due, record.due or due), call.now), []

        attempt = patient_attempt(Interaction.ERASE, AuditAction.UPDATE, record_id)
        with as_operation():
            self._changes.apply(call, record_id, Action.ERASE, attempt, asked)
