"""The mail that tells of a message: that something waits in the portal, and nothing of what it is about (R.1111-48)."""

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

_TEXTS = Path(__file__).parent.parent / "data" / "mails_fr.json"


class MailState(StrEnum):
    """How far the mail of a message is."""

    NONE = "none"
    """There is no address to send it to."""
    TO_SEND = "to-send"
    CLAIMED = "claimed"
    """Somebody is sending it, or died while doing so: nobody else ever will."""
    SENT = "sent"
    UNDELIVERABLE = "undeliverable"


class MailInDoubt(Exception):
    """Nobody can tell whether the mail left."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail without its address."""

    subject: str
    text: str


def mail_of(kind: str, portal_url: str) -> Mail:
    """Write the mail for a kind of message; one without a text of its own says that a message waits."""
    texts = _texts()
    own = texts["kinds"].get(kind, texts["default"])
    invitation = texts["invitation"].format(portal=portal_url)
    return Mail(own["subject"], "\n\n".join((own["text"], invitation, texts["signature"])) + "\n")


@cache
def _texts() -> dict[str, Any]:
    return dict(json.loads(_TEXTS.read_bytes()))
