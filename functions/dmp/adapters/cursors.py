"""Opaque cursors of searches: AES-GCM, tied to the caller and to the query, refused when anything of them differs."""

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING

from dmp.domain.errors import Malformed

if TYPE_CHECKING:
    from dmp.adapters.keyring import Keyring

_NONCE = 12
_TAG = 16


class Cursors:
    """Seals and opens places to go on from; `entropy` gives at least 12 random bytes a call."""

    def __init__(self, keyring: "Keyring", entropy: Callable[[], bytes]) -> None:
        self._keyring = keyring
        self._entropy = entropy

    def seal(self, text: str, context: str) -> str:
        """Hide a text in a token that only the same context opens."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - few searches have a next page

        nonce = self._entropy()[:_NONCE]
        sealed = AESGCM(self._keyring.derive("cursor")).encrypt(nonce, text.encode(), context.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, token: str, context: str) -> str:
        """The text of a token; Malformed `invalid-cursor` for a token, a caller or a query that is another."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        data = _decoded(token)
        try:
            text = AESGCM(self._keyring.derive("cursor")).decrypt(data[:_NONCE], data[_NONCE:], context.encode())
        except InvalidTag:
            raise _invalid() from None
        return text.decode()


def _decoded(token: str) -> bytes:
    """The bytes of a token, which has one spelling alone: base64's unused last bits must be zero."""
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars="-_", validate=True)
    except (binascii.Error, ValueError):
        raise _invalid() from None
    if len(data) < _NONCE + _TAG or base64.urlsafe_b64encode(data).decode().rstrip("=") != token:
        raise _invalid()
    return data


def _invalid() -> Malformed:
    return Malformed("invalid-cursor", "http._cursor")
