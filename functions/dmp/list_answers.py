"""Entries of lists as the resources that are answered (ITI-66)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from dmp import history_answers
from dmp.domain.document_list import ListEntry
from dmp.exchange import Answer, Request
from dmp.fhir import bundle, document_rendering


def document_list(entry: ListEntry) -> Mapping[str, Any]:
    """The List of an entry, with the documents that are left in it."""
    return document_rendering.render_list(
        json.loads(entry.body),
        id=entry.id,
        version=entry.version,
        updated=entry.updated,
        documents=[f"{entry.record}.{local}" for local in entry.documents],
        lists=[f"{entry.record}.{local}" for local in entry.lists],
    )


def history(request: Request, versions: Iterable[ListEntry], cursors: history_answers.Cursors) -> Answer:
    """The versions of one list, newest first."""
    return history_answers.history(request, [_version(request, entry) for entry in versions], cursors)


def _version(request: Request, entry: ListEntry) -> bundle.HistoryEntry:
    is_first = entry.version == 1
    return bundle.HistoryEntry(
        full_url=f"{request.base_url}/List/{entry.id}",
        method="POST" if is_first else "PUT",
        url="List" if is_first else f"List/{entry.id}",
        status="201" if is_first else "200",
        version=entry.version,
        updated=entry.updated,
        resource=document_list(entry),
    )
