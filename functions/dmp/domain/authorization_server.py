"""Where third-party apps get their tokens: the server that vouches for their users (SMART App Launch, discovery)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationServer:
    """The addresses of one trusted issuer, as apps need them."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str
    token_endpoint: str
