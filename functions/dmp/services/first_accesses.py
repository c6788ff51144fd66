"""Tells a person that a professional is in the record for the first time, from the trace (R.1111-43)."""

from typing import TYPE_CHECKING

from dmp.domain.audit import AuditEntry
from dmp.domain.changes import Contention, FirstAccess, RecordUnchanged
from dmp.domain.errors import Unavailable
from dmp.domain.first_access import is_access_of_a_professional
from dmp.domain.identifiers import resource_id
from dmp.domain.notification import Kind, Notice
from dmp.domain.record import RecordStatus
from dmp.services.attempts import attempts
from dmp.services.call import Call
from dmp.services.notices import Notices

if TYPE_CHECKING:
    from dmp.adapters.first_access_store import FirstAccessStore
    from dmp.adapters.ledger import Ledger


class FirstAccessesService:
    """Tells of each professional once a record: the mark and the messages are one transaction."""

    def __init__(self, store: "FirstAccessStore", ledger: "Ledger", notices: Notices) -> None:
        self._store = store
        self._ledger = ledger
        self._notices = notices

    def tell(self, call: Call, entry: AuditEntry) -> None:
        """Tell of an entry of the trace, if it is a first access to an open record; Unavailable to try it again.

        It changes no right of anybody, and leaves no entry of its own.
        """
        if not is_access_of_a_professional(entry):
            return
        about = (f"AuditEvent/{resource_id(entry.record, entry.local)}",)
        notice = Notice(kind=Kind.FIRST_ACCESS, about=about, is_secret=entry.is_secret)
        for _ in attempts():
            record, is_known = self._store.has_been_in(entry)
            if record is None or is_known or record.status is not RecordStatus.OPEN:
                return
            mark = FirstAccess(record.id, entry.actor, entry.is_secret)
            try:
                self._ledger.commit([mark, RecordUnchanged(record), *self._notices.of(call, record, notice)])
            except Contention:
                continue
            return
        raise Unavailable("service-unavailable")
