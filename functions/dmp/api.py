"""FHIR over API Gateway: one event in, one answer out, an OperationOutcome for every failure (FHIR R4 REST)."""

import base64
import json
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from dmp import negotiation
from dmp.domain.code_lists import message
from dmp.domain.correlation import correlation_id, follow
from dmp.domain.errors import (
    DmpError,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Refused,
    TooLarge,
    UnknownRoute,
)
from dmp.domain.requester_context import requester_of
from dmp.domain.smart_scopes import OUT_OF_SCOPE, with_route
from dmp.domain.stated_purpose import with_headers
from dmp.exchange import FHIR_JSON, JSON_TYPES, Answer, Request, parse_query
from dmp.failures import status_of
from dmp.fhir import outcome
from dmp.observability import logger
from dmp.revalidation import is_known
from dmp.services.call import Call

if TYPE_CHECKING:
    from dmp.services.quotas import LookUps

LARGEST_BODY = 4_718_592
"""4.5 MiB of decoded body: what base64 leaves of Lambda's 6 MB."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_PREFIX = "/fhir"
_WRITING = frozenset({"POST", "PUT", "PATCH"})
type Clock = Callable[[], datetime]
_RETRY_AFTER = {429: "3600", 503: "1"}
"""Seconds: a quota is one of an hour."""


@dataclass(frozen=True, slots=True)
class Route:
    """`pattern` is a path below /fhir whose `{name}` segments are handed to the endpoint; `media` limits the body."""

    method: str
    pattern: str
    endpoint: Callable[[Request], Answer]
    media: frozenset[str] = JSON_TYPES
    any_answer: bool = False
    """Whether the endpoint chooses its own answer type by `Accept`."""
    public: bool = False
    """Whether it answers without a token."""

    def match(self, segments: Sequence[str]) -> dict[str, str] | None:
        """The placeholders' values, or None where the path is another."""
        wanted = [s for s in self.pattern.split("/") if s]
        if len(wanted) != len(segments):
            return None
        values = {}
        for want, got in zip(wanted, segments, strict=True):
            if want.startswith("{"):
                if got.startswith(("$", "_")):
                    return None
                values[want[1:-1]] = got
            elif want != got:
                return None
        return values


class Api:
    """The routes of one function, and everything that all of them share; whoever knows records counts look-ups."""

    def __init__(
        self, routes: Sequence[Route], *, clock: Clock, base_url: str = "", look_ups: "LookUps | None" = None
    ) -> None:
        self._routes = routes
        self._clock = clock
        self._base_url = base_url
        self._look_ups = look_ups

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one event of an HTTP API (payload 2.0)."""
        headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
        request_id = _request_id(headers, event)
        follow(correlation_id(request_id, str(event["requestContext"].get("requestId", ""))))
        method = event["requestContext"]["http"]["method"]
        route, path = self._route(method, event.get("rawPath", ""))
        code, request = "", None
        try:
            request = self._admit(event, route, path, headers, request_id)
            answer = _conditional(request, self._answered(route, request))
        except DmpError as failure:
            failure = _as_told(failure, request)
            answer, code = refusal(failure), failure.code
        except Exception as crash:  # noqa: BLE001 - the last resort: the caller learns nothing of the inside
            logger.error("request_crashed", extra={"error": type(crash).__name__, "at": _place(crash)})
            answer, code = Answer(status=500, resource=_outcome("exception", "internal-error")), "internal-error"
        logger.info(
            "request",
            extra={
                "route": route.pattern,
                "method": method,
                "status": answer.status,
                "code": code,
            },
        )
        return _response(answer, request_id, method)

    def _admit(
        self,
        event: Mapping[str, Any],
        route: Route,
        path: Mapping[str, str],
        headers: Mapping[str, str],
        request_id: str,
    ) -> Request:
        """Authenticate first, so that a stranger learns nothing, not even of routes."""
        caller = None
        if not route.public:
            requester = requester_of(event["requestContext"].get("authorizer", {}).get("lambda"))
            requester = with_headers(requester, headers)
            if route.method:
                requester = with_route(requester, route.method, route.pattern, headers)
            caller = Call(requester, self._clock(), request_id)
        method, query = event["requestContext"]["http"]["method"], parse_query(event.get("rawQueryString", ""))
        headers = {**headers, "accept": negotiation.accepted(headers, query)}
        if method in _WRITING:
            negotiation.check_body(headers.get("content-type", ""), route.media)
        if not route.any_answer:
            negotiation.check_answer(headers["accept"])
        return Request(
            caller=caller,
            method=method,
            base_url=(self._base_url or f"https://{event['requestContext'].get('domainName', '')}") + _PREFIX,
            path=path,
            query=query,
            headers=headers,
            body=_body(event),
        )

    def _answered(self, route: Route, request: Request) -> Answer:
        """The endpoint's answer; whatever the decision was not asked of is refused here to who may do nothing."""
        caller = request.caller
        with self._look_ups.watching(caller) if self._look_ups and caller else nullcontext():
            answer = route.endpoint(request)
        if caller and caller.requester.refusal:
            raise Refused(caller.requester.refusal)
        return answer

    def _route(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]]:
        segments = [unquote(s) for s in raw_path.removeprefix(_PREFIX).split("/") if s]
        wanted = "GET" if method == "HEAD" else method
        matches = [(route, values) for route in self._routes if (values := route.match(segments)) is not None]
        found = next((match for match in matches if match[0].method == wanted), None)
        is_known = bool(matches) or segments in [[route.pattern.partition("/")[0]] for route in self._routes]
        return found or ((_NOT_ALLOWED if is_known else _UNKNOWN), {})


