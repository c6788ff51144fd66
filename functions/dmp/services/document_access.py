"""What is asked of `access` about documents, and what the trace will tell of it."""

from dataclasses import replace

from dmp.domain.access import decide
from dmp.domain.access_request import AccessRequest, Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.document import INVISIBLE, DocumentEntry, DocumentStatus
from dmp.domain.errors import NotFound
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import Attempt, asking

_NO_DOCUMENT = Decision(permit=False, reason="no-document", hidden=True)
_CHANGES = (Action.MASK, Action.HIDE, Action.ARCHIVE, Action.DELETE, Action.REPLACE)


def of_document(call: Call, record: Record, action: Action, document: DocumentEntry | None) -> AccessRequest:
    """May the caller do this to a document of the record, or to one that is not there (None)?"""
    return replace(asking(call, record, action), document=document, missing_document=document is None)


def ruled(request: AccessRequest) -> Decision:
    """What is decided about a document; of one that is not there, that it is not, to whoever is not refused anyway."""
    decision = decide(request)
    is_nowhere = request.missing_document and (decision.permit or decision.reason == "masked")
    return _NO_DOCUMENT if is_nowhere else decision


def may_read(call: Call, record: Record, document: DocumentEntry) -> bool:
    """Whether the caller may see a document at all."""
    return decide(of_document(call, record, Action.READ, document)).permit


def may_include(call: Call, record: Record, document: DocumentEntry) -> bool:
    """Whether the caller may see a document where it was not a document that was asked for."""
    question = of_document(call, record, Action.READ, document)
    return decide(replace(question, resource_type="DocumentReference")).permit


def is_listed(document: DocumentEntry) -> bool:
    """Whether a document is told of at all, by searches and by Lists: not deleted, and at hand."""
    return document.status is not DocumentStatus.ENTERED_IN_ERROR and not document.awaits


def may_know_origin(call: Call, record: Record, document: DocumentEntry) -> bool:
    """Whether the caller, who may see a document, may know of what it replaced too."""
    if not document.predecessors:
        return True
    as_hidden = replace(document, visibility=document.visibility | document.origin)
    return not decide(of_document(call, record, Action.READ, as_hidden)).hidden


def may_change(call: Call, record: Record, document: DocumentEntry | None) -> Decision:
    """A permit for some change of a document where there is one; else the denial, a hidden one first."""
    decisions = [ruled(of_document(call, record, action, document)) for action in _CHANGES]
    hidden = next((d for d in decisions if d.hidden), decisions[0])
    return next((d for d in decisions if d.permit), hidden)


def is_concealed(document: DocumentEntry | None) -> bool:
    """Whether somebody who reads the trace may have to learn nothing of a document (R.1111-53, L.1111-5)."""
    return document is not None and bool(document.visibility & INVISIBLE)


def attempt_on(
    resource_type: str, record: str, local: str, interaction: Interaction, action: AuditAction = AuditAction.READ
) -> Attempt:
    """What the trace tells of an access to one resource."""
    what = (f"{resource_type}/{record}.{local}",)
    return Attempt(interaction=interaction, action=action, resource_type=resource_type, what=what)


def existing(record: Record | None) -> Record:
    """The record; NotFound `no-record` where there is none."""
    if record is None:
        raise NotFound("no-record")
    return record
