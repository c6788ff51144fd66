"""The authorizer loaded as Lambda loads it, with issuers whose key sets a server of the test publishes."""

import importlib
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from dmp.domain.claims import IssuerKind
from dmp.domain.requester import Requester
from dmp.domain.requester_context import requester_of
from tests.forged_tokens import UNUSABLE_KEYS
from tests.issuer_server import IssuerServer
from tests.token_factory import TokenFactory

type Handler = Callable[[dict[str, Any], object], dict[str, Any]]


@dataclass(frozen=True)
class Stack:
    """An authorizer as loaded by Lambda, its issuers' tokens and the server of their keys."""

    handler: Handler
    tokens: TokenFactory
    server: IssuerServer

    def context(self, token: str) -> dict[str, str]:
        """What the handlers behind get to see."""
        answer = self.handler(event({"authorization": f"Bearer {token}"}), None)
        assert answer["isAuthorized"] is True
        context: dict[str, str] = answer["context"]
        return context

    def requester(self, token: str) -> Requester:
        """The caller that the handlers behind take it for."""
        return requester_of(self.context(token))

    def refusal(self, token: str) -> str:
        """The reason why there is no requester, or none that may do anything."""
        context = self.context(token)
        if "requester" in context:
            return requester_of(context).refusal
        return context["refusal"]


def event(headers: dict[str, str]) -> dict[str, Any]:
    """An HTTP API event of payload 2.0, as far as the authorizer reads it."""
    return {"version": "2.0", "headers": headers, "requestContext": {"requestId": "request-1"}}


@contextmanager
def deployed(
    stage: str = "local", log_level: str = "INFO", tls: ssl.SSLContext | None = None, edge_secret: str = ""
) -> Iterator[Stack]:
    """Load the authorizer anew, with four issuers whose keys a server of the test publishes."""
    with IssuerServer(tls) as server, pytest.MonkeyPatch.context() as patch:
        tokens = TokenFactory(server.url)
        for kind in IssuerKind:
            server.documents[f"/{kind}/jwks.json"] = tokens.jwks(kind, *UNUSABLE_KEYS)
        patch.setenv("ISSUERS", tokens.issuers())
        patch.setenv("STAGE", stage)
        patch.setenv("LOG_LEVEL", log_level)
        patch.setenv("EDGE_SECRET", edge_secret)
        patch.delitem(sys.modules, "handlers.authorizer", raising=False)
        module = importlib.import_module("handlers.authorizer")
        try:
            yield Stack(module.handler, tokens, server)
        finally:
            # nobody else is to meet it: what was there before, if anything, comes back
            sys.modules.pop("handlers.authorizer", None)
