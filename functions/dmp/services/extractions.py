"""From the bytes of a document to the words it is found by, and to what it offers: behind its deposit, or anew.

Nobody learns anything by it, and nothing that anybody reads changes but by the document itself: it is not traced.
"""

from typing import TYPE_CHECKING

from dmp.domain.changes import RecordUnchanged
from dmp.domain.clinical_profile import DocumentText
from dmp.domain.document import Awaited, DocumentEntry, DocumentStatus
from dmp.domain.errors import Unavailable
from dmp.domain.record import Record, RecordStatus
from dmp.domain.upload import Place
from dmp.services.attempts import attempts, is_committed
from dmp.services.indexing import Readers, index_changes

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.object_store import ObjectStore

_GONE = (RecordStatus.ERASING, RecordStatus.ERASED)


class ExtractionsService:
    """Reads documents one by one."""

    def __init__(self, documents: "DocumentStore", objects: "ObjectStore", ledger: "Ledger", readers: Readers) -> None:
        self._documents = documents
        self._objects = objects
        self._ledger = ledger
        self._readers = readers

    def read(self, place: Place) -> bool:
        """Read the document whose bytes lie there; False where there is nothing to read, or nothing more.

        Raises Unavailable where its entry is still to come, behind its bytes, or it is not certain that it was read.
        """
        record, entry, text = self._documents.with_text(place.record, place.local)
        if record is None or record.status in _GONE:
            return False
        if entry is None:
            self._expect(place)
            return False
        return is_readable(entry) and not _is_whole(text) and self._kept(record, entry, anew=False)

    def read_anew(self, record: Record, entry: DocumentEntry) -> bool:
        """Read a document again, whatever is known of it; False where there is nothing to read."""
        return is_readable(entry) and self._kept(record, entry, anew=True)

    def _expect(self, place: Place) -> None:
        """Raise Unavailable where bytes are there for which an entry may come."""
        if self._objects.holds(place.key):
            raise Unavailable("service-unavailable")

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
