"""What a deposit relates to in the record: documents deposited before, and those that new ones replace (ITI-65)."""

import hashlib
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.deposit import Plan
from dmp.domain.document import DocumentEntry, DocumentStatus, ReplacesTarget
from dmp.domain.errors import Conflict, Invalid, Refused
from dmp.domain.identifiers import Identifier, split_resource_id
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import of_document
from dmp.services.document_sight import as_seen

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


def recognise(documents: "DocumentStore", plan: Plan) -> None:
    """Recognise documents deposited before: the same bytes are there already, other bytes clash.

    Raises Conflict `duplicate-unique-id`, also where the document was deleted: it will not come back by this.
    """
    locals_: dict[int, str] = {}
    for index, document in enumerate(plan.submission.documents):
        claim = plan.claim_of(document)
        if claim is None:
            continue
        if claim.sha256 != hashlib.sha256(document.content).hexdigest():
            raise Conflict("duplicate-unique-id", f"{document.place}.masterIdentifier")
        locals_[index] = claim.local
    if not locals_:
        return
    _, entries = documents.with_documents(plan.record.id, list(locals_.values()))
    for index, local in locals_.items():
        entry = entries.get(local)
        if entry is None or entry.status is DocumentStatus.ENTERED_IN_ERROR:
            raise Conflict("duplicate-unique-id", f"{plan.submission.documents[index].place}.masterIdentifier")
        plan.known[index] = entry


def show_known(documents: "DocumentStore", call: Call, plan: Plan, *, is_answered: bool) -> None:
    """Whoever repeats somebody else's document learns nothing of it that they may not know.

    Where the document is answered (ITI-105), they must be able to read it. Raises Conflict `duplicate-unique-id`.
    """
    for place, entry in plan.known.items():
        decision = decide(of_document(call, plan.record, Action.READ, entry))
        if decision.hidden or (is_answered and not decision.permit):
            raise Conflict("duplicate-unique-id", f"{plan.submission.documents[place].place}.masterIdentifier")
    if is_answered:
        seen = as_seen(call, plan.record, list(plan.known.values()), documents)
        plan.known = dict(zip(plan.known, seen, strict=True))


def find_replaced(documents: "DocumentStore", call: Call, plan: Plan) -> None:
    """Find what the new documents replace, and make sure that it is theirs to replace.

    What a CDA alone says it replaces, and the caller may not know of, replaces nothing.
    Raises Invalid `unknown-reference`, Refused, Conflict `not-current`.
    """
    named, implied = _named(plan), _implied(plan)
    locals_ = {target: _local_of(plan, target, place) for target, place in named.items()}
    if not locals_ and not implied:
        return
    _, entries = documents.with_documents(plan.record.id, [*locals_.values(), *implied.values()])
    for target, local in locals_.items():
        plan.targets[target] = _replaceable(call, plan, entries.get(local), named[target])
    for target, local in implied.items():
        entry = entries.get(local)
        if entry and not decide(of_document(call, plan.record, Action.REPLACE, entry)).hidden:
            plan.targets[target] = _replaceable(call, plan, entry, "DocumentReference.relatesTo")


def _named(plan: Plan) -> dict[ReplacesTarget, str]:
    """The documents that the request says are replaced, each with the place which says it."""
    named = {target: f"{d.place}.relatesTo" for _, d in plan.unknown() for target in d.metadata.replaces}
    if any(True for _ in plan.unknown()):
        named |= {patch.target: patch.place for patch in plan.submission.patches}
    return named


def _implied(plan: Plan) -> dict[ReplacesTarget, str]:
    """The documents, by local id, that the content of new ones says are replaced."""
    identifiers = [identifier for _, document in plan.unknown() for identifier in document.predecessors]
    return {ReplacesTarget(identifier=identifier): _claimed(plan, identifier) for identifier in identifiers}


def _claimed(plan: Plan, identifier: Identifier) -> str:
    """The document with a unique id; where there is none, one that is nowhere: looked for all the same, as long."""
    claim = plan.claims.get(identifier)
    return claim.local if claim else ""


def _local_of(plan: Plan, target: ReplacesTarget, place: str) -> str:
    if target.identifier and not target.resource_id:
        return _claimed(plan, target.identifier)
    parts = split_resource_id(target.resource_id or "")
    if parts is None:
        raise Invalid("unknown-reference", place)
    if parts[0] != plan.record.id:
        raise Refused("not-authorised", place)
    return parts[1]


def _replaceable(call: Call, plan: Plan, entry: DocumentEntry | None, place: str) -> DocumentEntry:
    decision = decide(of_document(call, plan.record, Action.REPLACE, entry))
    if entry is None or decision.hidden:
        raise Invalid("unknown-reference", place)
    if not decision.permit:
        raise Refused(decision.reason, place)
    if entry.status is not DocumentStatus.CURRENT:
        raise Conflict("not-current", place)
    return entry
