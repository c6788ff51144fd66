"""Token issuers of the local stack, one of each kind: they sign whatever claims they are given."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

KINDS = ("pro-sante-connect", "establishment", "patient", "insurer")
AUDIENCE = "urn:dmp:local"
_SUBJECTS = ("SubjectNameID", "subject_id", "ins", "agent_id", "Identifiant_Structure")


class Issuer:
    """One issuer, with a key of either algorithm, made when first needed."""

    def __init__(self, kind: str, base_url: str) -> None:
        self.kind = kind
        self.url = f"{base_url}/local/issuers/{kind}"

    @property
    def trust(self) -> dict[str, str]:
        """What the authorizer is told of this issuer."""
        return {"kind": self.kind, "issuer": self.url, "audience": AUDIENCE, "jwks_uri": f"{self.url}/jwks.json"}

    @property
    def configuration(self) -> dict[str, Any]:
        """The discovery document of OpenID Connect."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks.json",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        }

    @property
    def jwks(self) -> dict[str, Any]:
        """The public keys."""
        return {"keys": [self._describe("RS256"), self._describe("ES256")]}

    def sign(self, claims: Mapping[str, Any], expires_in: int = 3600, algorithm: str = "RS256") -> str:
        """Make a token of the claims; what a token must say and the claims do not is filled in."""
        now = int(time.time())
        subject = next((str(claims[name]) for name in _SUBJECTS if claims.get(name)), str(uuid4()))
        filled = {
            "iss": self.url,
            "aud": AUDIENCE,
            "iat": now,
            "nbf": now,
            "exp": now + expires_in,
            "jti": str(uuid4()),
            "sub": subject,
        }
        header = {"alg": algorithm, "typ": "JWT", "kid": self._kid(algorithm)}
        signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(filled | dict(claims)).encode())}"
        return f"{signed}.{_encoded(self._signature(algorithm, signed.encode()))}"

    @cached_property
    def _rsa(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def _ec(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    def _kid(self, algorithm: str) -> str:
        return f"{self.kind}-{algorithm.lower()}"

    def _signature(self, algorithm: str, signed: bytes) -> bytes:
        if algorithm == "RS256":
            return self._rsa.sign(signed, padding.PKCS1v15(), SHA256())
        r, s = decode_dss_signature(self._ec.sign(signed, ec.ECDSA(SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    def _describe(self, algorithm: str) -> dict[str, str]:
        key = {"kid": self._kid(algorithm), "alg": algorithm, "use": "sig"}
        if algorithm == "RS256":
            public = self._rsa.public_key().public_numbers()
            return key | {"kty": "RSA", "n": _encoded(public.n.to_bytes(256)), "e": _encoded(public.e.to_bytes(3))}
        point = self._ec.public_key().public_numbers()
        return key | {
            "kty": "EC",
            "crv": "P-256",
            "x": _encoded(point.x.to_bytes(32)),
            "y": _encoded(point.y.to_bytes(32)),
        }


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
