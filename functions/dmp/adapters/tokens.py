"""Verification of bearer JWTs against the trusted issuers: whatever is not expected is refused (RFC 7519, RFC 8725)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Never

from dmp.adapters.jose import decode_base64url, parse_object
from dmp.adapters.jwks import Algorithm, KeySet
from dmp.adapters.key_servers import KeyServers
from dmp.domain.claims import TrustedIssuer
from dmp.domain.errors import NotAuthenticated

LEEWAY_SECONDS = 60
TOKEN_LIMIT = 8192
_LAST_INSTANT = 253_402_300_799
_HEADER_NAMES = frozenset({"alg", "kid", "typ"})
_HEADER_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_PARTS = 3
_AUDIENCES = 20


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What an issuer vouches for, and which issuer it is."""

    issuer: TrustedIssuer
    claims: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Unverified:
    algorithm: Algorithm
    kid: str
    claims: Mapping[str, object]
    signed: bytes
    signature: bytes


class TokenVerifier:
    """Trusts the tokens of these issuers, each with the keys of its own JWKS. Threads may share it."""

    def __init__(self, issuers: Iterable[TrustedIssuer], revoked: Collection[tuple[str, str]] = ()) -> None:
        """`revoked` are issuers and ids of keys that are refused, whatever the issuer serves."""
        self._revoked = revoked
        servers = KeyServers()
        self._issuers = {issuer.issuer: (issuer, KeySet(issuer.jwks_uri, servers)) for issuer in issuers}

    def verify(self, token: str, now: float) -> VerifiedToken:
        """Return what the token says if all of it holds at that instant (seconds since 1970).

        Raises NotAuthenticated with the reason's code, Unavailable `issuer-unavailable`.
        """
        parsed = _parse(token)
        issuer, keys = self._trusted(parsed.claims.get("iss"))
        if (issuer.issuer, parsed.kid) in self._revoked:
            _refuse("token-key-revoked")
        key = keys.find(parsed.kid, now) or _refuse("token-key-unknown")
        if key.algorithm is not parsed.algorithm:
            _refuse("token-algorithm")
        if not key.verifies(parsed.signature, parsed.signed):
            _refuse("token-signature")
        _check_times(parsed.claims, now)
        _check_audience(parsed.claims, issuer.audience)
        if parsed.claims.get("typ", "Bearer") != "Bearer":
            _refuse("token-type")
        return VerifiedToken(issuer, parsed.claims)

    def _trusted(self, name: object) -> tuple[TrustedIssuer, KeySet]:
        found = self._issuers.get(name) if isinstance(name, str) else None
        return found or _refuse("token-issuer-unknown")


def bearer_token(headers: Mapping[str, str]) -> str:
    """The token of the Authorization header, whose name may be written in any case (RFC 6750 §2.1).

    Raises NotAuthenticated `token-missing`, and `token-malformed` when there are two.
    """
    values = [value for name, value in headers.items() if name.lower() == "authorization"]
    if not values:
        _refuse("token-missing")
    if len(values) > 1 or not isinstance(values[0], str):
        _refuse("token-malformed")
    scheme, _, token = values[0].strip().partition(" ")
    if scheme.lower() != "bearer":
        _refuse("token-missing")
    return token.strip() or _refuse("token-missing")


def _parse(token: str) -> _Unverified:
    parts = token.split(".")
    if len(token) > TOKEN_LIMIT or len(parts) != _PARTS or not token.isascii():
        _refuse("token-malformed")
    try:
        algorithm, kid = _read_header(parse_object(decode_base64url(parts[0])))
        claims, signature = parse_object(decode_base64url(parts[1])), decode_base64url(parts[2])
    except ValueError:
        _refuse("token-malformed")
    return _Unverified(algorithm, kid, claims, f"{parts[0]}.{parts[1]}".encode(), signature)


def _read_header(header: Mapping[str, object]) -> tuple[Algorithm, str]:
    """Algorithm and key id; a token that brings its own key, or any parameter not needed here, is refused."""
    algorithm, kid, media_type = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in set(Algorithm):
        _refuse("token-algorithm")
    if not header.keys() <= _HEADER_NAMES:
        _refuse("token-header")
    if not isinstance(media_type, str) or media_type.lower() not in _HEADER_TYPES:
        _refuse("token-type")
    if not isinstance(kid, str):
        _refuse("token-key-unknown")
    return Algorithm(algorithm), kid


def _check_times(claims: Mapping[str, object], now: float) -> None:
    expires, issued = _instant(claims, "exp"), _instant(claims, "iat")
    not_before = _instant(claims, "nbf") if "nbf" in claims else issued
    if now >= expires + LEEWAY_SECONDS:
        _refuse("token-expired")
    if max(issued, not_before) > now + LEEWAY_SECONDS:
        _refuse("token-not-yet-valid")


def _instant(claims: Mapping[str, object], name: str) -> int:
    """Whole seconds since 1970; JSON's `true`, fractions and instants beyond the year 9999 are none."""
    value = claims.get(name)
    if type(value) is not int or not 0 <= value <= _LAST_INSTANT:
        _refuse("token-claims-invalid", f"The claim {name} is missing or wrong.")
    return value


def _check_audience(claims: Mapping[str, object], expected: str) -> None:
    value = claims.get("aud")
    audiences = value if isinstance(value, list) else [value]
    if len(audiences) > _AUDIENCES or not all(isinstance(audience, str) for audience in audiences):
        _refuse("token-audience")
    if expected not in audiences:
        _refuse("token-audience")


def _refuse(code: str, detail: str | None = None) -> Never:
    raise NotAuthenticated(code, detail=detail)
