"""The items of a record held against each other: versions, names, directives and indexes."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.consent import Directive
from dmp.domain.inspection import Fault, Problem, has_bytes, may_be_named_later
from dmp.domain.record import RecordStatus

if TYPE_CHECKING:
    from dmp.services.inspection import Holdings


def own_problems(held: "Holdings", now: datetime) -> Iterator[Problem]:
    """What is wrong with the items of a record, by themselves."""
    yield from (Problem(Fault.UNREADABLE, held.record, one.name) for one in held.broken)
    if not held.heads:
        if not any(one.is_head for one in held.broken):
            yield Problem(Fault.HEAD_MISSING, held.record, f"Patient/{held.record}")
        return
    record = held.heads[0].record
    if not held.is_there:
        if record.status is RecordStatus.ERASED and held.items > 1:
            yield Problem(Fault.LEFT_AFTER_ERASURE, held.record)
        return
    yield from _former_versions(held)
    yield from _leads(held, now)
    yield from _directives(held, now)
    yield from (
        Problem(Fault.INDEX_DIFFERS, held.record, f"{one.kind}/{one.local}")
        for one in held.versions
        if not one.is_indexed
    )
    documents = {one.local for one in held.documents}
    yield from (Problem(Fault.LEADS_NOWHERE, held.record, f"T#{one}") for one in sorted(held.words - documents))
    for entry in held.documents:
        if has_bytes(entry) and entry.local not in held.words:
            yield Problem(Fault.NOT_INDEXED, held.record, f"DocumentReference/{entry.id}")


def _former_versions(held: "Holdings") -> Iterator[Problem]:
    """Version n has n - 1 former ones."""
    former: dict[tuple[str, str], set[int]] = {}
    for one in held.versions:
        if not one.is_current:
            former.setdefault((one.kind, one.local), set()).add(one.number)
    for one in held.versions:
        if one.is_current and former.pop((one.kind, one.local), set()) != set(range(1, one.number)):
            yield Problem(Fault.FORMER_VERSION_LOST, held.record, f"{one.kind}/{one.local}")
    yield from (Problem(Fault.CHANGE_LOST, held.record, f"{kind}/{local}") for kind, local in former)


def _leads(held: "Holdings", now: datetime) -> Iterator[Problem]:
    """A unique id is held by a resource that is there, every document holds its own; whatever has names is found."""
    there = {one.local for one in held.versions if one.is_current}
    claimed: set[str] = set()
    for lead in held.leads:
        if lead.is_claim and not _is_over(lead.until, now):
            claimed.update(lead.locals)
            if not there.issuperset(lead.locals):
                yield Problem(Fault.LEADS_NOWHERE, held.record, lead.name)
    yield from _names(held, now)
    for entry in held.documents:
        if entry.local not in claimed and not may_be_named_later(entry):
            yield Problem(Fault.NOT_CLAIMED, held.record, f"DocumentReference/{entry.id}")


def _names(held: "Holdings", now: datetime) -> Iterator[Problem]:
    """Whatever is named by further identifiers is led to by each of them, but what was deleted or is over.

    The name of a line of reimbursement that is shown no more may have gone over to another line.
    """
    led = {(lead.name.rpartition("#")[0], lead.name, local) for lead in held.leads for local in lead.locals}
    leading = {(begin + "#", local) for begin, _, local in led} | {(name, local) for _, name, local in led}
    names = {lead.name for lead in held.leads}
    for one in held.versions:
        is_kept = one.is_current and not _is_over(one.until, now) and (one.entry is None or has_bytes(one.entry))
        for name in one.named if is_kept else ():
            if (name, one.local) not in leading and name not in names:
                yield Problem(Fault.NOT_LED_TO, held.record, f"{one.kind}/{one.local}")


def _is_over(until: datetime | None, now: datetime) -> bool:
    return until is not None and until <= now


def _directives(held: "Holdings", now: datetime) -> Iterator[Problem]:
    """What the head says to be in force are the active Consents; one that is over may be told either way."""
    [head, *_] = held.heads
    if head.record.status is not RecordStatus.OPEN:
        return
    consents = [one for one in held.versions if one.kind == "Consent" and one.is_current]
    active = {one.directive for one in consents if one.is_active and one.directive}
    told = set(head.record.directives)
    over = {one.local for one in consents if not one.is_active and _is_over(one.until, one.at or now)}
    differing = {one.consent for one in active ^ told if not _is_told_either_way(one, over, now)}
    yield from (Problem(Fault.DIRECTIVE_DIFFERS, held.record, f"Consent/{one}") for one in sorted(differing))


def _is_told_either_way(directive: Directive, over: set[str], now: datetime) -> bool:
    """Whether a directive is over, or its Consent was marked so: the head drops it with its next change."""
    return directive.has_expired(now) or directive.consent in over
