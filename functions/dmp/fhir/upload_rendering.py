"""What is answered of a document that came, or is to come, by upload: its docStatus, and where to send it (ITI-105)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from dmp.fhir.systems import DMP_UPLOAD, DMP_UPLOAD_ERROR
from dmp.fhir.times import instant_text

type Resource = Mapping[str, Any]


def with_doc_status(resource: Resource, doc_status: str, *extensions: Resource) -> dict[str, Any]:
    """The resource with its docStatus, which the profiles of MHD and PDSm forbid: it names none of them."""
    meta = {name: value for name, value in resource["meta"].items() if name != "profile"}
    told = [*resource.get("extension", []), *extensions]
    rendered = {**resource, "meta": meta, "docStatus": doc_status}
    return {**rendered, "extension": told} if told else rendered


def upload_extension(url: str, headers: Iterable[tuple[str, str]], expires: datetime) -> dict[str, Any]:
    """Where to PUT the bytes, with which headers, until when."""
    parts: list[dict[str, Any]] = [{"url": "url", "valueUrl": url}, {"url": "method", "valueCode": "PUT"}]
    parts += [{"url": "header", "valueString": f"{name}: {value}"} for name, value in headers]
    parts.append({"url": "expires", "valueInstant": instant_text(expires)})
    return {"url": DMP_UPLOAD, "extension": parts}


def error_extension(code: str, text: str) -> dict[str, Any]:
    """Why a document never became available: our code, and a French sentence for a person."""
    return {"url": DMP_UPLOAD_ERROR, "valueString": f"{code}: {text}"}
