"""Successive versions of one document: the newest is current, in whatever order they come (CDA setId and version)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.changes import Change, SaveDocument, SaveEditions
from dmp.domain.deposit import Later, Plan
from dmp.domain.document import Depositor, DocumentEntry, DocumentStatus, ReplacesTarget
from dmp.domain.edition_set import keeper_of
from dmp.domain.identifiers import Identifier
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import of_document

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore

type Held = list[tuple[DocumentEntry, int]]

MOST_LOOKED_AT = 50
"""Versions of one set that are looked at, those of the highest numbers; the current ones are among them."""


def settle_editions(documents: "DocumentStore", call: Call, plan: Plan) -> None:
    """Let new documents supersede the earlier versions of their set, and be superseded where a later one is there.

    Of the documents that are held, only those count that the depositor may replace; equal numbers change nothing. What
    the request itself replaces is no later version.
    """
    sets, keeper = _sets(plan), keeper_of(Depositor.of(call.requester))
    if not sets or keeper is None:
        return
    plan.editions = documents.editions(plan.record.id, keeper, list(sets))
    held = _held(documents, call, plan)
    for identifier, numbers in sets.items():
        _settle(plan, numbers, held[identifier])


def edition_changes(plan: Plan, fresh: Mapping[int, DocumentEntry]) -> Iterator[Change]:
    """What is written of the sets of new documents; it fails where another version came meanwhile."""
    for identifier, editions in plan.editions.items():
        news = [e for e in fresh.values() if e.edition and e.edition.set == identifier]
        yield SaveEditions(editions.including(*((e.local, e.edition.number) for e in news if e.edition)))


def late_changes(plan: Plan, fresh: Mapping[int, DocumentEntry]) -> Iterator[Change]:
    """What the latest versions that are held learn of the new ones which come late: no version of them."""
    latest = {later.held[0].local: later.held[0] for later in plan.outdated.values() if later.place is None}
    for held in latest.values():
        after = held
        for place, later in plan.outdated.items():
            is_before = later.place is None and later.held[0].local == held.local
            after = after.following(fresh[place]) if is_before else after
        yield SaveDocument(after, held)


def _sets(plan: Plan) -> dict[Identifier, dict[int, int]]:
    """The numbers of the new documents that are versions of something, by their place, by their set."""
    found: dict[Identifier, dict[int, int]] = {}
    for place, document in plan.unknown():
        if document.edition:
            found.setdefault(document.edition.set, {})[place] = document.edition.number
    return found


def _held(documents: "DocumentStore", call: Call, plan: Plan) -> dict[Identifier, Held]:
    """What the record holds of each set and the depositor may replace, the latest first; deleted ones aside."""
    looked_at = {one: editions.versions[:MOST_LOOKED_AT] for one, editions in plan.editions.items()}
    locals_ = [local for versions in looked_at.values() for local, _ in versions]
    entries = documents.with_documents(plan.record.id, locals_)[1] if locals_ else {}
    counting = {local: entry for local, entry in entries.items() if _counts(call, plan, entry)}
    return {
        one: [(counting[local], number) for local, number in versions if local in counting]
        for one, versions in looked_at.items()
    }


def _counts(call: Call, plan: Plan, entry: DocumentEntry) -> bool:
    is_there = entry.status is not DocumentStatus.ENTERED_IN_ERROR and not entry.awaits
    return is_there and decide(of_document(call, plan.record, Action.REPLACE, entry)).permit


def _settle(plan: Plan, numbers: Mapping[int, int], held: Held) -> None:
    """Decide of the versions of one set which is the newest."""
    replaced = {entry.local for entry in plan.targets.values()}
    others = [(entry, number) for entry, number in held if entry.local not in replaced]
    newest = max(numbers, key=lambda place: numbers[place])
    is_newest = numbers[newest] >= max((number for _, number in others), default=0)
    for place, number in numbers.items():
        later = tuple(entry for entry, other in others if other > number)
        if is_newest and number < numbers[newest]:
            plan.outdated[place] = Later(later, newest)
        elif later:
            plan.outdated[place] = Later(later)
    if is_newest:
        earlier = (entry for entry, number in others if number < numbers[newest])
        _replace(plan, newest, [entry for entry in earlier if entry.status is DocumentStatus.CURRENT])


def _replace(plan: Plan, place: int, earlier: Sequence[DocumentEntry]) -> None:
    """Have a new document replace entries that nothing in this deposit replaces yet."""
    formers = {ReplacesTarget(resource_id=entry.id): entry for entry in earlier}
    documents = list(plan.submission.documents)
    metadata = documents[place].metadata
    documents[place] = replace(documents[place], metadata=replace(metadata, replaces=(*metadata.replaces, *formers)))
    plan.submission = replace(plan.submission, documents=tuple(documents))
    plan.targets |= formers
