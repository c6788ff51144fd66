"""What of lists a reader sees: the documents that the reader may see, and the Folders that hold one of these."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.document import DocumentEntry
from dmp.domain.document_list import ListEntry
from dmp.domain.record import Record
from dmp.services.call import Call
from dmp.services.document_access import is_listed, may_read

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


def list_as_seen(
    call: Call, record: Record, entry: ListEntry, documents: Mapping[str, DocumentEntry]
) -> ListEntry | None:
    """A list with those of its documents, by their local ids, that the caller may see; None where that is none."""
    seen = [one for one in entry.documents if one in documents and _is_visible(call, record, documents[one])]
    return replace(entry, documents=tuple(seen)) if seen else None


def with_visible_lists(
    call: Call, record: Record, entries: Sequence[ListEntry], documents: "DocumentStore"
) -> list[ListEntry]:
    """Lists with those of the lists they hold that have a document for the caller; nothing is read where none do."""
    held = {one for entry in entries for one in entry.lists}
    if not held:
        return list(entries)
    lists = documents.lists(record.id, sorted(held))
    _, found = documents.with_documents(record.id, sorted({d for one in lists.values() for d in one.documents}))
    visible = {local for local, one in lists.items() if list_as_seen(call, record, one, found)}
    return [replace(entry, lists=tuple(one for one in entry.lists if one in visible)) for entry in entries]


def _is_visible(call: Call, record: Record, document: DocumentEntry) -> bool:
    return is_listed(document) and may_read(call, record, document)
