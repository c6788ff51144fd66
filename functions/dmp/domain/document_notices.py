"""What the patient is told of documents: added, replaced, deleted; never of one that must stay unknown (R.1111-43)."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dmp.domain.document import DocumentEntry, DocumentStatus, Visibility
from dmp.domain.notification import Kind, Notice
from dmp.domain.record import Record
from dmp.domain.requester import Requester
from dmp.domain.upload import requester_of


def of_deposit(
    requester: Requester, record: Record, deposited: Iterable[tuple[DocumentEntry, Iterable[DocumentEntry]]]
) -> Iterator[Notice]:
    """Of new documents, each with what it replaces: one notice, and one more of those kept from representatives."""
    if is_own_doing(requester, record):
        return
    told = [(new, any(map(_is_known, replaced))) for new, replaced in deposited if _is_known(new)]
    for is_secret in (False, True):
        group = [(new, replaces) for new, replaces in told if _is_secret(requester, new) is is_secret]
        if group:
            only_replaces = all(replaces for _, replaces in group)
            kind = Kind.DOCUMENT_REPLACED if only_replaces else Kind.DOCUMENT_ADDED
            yield Notice(kind=kind, about=tuple(_reference(new) for new, _ in group), is_secret=is_secret)


def of_change(requester: Requester, record: Record, before: DocumentEntry, after: DocumentEntry) -> Iterator[Notice]:
    """Of a document that was deleted or superseded, or that its author no longer hides from the patient."""
    kind = _kind_of(before, after)
    if kind and not is_own_doing(requester, record):
        is_secret = _is_secret(requester, before) or _is_secret(requester, after)
        yield Notice(kind=kind, about=(_reference(after),), is_secret=is_secret)


def of_release(record: Record, new: DocumentEntry, replaced: Iterable[DocumentEntry]) -> Iterator[Notice]:
    """Of a document that becomes available after its deposit, whoever deposited it being gone."""
    requester = requester_of(new.depositor)
    yield from of_deposit(replace(requester, is_secret=new.is_secret), record, [(new, replaced)])


def is_own_doing(requester: Requester, record: Record) -> bool:
    """Whether the person did it, who need not be told."""
    return requester.ins == record.identity.ins


def _kind_of(before: DocumentEntry, after: DocumentEntry) -> Kind | None:
    if not _is_known(after):
        return None
    if not _is_known(before):
        return Kind.DOCUMENT_ADDED if after.status is DocumentStatus.CURRENT else None
    if after.status is before.status:
        return None
    is_deleted = after.status is DocumentStatus.ENTERED_IN_ERROR
    return Kind.DOCUMENT_DELETED if is_deleted else Kind.DOCUMENT_REPLACED


def _is_known(entry: DocumentEntry) -> bool:
    """Whether the patient may know of a document."""
    return Visibility.INVISIBLE_PATIENT not in entry.visibility and not entry.was_never_available


def _is_secret(requester: Requester, entry: DocumentEntry) -> bool:
    return requester.is_secret or Visibility.INVISIBLE_REPRESENTANTS_LEGAUX in entry.visibility


def _reference(entry: DocumentEntry) -> str:
    return f"DocumentReference/{entry.id}"
