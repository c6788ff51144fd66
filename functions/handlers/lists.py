"""Lists: SubmissionSets and Folders with what the caller may see of them (ITI-66)."""

from collections.abc import Mapping
from typing import Any

from dmp import document_answers
from dmp.adapters.document_store import DocumentStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.exchange import Answer, Request
from dmp.rest import address, one
from dmp.services.lists import ListsService

_BASE = foundation()
_STORE = DocumentStore(_BASE.records_table, _BASE.keyring)
_LISTS = ListsService(_BASE.gate, _STORE)


def read(request: Request) -> Answer:
    """GET List/[id]."""
    entry = _LISTS.read(request.call, *address(request))
    return one(document_answers.document_list(entry), entry.version, entry.updated)


ROUTES = (Route("GET", "List/{id}", read),)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
