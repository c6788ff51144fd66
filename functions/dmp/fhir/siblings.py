"""Siblings of primitives: what stands in `_name` beside `name` (hl7.org/fhir/R4/json.html#primitive)."""

from collections.abc import Callable
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticCustomError


def broken(rule: str) -> PydanticCustomError:
    """The error of an element that breaks a rule of FHIR; `rule` says which, in English."""
    return PydanticCustomError("fhir", "{rule}", {"rule": rule})


def has_siblings(value: Any) -> bool:
    """Whether an object holds a `_name`, or an array with a place kept by a null."""
    return isinstance(value, dict) and any(key.startswith("_") or None in _items(value[key]) for key in value)


def without_siblings(model: type[BaseModel], value: dict[str, Any], check: Callable[[Any], object]) -> dict[str, Any]:
    """The object without its `_name`s and kept places; each sibling goes through `check`."""
    content = {key: item for key, item in value.items() if not key.startswith("_")}
    for key in value.keys() - content.keys():
        _check_sibling(model, key[1:], value.get(key[1:]), value[key], check)
    for key, item in content.items():
        if None in _items(item):
            _check_places(item, value.get(f"_{key}"))
            content[key] = [part for part in item if part is not None]
    return content


def _check_sibling(model: type[BaseModel], name: str, item: Any, sibling: Any, check: Callable[[Any], object]) -> None:
    if not _is_primitive(model, name):
        raise broken("an underscore stands before the name of no primitive element")
    if isinstance(item, list) or isinstance(sibling, list):
        _check_places(item or sibling, sibling)
    for one in sibling if isinstance(sibling, list) else [sibling]:
        if one is not None:
            check(one)


def _check_places(items: Any, siblings: Any) -> None:
    if not isinstance(items, list) or not isinstance(siblings, list) or len(items) != len(siblings):
        raise broken("an array of primitives and that of their extensions differ in length")


def _is_primitive(model: type[BaseModel], name: str) -> bool:
    for field_name, field in model.model_fields.items():
        if (field.alias or field_name) == name:
            return name != "id" and _holds_no_object(field.annotation)
    return False


def _holds_no_object(annotation: Any) -> bool:
    if get_origin(annotation) in (list, Union, UnionType):
        return all(_holds_no_object(part) for part in get_args(annotation))
    kind = get_origin(annotation) or annotation
    return not (isinstance(kind, type) and issubclass(kind, BaseModel | dict))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
