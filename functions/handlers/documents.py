"""Documents: ITI-65, ITI-105, ITI-67, ITI-68, reads, versions, PATCH and deletion (TD2.1 to TD3.3d).

What only a write needs (pydantic's models, the CDA reader) is imported by the first write: a search starts without.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dmp import document_answers
from dmp.adapters.aws import client
from dmp.adapters.document_store import DocumentIndex, DocumentStore
from dmp.adapters.object_store import ObjectStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.domain.announcement import Announcement
from dmp.domain.document import DocumentEntry, DocumentStatus, Metadata
from dmp.domain.errors import Malformed
from dmp.domain.identifiers import Identifier
from dmp.exchange import FORM, PATCH_TYPES, Answer, Request, parse_query
from dmp.fhir import bundle
from dmp.fhir.document_search import DOCUMENT_PARAMETERS, document_query
from dmp.fhir.search import Search
from dmp.fhir.search_parameters import parse_search
from dmp.rest import address, criterion, deferred, expected_version, one, require_body, saved, version_of
from dmp.services.document_changes import DocumentChangesService
from dmp.services.document_search import DocumentSearchService
from dmp.services.documents import DocumentsService

if TYPE_CHECKING:
    from dmp.fhir.document_patch import DocumentPatch
    from dmp.fhir.document_reference import Intake
    from dmp.services.deposits import DepositsService

_BASE = foundation()
_STORE = DocumentStore(_BASE.records_table, _BASE.keyring)
_OBJECTS = ObjectStore(lambda: client("s3"), _BASE.settings.documents_bucket, _BASE.settings.data_key)
_DOCUMENTS = DocumentsService(_BASE.gate, _STORE, _OBJECTS)
_ANNOUNCEMENT = Announcement(_BASE.settings.announcement_notice_days, _BASE.settings.announcement_release_months)
_CHANGES = DocumentChangesService(_BASE.gate, _STORE, _BASE.ledger, _BASE.notices, _ANNOUNCEMENT)
_SEARCH = DocumentSearchService(_BASE.gate, _BASE.records, _STORE, DocumentIndex)


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
    from dmp.fhir.parsing import checked, parse_object
    from dmp.fhir.publication import read_simplified_publish
    from dmp.fhir.references import named_patient

    resource = parse_object(require_body(request), "DocumentReference")
    text = criterion(request)
    condition = _identifier_of(parse_query(text)) if text else None
    read = deferred(lambda: read_simplified_publish(checked(resource), _intake(request)))
    patient = named_patient(resource, request.base_url, "subject") or read().subject
    deposited = _deposits().publish(request.call, patient, read, condition)
    return _saved(request, deposited.entry, created=deposited.created)


def _deposits() -> "DepositsService":
    from dmp.fhir.security_labels import relabelled
    from dmp.services.deposit_entries import NewEntries
    from dmp.services.deposits import DepositsService

    entries = NewEntries(_BASE.entropy, relabelled, _ANNOUNCEMENT)
    return DepositsService(_BASE.gate, _BASE.records, _STORE, _OBJECTS, _BASE.ledger, entries, notices=_BASE.notices)


def _intake(request: Request) -> "Intake":
    from dmp.cda.header import read_header
    from dmp.fhir.document_reference import Intake

    requester = request.call.requester
    return Intake(
        now=request.call.now,
        base_url=request.base_url,
        # a connexion secrète leaves nothing in a document that names who deposited it
        structure=None if requester.is_secret else requester.structure,
        structure_name=requester.structure_name,
        read_header=read_header,
    )


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


def retrieve(request: Request) -> Answer:
    """ITI-68: the bytes as deposited, or a Binary where `Accept` asks for FHIR."""
    return document_answers.content(request, *_DOCUMENTS.retrieve(request.call, *address(request)))


def patch(request: Request) -> Answer:
    """PATCH DocumentReference/[id]: status, labels, archiving (TD3.3a to TD3.3d)."""
    return _patched(request, *address(request), _change(request))


def patch_by_identifier(request: Request) -> Answer:
    """PATCH DocumentReference?identifier=system|value."""
    identifier, change = _identifier_of(request.query), _change(request)
    return _patched(request, *_CHANGES.amendable(request.call, identifier), change)


def _change(request: Request) -> "Callable[[], DocumentPatch]":
    from dmp.fhir.document_patch import read_document_patch

    return deferred(lambda: read_document_patch(require_body(request), request.headers.get("content-type", "")))


def _patched(request: Request, record: str, local: str, change: "Callable[[], DocumentPatch]") -> Answer:
    def apply(entry: DocumentEntry) -> tuple[Metadata, str]:
        return _with_body(change().revise(json.loads(entry.body)))

    return _saved(request, _CHANGES.amend(request.call, record, local, apply, expected_version(request)), created=False)


def delete(request: Request) -> Answer:
    """DELETE DocumentReference/[id]: logical, by the author (TD3.3c)."""
    from dmp.fhir.document_reference import revised

    def apply(entry: DocumentEntry) -> tuple[Metadata, str]:
        return _with_body(revised(json.loads(entry.body) | {"status": DocumentStatus.ENTERED_IN_ERROR.value}))

    _CHANGES.delete(request.call, *address(request), apply, expected_version(request))
    return Answer(status=204)


def _with_body(metadata: Metadata) -> tuple[Metadata, str]:
    return metadata, json.dumps(metadata.resource, ensure_ascii=False, separators=(",", ":"))


def read_list(request: Request) -> Answer:
    """GET List/[id]: a SubmissionSet or a Folder, with what the caller may see of it."""
    entry = _DOCUMENTS.read_list(request.call, *address(request))
    return one(document_answers.document_list(entry), entry.version, entry.updated)


def _one(request: Request, entry: DocumentEntry) -> Answer:
    return one(document_answers.document(request, entry), entry.version, entry.updated)


def _saved(request: Request, entry: DocumentEntry, *, created: bool) -> Answer:
    resource = document_answers.document(request, entry)
    return saved(request, resource, entry.version, entry.updated, created=created)


def _identifier_of(condition: Sequence[tuple[str, str]]) -> Identifier:
    """The identifier of a condition; Malformed for any other condition."""
    values = [value for name, value in condition if name == "identifier" and value]
    if len(condition) != 1 or len(values) != 1:
        raise Malformed("unsupported-criterion", "http.identifier", "a condition is one identifier: system|value")
    return Identifier.parse(values[0])


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
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
