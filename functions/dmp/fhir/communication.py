"""Communication: a message of the portal as its reader sees it (FHIR R4)."""

from typing import Any

from dmp.domain.identifiers import STRUCT_IDNAT
from dmp.domain.message_text import text_of
from dmp.domain.notification import Message, MessageStatus
from dmp.fhir.systems import DMP_MESSAGE_KIND
from dmp.fhir.times import instant_text


def render_communication(message: Message) -> dict[str, Any]:
    """The Communication of a message; `received` is when it was marked as read."""
    updated = instant_text(message.updated or message.sent)
    rendered: dict[str, Any] = {
        "resourceType": "Communication",
        "id": message.id,
        "meta": {"versionId": str(message.version), "lastUpdated": updated},
        "status": message.status.value,
        "category": [{"coding": [{"system": DMP_MESSAGE_KIND, "code": message.kind.value}]}],
        "subject": {"reference": f"Patient/{message.record}"},
        "about": [{"reference": reference} for reference in message.about],
        "sent": instant_text(message.sent),
        "received": updated if message.status is MessageStatus.READ else None,
        "recipient": [_recipient(message)],
        "payload": [{"contentString": text_of(message)}],
    }
    return {key: value for key, value in rendered.items() if value}


def _recipient(message: Message) -> dict[str, Any]:
    addressee = message.addressee
    if addressee is None:
        return {"reference": f"Patient/{message.record}"}
    kind = "Organization" if addressee.system == STRUCT_IDNAT else "Practitioner"
    return {"type": kind, "identifier": {"system": addressee.system, "value": addressee.value}}
