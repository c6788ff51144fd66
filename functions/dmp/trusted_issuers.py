"""Whose tokens are believed: the list of issuers that a deployment configures."""

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from dmp.domain.authorization_server import AuthorizationServer
from dmp.domain.claims import IssuerKind, TrustedIssuer

_ISSUER_FIELDS = frozenset({"kind", "issuer", "audience", "jwks_uri"})
_KEY_FIELDS = frozenset({"issuer", "kid"})


def issuers_from(text: str, *, plain_http: bool) -> tuple[TrustedIssuer, ...]:
    """Read the JSON list of trusted issuers; ValueError says what is wrong with it."""
    items = _json(text)
    if not isinstance(items, list) or not items:
        raise ValueError("must be a JSON list of at least one issuer")
    issuers = tuple(_issuer(item, plain_http=plain_http) for item in items)
    if len({issuer.issuer for issuer in issuers}) != len(issuers):
        raise ValueError("names an issuer twice")
    return issuers


def revoked_keys_from(text: str) -> frozenset[tuple[str, str]]:
    """Read the JSON list of keys that are refused, each by its issuer and id; ValueError where it is none."""
    items = _json(text)
    if not isinstance(items, list) or not all(isinstance(one, dict) and one.keys() == _KEY_FIELDS for one in items):
        raise ValueError("must be a JSON list of objects of exactly issuer, kid")
    if not all(isinstance(value, str) and value for one in items for value in one.values()):
        raise ValueError("must hold non-empty texts only")
    return frozenset((one["issuer"], one["kid"]) for one in items)


def _json(text: str) -> object:
    """Its content; ValueError, which repeats nothing of it, where it is none."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise ValueError("is not JSON") from None


def _issuer(item: object, *, plain_http: bool) -> TrustedIssuer:
    if not isinstance(item, dict) or item.keys() != _ISSUER_FIELDS:
        raise ValueError(f"must hold objects of exactly {', '.join(sorted(_ISSUER_FIELDS))}")
    if not all(isinstance(value, str) and value for value in item.values()):
        raise ValueError("must hold non-empty texts only")
    if item["kind"] not in set(IssuerKind):
        raise ValueError(f"knows the kinds {', '.join(IssuerKind)} only")
    if not is_url(item["jwks_uri"], plain_http=plain_http):
        raise ValueError("needs an https address as jwks_uri")
    return TrustedIssuer(
        kind=IssuerKind(item["kind"]), issuer=item["issuer"], audience=item["audience"], jwks_uri=item["jwks_uri"]
    )


def authorization_server(
    issuers: Iterable[TrustedIssuer], authorization_endpoint: str, token_endpoint: str
) -> AuthorizationServer | None:
    """The issuer of people's tokens, with the addresses where apps get theirs; None where people have no issuer."""
    issuer = next((one for one in issuers if one.kind is IssuerKind.PATIENT), None)
    if issuer is None:
        return None
    return AuthorizationServer(
        issuer=issuer.issuer,
        jwks_uri=issuer.jwks_uri,
        authorization_endpoint=authorization_endpoint,
        token_endpoint=token_endpoint,
    )


def is_url(text: str, *, plain_http: bool) -> bool:
    """Whether it is the address of a host, over HTTPS unless plain HTTP is allowed."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) and parts.scheme in ({"http", "https"} if plain_http else {"https"})
