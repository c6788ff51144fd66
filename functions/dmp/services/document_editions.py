"""Successive versions of one document: the newest is current, in whatever order they come (CDA setId and version)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.deposit import Plan
from dmp.domain.document import DocumentEntry, DocumentStatus, ReplacesTarget
from dmp.domain.identifiers import Identifier
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import of_document

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore

MOST_LOOKED_AT = 100
"""Documents of one set that are looked at, the latest by their date; those that are current are among them."""


def settle_editions(documents: "DocumentStore", call: Call, plan: Plan) -> None:
    """Let new documents supersede the earlier versions of their set, and be superseded where a later one is there.

    Of the documents that are held, only those count that the depositor may replace; equal numbers change nothing.
    """
    for identifier, numbers in _sets(plan).items():
        held = _held(documents, call, plan, identifier)
        latest = max([*numbers.values(), *(number for _, number in held)])
        plan.outdated |= {place for place, number in numbers.items() if number < latest}
        newest = max(numbers, key=lambda place: numbers[place])
        if newest not in plan.outdated:
            earlier = (entry for entry, number in held if number < numbers[newest])
            _replace(plan, newest, (entry for entry in earlier if entry.status is DocumentStatus.CURRENT))


def _sets(plan: Plan) -> dict[Identifier, dict[int, int]]:
    """The numbers of the new documents that are versions of something, by their place, by their set."""
    found: dict[Identifier, dict[int, int]] = {}
    for place, document in plan.unknown():
        if document.edition:
            found.setdefault(document.edition.set, {})[place] = document.edition.number
    return found


def _held(
    documents: "DocumentStore", call: Call, plan: Plan, identifier: Identifier
) -> list[tuple[DocumentEntry, int]]:
    """What the record holds of a set and the depositor may replace, with its number; deleted ones aside."""
    locals_ = sorted(documents.identified(plan.record.id, identifier), reverse=True)[:MOST_LOOKED_AT]
    entries = documents.with_documents(plan.record.id, locals_)[1].values() if locals_ else ()
    return [
        (entry, entry.edition.number)
        for entry in entries
        if entry.edition
        and entry.edition.set == identifier
        and entry.status is not DocumentStatus.ENTERED_IN_ERROR
        and not entry.awaits
        and decide(of_document(call, plan.record, Action.REPLACE, entry)).permit
    ]


def _replace(plan: Plan, place: int, earlier: Iterable[DocumentEntry]) -> None:
    """Have a new document replace entries that nothing in this deposit replaces yet."""
    known = {entry.local for entry in plan.targets.values()}
    formers = {ReplacesTarget(resource_id=entry.id): entry for entry in earlier if entry.local not in known}
    documents = list(plan.submission.documents)
    metadata = documents[place].metadata
    documents[place] = replace(documents[place], metadata=replace(metadata, replaces=(*metadata.replaces, *formers)))
    plan.submission = replace(plan.submission, documents=tuple(documents))
    plan.targets |= formers
