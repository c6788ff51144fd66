"""FHIRPath Patch: `Parameters` whose operations name an element by a path, read as changes (FHIR R4 fhirpatch)."""

from collections.abc import Mapping
from typing import Any

from dmp.domain.errors import Invalid, Malformed
from dmp.fhir.fhirpath import BY_URL, steps_of
from dmp.fhir.json_patch import Change, forbidden
from dmp.fhir.validation import validate

type Parts = Mapping[str, Mapping[str, Any]]


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
    steps = _steps(_text(parts, "path"), resource_type, place)
    match _text(parts, "type"):
        case "add":
            return Change("add", _below(steps, _added(steps, parts), place), _value(parts, place), place)
        case "insert":
            return Change("add", _below(steps, _index(parts, "index", place), place), _value(parts, place), place)
        case "replace":
            return Change("replace", _below(steps, (), place), _value(parts, place), place)
        case "delete":
            return Change("remove", _below(steps, (), place), None, place, if_found=True)
        case "move":
            source, destination = _index(parts, "source", place), _index(parts, "destination", place)
            return Change("move", _below(steps, destination, place), None, place, origin=_below(steps, source, place))
    raise forbidden(f"{place}.part")


def _below(steps: tuple[str, ...], further: tuple[str, ...], place: str) -> tuple[str, ...]:
    """The path of an element; the resource itself is none."""
    if not steps + further:
        raise forbidden(f"{place}.part")
    return steps + further


def _added(steps: tuple[str, ...], parts: Parts) -> tuple[str, ...]:
    """Where an addition goes: the end of a list; the value of an extension that is named by its url is its own."""
    name = _text(parts, "name")
    if steps and steps[-1].startswith(BY_URL) and name.startswith("value"):
        return ()
    return (name, "-") if name else ("-",)


def _index(parts: Parts, name: str, place: str) -> tuple[str, ...]:
    index = parts.get(name, {}).get("valueInteger")
    if not isinstance(index, int) or index < 0:
        raise Malformed("malformed-request", place, "a place in a list is an integer from nought")
    return (str(index),)


def _steps(path: str, resource_type: str, place: str) -> tuple[str, ...]:
    found = steps_of(path) if path else None
    if found is None:
        raise forbidden(f"{place}.part")
    is_typed = bool(found) and found[0][:1].isupper()
    if is_typed and found[0] != resource_type:
        raise Invalid("invalid-parameter", f"{place}.part", "the path is of another resource")
    return found[1:] if is_typed else found


def _text(parts: Parts, name: str) -> str:
    part = parts.get(name, {})
    return str(part.get("valueCode") or part.get("valueString") or "")


def _value(parts: Parts, place: str) -> Any:
    if "value" not in parts:
        raise Malformed("malformed-request", place, "the operation needs a value")
    return _content(parts["value"], place)


def _content(part: Mapping[str, Any], place: str) -> Any:
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
        content[name] = _content(inner, place)
    return content
