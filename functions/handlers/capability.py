"""CapabilityStatement, and the answer to every unknown route; touches no record and loads no boto3."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dmp.api import Api, Route
from dmp.domain.errors import UnknownRoute
from dmp.exchange import Answer, Request
from dmp.fhir.capability import capability_statement
from dmp.fhir.search_parameters import parse_search
from dmp.settings import CapabilitySettings

_SETTINGS = CapabilitySettings.from_environment()


def metadata(request: Request) -> Answer:
    """GET metadata."""
    parse_search(request.parameters, (), base_url=request.base_url, resource_type="metadata")
    return Answer(resource=capability_statement(request.base_url))


def well_known(_request: Request) -> Answer:
    """GET .well-known/…: this server issues no tokens, so it has no endpoints to tell of."""
    raise UnknownRoute("unknown-route")


ROUTES = (
    Route("GET", "metadata", metadata, public=True),
    Route("GET", ".well-known/{name}", well_known, public=True, any_answer=True),
)
_API = Api(ROUTES, clock=lambda: datetime.now(UTC), base_url=_SETTINGS.base_url)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
