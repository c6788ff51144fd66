"""The mail that tells of a message: that something waits in the portal, and nothing of what it is about (R.1111-48)."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

_GRACE = timedelta(minutes=5)
"""After which the job looks for a mail that the stream should have sent."""
_PATIENCE = timedelta(days=7)
"""What nobody has taken by then, nobody will; the message itself stands in the portal."""
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
    # of a record that is closed or suspended, nothing is read in the portal
    invitation = [texts["invitation"].format(portal=portal_url)] if own.get("invites", True) else []
    return Mail(own["subject"], "\n\n".join((own["text"], *invitation, texts["signature"])) + "\n")


def mail_due(sent: datetime) -> datetime:
    """When a mail still waits that it should not: its message was sent at that moment."""
    return sent + _GRACE


def is_given_up(sent: datetime, now: datetime) -> bool:
    """Whether a mail that could not leave until now is tried no more."""
    return now - sent > _PATIENCE


@cache
def _texts() -> dict[str, Any]:
    return dict(json.loads(_TEXTS.read_bytes()))
