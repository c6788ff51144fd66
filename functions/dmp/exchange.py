"""A request as an endpoint sees it, and the answer it gives, free of API Gateway (FHIR R4 REST)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from dmp.domain.errors import Malformed, NotAuthenticated
from dmp.services.call import Call

FHIR_JSON = "application/fhir+json"
JSON_TYPES = frozenset({FHIR_JSON, "application/json"})
PATCH_TYPES = JSON_TYPES | {"application/json-patch+json"}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as an endpoint sees it; `path` are the values of the route's placeholders."""

    caller: Call | None
    method: str
    base_url: str
    path: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    @property
    def call(self) -> Call:
        """Who asks, on every route that is not public."""
        if self.caller is None:
            raise NotAuthenticated("token-missing")
        return self.caller

    @property
    def media_type(self) -> str:
        """The body's media type, without parameters."""
        return media_type(self.headers.get("content-type", ""))

    def prefers(self, preference: str) -> bool:
        """Whether a `Prefer` header states this preference."""
        stated = re.split(r"[,;]", re.sub(r'[\s"]', "", self.headers.get("prefer", "")).lower())
        return preference.lower() in stated

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Search parameters of the URL, and of the form of a POST `_search`."""
        if self.method != "POST" or self.media_type != FORM:
            return self.query
        return self.query + parse_query(self.body.decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back: a FHIR resource, bytes, or nothing."""

    status: int = 200
    resource: Mapping[str, Any] | None = None
    content: bytes | None = None
    media_type: str = FHIR_JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def media_type(header: str) -> str:
    """The media type of a header's value, without parameters, lower case."""
    return header.partition(";")[0].strip().lower()


def parse_query(text: str) -> tuple[tuple[str, str], ...]:
    """The pairs of a query string in order, repeated names kept."""
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100))
    except ValueError as failure:
        raise Malformed("malformed-query") from failure
