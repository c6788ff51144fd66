"""The code lists that documents are checked against, and the French texts of errors (NOS of the ANS)."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dmp.domain.document import Coding

_DATA = Path(__file__).parent.parent / "data"
_DEFAULT_MESSAGE = "internal-error"


@dataclass(frozen=True, slots=True)
class DocumentType:
    """One of the DMP's types of document, with the class it belongs to."""

    code: str
    system: str
    display: str
    class_code: str
    class_display: str
    patient_may_deposit: bool


def document_type(system: str, code: str) -> DocumentType | None:
    """Find a type of document; the system is its FHIR URL or its OID as `urn:oid:…`."""
    found = document_types().get(code)
    return found if found and found.system == canonical_system(system) else None


@cache
def document_types() -> dict[str, DocumentType]:
    """Every type of document, by its code: no code occurs in two systems."""
    data = _load("document_types")
    classes, types = data["classes"], {}
    for code, system, display, class_code, by_patient in data["types"]:
        types[code] = DocumentType(code, system_url(system), display, class_code, classes[class_code], by_patient)
    return types


def class_system() -> str:
    """The system of document classes (TRE_A03)."""
    return system_url("class")


@cache
def system_url(name: str) -> str:
    """The FHIR URL of a code system that this project knows by a short name."""
    return str(_load("code_systems")["systems"][name][0])


def canonical_system(system: str) -> str:
    """The FHIR URL of a system named by its OID (`urn:oid:…`), where there is one; else the system as it came."""
    return _urls_by_oid().get(system, system)


@cache
def _urls_by_oid() -> dict[str, str]:
    return {f"urn:oid:{oid}": url for url, oid in _load("code_systems")["systems"].values()}


def format_of_cda(template_ids: tuple[str, ...], body_media_type: str | None) -> Coding | None:
    """The format of a CDA: by the media type of its unstructured body, else by its most precise known model."""
    lists = _load("format_codes")
    if body_media_type is not None:
        code = lists["by_body"].get(body_media_type)
    else:
        known = [template for template in template_ids if template in lists["by_template"]]
        code = lists["by_template"][known[-1]] if known else None
    return _format(code) if code else None


def unlisted_format() -> Coding:
    """The format of a document whose model the CI-SIS does not list."""
    return _format(_load("format_codes")["unlisted"])


def _format(code: str) -> Coding:
    system, display = _load("format_codes")["formats"][code]
    return Coding(system_url(system), code, display)


def message(code: str) -> str:
    """The French text of an error code; a code without a text of its own says no more than an internal error."""
    messages = _load("messages_fr")["messages"]
    return str(messages.get(code, messages[_DEFAULT_MESSAGE]))


def closure_reason(cause: str) -> str:
    """The French reason of a closure that nobody asked for."""
    return str(_load("closures_fr")["reasons"][cause])


@cache
def _load(name: str) -> Any:
    return json.loads((_DATA / f"{name}.json").read_bytes())
