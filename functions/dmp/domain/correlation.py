"""The one id by which the logs tell what follows from a request, in whatever function: never what a person could mean.

A request brings it, the items and messages that the request leaves carry it on, whoever takes those up follows it.
"""

import re
from contextvars import ContextVar

_RANDOM = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE
)
"""A UUID of version 4 or 7 (RFC 9562): nobody's number in digits and hyphens is one by chance."""
_FOLLOWED: ContextVar[str] = ContextVar("followed", default="")


def correlation_id(given: str, own: str) -> str:
    """The id of a request: as its client gave it where that is a random UUID, else our own.

    A client may put what it likes in `X-Request-Id`, such as a name: that is echoed and traced, and never logged.
    """
    return given if _RANDOM.fullmatch(given) else own


def follow(correlation_id: str) -> None:
    """Let all that this thread does from now on belong to a request or a run; every function does so first."""
    _FOLLOWED.set(correlation_id)


def take_up(correlation_id: str) -> None:
    """Follow what an item carries on, where it carries any; else what was followed stays."""
    if correlation_id:
        _FOLLOWED.set(correlation_id)


def followed() -> str:
    """What this thread's doings belong to; empty where nothing is followed."""
    return _FOLLOWED.get()
