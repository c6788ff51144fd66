"""Whether a request came by a door that is watched: the edge and its firewall, or a client certificate (mutual TLS)."""

from collections.abc import Mapping
from typing import Any

_HEADER = "x-dmp-edge"


class Doors:
    """Tells by a secret that the edge alone adds, or by what the gateway itself says of a client certificate."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def watched(self, event: Mapping[str, Any]) -> bool:
        """Whether the request may go on (payload 2.0); always where there is no edge, never where its shape is odd."""
        if not self._secret:
            return True
        try:
            return _has_certificate(event) or self._is(_sent(event))
        except (AttributeError, TypeError, UnicodeEncodeError):
            return False

    def _is(self, sent: bytes) -> bool:
        import hmac  # noqa: PLC0415 - a hundredth of a cold start, which is for those who have an edge

        return hmac.compare_digest(sent, self._secret)


def _has_certificate(event: Mapping[str, Any]) -> bool:
    context = event.get("requestContext") or {}
    return bool((context.get("authentication") or {}).get("clientCert"))


def _sent(event: Mapping[str, Any]) -> bytes:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    value: str = headers.get(_HEADER, "")
    return value.encode()
