"""Documents and Lists as they are answered: id, version and address are the server's (ITI-66, ITI-67, ITI-68)."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from dmp.fhir.times import instant_text

type Resource = Mapping[str, Any]


def render_document(
    resource: Resource,
    *,
    id: str,  # noqa: A002 - FHIR's name
    version: int,
    updated: datetime,
    base_url: str,
) -> dict[str, Any]:
    """A stored DocumentReference in one version; its attachment is at `[base]/Binary/[id]`."""
    entry = resource["content"][0]
    attachment = {**entry["attachment"], "url": f"{base_url}/Binary/{id}"}
    rendered = _identified(resource, id, version, updated)
    rendered["content"] = [{**entry, "attachment": attachment}]
    return rendered


def render_list(
    resource: Resource,
    *,
    id: str,  # noqa: A002 - FHIR's name
    version: int,
    updated: datetime,
    documents: Iterable[str],
    lists: Iterable[str] = (),
) -> dict[str, Any]:
    """A stored List in one version, with those entries that the caller may see (ids of DocumentReferences, Lists)."""
    rendered = _identified(resource, id, version, updated)
    rendered.pop("entry", None)
    held = [*(f"DocumentReference/{one}" for one in documents), *(f"List/{one}" for one in lists)]
    entries = [{"item": {"reference": one}} for one in held]
    return {**rendered, "entry": entries} if entries else rendered


def render_binary(
    content: bytes,
    content_type: str,
    *,
    id: str,  # noqa: A002 - FHIR's name
) -> dict[str, Any]:
    """The bytes of a document as a Binary, for those who ask for FHIR's JSON."""
    return {
        "resourceType": "Binary",
        "id": id,
        "contentType": content_type,
        "securityContext": {"reference": f"DocumentReference/{id}"},
        "data": b64encode(content).decode(),
    }


def _identified(resource: Resource, resource_id: str, version: int, updated: datetime) -> dict[str, Any]:
    meta = {"versionId": str(version), "lastUpdated": instant_text(updated), **resource.get("meta", {})}
    first = {"resourceType": resource["resourceType"], "id": resource_id, "meta": meta}
    record, _, _ = resource_id.partition(".")
    content = {key: value for key, value in resource.items() if key not in first}
    return {**first, **content, "subject": {"reference": f"Patient/{record}"}}
