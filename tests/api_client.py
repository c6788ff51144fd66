"""A client of the API without a socket: the local gateway in front of the handlers, in the thread of the test.

Every FHIR body that comes back must be valid R4, and every error an OperationOutcome.
"""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit

from dmp.domain.requester import Requester
from dmp.domain.requester_context import context_of
from infra.local.events import HttpRequest
from infra.local.gateway import Gateway
from infra.local.runtime import LARGEST_PAYLOAD, Context, Runtime
from infra.local.template import Template
from tests.aws_stack import TEMPLATE
from tests.fhir_validity import Json, assert_valid_r4

HOST = "dmp.example"
BASE = f"https://{HOST}/fhir"
FHIR_JSON = "application/fhir+json"
JSON_PATCH = "application/json-patch+json"
FORM = "application/x-www-form-urlencoded"

type Caller = str | Requester | None

_known_caller: ContextVar[Requester | None] = ContextVar("known_caller", default=None)


@dataclass(frozen=True, slots=True)
class Response:
    """What the client receives; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        parsed = json.loads(self.body)
        assert isinstance(parsed, dict)
        return parsed

    @property
    def id(self) -> str:
        return str(self.json["id"])

    @property
    def code(self) -> str:
        """The dmp-error code of an OperationOutcome."""
        return str(self.json["issue"][0]["details"]["coding"][0]["code"])

    @property
    def resources(self) -> list[Json]:
        """The matches of a searchset."""
        entries = self.json.get("entry", [])
        return [entry["resource"] for entry in entries if entry.get("search", {}).get("mode", "match") == "match"]

    @property
    def links(self) -> dict[str, str]:
        """The links of a searchset by their relation."""
        return {link["relation"]: link["url"] for link in self.json.get("link", [])}


class Direct(Runtime):
    """Calls functions in the caller's own thread: what they raise, even `Killed`, reaches the test."""

    def invoke(self, name: str, event: Mapping[str, Any]) -> Any:
        """Call a function with JSON, as Lambda does; a known caller spares the authorizer."""
        function, caller = self._functions[name], _known_caller.get()
        if caller and event.get("type") == "REQUEST":
            return {"isAuthorized": True, "context": context_of(caller)}
        module, _, attribute = function.handler.rpartition(".")
        context = Context(function.name, function.memory, monotonic() + function.timeout)
        text = json.dumps(getattr(import_module(module), attribute)(json.loads(json.dumps(event)), context))
        assert len(text.encode()) <= LARGEST_PAYLOAD
        return json.loads(text)


class ApiClient:
    """Answers as the deployed API would; `as_` is a token, or a Requester to begin behind the authorizer."""

    def __init__(self) -> None:
        template = Template(TEMPLATE)
        self.functions = Direct(template)
        self._gateway = Gateway(template.routes, self.functions)

    def get(self, url: str, **options: Any) -> Response:
        return self.request("GET", url, **options)

    def head(self, url: str, **options: Any) -> Response:
        return self.request("HEAD", url, **options)

    def post(self, url: str, body: object = None, **options: Any) -> Response:
        return self.request("POST", url, body, **options)

    def put(self, url: str, body: object = None, **options: Any) -> Response:
        return self.request("PUT", url, body, **options)

    def patch(self, url: str, body: object = None, **options: Any) -> Response:
        return self.request("PATCH", url, body, **options)

    def delete(self, url: str, **options: Any) -> Response:
        return self.request("DELETE", url, **options)

    def search(self, url: str, parameters: Mapping[str, object], **options: Any) -> Response:
        """POST `_search` with a form; a list repeats its parameter."""
        return self.request("POST", f"{url}/_search", urlencode(parameters, doseq=True), content_type=FORM, **options)

    def run(self, function: str, event: Mapping[str, Any] | None = None) -> Any:
        """Invoke a function that has no route: a job, a consumer of a stream."""
        return self.functions.invoke(function, event or {})

    def request(
        self,
        method: str,
        url: str,
        body: object = None,
        *,
        as_: Caller = None,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Response:
        """Send a request to a path or an absolute link; a mapping goes as FHIR JSON, a list as JSON Patch."""
        data, media_type = _encoded(body)
        sent = {"Host": HOST, "User-Agent": "tests"}
        if data or content_type:
            sent |= {"Content-Type": content_type or media_type, "Content-Length": str(len(data))}
        if isinstance(as_, str):
            sent["Authorization"] = f"Bearer {as_}"
        request = HttpRequest(method, _target(url), tuple((sent | dict(headers or {})).items()), data)
        known = _known_caller.set(as_ if isinstance(as_, Requester) else None)
        try:
            answer = self._gateway.handle(request)
        finally:
            _known_caller.reset(known)
        response = Response(answer.status, dict(answer.headers), answer.body)
        _check(method, response)
        return response


def _encoded(body: object) -> tuple[bytes, str]:
    match body:
        case None:
            return b"", FHIR_JSON
        case bytes():
            return body, FHIR_JSON
        case str():
            return body.encode(), FHIR_JSON
        case list():
            return json.dumps(body).encode(), JSON_PATCH
        case _:
            return json.dumps(body, ensure_ascii=False).encode(), FHIR_JSON


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _check(method: str, response: Response) -> None:
    """What must hold of every answer, whatever was asked."""
    is_fhir = response.headers.get("content-type", "").startswith(FHIR_JSON)
    if response.body and is_fhir:
        assert_valid_r4(response.json)
    if response.status in {204, 304} or method == "HEAD":
        assert not response.body
    elif response.status >= 400:
        assert is_fhir, f"{response.status} without FHIR: {response.body[:200]!r}"
        assert response.json["resourceType"] == "OperationOutcome"
