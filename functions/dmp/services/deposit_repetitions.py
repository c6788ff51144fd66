"""Documents of a deposit that the record holds already: the same bytes are no new document, other bytes clash."""

from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.changes import Claim, SaveDocument
from dmp.domain.deposit import Plan
from dmp.domain.document import DocumentEntry, DocumentStatus
from dmp.domain.errors import Conflict
from dmp.domain.rights import Action
from dmp.domain.submission import SubmittedDocument
from dmp.domain.upload import announced_digest, awaits_content, is_open, renewed
from dmp.services.call import Call
from dmp.services.document_access import may_read, of_document
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
        _renew(call, plan)
        seen = as_seen(call, plan.record, list(plan.known.values()), documents)
        plan.known = dict(zip(plan.known, seen, strict=True))


def _renew(call: Call, plan: Plan) -> None:
    """Let an announcement that is repeated after its day begin anew."""
    for place, entry in list(plan.known.items()):
        is_closed = awaits_content(entry) and not is_open(entry, call.now)
        if is_closed and plan.submission.documents[place].is_upload:
            plan.known[place] = renewed(entry, call.now)
            plan.renewed.append(SaveDocument(plan.known[place], entry))


def find_superseded(documents: "DocumentStore", call: Call, plan: Plan) -> None:
    """What the patches of a submission superseded when it came first, as far as the caller may see that."""
    locals_ = {patch.target: plan.local_of(patch.target) for patch in plan.submission.patches}
    if not locals_:
        return
    _, entries = documents.with_documents(plan.record.id, list(dict.fromkeys(locals_.values())))
    for target, local in locals_.items():
        entry = entries.get(local)
        if entry and may_read(call, plan.record, entry):
            plan.superseded[target] = entry
