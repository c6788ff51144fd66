"""Entries of documents and lists as the resources that are answered (ITI-66, ITI-67, ITI-68)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from dmp.domain.document import DocumentEntry, DocumentStatus
from dmp.domain.document_list import ListEntry
from dmp.exchange import FHIR_JSON, Answer, Request
from dmp.fhir import bundle, document_rendering
from dmp.rest import saved, version_headers


def document(request: Request, entry: DocumentEntry) -> Mapping[str, Any]:
    """The DocumentReference of one version of an entry."""
    return document_rendering.render_document(
        json.loads(entry.body), id=entry.id, version=entry.version, updated=entry.updated, base_url=request.base_url
    )


def written(request: Request, entry: DocumentEntry, *, created: bool) -> Answer:
    """201 or 200 after a write."""
    return saved(request, document(request, entry), entry.version, entry.updated, created=created)


def match(request: Request, entry: DocumentEntry) -> tuple[str, Mapping[str, Any], str]:
    """An entry of a searchset."""
    return _url(request, entry), document(request, entry), bundle.MATCH


def history(request: Request, versions: Iterable[DocumentEntry]) -> Answer:
    """The versions of one document, newest first."""
    entries = [_version(request, entry) for entry in versions]
    self_url = f"{request.base_url}/DocumentReference/{request.path['id']}/_history"
    return Answer(resource=bundle.history(entries, total=len(entries), self_url=self_url))


def document_list(entry: ListEntry) -> Mapping[str, Any]:
    """The List of an entry, with the documents that are left in it."""
    return document_rendering.render_list(
        json.loads(entry.body),
        id=entry.id,
        version=entry.version,
        updated=entry.updated,
        documents=[f"{entry.record}.{local}" for local in entry.documents],
    )


def content(request: Request, entry: DocumentEntry, data: bytes) -> Answer:
    """The bytes as they were deposited, or a Binary where FHIR is what the caller prefers."""
    headers = version_headers(1, entry.updated)
    if _prefers_fhir(request.headers.get("accept", ""), entry.content.content_type):
        resource = document_rendering.render_binary(data, entry.content.content_type, id=entry.id)
        return Answer(resource=resource, headers=headers)
    headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(entry.id)}"
    return Answer(content=data, media_type=entry.content.content_type, headers=headers)


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


def _prefers_fhir(accept: str, content_type: str) -> bool:
    """Whether FHIR's JSON is accepted, and the document's own type not as much."""
    qualities = dict(map(_quality, accept.lower().split(",")))
    own = qualities.get(content_type.partition(";")[0].strip().lower(), 0.0)
    return qualities.get(FHIR_JSON, 0.0) > own


def _quality(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    given = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
    return name, float(given) if given.replace(".", "", 1).isdigit() else 1.0
