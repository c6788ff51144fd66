"""The index of one record made anew from its documents, by order of the operator: what readers learnt since is found.

It may stop anywhere, and be told where to go on; done twice, it is as done once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dmp.domain.document import DocumentEntry
from dmp.domain.document_query import FINDABLE
from dmp.domain.errors import Conflict, Invalid
from dmp.domain.identifiers import is_local_id, is_record_id
from dmp.domain.record import Record, RecordStatus
from dmp.domain.search_terms import Order, Stretch
from dmp.services.extractions import ExtractionsService
from dmp.services.sweeping import stop_in_time, sweep

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.record_store import RecordStore

_PAGE = 50
_ENOUGH_SECONDS = 60
"""The largest document is read well within."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Of which record, and behind which document; an empty `after` begins with the oldest."""

    record: str
    after: str = ""


@dataclass(slots=True)
class Rebuilt:
    """What one run did; `done` tells that all were read, `after` is the last that was looked at."""

    read: int = 0
    failed: int = 0
    done: bool = True
    after: str = ""


def read_rebuild(event: object) -> Rebuild:
    """Read what the function was invoked with: `record`, and `after` where it goes on.

    Raises Invalid `invalid-parameter`, whose expression names the first that is wrong.
    """
    given = event if isinstance(event, Mapping) else {}
    record, after = given.get("record"), given.get("after") or ""
    if not isinstance(record, str) or not is_record_id(record):
        raise Invalid("invalid-parameter", "record", "record is missing or wrong")
    if not isinstance(after, str) or not (after == "" or is_local_id(after)):
        raise Invalid("invalid-parameter", "after", "after is wrong")
    return Rebuild(record, after)


class IndexRebuildService:
    """Reads the documents of a record one after the other, the oldest first, in bounded memory."""

    def __init__(self, records: "RecordStore", documents: "DocumentStore", extractions: ExtractionsService) -> None:
        self._records = records
        self._documents = documents
        self._extractions = extractions

    def rebuild(self, order: Rebuild, remaining: Callable[[], float]) -> Rebuilt:
        """Read all that is left, until fewer than 60 seconds remain; one that fails does not stop the others.

        Raises NotFound `no-record`, Conflict `erasure-under-way`.
        """
        record = self._records.existing(order.record)
        if record.status in (RecordStatus.ERASING, RecordStatus.ERASED):
            raise Conflict("erasure-under-way")
        done = Rebuilt(after=order.after)

        def handle(entry: DocumentEntry) -> None:
            stop_in_time(remaining, _ENOUGH_SECONDS)
            self._read(record, entry, done)

        documents = self._from(order)
        sweep(documents, handle, done, failure_event="document_not_reread")
        return done

    def _read(self, record: Record, entry: DocumentEntry, done: Rebuilt) -> None:
        done.after = entry.local
        done.read += self._extractions.read_anew(record, entry)

    def _from(self, order: Rebuild) -> Iterator[DocumentEntry]:
        statuses = [status.value for status in FINDABLE]
        last: str | None = order.after
        while last is not None:
            stretch = Stretch(Order.OLDEST, after=last)
            entries, last = self._documents.page(order.record, statuses, _PAGE, stretch)
            yield from entries
