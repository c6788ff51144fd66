"""An HTTP API of API Gateway: finds the route, asks its authorizer, calls its function, answers in its place."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from infra.local.events import (
    HttpAnswer,
    HttpRequest,
    MalformedAnswer,
    RouteMatch,
    answer_of,
    authorizer_event,
    function_event,
    message,
)
from infra.local.runtime import FunctionFailed, PayloadTooLarge, Runtime
from infra.local.template import DEFAULT_ROUTE, Route

LARGEST_BODY = 10 * 1024 * 1024
LARGEST_HEAD = 10_240


class Gateway:
    """The routes of a template in front of its functions."""

    def __init__(self, routes: Sequence[Route], runtime: Runtime) -> None:
        self._routes = sorted(routes, key=_precedence)
        self._runtime = runtime

    def handle(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request as the deployed API would, its own refusals included."""
        if _head_size(request) > LARGEST_HEAD:
            return message(431, "Request Header Fields Too Large")
        if len(request.body) > LARGEST_BODY:
            return message(413, "Request Entity Too Large")
        request_id = str(uuid4())
        for route in self._routes:
            parameters = match(route, request)
            if parameters is not None:
                answer = self._call(route, RouteMatch(route.key, parameters), request, request_id)
                return HttpAnswer(answer.status, (*answer.headers, ("apigw-requestid", request_id)), answer.body)
        return message(404, "Not Found")

    def _call(self, route: Route, found: RouteMatch, request: HttpRequest, request_id: str) -> HttpAnswer:
        now = datetime.now(UTC)
        try:
            context = None
            if route.authorizer:
                verdict = self._runtime.invoke(route.authorizer, authorizer_event(request, found, request_id, now))
                if not _lets_pass(verdict):
                    return message(403, "Forbidden")
                context = verdict.get("context") or {}
            event = function_event(request, found, request_id, now, context)
            return answer_of(self._runtime.invoke(route.function, event), request.method)
        except PayloadTooLarge:
            return message(413, "Request Too Long")
        except (FunctionFailed, MalformedAnswer):
            return message(500, "Internal Server Error")


def match(route: Route, request: HttpRequest) -> Mapping[str, str] | None:
    """Return the path variables of a request that takes this route, None for one that does not."""
    if route.method not in {"ANY", request.method}:
        return None
    if route.path is None:
        return {}
    found = re.fullmatch(_pattern(route.path), request.path, re.DOTALL)
    return found.groupdict() if found else None


def _pattern(path: str) -> str:
    """Turn `/a/{b}/{c+}` into a regular expression: `{b}` is one segment, `{c+}` is all that follows."""
    parts = re.split(r"(\{\w+\+?\})", path)
    return "".join(
        rf"(?P<{part.strip('{+}')}>{'.+' if part.endswith('+}') else '[^/]+'})"
        if part.startswith("{")
        else re.escape(part)
        for part in parts
    )


def _precedence(route: Route) -> tuple[bool, bool, bool, int]:
    """Full matches first, then the longest greedy one, then `$default`; a method before ANY."""
    path = route.path or ""
    return (route.key == DEFAULT_ROUTE, "+}" in path, route.method == "ANY", -len(path))


def _lets_pass(verdict: Any) -> bool:
    return isinstance(verdict, dict) and verdict.get("isAuthorized") is True


def _head_size(request: HttpRequest) -> int:
    return len(request.method) + len(request.target) + sum(len(name) + len(value) for name, value in request.headers)
