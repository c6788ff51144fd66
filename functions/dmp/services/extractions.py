"""From the bytes of a document to the words it is found by, and to what it offers: behind its deposit, or anew.

Nobody learns anything by it, and nothing that anybody reads changes but by the document itself: it is not traced. Bytes
that no entry came to, because their deposit broke off, are swept here.
"""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from dmp.domain.changes import RecordUnchanged
from dmp.domain.clinical_profile import DocumentText
from dmp.domain.correlation import take_up
from dmp.domain.document import Awaited, DocumentEntry, DocumentStatus
from dmp.domain.errors import Unavailable
from dmp.domain.record import Record, RecordStatus
from dmp.domain.upload import Place, is_orphan
from dmp.services.attempts import attempts, is_committed
from dmp.services.indexing import Readers, index_changes

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.object_store import ObjectStore

_GONE = (RecordStatus.ERASING, RecordStatus.ERASED)


class Reading(StrEnum):
    """What came of the bytes that a message told of."""

    READ = "read"
    NOTHING = "nothing"
    """There was nothing to read, or nothing more."""
    SWEPT = "swept"
    """No document names them, and none will: they are deleted."""


class ExtractionsService:
    """Reads documents one by one."""

    def __init__(self, documents: "DocumentStore", objects: "ObjectStore", ledger: "Ledger", readers: Readers) -> None:
        self._documents = documents
        self._objects = objects
        self._ledger = ledger
        self._readers = readers

    def read(self, place: Place, now: datetime) -> Reading:
        """Read the document whose bytes lie there, or sweep bytes that are nobody's.

        Raises Unavailable where its entry may still come behind its bytes, or it is not certain that it was read.
        """
        record, entry, text = self._documents.with_text(place.record, place.local)
        if entry is None:
            return self._without_entry(place, now)
        take_up(entry.correlation_id)
        is_gone = record is None or record.status in _GONE
        if record is None or is_gone or not is_readable(entry) or _is_whole(text):
            return Reading.NOTHING
        return Reading.READ if self._kept(record, entry, anew=False) else Reading.NOTHING

    def read_anew(self, record: Record, entry: DocumentEntry) -> bool:
        """Read a document again, whatever is known of it; False where there is nothing to read."""
        return is_readable(entry) and self._kept(record, entry, anew=True)

    def _without_entry(self, place: Place, now: datetime) -> Reading:
        """Delete the version that is there once no deposit can be under way that would name it."""
        found = self._objects.newest(place.key)
        if found is None:
            return Reading.NOTHING
        version, since = found
        if not is_orphan(since, now):
            raise Unavailable("service-unavailable")
        self._objects.remove(place.key, version)
        return Reading.SWEPT

    def _kept(self, record: Record, entry: DocumentEntry, *, anew: bool) -> bool:
        changes = list(index_changes(entry, self._objects.get(entry.content), self._readers, anew=anew))
        for attempt in attempts():
            if attempt > 1:
                found, _ = self._documents.with_documents(record.id, [])
                if found is None or found.status in _GONE:
                    return False
                record = found
            if is_committed(self._ledger, [RecordUnchanged(record), *changes]):
                return True
        raise Unavailable("service-unavailable")


def is_readable(entry: DocumentEntry) -> bool:
    """Whether the bytes of a document are there, and may be found by what they say."""
    return entry.status is not DocumentStatus.ENTERED_IN_ERROR and Awaited.CONTENT not in entry.awaits


def _is_whole(text: DocumentText | None) -> bool:
    return text is not None and text.is_whole
