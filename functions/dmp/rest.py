"""What the REST interactions of every resource share: version tags, conditions, created answers (FHIR R4 REST)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, NoReturn

from dmp.domain.code_lists import message
from dmp.domain.errors import Invalid, Malformed, NotFound, PreconditionFailed
from dmp.domain.identifiers import Identifier, split_resource_id
from dmp.exchange import Answer, Request
from dmp.fhir import bundle
from dmp.fhir.outcome import outcome
from dmp.fhir.search import Search

_TAG = re.compile(r'W/"(\d{1,9})"|"(\d{1,9})"', re.ASCII)


def address(request: Request, name: str = "id") -> tuple[str, str]:
    """Record and local id of a resource's id; NotFound for what is no id of ours."""
    parts = split_resource_id(request.path[name])
    if parts is None:
        raise NotFound("not-found")
    return parts


def version_of(request: Request) -> int:
    """The version that the path names; NotFound for what is no version."""
    text = request.path["version"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound("no-version")
    return int(text)


def expected_version(request: Request) -> int | None:
    """The version of `If-Match`; Malformed where it is none of ours, PreconditionFailed for another's tag."""
    header = request.headers.get("if-match", "").strip()
    if not header or header == "*":
        return None
    match = _TAG.fullmatch(header)
    if match is None:
        raise PreconditionFailed("version-conflict")
    return int(match[1] or match[2])


def criterion(request: Request) -> str:
    """The criterion of a conditional create, `If-None-Exist`, without a leading question mark."""
    return request.headers.get("if-none-exist", "").strip().removeprefix("?")


def identifier_condition(condition: Sequence[tuple[str, str]]) -> Identifier:
    """The identifier of a condition; Malformed for any other condition."""
    values = [value for name, value in condition if name == "identifier" and value]
    if len(condition) != 1 or len(values) != 1:
        raise Malformed("unsupported-criterion", "http.identifier", "a condition is one identifier: system|value")
    return Identifier.parse(values[0])


def version_headers(version: int, updated: datetime) -> dict[str, str]:
    """`ETag` and `Last-Modified` of a version."""
    modified = format_datetime(updated.astimezone(UTC).replace(microsecond=0), usegmt=True)
    return {"ETag": f'W/"{version}"', "Last-Modified": modified}


def one(resource: Mapping[str, Any], version: int, updated: datetime) -> Answer:
    """200 with one version of a resource."""
    return Answer(resource=resource, headers=version_headers(version, updated))


def saved(request: Request, resource: Mapping[str, Any], version: int, updated: datetime, *, created: bool) -> Answer:
    """201 or 200 after a write, with the resource unless `Prefer` asks for nothing, or for an OperationOutcome."""
    kind, identity = resource["resourceType"], resource["id"]
    headers = version_headers(version, updated)
    if created or _asked_to_create(request):
        headers["Location"] = f"{request.base_url}/{kind}/{identity}/_history/{version}"
    return Answer(status=201 if created else 200, resource=_returned(request, resource), headers=headers)


def _asked_to_create(request: Request) -> bool:
    """Whether what is answered is what the request would have made, had it not been there."""
    return request.method == "POST" and not request.path


def _returned(request: Request, resource: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if request.prefers("return=minimal"):
        return None
    if request.prefers("return=OperationOutcome"):
        return outcome("information", "informational", "saved", message("saved"))
    return resource


def require_body(request: Request) -> bytes:
    """The body; Malformed where there is none."""
    if not request.body:
        raise Malformed("malformed-json", detail="a body is required")
    return request.body


def searchset(
    search: Search,
    resources: Iterable[Mapping[str, Any]],
    *,
    record: str = "",
    total: int | None = None,
    cursor: str | None = None,
) -> Answer:
    """A page of matches; its links name the record, never an INS, and `cursor` leads to the next page."""
    entries = [(f"{search.base_url}/{r['resourceType']}/{r['id']}", r, bundle.MATCH) for r in resources]
    following = search.next_url(cursor, record) if cursor else None
    return Answer(resource=bundle.searchset(entries, total=total, self_url=search.self_url(record), next_url=following))


def deferred[Content](read: Callable[[], Content]) -> Callable[[], Content]:
    """Read a body now, but say only when asked what rule it breaks: after the decision (in the order of FHIR's checks).

    What cannot be parsed is refused at once.
    """
    try:
        content = read()
    except Invalid as broken:
        failure = broken
    else:
        return lambda: content

    def fail() -> NoReturn:
        raise failure

    return fail
