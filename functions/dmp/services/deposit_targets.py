"""What a deposit relates to in the record: documents deposited before, and those that new ones replace (ITI-65)."""

from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.changes import Claim
from dmp.domain.deposit import Plan
from dmp.domain.document import DocumentEntry, DocumentStatus, ReplacesTarget
from dmp.domain.errors import Conflict, Invalid, Refused
from dmp.domain.identifiers import Identifier, split_resource_id
from dmp.domain.rights import Action
from dmp.domain.submission import SubmittedDocument
from dmp.domain.upload import announced_digest
from dmp.services.call import Call
from dmp.services.document_access import may_read, of_document
from dmp.services.document_editions import settle_editions
from dmp.services.document_sight import as_seen

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


def recognise(documents: "DocumentStore", plan: Plan) -> None:
    """Recognise documents deposited before: the same bytes are there already, other bytes clash.

    The unique id of a document that will never become available is free. Raises Conflict `duplicate-unique-id`, also
    where the document was deleted: it will not come back by this.
    """
    wanted = enumerate(plan.submission.documents)
    claims = {index: (document, claim) for index, document in wanted if (claim := plan.claim_of(document))}
    if not claims:
        return
    _, entries = documents.with_documents(plan.record.id, [claim.local for _, claim in claims.values()])
    for index, (document, claim) in claims.items():
        entry = entries.get(claim.local)
        if entry and is_void(entry):
            continue
        is_alive = entry is not None and entry.status is not DocumentStatus.ENTERED_IN_ERROR
        if entry is None or not is_alive or not _has_same_bytes(document, claim, entry):
            raise Conflict("duplicate-unique-id", f"{document.place}.masterIdentifier")
        plan.known[index] = entry


def is_void(entry: DocumentEntry) -> bool:
    """Whether a document will never become available: nothing that it claims counts any more."""
    return entry.was_never_available and not entry.is_pending


def _has_same_bytes(document: SubmittedDocument, claim: Claim, entry: DocumentEntry) -> bool:
    """Whether a document is the one that claimed its unique id; by the SHA-1 while either is still to come."""
    if document.is_upload:
        return (entry.content.sha1, entry.content.size) == (document.sha1, document.size)
    return claim.sha256 in (document.sha256, announced_digest(document.sha1))


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

    What a CDA alone says it replaces, and the caller may not know of, replaces nothing; earlier versions are replaced
    without a word. Raises Invalid `unknown-reference`, Refused, Conflict `not-current`.
    """
    if plan.is_repetition:
        _find_superseded(documents, call, plan)
        return
    _find_targets(documents, call, plan)
    settle_editions(documents, call, plan)


def _find_targets(documents: "DocumentStore", call: Call, plan: Plan) -> None:
    """What the request and the contents say is replaced."""
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
    for place, document in plan.unknown():
        if any(ReplacesTarget(identifier=one) not in plan.targets for one in document.predecessors):
            plan.unheld.add(place)


def _find_superseded(documents: "DocumentStore", call: Call, plan: Plan) -> None:
    """What the patches of a submission superseded when it came first, as far as the caller may see that."""
    locals_ = {patch.target: _nameable(plan, patch.target) for patch in plan.submission.patches}
    if not locals_:
        return
    _, entries = documents.with_documents(plan.record.id, list(dict.fromkeys(locals_.values())))
    for target, local in locals_.items():
        entry = entries.get(local)
        if entry and may_read(call, plan.record, entry):
            plan.superseded[target] = entry


def _nameable(plan: Plan, target: ReplacesTarget) -> str:
    """The local id that a patch names, or one that is nowhere."""
    parts = split_resource_id(target.resource_id or "")
    if target.identifier and not target.resource_id:
        return _claimed(plan, target.identifier)
    return parts[1] if parts and parts[0] == plan.record.id else ""


def _named(plan: Plan) -> dict[ReplacesTarget, str]:
    """The documents that the request says are replaced, each with the place which says it."""
    named = {target: f"{d.place}.relatesTo" for _, d in plan.unknown() for target in d.metadata.replaces}
    return named | {patch.target: patch.place for patch in plan.submission.patches}


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
    if entry.status is not DocumentStatus.CURRENT or entry.awaits:
        raise Conflict("not-current", place)
    return entry
