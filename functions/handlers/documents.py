"""Documents on record: ITI-67, reads, versions, PATCH and deletion (TD3.1, TD3.3a to TD3.3d).

What only a write needs (pydantic's models) is imported by the first write: a search starts without.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dmp import document_answers
from dmp.adapters.document_store import DocumentIndex, DocumentStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.domain.announcement import Announcement
from dmp.domain.document import DocumentEntry, DocumentStatus, Metadata
from dmp.exchange import FORM, PATCH_TYPES, Answer, Request
from dmp.fhir import bundle
from dmp.fhir.document_search import DOCUMENT_PARAMETERS, document_query
from dmp.fhir.search import Search
from dmp.fhir.search_parameters import parse_search
from dmp.rest import address, deferred, expected_version, identifier_condition, one, require_body, version_of
from dmp.services.document_changes import DocumentChangesService
from dmp.services.document_search import DocumentSearchService
from dmp.services.documents import DocumentsService

if TYPE_CHECKING:
    from dmp.fhir.document_patch import DocumentPatch

_BASE = foundation()
_STORE = DocumentStore(_BASE.records_table, _BASE.keyring)
_DOCUMENTS = DocumentsService(_BASE.gate, _STORE)
_ANNOUNCEMENT = Announcement(_BASE.settings.announcement_notice_days, _BASE.settings.announcement_release_months)
_CHANGES = DocumentChangesService(_BASE.gate, _STORE, _BASE.ledger, _BASE.notices, _ANNOUNCEMENT)
_SEARCH = DocumentSearchService(_BASE.gate, _BASE.records, _STORE, DocumentIndex)


def find(request: Request) -> Answer:
    """ITI-67: GET DocumentReference, or POST DocumentReference/_search."""
    search = _by_record(
        parse_search(
            request.parameters,
            DOCUMENT_PARAMETERS,
            base_url=request.base_url,
            resource_type="DocumentReference",
            strict=request.prefers("handling=strict"),
        )
    )
    caller = request.call.requester.identifier
    after = _BASE.cursors.open(search.cursor, search.cursor_context(caller)) if search.cursor else ""
    found = _SEARCH.find(request.call, document_query(search, after), search.described())
    cursor = _BASE.cursors.seal(found.next, search.cursor_context(caller, found.record)) if found.next else None
    return Answer(
        resource=bundle.searchset(
            [document_answers.match(request, entry) for entry in found.documents],
            total=found.total,
            self_url=search.self_url(found.record),
            next_url=search.next_url(cursor, found.record) if cursor else None,
        )
    )


def _by_record(search: Search) -> Search:
    """The search with the record in place of an INS, which a cursor is tied to."""
    patient = search.patient
    if not search.cursor or patient is None or patient.ins is None:
        return search
    return replace(search, patient=replace(patient, record=_BASE.records.named(patient)))


def read(request: Request) -> Answer:
    """GET DocumentReference/[id]."""
    return _one(request, _DOCUMENTS.read(request.call, *address(request)))


def version(request: Request) -> Answer:
    """GET DocumentReference/[id]/_history/[version]."""
    return _one(request, _DOCUMENTS.version(request.call, *address(request), version_of(request)))


def history(request: Request) -> Answer:
    """GET DocumentReference/[id]/_history."""
    return document_answers.history(request, _DOCUMENTS.history(request.call, *address(request)))


def patch(request: Request) -> Answer:
    """PATCH DocumentReference/[id]: status, labels, archiving (TD3.3a to TD3.3d)."""
    return _patched(request, *address(request), _change(request))


def patch_by_identifier(request: Request) -> Answer:
    """PATCH DocumentReference?identifier=system|value."""
    identifier, change = identifier_condition(request.query), _change(request)
    return _patched(request, *_CHANGES.amendable(request.call, identifier), change)


def _change(request: Request) -> "Callable[[], DocumentPatch]":
    from dmp.fhir.document_patch import read_document_patch

    return deferred(lambda: read_document_patch(require_body(request), request.headers.get("content-type", "")))


def _patched(request: Request, record: str, local: str, change: "Callable[[], DocumentPatch]") -> Answer:
    def apply(entry: DocumentEntry) -> tuple[Metadata, str]:
        return _with_body(change().revise(json.loads(entry.body)))

    entry = _CHANGES.amend(request.call, record, local, apply, expected_version(request))
    return document_answers.written(request, entry, created=False)


def delete(request: Request) -> Answer:
    """DELETE DocumentReference/[id]: logical, by the author (TD3.3c)."""
    from dmp.fhir.document_reference import revised

    def apply(entry: DocumentEntry) -> tuple[Metadata, str]:
        return _with_body(revised(json.loads(entry.body) | {"status": DocumentStatus.ENTERED_IN_ERROR.value}))

    _CHANGES.delete(request.call, *address(request), apply, expected_version(request))
    return Answer(status=204)


def _with_body(metadata: Metadata) -> tuple[Metadata, str]:
    return metadata, json.dumps(metadata.resource, ensure_ascii=False, separators=(",", ":"))


def _one(request: Request, entry: DocumentEntry) -> Answer:
    return one(document_answers.document(request, entry), entry.version, entry.updated)


ROUTES = (
    Route("GET", "DocumentReference", find),
    Route("POST", "DocumentReference/_search", find, media=frozenset({FORM})),
    Route("PATCH", "DocumentReference", patch_by_identifier, media=PATCH_TYPES),
    Route("GET", "DocumentReference/{id}", read),
    Route("PATCH", "DocumentReference/{id}", patch, media=PATCH_TYPES),
    Route("DELETE", "DocumentReference/{id}", delete),
    Route("GET", "DocumentReference/{id}/_history", history),
    Route("GET", "DocumentReference/{id}/_history/{version}", version),
)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
