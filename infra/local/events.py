"""What an HTTP API hands to a function and takes back: payload 2.0 of requests, authorizers and answers.

Not all of it is documented: the path arrives decoded and cut at a decoded question mark, cookies leave the headers,
and only a few content types count as text, `application/fhir+json` not among them.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

API_ID = "local00000"
ACCOUNT = "123456789012"
STAGE = "$default"
TEXT_TYPES = frozenset({"application/javascript", "application/json", "application/xml"})
HOP_BY_HOP = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})


class MalformedAnswer(Exception):
    """What a function returned is no answer of payload 2.0."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came over the wire: `target` undecoded, header names and duplicates as sent."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    client: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"

    @property
    def path(self) -> str:
        """The decoded path, cut at the first question mark even where that was encoded."""
        return unquote(self.target.partition("?")[0]).partition("?")[0]

    @property
    def query(self) -> str:
        """The query string as sent."""
        return self.target.partition("?")[2]

    @property
    def joined_headers(self) -> dict[str, str]:
        """Headers by lower-case name, duplicates joined by commas."""
        joined: dict[str, str] = {}
        for name, value in self.headers:
            joined[name.lower()] = f"{joined[name.lower()]},{value}" if name.lower() in joined else value
        return joined


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer ready for the wire; its length is the server's to say."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """The route a request takes, and the values of its path variables."""

    key: str
    path_parameters: Mapping[str, str]


def message(status: int, text: str) -> HttpAnswer:
    """An answer in the gateway's own words."""
    body = json.dumps({"message": text}).encode()
    return HttpAnswer(status, (("content-type", "application/json"),), body)


def function_event(
    request: HttpRequest, match: RouteMatch, request_id: str, now: datetime, context: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Make the event of a route's function; `context` is what its authorizer found."""
    event = _common(request, match, request_id, now)
    if context is not None:
        event["requestContext"]["authorizer"] = {"lambda": dict(context)}
    text = _is_text(request.joined_headers.get("content-type", ""))
    if request.body:
        event["body"] = request.body.decode(errors="replace") if text else base64.b64encode(request.body).decode()
    event["isBase64Encoded"] = bool(request.body) and not text
    return event


def authorizer_event(request: HttpRequest, match: RouteMatch, request_id: str, now: datetime) -> dict[str, Any]:
    """Make the event of a Lambda authorizer without identity sources."""
    arn = f"arn:aws:execute-api:eu-west-3:{ACCOUNT}:{API_ID}/{STAGE}/{request.method}{request.path}"
    own = {"type": "REQUEST", "routeArn": arn, "identitySource": None}
    return _common(request, match, request_id, now) | own


def answer_of(result: Any, method: str = "GET") -> HttpAnswer:
    """Turn what a function returned into an answer; without a `statusCode` the whole of it is a JSON body.

    The length that a function tells is that of an answer to HEAD alone.
    """
    if not isinstance(result, dict) or "statusCode" not in result:
        return HttpAnswer(200, (("content-type", "application/json"),), json.dumps(result).encode())
    headers = {str(name).lower(): str(value) for name, value in (result.get("headers") or {}).items()}
    headers.setdefault("content-type", "text/plain;charset=UTF-8")
    dropped = HOP_BY_HOP - {"content-length"} if method == "HEAD" else HOP_BY_HOP
    lines = [(name, value) for name, value in headers.items() if name not in dropped]
    lines += [("set-cookie", str(cookie)) for cookie in result.get("cookies") or ()]
    return HttpAnswer(_status(result["statusCode"]), tuple(lines), _body(result))


def _common(request: HttpRequest, match: RouteMatch, request_id: str, now: datetime) -> dict[str, Any]:
    headers = request.joined_headers
    cookies = [cookie.strip() for cookie in headers.pop("cookie", "").split(";") if cookie.strip()]
    domain = headers.get("host", "")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": match.key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": {name: value for name, value in headers.items() if name not in HOP_BY_HOP - {"content-length"}}
        | {
            "x-forwarded-for": request.client,
            "x-forwarded-port": domain.rpartition(":")[2],
            "x-forwarded-proto": "http",
        },
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.client,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": match.key,
            "stage": STAGE,
            "time": now.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
    }
    optional = {
        "cookies": cookies,
        "queryStringParameters": _joined(parse_qsl(request.query, keep_blank_values=True)),
        "pathParameters": dict(match.path_parameters),
    }
    return event | {name: value for name, value in optional.items() if value}


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _is_text(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type.startswith("text/") or media_type in TEXT_TYPES


def _status(value: Any) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or not 100 <= int(value) <= 599:
        raise MalformedAnswer("statusCode")
    return int(value)


def _body(result: Mapping[str, Any]) -> bytes:
    body = "" if result.get("body") is None else result["body"]
    if not isinstance(body, str):
        raise MalformedAnswer("body")
    if not result.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as failure:
        raise MalformedAnswer("body") from failure
