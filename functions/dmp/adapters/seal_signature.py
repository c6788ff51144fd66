"""Whether a signature is that of a seal: ECDSA over P-256 with SHA-256, by the public half of the key alone."""

import base64
from typing import cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key


def is_signed(text: str, signature: str, public_key: str) -> bool:
    """Check a signature (DER, base64) of a text by a public key (DER, base64)."""
    key = cast("EllipticCurvePublicKey", load_der_public_key(base64.b64decode(public_key)))
    try:
        key.verify(base64.b64decode(signature), text.encode(), ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
