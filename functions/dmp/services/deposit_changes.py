"""What a deposit writes: its documents, what they supersede, its Lists, and the names that all of these have."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from dmp.domain.changes import Change, ClaimIdentifier, SaveDocument, SaveList
from dmp.domain.deposit import Deposited, Plan
from dmp.domain.document import DocumentStatus
from dmp.domain.document_list import ListEntry, ListKind
from dmp.domain.upload import announced_digest
from dmp.services.document_editions import edition_changes, late_changes


def deposit_changes(plan: Plan, lists: Sequence[Deposited[ListEntry]], now: datetime) -> Iterator[Change]:
    """The changes of one attempt; each identifier is claimed by what has it, unless it was before."""
    submission_set = next((one.entry.local for one in lists if one.entry.kind is ListKind.SUBMISSION_SET), "")
    for entry in plan.fresh.values():
        yield SaveDocument(entry)
        if entry.master_identifier:
            held = plan.claims.get(entry.master_identifier)
            yield ClaimIdentifier(
                entry.record,
                entry.master_identifier,
                entry.local,
                entry.content.sha256 or announced_digest(entry.content.sha1),
                submission_set,
                previous=held.local if held else "",
            )
    for replaced in {entry.local: entry for entry in plan.ended.values()}.values():
        former = replaced.with_status(DocumentStatus.SUPERSEDED, now)
        yield SaveDocument(replace(former, successors=plan.successors_of(replaced)), replaced)
    yield from plan.renewed
    yield from edition_changes(plan, plan.fresh)
    yield from late_changes(plan, plan.fresh)
    for one in lists:
        yield from _of_list(plan, one)


def _of_list(plan: Plan, made: Deposited[ListEntry]) -> Iterator[Change]:
    entry, previous = made.entry, made.previous
    yield SaveList(entry, previous)
    held = previous.identifiers if previous else ()
    for identifier in entry.identifiers:
        if identifier not in plan.claims and identifier not in held:
            yield ClaimIdentifier(entry.record, identifier, entry.local, "", entry.local)
