"""CapabilityStatement, and the answer to every unknown route; touches no record and loads no boto3."""

import json
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
    return Answer(resource=capability_statement(request.base_url, _SETTINGS.authorization_server))


def well_known(request: Request) -> Answer:
    """GET .well-known/smart-configuration, where apps can get tokens at all; nothing else is told there."""
    server = _SETTINGS.authorization_server
    if server is None or request.path["name"] != "smart-configuration":
        raise UnknownRoute("unknown-route")
    from dmp.fhir.smart_configuration import smart_configuration

    return Answer(content=json.dumps(smart_configuration(server)).encode(), media_type="application/json")


ROUTES = (
    Route("GET", "metadata", metadata, public=True),
    Route("GET", ".well-known/{name}", well_known, public=True, any_answer=True),
)
_API = Api(ROUTES, clock=lambda: datetime.now(UTC), base_url=_SETTINGS.base_url)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
