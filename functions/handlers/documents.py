"""Documents: ITI-65, ITI-105, ITI-67, ITI-68, reads, versions, PATCH and deletion (TD2.1 to TD3.3d).

What only a write needs (pydantic's models, the CDA reader) is imported by the first write: a search starts without.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dmp.adapters.aws import client
from dmp.adapters.document_store import DocumentIndex, DocumentStore
from dmp.adapters.object_store import ObjectStore
from dmp.api import FHIR_JSON, FORM, PATCH_TYPES, Answer, Api, Request, Route, media_type, parse_query
from dmp.composition import foundation
from dmp.domain.document import Coding, DocumentEntry, DocumentStatus, Metadata
from dmp.domain.document_query import DocumentQuery, Span
from dmp.domain.errors import Malformed
from dmp.domain.identifiers import Identifier
from dmp.fhir import bundle, document_rendering
from dmp.fhir.search import Search, Total
from dmp.fhir.search_parameters import PATIENT, PATIENT_IDENTIFIER, Kind, Parameter, parse_search
from dmp.rest import (
    address,
    criterion,
    expected_version,
    one,
    require_body,
    saved,
    version_headers,
    version_of,
)
from dmp.services.document_search import DocumentSearchService
from dmp.services.documents import DocumentsService

if TYPE_CHECKING:
    from dmp.fhir.document_reference import Intake
    from dmp.services.deposits import DepositsService

_BASE = foundation()
_STORE = DocumentStore(_BASE.records_table, _BASE.keyring)
_OBJECTS = ObjectStore(lambda: client("s3"), _BASE.settings.documents_bucket, _BASE.settings.data_key)
_DOCUMENTS = DocumentsService(_BASE.gate, _STORE, _OBJECTS, _BASE.ledger)
_SEARCH = DocumentSearchService(_BASE.gate, _BASE.records, _STORE, DocumentIndex)
_EVERY_STATUS = (DocumentStatus.CURRENT, DocumentStatus.SUPERSEDED)
_PARAMETERS = (
    PATIENT,
    PATIENT_IDENTIFIER,
    Parameter("status", Kind.TOKEN),
    Parameter("type", Kind.TOKEN),
    Parameter("category", Kind.TOKEN),
    Parameter("identifier", Kind.TOKEN),
    Parameter("date", Kind.DATE),
    Parameter("_lastUpdated", Kind.DATE),
)


def provide_bundle(request: Request) -> Answer:
    """ITI-65: POST [base], a transaction Bundle."""
    from dmp.fhir.parsing import parse_resource
    from dmp.fhir.submission import read_submission
    from dmp.submission_answer import transaction_response

    submission = read_submission(parse_resource(require_body(request), "Bundle"), _intake(request))
    receipt = _deposits().submit(request.call, submission)
    return Answer(resource=transaction_response(submission, receipt, request.base_url))


def publish(request: Request) -> Answer:
    """ITI-105: POST DocumentReference with its bytes inline."""
    from dmp.fhir.parsing import parse_resource
    from dmp.fhir.publication import read_simplified_publish

    publication = read_simplified_publish(
        parse_resource(require_body(request), "DocumentReference"), _intake(request)
    )
    condition = criterion(request)
    if condition:
        _identifiers_of(condition)
    deposited = _deposits().publish(request.call, publication, condition)
    entry = deposited.entry
    return saved(request, _rendered(request, entry), entry.version, entry.updated, created=deposited.created)


def _deposits() -> "DepositsService":
    from dmp.services.deposits import DepositsService

    return DepositsService(_BASE.gate, _BASE.records, _STORE, _OBJECTS, _BASE.ledger, entropy=_BASE.entropy)


def _intake(request: Request) -> "Intake":
    from dmp.cda.header import read_header
    from dmp.fhir.document_reference import Intake

    requester = request.call.requester
    return Intake(
        now=request.call.now,
        base_url=request.base_url,
        structure=requester.structure,
        structure_name=requester.structure_name,
        read_header=read_header,
    )


def find(request: Request) -> Answer:
    """ITI-67: GET DocumentReference, or POST DocumentReference/_search."""
    search = parse_search(
        request.parameters,
        _PARAMETERS,
        base_url=request.base_url,
        resource_type="DocumentReference",
        strict=request.prefers("handling=strict"),
    )
    context = f"{request.call.requester.identifier}&{search.described()}"
    after = _BASE.cursors.open(search.cursor, context) if search.cursor else ""
    found = _SEARCH.find(request.call, _query(search, after), search.described())
    entries = [
        (f"{request.base_url}/DocumentReference/{entry.id}", _rendered(request, entry), bundle.MATCH)
        for entry in found.documents
    ]
    cursor = _BASE.cursors.seal(found.next, context) if found.next else None
    return Answer(
        resource=bundle.searchset(
            entries,
            total=found.total,
            self_url=search.self_url(found.record),
            next_url=search.next_url(cursor, found.record) if cursor else None,
        )
    )


def _query(search: Search, after: str) -> DocumentQuery:
    patient = search.require_patient()
    search.require("status")
    return DocumentQuery(
        patient=patient,
        statuses=_statuses(search),
        types=_codings(search, "type"),
        classes=_codings(search, "category"),
        identifiers=tuple(Identifier(t.system or "", t.code) for group in search.tokens("identifier") for t in group),
        date=Span(*search.window("date")),
        updated=Span(*search.window("_lastUpdated")),
        count=search.count,
        after=after,
        accurate_total=search.total is Total.ACCURATE,
    )


def _statuses(search: Search) -> tuple[DocumentStatus, ...]:
    """The statuses that are asked for; deleted documents are found by no search."""
    return tuple(s for s in _EVERY_STATUS if search.tokens_match("status", [("", s.value)]))


def _codings(search: Search, name: str) -> tuple[Coding, ...]:
    groups = search.tokens(name)
    if len(groups) > 1:
        raise Malformed("unsupported-repetition", f"http.{name}", "give alternatives with commas")
    return tuple(Coding(t.system or "", t.code) for group in groups for t in group)


def read(request: Request) -> Answer:
    """GET DocumentReference/[id]."""
    entry = _DOCUMENTS.read(request.call, *address(request))
    return one(_rendered(request, entry), entry.version, entry.updated)


def version(request: Request) -> Answer:
    """GET DocumentReference/[id]/_history/[version]."""
    entry = _DOCUMENTS.version(request.call, *address(request), version_of(request))
    return one(_rendered(request, entry), entry.version, entry.updated)


def history(request: Request) -> Answer:
    """GET DocumentReference/[id]/_history."""
    versions = _DOCUMENTS.history(request.call, *address(request))
    entries = [_history_entry(request, entry) for entry in versions]
    self_url = f"{request.base_url}/DocumentReference/{request.path['id']}/_history"
    return Answer(resource=bundle.history(entries, total=len(entries), self_url=self_url))


def _history_entry(request: Request, entry: DocumentEntry) -> bundle.HistoryEntry:
    is_deleted = entry.status is DocumentStatus.ENTERED_IN_ERROR
    methods = {True: ("POST", "DocumentReference", "201"), False: ("PATCH", f"DocumentReference/{entry.id}", "200")}
    method, url, status = methods[entry.version == 1]
    return bundle.HistoryEntry(
        full_url=f"{request.base_url}/DocumentReference/{entry.id}",
        method="DELETE" if is_deleted else method,
        url=f"DocumentReference/{entry.id}" if is_deleted else url,
        status="204" if is_deleted else status,
        version=entry.version,
        updated=entry.updated,
        resource=None if is_deleted else _rendered(request, entry),
    )


def retrieve(request: Request) -> Answer:
    """ITI-68: the bytes as deposited, or a Binary where `Accept` asks for FHIR."""
    entry, content = _DOCUMENTS.retrieve(request.call, *address(request))
    headers = version_headers(1, entry.updated)
    accepted = [media_type(part) for part in request.headers.get("accept", "").split(",")]
    if FHIR_JSON in accepted:
        resource = document_rendering.render_binary(content, entry.content.content_type, id=entry.id)
        return Answer(resource=resource, headers=headers)
    headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(entry.id)}"
    return Answer(content=content, media_type=entry.content.content_type, headers=headers)


def patch(request: Request) -> Answer:
    """PATCH DocumentReference/[id]: status, labels, archiving (TD3.3a to TD3.3d)."""
    return _patched(request, *address(request))


def patch_by_identifier(request: Request) -> Answer:
    """PATCH DocumentReference?identifier=system|value."""
    criteria = "&".join(f"{name}={value}" for name, value in request.query)
    (identifier,) = _identifiers_of(criteria)
    _change(request)
    return _patched(request, *_DOCUMENTS.amendable(request.call, identifier))


def _patched(request: Request, record: str, local: str) -> Answer:
    change = _change(request)

    def apply(entry: DocumentEntry) -> tuple[Metadata, str]:
        metadata = change.revise(json.loads(entry.body))
        return metadata, json.dumps(metadata.resource, ensure_ascii=False, separators=(",", ":"))

    entry = _DOCUMENTS.amend(request.call, record, local, apply, expected_version(request))
    return saved(request, _rendered(request, entry), entry.version, entry.updated, created=False)


def _change(request: Request) -> Any:
    from dmp.fhir.document_patch import read_document_patch

    return read_document_patch(require_body(request), request.headers.get("content-type", ""))


def delete(request: Request) -> Answer:
    """DELETE DocumentReference/[id]: logical, by the author (TD3.3c)."""
    from dmp.fhir.document_reference import revised

    def apply(entry: DocumentEntry) -> tuple[Metadata, str]:
        metadata = revised(json.loads(entry.body) | {"status": DocumentStatus.ENTERED_IN_ERROR.value})
        return metadata, json.dumps(metadata.resource, ensure_ascii=False, separators=(",", ":"))

    _DOCUMENTS.delete(request.call, *address(request), apply, expected_version(request))
    return Answer(status=204)


def read_list(request: Request) -> Answer:
    """GET List/[id]: a SubmissionSet or a Folder, with what the caller may see of it."""
    entry = _DOCUMENTS.read_list(request.call, *address(request))
    resource = document_rendering.render_list(
        json.loads(entry.body),
        id=entry.id,
        version=entry.version,
        updated=entry.updated,
        documents=[f"{entry.record}.{local}" for local in entry.documents],
    )
    return one(resource, entry.version, entry.updated)


def _identifiers_of(criteria: str) -> list[Identifier]:
    """The identifier of a condition; Malformed for any other condition."""
    pairs = parse_query(criteria)
    identifiers = [Identifier.parse(value) for name, value in pairs if name == "identifier" and value]
    if len(pairs) != 1 or len(identifiers) != 1:
        raise Malformed("unsupported-criterion", "http.identifier", "a condition is one identifier: system|value")
    return identifiers


def _rendered(request: Request, entry: DocumentEntry) -> Mapping[str, Any]:
    return document_rendering.render_document(
        json.loads(entry.body), id=entry.id, version=entry.version, updated=entry.updated, base_url=request.base_url
    )


ROUTES = (
    Route("POST", "", provide_bundle),
    Route("POST", "DocumentReference", publish),
    Route("GET", "DocumentReference", find),
    Route("POST", "DocumentReference/_search", find, media=frozenset({FORM})),
    Route("PATCH", "DocumentReference", patch_by_identifier, media=PATCH_TYPES),
    Route("GET", "DocumentReference/{id}", read),
    Route("PATCH", "DocumentReference/{id}", patch, media=PATCH_TYPES),
    Route("DELETE", "DocumentReference/{id}", delete),
    Route("GET", "DocumentReference/{id}/_history", history),
    Route("GET", "DocumentReference/{id}/_history/{version}", version),
    Route("GET", "List/{id}", read_list),
    Route("GET", "Binary/{id}", retrieve, any_answer=True),
)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
