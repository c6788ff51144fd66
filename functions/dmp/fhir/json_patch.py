"""Changes to a resource, whether they came as JSON Patch (RFC 6902) or as FHIRPath Patch, and their effect on JSON."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dmp.domain.errors import Invalid, Malformed, NotAllowed, UnsupportedMedia
from dmp.fhir.parsing import check_values, parse_json, parse_resource

JSON_PATCH = "application/json-patch+json"
FHIR_JSON = ("application/fhir+json", "application/json+fhir")
_MAX_CHANGES = 50
_OPS = ("add", "replace", "remove", "test")


@dataclass(frozen=True, slots=True)
class Change:
    """One operation: `add`, `replace`, `remove` or `test`, at a path of element names and positions (`-`: the end)."""

    op: str
    path: tuple[str, ...]
    value: Any = None
    place: str = ""


def read_json_patch(body: bytes) -> list[Change]:
    """Read a JSON Patch. Raises Malformed where it is none, NotAllowed for its `move` and `copy`."""
    operations = parse_json(body)
    if not isinstance(operations, list) or not 0 < len(operations) <= _MAX_CHANGES:
        raise Malformed("malformed-request", detail=f"a JSON Patch is an array of 1 to {_MAX_CHANGES} operations")
    return [_operation(operation, f"[{index}]") for index, operation in enumerate(operations)]


def body_kind(content_type: str) -> str:
    """`json-patch` or `parameters`; raises UnsupportedMedia for any other media type."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == JSON_PATCH:
        return "json-patch"
    if media_type in FHIR_JSON:
        return "parameters"
    raise UnsupportedMedia("unsupported-media-type", detail="a patch is a JSON Patch, or Parameters in JSON")


def read_patch_parameters(body: bytes) -> dict[str, Any]:
    """Read the Parameters of a FHIRPath Patch."""
    return parse_resource(body, "Parameters")


def forbidden(place: str) -> NotAllowed:
    """The refusal of a path that must not be changed."""
    return NotAllowed("patch-path-forbidden", place or None, "this element cannot be changed by a patch")


def applied(resource: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The resource after one change; raises Invalid where the path leads nowhere or a test fails."""
    root = copy.deepcopy(dict(resource))
    parent: Any = root
    for step in change.path[:-1]:
        parent = _child(parent, step, change.place)
    _alter(parent, change.path[-1], change)
    return root


def _operation(operation: Any, place: str) -> Change:
    if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
        raise Malformed("malformed-request", place, "an operation has a path")
    op, path = operation.get("op"), operation["path"]
    if op in ("move", "copy"):
        raise forbidden(place)
    if op not in _OPS or not path.startswith("/"):
        raise Malformed("malformed-request", place, "an operation is add, replace, remove or test, at a path")
    if op != "remove":
        if "value" not in operation:
            raise Malformed("malformed-request", place, "the operation needs a value")
        check_values(operation["value"], f"{place}.value")
    steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/"))
    return Change(op, steps, operation.get("value"), place)


def _alter(parent: Any, step: str, change: Change) -> None:
    if isinstance(parent, list):
        _alter_list(parent, step, change)
    elif not isinstance(parent, dict) or (change.op != "add" and step not in parent):
        raise _nowhere(change.place)
    elif change.op == "remove":
        del parent[step]
    elif change.op == "test":
        _test(parent[step], change)
    else:
        parent[step] = change.value


def _alter_list(items: list[Any], step: str, change: Change) -> None:
    if change.op == "add":
        items.insert(len(items) if step == "-" else _position(items, step, change.place, past_end=1), change.value)
        return
    position = _position(items, step, change.place)
    if change.op == "remove":
        del items[position]
    elif change.op == "test":
        _test(items[position], change)
    else:
        items[position] = change.value


def _child(parent: Any, step: str, place: str) -> Any:
    if isinstance(parent, list):
        return parent[_position(parent, step, place)]
    if isinstance(parent, dict) and step in parent:
        return parent[step]
    raise _nowhere(place)


def _position(items: Sequence[Any], step: str, place: str, past_end: int = 0) -> int:
    is_position = step.isascii() and step.isdigit() and len(step) < 6 and (step == "0" or step[0] != "0")
    if not is_position or int(step) >= len(items) + past_end:
        raise _nowhere(place)
    return int(step)


def _test(value: Any, change: Change) -> None:
    if value != change.value:
        raise Invalid("precondition-failed", change.place or None, "the tested value is another one")


def _nowhere(place: str) -> Invalid:
    return Invalid("invalid-parameter", place or None, "the path leads nowhere in this resource")
