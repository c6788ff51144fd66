"""Documents on record: ITI-67, ITI-106, reads, versions, PATCH and deletion (TD3.1, TD3.3a to TD3.3d).

What only a write needs (pydantic's models) is imported by the first write: a search starts without.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dmp import document_answers
from dmp.adapters.aws import signer
from dmp.adapters.document_store import DocumentIndex, DocumentStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.domain.announcement import Announcement
from dmp.domain.document import DocumentEntry, DocumentStatus, Metadata, StoredContent
from dmp.exchange import FORM, PATCH_TYPES, Answer, Request
from dmp.fhir.document_search import DOCUMENT_PARAMETERS, document_query
from dmp.rest import address, deferred, expected_version, identifier_condition, one, require_body, version_of
from dmp.search_answers import Pages
from dmp.services.document_changes import DocumentChangesService
from dmp.services.document_search import DocumentSearchService
from dmp.services.documents import DocumentsService
from dmp.services.generations import GenerationsService
from dmp.settings import objects_endpoint

if TYPE_CHECKING:
    from dmp.adapters.presigner import PresignedPut
    from dmp.fhir.document_patch import DocumentPatch

_BASE = foundation()
_STORE = DocumentStore(_BASE.records_table, _BASE.keyring)
_DOCUMENTS = DocumentsService(_BASE.gate, _STORE)
_GENERATIONS = GenerationsService(_BASE.gate)
_ANNOUNCEMENT = Announcement(_BASE.settings.announcement_notice_days, _BASE.settings.announcement_release_months)
_CHANGES = DocumentChangesService(_BASE.gate, _STORE, _BASE.ledger, _BASE.notices, _ANNOUNCEMENT)
_PAGES = Pages("DocumentReference", DOCUMENT_PARAMETERS, _BASE.cursors, _BASE.records.named)
_SEARCH = DocumentSearchService(_BASE.gate, _BASE.records, _STORE, DocumentIndex)


def find(request: Request) -> Answer:
    """ITI-67: GET DocumentReference, or POST DocumentReference/_search."""
    search, after = _PAGES.asked(request)
    found = _SEARCH.find(request.call, document_query(search, after), search.described())
    return _PAGES.answer(request, search, found, [document_answers.document(request, e) for e in found.documents])


def generate_metadata(request: Request) -> Answer:
    """ITI-106: POST DocumentReference/$generate-metadata."""
    from dmp import generation_answers

    return generation_answers.metadata(request, _GENERATIONS)


def read(request: Request) -> Answer:
    """GET DocumentReference/[id]; of one whose bytes are still to come, with an address for them."""
    entry = _DOCUMENTS.read(request.call, *address(request))
    return _one(request, entry, _presigned if entry.awaits else None)


def _presigned(content: StoredContent, now: datetime) -> "PresignedPut":
    from dmp.adapters.presigner import Presigner

    settings = _BASE.settings
    return Presigner(signer, settings.documents_bucket, settings.data_key, objects_endpoint()).upload(content, now)


def version(request: Request) -> Answer:
    """GET DocumentReference/[id]/_history/[version]."""
    return _one(request, _DOCUMENTS.version(request.call, *address(request), version_of(request)))


def history(request: Request) -> Answer:
    """GET DocumentReference/[id]/_history."""
    return document_answers.history(request, _DOCUMENTS.history(request.call, *address(request)), _BASE.cursors)


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


def _one(request: Request, entry: DocumentEntry, presign: document_answers.Presign | None = None) -> Answer:
    return one(document_answers.document(request, entry, presign), entry.version, entry.updated)


ROUTES = (
    Route("GET", "DocumentReference", find),
    Route("POST", "DocumentReference/_search", find, media=frozenset({FORM})),
    Route("POST", "DocumentReference/$generate-metadata", generate_metadata),
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
