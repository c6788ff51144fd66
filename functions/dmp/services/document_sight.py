"""What of documents a reader sees: nothing that tells of other documents which the reader may not know of."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dmp.domain.document import DocumentEntry
from dmp.domain.document_relations import related, without
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import may_know_origin, of_document, ruled

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore

MOST_RELATED = 400
"""Documents that are looked up for one answer because others name them; nobody is told of any beyond."""


def as_seen(
    call: Call,
    record: Record,
    shown: Sequence[DocumentEntry],
    documents: "DocumentStore",
    visible: Iterable[DocumentEntry] = (),
) -> list[DocumentEntry]:
    """Documents that the caller may see, silent about those that the caller may not know of, and about missing ones.

    At most one read, where they name others than themselves, what they replaced, and those known to be `visible`.
    """
    known = {entry.local for entry in (*shown, *visible)}
    named = {one for entry in shown for one in _named(entry)} - known
    hidden = _hidden(call, record, named, documents) if named else set()
    return [_silent(call, record, entry, hidden) for entry in shown]


def _named(entry: DocumentEntry) -> frozenset[str]:
    """What it names beside what it replaced: what hides that is known already."""
    return related(entry) - _replaced(entry)


def _hidden(call: Call, record: Record, named: set[str], documents: "DocumentStore") -> set[str]:
    looked_up = sorted(named)[:MOST_RELATED]
    _, found = documents.with_documents(record.id, looked_up)
    return {one for one in named if ruled(of_document(call, record, Action.READ, found.get(one))).hidden}


def _silent(call: Call, record: Record, entry: DocumentEntry, hidden: set[str]) -> DocumentEntry:
    if may_know_origin(call, record, entry):
        return without(entry, hidden)
    return without(entry.without_origin(), hidden | _replaced(entry))


def _replaced(entry: DocumentEntry) -> set[str]:
    return {one.local for one in entry.predecessors}
