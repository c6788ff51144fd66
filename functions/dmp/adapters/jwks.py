"""The public keys of trusted issuers: read from their JWKS, cached, fetched again with restraint (RFC 7517, 7518)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from dmp.adapters.jose import decode_base64url, parse_object
from dmp.adapters.key_servers import KeyServers, NoDocumentError
from dmp.domain.errors import Unavailable

FRESH_SECONDS = 600
"""How long a key set is used without asking for it again."""
STALE_SECONDS = 3600
"""How long it is still used while the issuer does not answer."""
PAUSE_SECONDS = 30
"""At most one fetch in this time, however many unknown keys are named."""
PAUSE_AFTER_FAILURE_SECONDS = 5
_COORDINATE_BYTES = 32
_RSA_BITS = range(2048, 8193)
_KID_LIMIT = 255


class Algorithm(StrEnum):
    """The only signatures accepted."""

    RS256 = "RS256"
    ES256 = "ES256"


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key, bound to the one algorithm that its type permits."""

    algorithm: Algorithm
    public: RSAPublicKey | EllipticCurvePublicKey

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the holder of the private key signed the message."""
        try:
            if isinstance(self.public, RSAPublicKey):
                self.public.verify(signature, message, PKCS1v15(), SHA256())
            else:
                self.public.verify(_der(signature), message, ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True


class KeySet:
    """The keys of one issuer. Threads may share it."""

    def __init__(self, uri: str, servers: KeyServers) -> None:
        self._uri = uri
        self._servers = servers
        self._lock = Lock()
        self._keys: Mapping[str, VerificationKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._pause = PAUSE_AFTER_FAILURE_SECONDS

    def find(self, kid: str, now: float) -> VerificationKey | None:
        """The key of that id, or None; Unavailable `issuer-unavailable` when no keys can be had."""
        if kid not in self._keys or abs(now - self._fetched_at) > FRESH_SECONDS:
            self._refresh(now)
        if abs(now - self._fetched_at) > STALE_SECONDS:
            raise Unavailable("issuer-unavailable")
        return self._keys.get(kid)

    def _refresh(self, now: float) -> None:
        with self._lock:
            if abs(now - self._tried_at) < self._pause:
                return
            self._tried_at, self._pause = now, PAUSE_AFTER_FAILURE_SECONDS
            try:
                keys = parse_key_set(self._servers.get(self._uri))
            except (NoDocumentError, ValueError):
                return
            self._keys, self._fetched_at, self._pause = keys, now, PAUSE_SECONDS


def parse_key_set(document: bytes) -> dict[str, VerificationKey]:
    """The keys of a JWKS that may verify tokens, by id; ids given twice are left out, ValueError for no JWKS."""
    items = parse_object(document).get("keys")
    if not isinstance(items, list):
        raise ValueError("no key set")
    keys: dict[str, VerificationKey] = {}
    ids = [item.get("kid") for item in items if isinstance(item, dict)]
    for item in items:
        if isinstance(item, dict) and ids.count(item.get("kid")) == 1 and (key := _usable_key(item)):
            keys[str(item["kid"])] = key
    return keys


def _usable_key(jwk: Mapping[str, object]) -> VerificationKey | None:
    kid, operations = jwk.get("kid"), jwk.get("key_ops", ["verify"])
    named = isinstance(kid, str) and 0 < len(kid) <= _KID_LIMIT
    for_signatures = jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    if not named or not for_signatures or "d" in jwk:
        return None
    try:
        key = _key(jwk)
    except ValueError:
        return None
    return key if key and jwk.get("alg", key.algorithm) == key.algorithm else None


def _key(jwk: Mapping[str, object]) -> VerificationKey | None:
    match jwk:
        case {"kty": "RSA", "n": str(modulus), "e": str(exponent)}:
            rsa = RSAPublicNumbers(e=_number(exponent), n=_number(modulus)).public_key()
            return VerificationKey(Algorithm.RS256, rsa) if rsa.key_size in _RSA_BITS else None
        case {"kty": "EC", "crv": "P-256", "x": str(x), "y": str(y)}:
            curve = EllipticCurvePublicNumbers(_coordinate(x), _coordinate(y), SECP256R1()).public_key()
            return VerificationKey(Algorithm.ES256, curve)
        case _:
            return None


def _number(text: str) -> int:
    return int.from_bytes(decode_base64url(text))


def _coordinate(text: str) -> int:
    coordinate = decode_base64url(text)
    if len(coordinate) != _COORDINATE_BYTES:
        raise ValueError("not a coordinate of P-256")
    return int.from_bytes(coordinate)


def _der(signature: bytes) -> bytes:
    """JOSE writes r and s side by side, cryptography reads them in DER; ValueError for any other length."""
    if len(signature) != 2 * _COORDINATE_BYTES:
        raise ValueError("not a signature of P-256")
    r, s = signature[:_COORDINATE_BYTES], signature[_COORDINATE_BYTES:]
    return encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