def _as_told(failure: DmpError, request: Request | None) -> DmpError:
    """What a caller who may do nothing is told is the same whatever there is."""
    if request and request.caller and request.caller.requester.refusal and isinstance(failure, NotFound | Refused):
        return Refused(request.caller.requester.refusal)
    return failure


def _place(crash: BaseException) -> str:
    """Where it happened; never the exception's text, which may hold what a patient sent."""
    frame = traceback.extract_tb(crash.__traceback__)[-1]
    return f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"


def _unknown_route(_request: Request) -> Answer:
    raise UnknownRoute("unknown-route")


def _not_allowed(_request: Request) -> Answer:
    raise NotAllowed("method-not-allowed")


_ANY_MEDIA: frozenset[str] = frozenset()
_UNKNOWN = Route("", "unknown", _unknown_route, _ANY_MEDIA, any_answer=True)
_NOT_ALLOWED = Route("", "not-allowed", _not_allowed, _ANY_MEDIA, any_answer=True)


def _request_id(headers: Mapping[str, str], event: Mapping[str, Any]) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else str(event["requestContext"].get("requestId", ""))


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    data = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")
    if len(data) > LARGEST_BODY:
        raise TooLarge("too-large", detail="use an upload for large files: POST DocumentReference without data")
    return data


def _conditional(request: Request, answer: Answer) -> Answer:
    """Answer 304 where the caller already has this version."""
    if answer.status == 200 and is_known(request, answer.headers):
        return replace(answer, status=304, resource=None, content=None)
    return answer


def refusal(failure: DmpError) -> Answer:
    """The OperationOutcome of a failure."""
    status, issue_type = status_of(failure)
    headers = {"WWW-Authenticate": 'Bearer realm="dmp"'} if isinstance(failure, NotAuthenticated) else {}
    if failure.code == OUT_OF_SCOPE:
        headers = {"WWW-Authenticate": 'Bearer realm="dmp", error="insufficient_scope"'}
    if status in _RETRY_AFTER:
        headers = {"Retry-After": _RETRY_AFTER[status]}
    resource = _outcome(issue_type, failure.code, failure.expression, failure.detail)
    return Answer(status=status, resource=resource, headers=headers)


def _outcome(issue_type: str, code: str, expression: str | None = None, detail: str | None = None) -> dict[str, Any]:
    return outcome.outcome("error", issue_type, code, message(code), [expression] if expression else [], detail)


def _response(answer: Answer, request_id: str, method: str) -> dict[str, Any]:
    headers = {
        "X-Request-Id": request_id,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **answer.headers,
    }
    response: dict[str, Any] = {"statusCode": answer.status, "headers": headers, "isBase64Encoded": False, "body": ""}
    if answer.resource is not None:
        response["body"] = json.dumps(answer.resource, ensure_ascii=False, separators=(",", ":"))
        headers["Content-Type"] = f"{FHIR_JSON}; charset=utf-8"
    elif answer.content is not None:
        response["body"] = base64.b64encode(answer.content).decode()
        response["isBase64Encoded"] = True
        headers["Content-Type"] = answer.media_type
    if method == "HEAD":
        length = len(answer.content if answer.content is not None else response["body"].encode())
        told = {"Content-Length": str(length)} if length else {}
        response |= {"body": "", "isBase64Encoded": False, "headers": told | headers}
    return response
