"""The routes below /local, which exist nowhere else: tokens, keys, jobs, clock, mails and people (README)."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from email import message_from_string, policy
from typing import Any

from infra.local.clock import Clock
from infra.local.events import HttpAnswer, HttpRequest, message
from infra.local.issuers import KINDS, Issuer
from infra.local.lambda_api import LambdaApi
from infra.local.personas import PERSONAS
from infra.local.resources import ACCOUNT, REGION
from infra.local.runtime import FunctionFailed, Runtime
from infra.local.sign_in import SignIn

PREFIX = "/local/"
DAY_SECONDS = 86_400

type Json = dict[str, Any]


class BadRequest(Exception):
    """The body is not what the route takes; the text says why."""


class Controls:
    """What the local stack offers besides the API."""

    def __init__(self, issuers: Mapping[str, Issuer], runtime: Runtime, clock: Clock) -> None:
        self._issuers = issuers
        self._runtime = runtime
        self._clock = clock
        self._lambda = LambdaApi(runtime)
        self._sign_ins = {kind: SignIn(issuer) for kind, issuer in issuers.items()}
        self._routes: Mapping[tuple[str, ...], Callable[..., Any]] = {
            ("POST", "token"): self._token,
            ("POST", "clock"): self._move_clock,
            ("POST", "jobs", "*"): self._run_job,
            ("GET", "aws"): self._aws,
            ("GET", "outbox"): self._outbox,
            ("GET", "personas"): self._personas,
            ("GET", "issuers", "*", "jwks.json"): self._jwks,
            ("GET", "issuers", "*", ".well-known", "openid-configuration"): self._configuration,
        }

    def handle(self, request: HttpRequest) -> HttpAnswer:
        """Answer a request below /local."""
        asked = (request.method, *request.path.removeprefix(PREFIX).split("/"))
        match asked:
            case (method, "lambda", _, "functions", name, *rest):
                return self._lambda.handle(method, name, "/".join(rest), request.body)
            case ("GET", "issuers", kind, "authorize") if kind in self._sign_ins:
                return self._sign_ins[kind].authorize(request)
            case ("POST", "issuers", kind, "token") if kind in self._sign_ins:
                return self._sign_ins[kind].token(request)
        for route, respond in self._routes.items():
            if len(route) == len(asked) and all(want in ("*", got) for want, got in zip(route, asked, strict=True)):
                names = [got for want, got in zip(route, asked, strict=True) if want == "*"]
                return self._respond(respond, names, request)
        return message(404, "Not Found")

    def _respond(self, respond: Callable[..., Any], names: list[str], request: HttpRequest) -> HttpAnswer:
        try:
            answer = respond(*names, *([_json(request.body)] if request.method == "POST" else []))
        except BadRequest as problem:
            return message(400, str(problem))
        except KeyError:
            return message(404, "Not Found")
        except FunctionFailed as failure:
            return _answer(500, {"errorType": failure.kind, "errorMessage": failure.text})
        return _answer(200, answer)

    def _token(self, body: Json) -> Json:
        issuer = self._issuers.get(body.get("issuer", ""))
        claims, expires_in = body.get("claims", {}), body.get("expires_in", 3600)
        algorithm = body.get("algorithm", "RS256")
        if issuer is None:
            raise BadRequest(f"issuer is one of {', '.join(KINDS)}")
        if not isinstance(claims, dict) or not isinstance(expires_in, int) or algorithm not in {"RS256", "ES256"}:
            raise BadRequest("claims is an object, expires_in a number of seconds, algorithm RS256 or ES256")
        token = issuer.sign(claims, expires_in, algorithm)
        return {"access_token": token, "token_type": "Bearer", "expires_in": expires_in}  # nosec B105

    def _move_clock(self, body: Json) -> Json:
        seconds = body.get("offset_seconds")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise BadRequest("offset_seconds is the distance from real time, in seconds")
        try:
            now = self._clock.move(timedelta(seconds=seconds))
        except OverflowError:
            raise BadRequest("offset_seconds leads out of the calendar") from None
        return {"offset_seconds": seconds, "now": now.isoformat()}

    def _run_job(self, name: str, body: Json) -> Any:
        return self._runtime.invoke(self._runtime.jobs[name], body)

    def _aws(self) -> Json:
        return {"endpoint": os.environ["AWS_ENDPOINT_URL"]}

    def _jwks(self, kind: str) -> Json:
        return self._issuers[kind].jwks

    def _configuration(self, kind: str) -> Json:
        return self._issuers[kind].configuration

    def _personas(self) -> list[Json]:
        return [
            {
                "id": each.id,
                "description": each.description,
                "issuer": each.issuer,
                "claims": each.claims,
                "access_token": self._issuers[each.issuer].sign(each.claims, DAY_SECONDS),
            }
            for each in PERSONAS
        ]

    def _outbox(self) -> list[Json]:
        from moto.ses.models import ses_backends

        return [_mail(sent) for sent in ses_backends[ACCOUNT][REGION].sent_messages]


def _mail(sent: Any) -> Json:
    """A message as moto keeps it: its parts apart, or as one text."""
    if not hasattr(sent, "raw_data"):
        return {"to": sent.destinations.get("ToAddresses", []), "subject": sent.subject, "text": sent.body}
    whole = message_from_string(sent.raw_data, policy=policy.default)
    body = whole.get_body(preferencelist=("plain", "html"))
    return {"to": sent.destinations, "subject": whole["subject"], "text": body.get_content() if body else ""}


def _json(body: bytes) -> Json:
    try:
        content = json.loads(body or b"{}")
    except ValueError:
        raise BadRequest("the body is not JSON") from None
    if not isinstance(content, dict):
        raise BadRequest("the body is not a JSON object")
    return content


def _answer(status: int, content: Any) -> HttpAnswer:
    return HttpAnswer(status, (("content-type", "application/json"),), json.dumps(content).encode())
