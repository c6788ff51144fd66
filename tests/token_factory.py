"""Signed tokens of the four kinds of issuer, with claims a test may change, and the means to forge them."""

import binascii
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from dmp.domain.claims import IssuerKind
from dmp.domain.identifiers import INS_NIR_TEST

AUDIENCE = "https://dmp.example/fhir"
PROFESSION_SYSTEM = "1.2.250.1.213.1.1.5.5"


@dataclass(frozen=True)
class SigningKey:
    """A private key under its id."""

    kid: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @property
    def algorithm(self) -> str:
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"

    def sign(self, message: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(message, padding.PKCS1v15(), SHA256())
        r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    def jwk(self, **members: object) -> dict[str, object]:
        """The public half as a member of a JWKS."""
        described = {"kid": self.kid, "use": "sig", "alg": self.algorithm, **self._numbers()}
        return {**described, **members}

    def _numbers(self) -> dict[str, object]:
        if isinstance(self.private, rsa.RSAPrivateKey):
            numbers = self.private.public_key().public_numbers()
            size = (numbers.n.bit_length() + 7) // 8
            return {"kty": "RSA", "n": base64url(numbers.n.to_bytes(size)), "e": base64url(numbers.e.to_bytes(3))}
        point = self.private.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "x": base64url(point.x.to_bytes(32)), "y": base64url(point.y.to_bytes(32))}


@cache
def rsa_key(kid: str, bits: int = 2048) -> SigningKey:
    """The RSA key of that id, the same for the whole session."""
    return SigningKey(kid, rsa.generate_private_key(public_exponent=65537, key_size=bits))


@cache
def ec_key(kid: str) -> SigningKey:
    """The P-256 key of that id, the same for the whole session."""
    return SigningKey(kid, ec.generate_private_key(ec.SECP256R1()))


def base64url(data: bytes) -> str:
    """Unpadded, as JOSE wants it."""
    return binascii.b2a_base64(data, newline=False).decode().translate(str.maketrans("+/", "-_")).rstrip("=")


def compact(header: object, payload: object, sign: Callable[[bytes], bytes]) -> str:
    """A JWT of any header and payload, sound or not; bytes are taken as they are."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    message = ".".join(base64url(part) for part in parts)
    return f"{message}.{base64url(sign(message.encode()))}"


def ins_with_key(number: str) -> str:
    """The 15 characters of an INS out of its 13, Corsica included."""
    department = {"2A": "19", "2B": "18"}.get(number[5:7], number[5:7])
    counted = number[:5] + department + number[7:]
    return f"{number}{97 - int(counted) % 97:02d}"


class TokenFactory:
    """Four issuers, one of each kind, whose key sets are published below `jwks_base`."""

    def __init__(self, jwks_base: str = "http://127.0.0.1:9", clock: Callable[[], float] = time.time) -> None:
        self.jwks_base = jwks_base
        self.clock = clock

    def key(self, kind: IssuerKind) -> SigningKey:
        """Establishments and insurers sign with ES256, the others with RS256."""
        elliptic = kind in {IssuerKind.ESTABLISHMENT, IssuerKind.INSURER}
        return ec_key(f"{kind}-1") if elliptic else rsa_key(f"{kind}-1")

    def issuer(self, kind: IssuerKind) -> str:
        return f"https://{kind}.example"

    def issuers(self) -> str:
        """The variable ISSUERS."""
        return json.dumps(
            [
                {
                    "kind": kind,
                    "issuer": self.issuer(kind),
                    "audience": AUDIENCE,
                    "jwks_uri": f"{self.jwks_base}/{kind}/jwks.json",
                }
                for kind in IssuerKind
            ]
        )

    def jwks(self, kind: IssuerKind, *more: Mapping[str, object]) -> bytes:
        """The key set that this issuer publishes."""
        return json.dumps({"keys": [self.key(kind).jwk(), *more]}).encode()

    def claims(self, kind: IssuerKind, **claims: object) -> dict[str, object]:
        """What every token says; the given claims win."""
        now = int(self.clock())
        registered = {"iss": self.issuer(kind), "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 900}
        return {**registered, "sub": f"subject-of-{kind}", "jti": "token-1", **claims}

    def sign(self, kind: IssuerKind, claims: object, key: SigningKey | None = None, **header: Any) -> str:
        """A token of this issuer that says exactly that; `header` adds to or replaces its parameters."""
        key = key or self.key(kind)
        return compact({"alg": key.algorithm, "typ": "JWT", "kid": key.kid, **header}, claims, key.sign)

    def professional(self, **claims: Any) -> str:
        """A physician by Pro Santé Connect; see `professional_claims` for what can be told short."""
        return self._token(IssuerKind.PRO_SANTE_CONNECT, professional_claims(**claims))

    def employee(self, structure: str = "1750100125", subject_id: str = "secretaire-7", **claims: object) -> str:
        """A secretary with a CPE card."""
        defaults = {"Identifiant_Structure": structure, "Authentification_Mode": "DIRECTE", "subject_id": subject_id}
        return self._token(IssuerKind.ESTABLISHMENT, {**defaults, **claims})

    def server(self, structure: str = "1750100125", **claims: object) -> str:
        """A server certificate alone."""
        defaults = {"Identifiant_Structure": structure, "Authentification_Mode": "INDIRECTE", "LPS_Nom": "Hopital"}
        return self._token(IssuerKind.ESTABLISHMENT, {**defaults, "LPS_Version": "1.2", **claims})

    def air(self, server_structure: str = "1750100125", **claims: Any) -> str:
        """A server certificate reinforced by Pro Santé Connect."""
        defaults = {"Identifiant_Structure": server_structure, "Authentification_Mode": "INDIRECTE_RENFORCEE"}
        return self._token(IssuerKind.ESTABLISHMENT, {**defaults, **professional_claims(**claims)})

    def patient(self, ins: str = f"{INS_NIR_TEST}|{ins_with_key('2850775056123')}", **claims: object) -> str:
        """A person with her INS."""
        defaults = {
            "ins": ins,
            "given_name": "Camille",
            "family_name": "DUVAL",
            "birthdate": "1985-07-14",
            "gender": "female",
            "email": "camille.duval@example.org",
        }
        return self._token(IssuerKind.PATIENT, {**defaults, **claims})

    def insurer(self, role: str = "CPAM_AGENT", agent_id: str = "agent-751", **claims: object) -> str:
        """An agent at the desk, or the feed of the CNAM."""
        return self._token(IssuerKind.INSURER, {"role": role, "agent_id": agent_id, **claims})

    def _token(self, kind: IssuerKind, claims: Mapping[str, object]) -> str:
        return self.sign(kind, self.claims(kind, **claims))


def professional_claims(
    rpps: str = "10101234567",
    profession: str = "10",
    structure: str | None = "1750100125",
    specialties: tuple[str, ...] = ("SM26",),
    **claims: object,
) -> dict[str, object]:
    """What Pro Santé Connect says of a professional; the given claims win."""
    exercices = [{"codeProfession": profession, "codeSavoirFaire": code} for code in specialties]
    return {
        "SubjectNameID": f"8{rpps}",
        "SubjectRole": [f"{profession}^{PROFESSION_SYSTEM}"],
        "SubjectOrganizationID": structure,
        "SubjectOrganization": "Cabinet du Parc" if structure else None,
        "Secteur_Activite": "SA07^1.2.250.1.71.4.2.4",
        "Acces_Regulation_Medicale": "FAUX",
        "SubjectRefPro": {"exercices": exercices},
        "given_name": "Alix",
        "family_name": "MARTIN",
        **claims,
    }
