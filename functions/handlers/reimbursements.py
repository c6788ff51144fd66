"""To be written by its owner."""

from collections.abc import Mapping
from typing import Any

from dmp.api import Api, Route
from dmp.composition import foundation

_BASE = foundation()
ROUTES: tuple[Route, ...] = ()
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
