"""What of the record the new documents of a deposit replace (ITI-65)."""

from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.deposit import Plan
from dmp.domain.document import DocumentEntry, DocumentStatus, ReplacesTarget
from dmp.domain.errors import Conflict, Invalid, Refused
from dmp.domain.identifiers import split_resource_id
from dmp.domain.rights import Action
from dmp.domain.smart_scopes import OUT_OF_SCOPE
from dmp.services.call import Call
from dmp.services.deposit_repetitions import find_superseded
from dmp.services.document_access import of_document
from dmp.services.document_editions import settle_editions

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


def find_replaced(documents: "DocumentStore", call: Call, plan: Plan) -> None:
    """Find what the new documents replace, and make sure that it is theirs to replace.

    What a CDA alone says it replaces, and the caller may not know of, replaces nothing; earlier versions are replaced
    without a word. An app that may not replace is told so, whether or not there is anything to replace. Raises Invalid
    `unknown-reference`, Refused, Conflict `not-current`.
    """
    if plan.is_repetition:
        find_superseded(documents, call, plan)
        return
    _find_targets(documents, call, plan)
    settle_editions(documents, call, plan)


def _find_targets(documents: "DocumentStore", call: Call, plan: Plan) -> None:
    """What the request and the contents say is replaced."""
    named, implied = _named(plan), _implied(plan)
    locals_ = {target: plan.local_of(target) for target in named}
    if not locals_ and not implied:
        return
    _, entries = documents.with_documents(plan.record.id, [*locals_.values(), *implied.values()])
    for target, local in locals_.items():
        found = _targeted(call, plan, target, entries.get(local), named[target])
        (plan.targets if found.status is DocumentStatus.CURRENT else plan.superseded)[target] = found
    for target, local in implied.items():
        entry = entries.get(local)
        decision = decide(of_document(call, plan.record, Action.REPLACE, entry))
        if decision.reason == OUT_OF_SCOPE:
            raise Refused(OUT_OF_SCOPE, "DocumentReference.relatesTo")
        if entry and not decision.hidden:
            plan.targets[target] = _replaceable(call, plan, entry, "DocumentReference.relatesTo")
    for place, document in plan.unknown():
        if any(ReplacesTarget(identifier=one) not in plan.targets for one in document.predecessors):
            plan.unheld.add(place)


def _named(plan: Plan) -> dict[ReplacesTarget, str]:
    """The documents that the request says are replaced, each with the place which says it."""
    named = {target: f"{d.place}.relatesTo" for _, d in plan.unknown() for target in d.metadata.replaces}
    return named | {patch.target: patch.place for patch in plan.submission.patches}


def _implied(plan: Plan) -> dict[ReplacesTarget, str]:
    """The documents, by local id, that the content of new ones says are replaced."""
    identifiers = [identifier for _, document in plan.unknown() for identifier in document.predecessors]
    targets = [ReplacesTarget(identifier=identifier) for identifier in identifiers]
    return {target: plan.local_of(target) for target in targets}


def _targeted(call: Call, plan: Plan, target: ReplacesTarget, entry: DocumentEntry | None, place: str) -> DocumentEntry:
    """What the request replaces; what it only ends may have ended when a part of it came before."""
    parts = split_resource_id(target.resource_id or "")
    if parts and parts[0] != plan.record.id:
        raise Refused("not-authorised", place)
    is_ended_alone = all(target not in document.metadata.replaces for _, document in plan.unknown())
    return _replaceable(call, plan, entry, place, is_repeated=bool(plan.known) and is_ended_alone)


def _replaceable(
    call: Call, plan: Plan, entry: DocumentEntry | None, place: str, *, is_repeated: bool = False
) -> DocumentEntry:
    decision = decide(of_document(call, plan.record, Action.REPLACE, entry))
    is_refused = not decision.permit and not decision.hidden
    if is_refused and (entry or decision.reason == OUT_OF_SCOPE):
        raise Refused(decision.reason, place)
    if entry is None or decision.hidden:
        raise Invalid("unknown-reference", place)
    if is_repeated and entry.status is DocumentStatus.SUPERSEDED:
        return entry
    if entry.status is not DocumentStatus.CURRENT or entry.awaits:
        raise Conflict("not-current", place)
    return entry
