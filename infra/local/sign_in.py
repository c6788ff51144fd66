"""Where apps get their tokens on this machine: authorization code with PKCE, and a page to choose who signs in (SMART).

Nobody is asked for a password: the people are those of the demonstration.
"""

import hashlib
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode

from infra.local.events import HttpAnswer, HttpRequest
from infra.local.issuers import Issuer
from infra.local.personas import PERSONAS, Persona

_SECONDS_TO_EXCHANGE, _SECONDS_TO_USE = 60, 900
_NEEDED = ("client_id", "redirect_uri", "scope", "state", "code_challenge")


@dataclass(frozen=True, slots=True)
class _Grant:
    """What somebody agreed to, until the app fetches its token."""

    claims: Mapping[str, Any]
    client: str
    redirect: str
    challenge: str
    until: float


class SignIn:
    """The codes of one issuer; each is worth one token."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._grants: dict[str, _Grant] = {}

    def authorize(self, request: HttpRequest) -> HttpAnswer:
        """The page on which a person agrees; with `login_hint`, a persona's id, the way back to the app at once."""
        asked = {name: values[0] for name, values in parse_qs(request.query).items()}
        if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
            return _refused("unsupported_response_type")
        if any(not asked.get(name) for name in _NEEDED) or not asked["redirect_uri"].startswith(
            ("http://", "https://")
        ):
            return _refused("invalid_request")
        people = [one for one in PERSONAS if one.issuer == self._issuer.kind]
        who = next((one for one in people if one.id == asked.get("login_hint")), None)
        return self._sent_back(asked, who) if who else _page(asked, people)

    def _sent_back(self, asked: Mapping[str, str], who: Persona) -> HttpAnswer:
        code = secrets.token_urlsafe(32)
        claims = {**who.claims, "scope": asked["scope"], "azp": asked["client_id"]}
        until = time.time() + _SECONDS_TO_EXCHANGE
        self._grants[code] = _Grant(claims, asked["client_id"], asked["redirect_uri"], asked["code_challenge"], until)
        joint = "&" if "?" in asked["redirect_uri"] else "?"
        place = asked["redirect_uri"] + joint + urlencode({"code": code, "state": asked["state"]})
        return HttpAnswer(302, (("location", place),), b"")

    def token(self, request: HttpRequest) -> HttpAnswer:
        """The token for a code, to the app that shows the secret of its challenge."""
        sent = {name: values[0] for name, values in parse_qs(request.body.decode("ascii", "replace")).items()}
        grant = self._grants.pop(sent.get("code", ""), None)
        if sent.get("grant_type") != "authorization_code":
            return _refused("unsupported_grant_type")
        if grant is None or grant.until < time.time() or not _is_for(grant, sent):
            return _refused("invalid_grant")
        told = {
            "access_token": self._issuer.sign(grant.claims, _SECONDS_TO_USE),
            "token_type": "Bearer",  # nosec B105
            "expires_in": _SECONDS_TO_USE,
            "scope": grant.claims["scope"],
        }
        return HttpAnswer(200, (("content-type", "application/json"),), json.dumps(told).encode())


def _is_for(grant: _Grant, sent: Mapping[str, str]) -> bool:
    digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
    is_app = (sent.get("client_id"), sent.get("redirect_uri")) == (grant.client, grant.redirect)
    return is_app and urlsafe_b64encode(digest).rstrip(b"=").decode() == grant.challenge


def _page(asked: Mapping[str, str], people: list[Persona]) -> HttpAnswer:
    links = "".join(
        f'<li><a href="?{escape(urlencode({**asked, "login_hint": one.id}))}">{escape(one.description)}</a></li>'
        for one in people
    )
    scopes = "".join(f"<li>{escape(scope)}</li>" for scope in asked["scope"].split())
    page = (
        '<!doctype html><html lang="fr"><meta charset="utf-8"><title>Autoriser une application</title>'
        f"<h1>{escape(asked['client_id'])} demande un accès</h1><ul>{scopes}</ul><p>Accepter en tant que :</p>"
        f"<ul>{links}</ul></html>"
    )
    headers = (("content-type", "text/html; charset=utf-8"), ("content-security-policy", "default-src 'none'"))
    return HttpAnswer(200, headers, page.encode())


def _refused(error: str) -> HttpAnswer:
    return HttpAnswer(400, (("content-type", "application/json"),), json.dumps({"error": error}).encode())
