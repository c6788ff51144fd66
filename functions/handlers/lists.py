"""Lists: SubmissionSets and Folders with what the caller may see of them (ITI-66)."""

from collections.abc import Mapping
from typing import Any

from dmp import list_answers
from dmp.adapters.document_store import DocumentIndex, DocumentStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.domain.document_list import ListEntry
from dmp.exchange import FORM, Answer, Request
from dmp.fhir.list_search import LIST_PARAMETERS, list_query
from dmp.rest import address, one, version_of
from dmp.search_answers import Pages
from dmp.services.list_search import ListSearchService
from dmp.services.lists import ListsService

_BASE = foundation()
_STORE = DocumentStore(_BASE.records_table, _BASE.keyring)
_LISTS = ListsService(_BASE.gate, _STORE)
_PAGES = Pages("List", LIST_PARAMETERS, _BASE.cursors, _BASE.records.named)
_SEARCH = ListSearchService(_BASE.gate, _BASE.records, _STORE, DocumentIndex)


def find(request: Request) -> Answer:
    """ITI-66: GET List, or POST List/_search."""
    search, after = _PAGES.asked(request)
    found = _SEARCH.find(request.call, list_query(search, after), search.described())
    return _PAGES.answer(request, search, found, map(list_answers.document_list, found.lists))


def read(request: Request) -> Answer:
    """GET List/[id]."""
    return _one(_LISTS.read(request.call, *address(request)))


def version(request: Request) -> Answer:
    """GET List/[id]/_history/[version]."""
    return _one(_LISTS.version(request.call, *address(request), version_of(request)))


def history(request: Request) -> Answer:
    """GET List/[id]/_history."""
    return list_answers.history(request, _LISTS.history(request.call, *address(request)), _BASE.cursors)


def _one(entry: ListEntry) -> Answer:
    return one(list_answers.document_list(entry), entry.version, entry.updated)


ROUTES = (
    Route("GET", "List", find),
    Route("POST", "List/_search", find, media=frozenset({FORM})),
    Route("GET", "List/{id}", read),
    Route("GET", "List/{id}/_history", history),
    Route("GET", "List/{id}/_history/{version}", version),
)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
