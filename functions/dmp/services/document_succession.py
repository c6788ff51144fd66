"""What replaced a document keeps what hides that one: nobody learns from a successor of what they may not know."""

from typing import TYPE_CHECKING

from dmp.domain.changes import Change, SaveDocument
from dmp.domain.document import DocumentEntry

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


def successions(documents: "DocumentStore", before: DocumentEntry, after: DocumentEntry) -> list[Change]:
    """The changes of the successors of a document whose codes change: no version of them, for they stay the same."""
    if after.visibility == before.visibility or not before.successors:
        return []
    _, found = documents.with_documents(before.record, before.successors)
    return [SaveDocument(successor.following(after), successor) for successor in found.values()]
