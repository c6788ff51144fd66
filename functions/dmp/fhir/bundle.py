"""Bundles that answer: searchset (ITI-66, ITI-67), history, and transaction-response (ITI-65)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dmp.fhir.systems import MHD_PROVIDE_RESPONSE
from dmp.fhir.times import instant_text

MATCH, INCLUDE, OUTCOME = "match", "include", "outcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseEntry:
    """What became of one entry of a transaction; `location` is relative to the base, with its version."""

    status: str
    location: str = ""
    version: int | None = None
    updated: datetime | None = None
    outcome: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One version of a resource; `resource` is None where that version is the deletion."""

    full_url: str
    method: str
    url: str
    status: str
    version: int
    updated: datetime
    resource: Mapping[str, Any] | None


def searchset(
    entries: Iterable[tuple[str, Mapping[str, Any], str]],
    *,
    total: int | None,
    self_url: str,
    next_url: str | None = None,
) -> dict[str, Any]:
    """A page of results: each entry is (full URL, resource, mode), an OperationOutcome has no full URL."""
    found = [_found(full_url, resource, mode) for full_url, resource, mode in entries]
    return _bundle("searchset", found, total, self_url, next_url)


def history(
    entries: Iterable[HistoryEntry], *, total: int | None, self_url: str, next_url: str | None = None
) -> dict[str, Any]:
    """The versions of a resource, newest first."""
    return _bundle("history", [_version(entry) for entry in entries], total, self_url, next_url)


def transaction_response(entries: Iterable[ResponseEntry], *, self_url: str) -> dict[str, Any]:
    """The answer to a transaction: one entry for each of the request, in the same order."""
    answered = [{"response": _response(entry)} for entry in entries]
    bundle = _bundle("transaction-response", answered, None, self_url, None)
    return {"resourceType": "Bundle", "meta": {"profile": [MHD_PROVIDE_RESPONSE]}, **bundle}


def batch_response(entries: Iterable[ResponseEntry], *, self_url: str) -> dict[str, Any]:
    """The answer to a batch: one entry for each of the request, in the same order."""
    return _bundle("batch-response", [{"response": _response(entry)} for entry in entries], None, self_url, None)


def _bundle(
    kind: str, entries: list[dict[str, Any]], total: int | None, self_url: str, next_url: str | None
) -> dict[str, Any]:
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
    if total is not None:
        bundle["total"] = total
    bundle["link"] = [{"relation": "self", "url": self_url}]
    if next_url:
        bundle["link"].append({"relation": "next", "url": next_url})
    if entries:
        bundle["entry"] = entries
    return bundle


def _found(full_url: str, resource: Mapping[str, Any], mode: str) -> dict[str, Any]:
    located = {"fullUrl": full_url} if full_url else {}
    return {**located, "resource": resource, "search": {"mode": mode}}


def _version(entry: HistoryEntry) -> dict[str, Any]:
    content: dict[str, Any] = {"fullUrl": entry.full_url}
    if entry.resource is not None:
        content["resource"] = entry.resource
    content["request"] = {"method": entry.method, "url": entry.url}
    content["response"] = _response(ResponseEntry(status=entry.status, version=entry.version, updated=entry.updated))
    return content


def _response(entry: ResponseEntry) -> dict[str, Any]:
    response: dict[str, Any] = {"status": entry.status}
    if entry.location:
        response["location"] = entry.location
    if entry.version is not None:
        response["etag"] = f'W/"{entry.version}"'
    if entry.updated is not None:
        response["lastModified"] = instant_text(entry.updated)
    if entry.outcome is not None:
        response["outcome"] = entry.outcome
    return response
