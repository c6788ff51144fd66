"""PATCH of a Communication: its status, by JSON Patch or FHIRPath Patch (FHIR R4 REST)."""

from collections.abc import Sequence

from dmp.domain.errors import Invalid
from dmp.domain.notification import MessageStatus
from dmp.fhir.fhirpath_patch import read_parameters
from dmp.fhir.json_patch import Change, body_kind, forbidden, read_json_patch, read_patch_parameters


def read_communication_patch(body: bytes, content_type: str) -> MessageStatus:
    """Read the body of a PATCH: read, or unread again.

    Raises Malformed or Invalid for a patch that is none, NotAllowed `patch-path-forbidden` for other elements.
    """
    if body_kind(content_type) == "json-patch":
        changes: Sequence[Change] = read_json_patch(body)
    else:
        changes = read_parameters(read_patch_parameters(body), "Communication")
    for change in changes:
        if change.op not in ("add", "replace") or change.path != ("status",):
            raise forbidden(change.place)
    return _status(changes[-1])


def _status(change: Change) -> MessageStatus:
    if change.value not in list(MessageStatus):
        raise Invalid("invalid-parameter", change.place or None, "the status is completed or in-progress")
    return MessageStatus(change.value)
