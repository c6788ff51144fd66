"""Patient $everything: what is asked, and the pages that answer it (FHIR R4 Operation Patient-everything)."""

from datetime import datetime
from typing import TYPE_CHECKING

from dmp.exchange import Answer, Request
from dmp.fhir.search import Search, malformed_parameter
from dmp.fhir.search_parameters import Kind, Parameter, parse_search
from dmp.fhir.times import parse_datetime
from dmp.record_answers import record_id
from dmp.record_rendering import resource_of
from dmp.rest import searchset
from dmp.services.everything import EverythingQuery, EverythingService
from dmp.services.record_contents import TYPES

if TYPE_CHECKING:
    from dmp.history_answers import Cursors

_TYPE, _SINCE = Parameter("_type", Kind.URI), Parameter("_since", Kind.URI)


def everything(request: Request, service: EverythingService, cursors: "Cursors") -> Answer:
    """A page of what the caller may see, with links that lead on for the same caller and query alone."""
    record = record_id(request)
    search = parse_search(
        request.query,
        (_TYPE, _SINCE),
        base_url=request.base_url,
        resource_type=f"Patient/{record}/$everything",
        strict=request.prefers("handling=strict"),
    )
    context = search.cursor_context(request.call.requester.identifier)
    query = EverythingQuery(
        record=record,
        types=_types(search),
        since=_since(search),
        count=search.count,
        after=cursors.open(search.cursor, context) if search.cursor else "",
        described=search.described(),
    )
    page = service.page(request.call, query)
    resources = [resource_of(one.thing, request.base_url) for one in page.found]
    cursor = cursors.seal(page.next, context) if page.next else None
    return searchset(search, resources, total=page.total, cursor=cursor)


def _types(search: Search) -> frozenset[str]:
    """The types that are asked for, all of them where none is named; Malformed for one that no record holds."""
    named = frozenset(name.strip() for names in search.texts("_type") for name in names)
    if not named <= set(TYPES):
        raise malformed_parameter("invalid-parameter", "_type", f"known are {', '.join(TYPES)}")
    return named or frozenset(TYPES)


def _since(search: Search) -> datetime | None:
    stated = search.texts("_since")
    if not stated:
        return None
    # a plus sign that was not encoded has arrived as a space
    moments = parse_datetime(stated[0][0].replace(" ", "+")) if len(stated) == 1 and len(stated[0]) == 1 else None
    if moments is None:
        raise malformed_parameter("invalid-parameter", "_since", "an instant is wanted")
    return moments[0]
