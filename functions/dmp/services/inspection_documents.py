"""What is told of a document in more than one place: facts, FHIR body, versions, unique id, and what replaced it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dmp.domain.document import DocumentEntry, DocumentStatus, Metadata
from dmp.domain.inspection import Fault, Problem
from dmp.domain.upload import announced_digest, awaits_content

if TYPE_CHECKING:
    from dmp.services.inspection import Holdings

type Read = Callable[[str], Metadata]
"""Reads the stored FHIR body of a document; whatever it raises, that is none."""

_LIFE = tuple(DocumentStatus)
"""No status is ever left for an earlier one of these."""


def document_problems(held: "Holdings", read: Read) -> Iterator[Problem]:
    """The documents of a record, and their former versions, of which two places do not tell the same."""
    versions: dict[str, list[DocumentEntry]] = {}
    for one in sorted(held.versions, key=lambda one: one.number):
        if one.entry:
            versions.setdefault(one.local, []).append(one.entry)
    for of_one in versions.values():
        if any(not _is_told(entry, read) for entry in of_one) or not _lasts(of_one, read):
            yield _problem(Fault.METADATA_DIFFERS, of_one[-1])
        if not _is_possible(of_one):
            yield _problem(Fault.STATUS_DIFFERS, of_one[-1])
    yield from _claimed_otherwise(held)
    yield from _not_superseded(held)


def _problem(fault: Fault, entry: DocumentEntry) -> Problem:
    return Problem(fault, entry.record, f"DocumentReference/{entry.id}")


def _is_told(entry: DocumentEntry, read: Read) -> bool:
    """Whether the body, which readers get, says what the facts do, by which it is found, opened and answered."""
    told = _read(entry, read)
    if told is None:
        return False
    content, kind = entry.content, entry.type
    pairs = (
        (told.status, entry.status),
        (told.visibility, entry.visibility),
        (told.is_archived, entry.is_archived),
        (told.type and (told.type.system, told.type.code), kind and (kind.system, kind.code)),
        (sorted(map(str, told.authors)), sorted(map(str, entry.authors))),
        (str(told.master_identifier), str(entry.master_identifier)),
        ([*map(str, told.identifiers)], [*map(str, entry.identifiers)]),
        ((told.content_type, told.size, told.sha1), (content.content_type, content.size, content.sha1)),
    )
    return all(one == other for one, other in pairs)


def _lasts(versions: list[DocumentEntry], read: Read) -> bool:
    """Whether what nobody can change is the same in all versions since the content came."""
    told = [_read(entry, read) for entry in versions if not awaits_content(entry)]
    lasting = {
        (one.date, one.title, one.language, one.created, one.period_start, one.period_end) for one in told if one
    }
    return len(lasting) <= 1


def _read(entry: DocumentEntry, read: Read) -> Metadata | None:
    try:
        return read(entry.body)
    except Exception:  # noqa: BLE001 - whatever it is, it is not what was written
        return None


def _is_possible(versions: list[DocumentEntry]) -> bool:
    """Whether a document can have come to its status so; that its author superseded it, nothing else tells."""
    first, last = versions[0], versions[-1]
    ages = [_LIFE.index(entry.status) for entry in versions]
    if last.status is DocumentStatus.CURRENT and last.successors and not last.awaits:
        return False
    is_late = first.status is DocumentStatus.SUPERSEDED and bool(first.successors)
    return ages == sorted(ages) and (first.version > 1 or first.status is DocumentStatus.CURRENT or is_late)


def _not_superseded(held: "Holdings") -> Iterator[Problem]:
    """What a document replaces is current no more once that one is, or was, available."""
    replaced = {former.local for one in held.documents if not one.was_never_available for former in one.predecessors}
    for entry in held.documents:
        if entry.local in replaced and entry.status is DocumentStatus.CURRENT and not entry.awaits:
            yield _problem(Fault.STATUS_DIFFERS, entry)


def _claimed_otherwise(held: "Holdings") -> Iterator[Problem]:
    """The unique id of a document tells its hash, by which a repetition is told from a clash."""
    documents = {entry.local: entry for entry in held.documents}
    for lead in held.leads:
        for entry in filter(None, map(documents.get, lead.locals)):
            content = entry.content
            if lead.digest and lead.digest != (content.sha256 or announced_digest(content.sha1)):
                yield _problem(Fault.METADATA_DIFFERS, entry)
