"""FHIRPath Patch: `Parameters` whose operations name an element by a path, read as changes (FHIR R4 fhirpatch)."""

import re
from collections.abc import Mapping
from typing import Any

from dmp.domain.errors import Invalid, Malformed
from dmp.fhir.json_patch import Change, forbidden
from dmp.fhir.validation import validate

_OPS = {"add": "add", "insert": "add", "replace": "replace", "delete": "remove"}
_STEP = re.compile(r"([A-Za-z]+)(?:\[(\d{1,4})\])?", re.ASCII)
_BY_URL = re.compile(
    r"([A-Za-z]+)\.extension(?:\.where\(\s*url\s*=\s*'([^']+)'\s*\)|\('([^']+)'\))(?:\.value(?:Boolean)?)?", re.ASCII
)
_BY_CODE = re.compile(
    r"([A-Za-z]+)\.([A-Za-z]+)\.where\(\s*coding\.(?:code\s*=\s*'([^']+)'|where\(\s*code\s*=\s*'([^']+)'\s*\)"
    r"\.exists\(\))\s*\)",
    re.ASCII,
)
BY_CODE, BY_URL = "code=", "url="
"""Steps of a path that pick an element by the code or the url within."""


def read_parameters(parameters: Mapping[str, Any], resource_type: str, place: str = "Parameters") -> list[Change]:
    """Read a FHIRPath Patch of a resource of this type; `place` is where the Parameters stand in the request.

    Raises Invalid where the Parameters or a path are wrong, NotAllowed for paths outside of the subset read here.
    """
    checked = validate(parameters, "Parameters", place)
    changes = [
        _operation(parameter, f"{place}.parameter[{index}]", resource_type)
        for index, parameter in enumerate(checked.get("parameter", []))
    ]
    if not changes:
        raise Invalid("invalid-resource", f"{place}.parameter", "a patch holds an operation")
    return changes


def _operation(parameter: Mapping[str, Any], place: str, resource_type: str) -> Change:
    if parameter["name"] != "operation":
        raise Invalid("invalid-resource", f"{place}.name", "a patch holds operations alone")
    parts = {part["name"]: part for part in parameter.get("part", [])}
    op = _OPS.get(_text(parts, "type"))
    if op is None:
        raise forbidden(f"{place}.part")
    steps = _steps(_text(parts, "path"), resource_type, place)
    if op == "add":
        steps += _addition(parts, place)
    if not steps:
        raise forbidden(f"{place}.part")
    if op == "remove":
        return Change(op, steps, None, place)
    if "value" not in parts:
        raise Malformed("malformed-request", place, "the operation needs a value")
    return Change(op, steps, _value(parts["value"], place), place)


def _addition(parts: Mapping[str, Mapping[str, Any]], place: str) -> tuple[str, ...]:
    if _text(parts, "type") == "insert":
        index = parts.get("index", {}).get("valueInteger")
        if not isinstance(index, int) or index < 0:
            raise Malformed("malformed-request", place, "an insertion needs an index")
        return (str(index),)
    name = _text(parts, "name")
    return (name, "-") if name else ()


def _steps(path: str, resource_type: str, place: str) -> tuple[str, ...]:
    if match := _BY_URL.fullmatch(path):
        found: tuple[str, ...] = (match[1], "extension", BY_URL + (match[2] or match[3]))
    elif match := _BY_CODE.fullmatch(path):
        found = (match[1], match[2], BY_CODE + (match[3] or match[4]))
    else:
        found = _plain_steps(path, place)
    if found[0] != resource_type:
        raise Invalid("invalid-parameter", f"{place}.part", "the path is of another resource")
    return found[1:]


def _plain_steps(path: str, place: str) -> tuple[str, ...]:
    steps: list[str] = []
    for part in path.split("."):
        match = _STEP.fullmatch(part)
        if not match:
            raise forbidden(f"{place}.part")
        steps.append(match[1])
        if match[2] is not None:
            steps.append(str(int(match[2])))
    return tuple(steps)


def _text(parts: Mapping[str, Mapping[str, Any]], name: str) -> str:
    part = parts.get(name, {})
    return str(part.get("valueCode") or part.get("valueString") or "")


def _value(part: Mapping[str, Any], place: str) -> Any:
    """The value of a parameter; a complex one may be given as parts, named like its elements."""
    for key, value in part.items():
        if key.startswith("value"):
            return value
    if "part" not in part:
        raise Malformed("malformed-request", place, "the operation needs a value")
    content: dict[str, Any] = {}
    for inner in part["part"]:
        key = next((key for key in inner if key.startswith("value")), inner["name"])
        name = key if inner["name"] == "value" else inner["name"]
        content[name] = _value(inner, place)
    return content
