"""PATCH of a Communication: its status, by JSON Patch or FHIRPath Patch (FHIR R4 REST)."""

from dmp.domain.errors import Invalid
from dmp.domain.notification import MessageStatus
from dmp.fhir.json_patch import Change, forbidden
from dmp.fhir.patch import read_patch


def read_communication_patch(body: bytes, content_type: str) -> MessageStatus:
    """Read the body of a PATCH: read, or unread again.

    Raises Malformed or Invalid for a patch that is none, NotAllowed `patch-path-forbidden` for other elements.
    """
    changes = read_patch(body, content_type, "Communication")
    for change in changes:
        if change.op not in ("add", "replace") or change.path != ("status",):
            raise forbidden(change.place)
    return _status(changes[-1])


def _status(change: Change) -> MessageStatus:
    if change.value not in list(MessageStatus):
        raise Invalid("invalid-parameter", change.place or None, "the status is completed or in-progress")
    return MessageStatus(change.value)
