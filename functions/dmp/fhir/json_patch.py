"""Changes to a resource, whether they came as JSON Patch (RFC 6902) or as FHIRPath Patch, and their effect on JSON."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dmp.domain.errors import Invalid, Malformed, NotAllowed
from dmp.fhir.parsing import check_values, parse_json

_MAX_CHANGES = 50
_OPS = ("add", "replace", "remove", "test")
_OPS_FROM = ("move", "copy")


@dataclass(frozen=True, slots=True)
class Change:
    """One operation: `add`, `replace`, `remove`, `test`, `move` or `copy`.

    Its path is one of element names and positions (`-`: the end).
    """

    op: str
    path: tuple[str, ...]
    value: Any = None
    place: str = ""
    origin: tuple[str, ...] = ()
    """Whence something is moved or copied; always a neighbour of `path`."""
    if_found: bool = False
    """Whether a removal of what is not there is none, rather than a mistake."""


def read_json_patch(body: bytes) -> list[Change]:
    """Read a JSON Patch. Raises Malformed where it is none, NotAllowed for a `move` or `copy` to another list."""
    operations = parse_json(body)
    if not isinstance(operations, list) or not 0 < len(operations) <= _MAX_CHANGES:
        raise Malformed("malformed-request", detail=f"a JSON Patch is an array of 1 to {_MAX_CHANGES} operations")
    return [_operation(operation, f"[{index}]") for index, operation in enumerate(operations)]


def forbidden(place: str) -> NotAllowed:
    """The refusal of a path that must not be changed."""
    return NotAllowed("patch-path-forbidden", place or None, "this element cannot be changed by a patch")


def applied(resource: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The resource after one change; raises Invalid where the path leads nowhere or a test fails."""
    if change.if_found and not _is_there(resource, change.path):
        return dict(resource)
    root = copy.deepcopy(dict(resource))
    if change.op in _OPS_FROM:
        value = copy.deepcopy(_at(root, change.origin, change.place))
        if change.op == "move":
            _do(root, replace(change, op="remove", path=change.origin))
        change = replace(change, op="add", value=value)
    _do(root, change)
    return root


def _operation(operation: Any, place: str) -> Change:
    if not isinstance(operation, dict) or operation.get("op") not in (*_OPS, *_OPS_FROM):
        raise Malformed("malformed-request", place, "an operation is add, replace, remove, test, move or copy")
    op, path = operation["op"], _steps(operation.get("path"), place)
    if op in _OPS_FROM:
        origin = _steps(operation.get("from"), place)
        if origin[:-1] != path[:-1]:  # within one list a resource cannot grow beyond measure
            raise forbidden(place)
        return Change(op, path, None, place, origin)
    if op != "remove":
        if "value" not in operation:
            raise Malformed("malformed-request", place, "the operation needs a value")
        check_values(operation["value"], f"{place}.value")
    return Change(op, path, operation.get("value"), place)


def _steps(pointer: Any, place: str) -> tuple[str, ...]:
    """The steps of a JSON Pointer (RFC 6901)."""
    if not isinstance(pointer, str) or not pointer.startswith("/"):
        raise Malformed("malformed-request", place, "an operation has a path")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))


def _do(root: Any, change: Change) -> None:
    _alter(_at(root, change.path[:-1], change.place), change.path[-1], change)


def _at(root: Any, path: Sequence[str], place: str) -> Any:
    for step in path:
        root = _child(root, step, place)
    return root


def _is_there(root: Any, path: Sequence[str]) -> bool:
    try:
        _at(root, path, "")
    except Invalid:
        return False
    return True


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
