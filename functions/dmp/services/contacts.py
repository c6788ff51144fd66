"""How the person of a record is reached, and of what the person wants to be told (TD1.3, R.1111-43)."""

from collections.abc import Callable

from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.errors import PreconditionFailed
from dmp.domain.record import Record, Telecom
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.record_changes import Changed, RecordChanges
from dmp.services.records import RecordView, patient_attempt

type Contacts = tuple[tuple[Telecom, ...], frozenset[tuple[str, str]]]
"""Contacts, and the kinds of messages that are unwanted, each with its channel."""


class ContactsService:
    """Changes contacts and preferences, and nothing else of a Patient."""

    def __init__(self, changes: RecordChanges) -> None:
        self._changes = changes

    def update(
        self,
        call: Call,
        record_id: str,
        read: Callable[[Record], Contacts],
        *,
        interaction: Interaction,
        expected: int | None = None,
    ) -> RecordView:
        """Put other contacts and preferences in place of the present ones; `read` gives them by the record as it is.

        Raises Refused, NotFound, PreconditionFailed (`version-conflict`), and what `read` does.
        """

        def updated(record: Record) -> Changed:
            if expected not in (None, record.patient_version):
                raise PreconditionFailed("version-conflict")
            telecom, unwanted = read(record)
            if (telecom, unwanted) == (record.identity.telecom, record.unwanted):
                return record, []
            return record.with_contacts(telecom, unwanted, call.now), []

        attempt = patient_attempt(interaction, AuditAction.UPDATE, record_id)
        changed, _ = self._changes.apply(call, record_id, Action.UPDATE_PATIENT, attempt, updated)
        return RecordView(changed, full=True, own=True)
