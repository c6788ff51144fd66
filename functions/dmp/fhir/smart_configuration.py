"""The discovery document of third-party apps: where they get tokens, and which scopes mean something here (SMART)."""

from typing import Any

from dmp.domain.authorization_server import AuthorizationServer
from dmp.fhir.capability_resources import RESOURCE_TYPES, ResourceType

_LETTERS = {
    "c": {"create"},
    "r": {"read", "vread", "history-instance"},
    "u": {"update", "patch"},
    "d": {"delete"},
    "s": {"search-type"},
}
_OF_IDENTITY = ("openid", "fhirUser", "offline_access", "launch/patient")
_CONTEXTS = ("patient", "user", "system")
_CAPABILITIES = (
    *("launch-standalone", "client-public", "sso-openid-connect", "context-standalone-patient"),
    *("permission-patient", "permission-user", "permission-offline", "permission-v1", "permission-v2"),
)


def smart_configuration(server: AuthorizationServer) -> dict[str, Any]:
    """What an app must know before it asks for a token; the tokens themselves are the issuer's to give."""
    return {
        "issuer": server.issuer,
        "jwks_uri": server.jwks_uri,
        "authorization_endpoint": server.authorization_endpoint,
        "token_endpoint": server.token_endpoint,
        "grant_types_supported": ["authorization_code"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": [*_OF_IDENTITY, *_scopes()],
        "capabilities": list(_CAPABILITIES),
    }


def _scopes() -> list[str]:
    named = [("*", "rs"), *((one.type, _letters(one)) for one in RESOURCE_TYPES)]
    return [f"{context}/{name}.{letters}" for context in _CONTEXTS for name, letters in named]


def _letters(one: ResourceType) -> str:
    return "".join(letter for letter, codes in _LETTERS.items() if codes.intersection(one.interactions))
