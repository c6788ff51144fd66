"""Entries of documents as the resources that are answered (ITI-67)."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dmp import history_answers
from dmp.domain import upload
from dmp.domain.code_lists import message
from dmp.domain.document import DocumentEntry, DocumentStatus, StoredContent
from dmp.exchange import Answer, Request
from dmp.fhir import bundle, document_rendering, upload_rendering
from dmp.rest import saved

if TYPE_CHECKING:
    from dmp.adapters.presigner import PresignedPut


type Presign = Callable[[StoredContent, datetime], "PresignedPut"]
"""Gives an address for the bytes of a content, from this moment on."""


def document(request: Request, entry: DocumentEntry, presign: Presign | None = None) -> Mapping[str, Any]:
    """The DocumentReference of one version of an entry; with where its bytes go, while they may still be sent."""
    rendered = document_rendering.render_document(
        json.loads(entry.body), id=entry.id, version=entry.version, updated=entry.updated, base_url=request.base_url
    )
    doc_status = upload.doc_status_of(entry)
    if not doc_status:
        return rendered
    return upload_rendering.with_doc_status(rendered, doc_status, *_arrival(request, entry, presign))


def _arrival(request: Request, entry: DocumentEntry, presign: Presign | None) -> Iterator[Mapping[str, Any]]:
    if entry.upload_error:
        yield upload_rendering.error_extension(entry.upload_error, message(entry.upload_error))
    if presign and upload.is_open(entry, request.call.now):
        put = presign(entry.content, request.call.now)
        yield upload_rendering.upload_extension(put.url, put.headers, put.expires)


def written(request: Request, entry: DocumentEntry, *, created: bool, presign: Presign | None = None) -> Answer:
    """201 or 200 after a write."""
    return saved(request, document(request, entry, presign), entry.version, entry.updated, created=created)


def history(request: Request, versions: Iterable[DocumentEntry], cursors: history_answers.Cursors) -> Answer:
    """The versions of one document, newest first."""
    return history_answers.history(request, [_version(request, entry) for entry in versions], cursors)


def _url(request: Request, entry: DocumentEntry) -> str:
    return f"{request.base_url}/DocumentReference/{entry.id}"


def _version(request: Request, entry: DocumentEntry) -> bundle.HistoryEntry:
    is_deleted = entry.status is DocumentStatus.ENTERED_IN_ERROR
    instance = f"DocumentReference/{entry.id}"
    created = ("POST", "DocumentReference", "201")
    changed = ("DELETE", instance, "204") if is_deleted else ("PATCH", instance, "200")
    method, url, status = created if entry.version == 1 else changed
    return bundle.HistoryEntry(
        full_url=_url(request, entry),
        method=method,
        url=url,
        status=status,
        version=entry.version,
        updated=entry.updated,
        resource=None if is_deleted else document(request, entry),
    )
