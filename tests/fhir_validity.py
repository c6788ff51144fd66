"""Whether a body is valid FHIR R4: judged by fhirkit, by HL7's JSON schema, and by the constraints neither knows.

fhirkit (4.0.1) checks elements, cardinalities, primitives and choices; the schema checks the codes of required
bindings. Neither knows FHIR's invariants: those that concern our bodies are checked here, save dom-3 (a contained
resource is referenced), which documents kept as sent may break, as PDSm's own example does. On the 324 official
examples of MHD, PCF, BALP and PDSm the two have one false positive, the parameter codes of an ImplementationGuide, a
resource never emitted. The schema knows no `null` in the place of a primitive that has but extensions, which fhirkit
judges: nothing else is filtered out of their verdict.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any
from xml.etree import ElementTree

import fhirkit
import jsonschema_rs

from tests import fhir_schema

type Json = dict[str, Any]

_CALENDAR_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|T\d{2}:\d{2})")
_DIV = "{http://www.w3.org/1999/xhtml}div"
_WITH_REQUEST = {"batch", "transaction", "history"}
_WITH_RESPONSE = {"batch-response", "transaction-response", "history"}


def assert_valid_r4(resource: Mapping[str, Any]) -> None:
    """Fail with every problem found, each with its place."""
    found = problems(resource)
    if found:
        body = json.dumps(resource, ensure_ascii=False, indent=1)[:4000]
        raise AssertionError("not valid FHIR R4:\n  " + "\n  ".join(found) + "\n" + body)


def problems(resource: Mapping[str, Any]) -> list[str]:
    """List what is wrong with a resource, and who says so."""
    body = dict(resource)
    return [
        *(f"fhirkit: {issue}" for issue in fhirkit.validate(json.dumps(body)) if issue.severity == "error"),
        *(
            f"schema: {_place(error.instance_path)}: {error.message}"
            for error in _schema().iter_errors(body)
            if not _is_gap(error)
        ),
        *(f"invariant: {problem}" for problem in _invariants(body, str(body.get("resourceType")))),
    ]


def _is_gap(error: jsonschema_rs.ValidationError) -> bool:
    """Whether the schema misses a value in an array."""
    return error.message.startswith("null is not") and isinstance((error.instance_path or [""])[-1], int)


@cache
def _schema() -> jsonschema_rs.Draft7Validator:
    """Compile HL7's schema (draft 6), its choice among 146 resources rewritten as `if resourceType then …` (draft 7).

    The meaning stays; an error names the place within the one resource meant instead of 146 mismatches.
    """
    schema = json.loads(fhir_schema.ensure().read_bytes())
    names = [choice["$ref"].rpartition("/")[2] for choice in schema["definitions"]["ResourceList"]["oneOf"]]
    definitions = schema["definitions"] | {"ResourceList": _by_resource_type(names)}
    draft = "http://json-schema.org/draft-07/schema#"
    root = {"$schema": draft, "$ref": "#/definitions/ResourceList", "definitions": definitions}
    return jsonschema_rs.Draft7Validator(root)


def _by_resource_type(names: list[str]) -> Json:
    return {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"enum": names}},
        "allOf": [
            {
                "if": {"required": ["resourceType"], "properties": {"resourceType": {"const": name}}},
                "then": {"$ref": f"#/definitions/{name}"},
            }
            for name in names
        ],
    }


def _place(path: list[str | int]) -> str:
    return "/".join(str(step) for step in path) or "/"


def _invariants(node: object, place: str) -> Iterator[str]:
    match node:
        case dict():
            yield from _object_invariants(node, place)
            for name, value in node.items():
                yield from _invariants(value, f"{place}.{name}")
        case list():
            for index, value in enumerate(node):
                yield from _invariants(value, f"{place}[{index}]")
        case str():
            yield from _text_invariants(node, place)


def _object_invariants(node: Json, place: str) -> Iterator[str]:
    if not node.keys() - {"id"}:
        yield f"{place}: ele-1, an element has a value or children"
    if "url" in node and re.search(r"[eE]xtension\[\d+\]$", place):
        valued = any(name.lstrip("_").startswith("value") for name in node)
        if valued == ("extension" in node):
            yield f"{place}: ext-1, an extension has a value or extensions, not both"
    if {"start", "end"} <= node.keys() and str(node["start"])[:10] > str(node["end"]):
        yield f"{place}: per-1, a period starts before it ends"
    if "resourceType" in node:
        yield from _resource_invariants(node, place)


def _resource_invariants(node: Json, place: str) -> Iterator[str]:
    if any("contained" in inner for inner in node.get("contained", [])):
        yield f"{place}: dom-2, no contained within a contained"
    if "text" in node and not _is_narrative(node["text"].get("div", "")):
        yield f"{place}.text.div: txt-1, well-formed XHTML in its name space"
    if node["resourceType"] == "Bundle":
        yield from _bundle_invariants(node, place)


def _is_narrative(div: str) -> bool:
    try:
        return ElementTree.fromstring(div).tag == _DIV  # noqa: S314 - our own answer, not a client's
    except ElementTree.ParseError:
        return False


def _bundle_invariants(bundle: Json, place: str) -> Iterator[str]:
    kind, entries = bundle.get("type"), bundle.get("entry", [])
    if "total" in bundle and kind not in {"searchset", "history"}:
        yield f"{place}: bdl-1, a total only in a searchset or history"
    named = [entry for entry in entries if "fullUrl" in entry]
    versions = {(entry["fullUrl"], entry.get("resource", {}).get("meta", {}).get("versionId")) for entry in named}
    if len(versions) != len(named):
        yield f"{place}: bdl-7, one entry a fullUrl and version"
    for index, entry in enumerate(entries):
        yield from (f"{place}.entry[{index}]: {problem}" for problem in _entry_invariants(entry, kind))


def _entry_invariants(entry: Json, kind: str | None) -> Iterator[str]:
    if "search" in entry and kind != "searchset":
        yield "bdl-2, search only in a searchset"
    if ("request" in entry) != (kind in _WITH_REQUEST):
        yield "bdl-3, a request where the type asks for it and nowhere else"
    if ("response" in entry) != (kind in _WITH_RESPONSE):
        yield "bdl-4, a response where the type asks for it and nowhere else"
    if not entry.keys() & {"resource", "request", "response"}:
        yield "bdl-5, an entry holds something"
    if "/_history/" in entry.get("fullUrl", ""):
        yield "bdl-8, a fullUrl names no version"


def _text_invariants(text: str, place: str) -> Iterator[str]:
    if place.endswith((".div", ".data")):
        return
    if day := _CALENDAR_DAY.match(text):
        try:
            date.fromisoformat(day[0])
        except ValueError:
            yield f"{place}: {text} is no day of the calendar"
