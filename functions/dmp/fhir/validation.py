"""One question: is this JSON a valid FHIR resource? The answer is the resource, cleaned, or where it breaks (422)."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from dmp.domain.errors import Invalid
from dmp.fhir import actors, devices, resources, subscription_model
from dmp.fhir.datatypes import Element
from dmp.fhir.narrative import is_safe
from dmp.fhir.parsing import place_in

_MODELS: dict[str, type[Element]] = {
    "Patient": actors.Patient,
    "RelatedPerson": actors.RelatedPerson,
    "Practitioner": actors.Practitioner,
    "PractitionerRole": actors.PractitionerRole,
    "Organization": actors.Organization,
    "Device": devices.Device,
    "DocumentReference": resources.DocumentReference,
    "List": resources.ListResource,
    "Binary": resources.Binary,
    "Bundle": resources.Bundle,
    "Parameters": resources.Parameters,
    "Consent": resources.Consent,
    "Subscription": subscription_model.Subscription,
}
_CONTAINABLE = frozenset({"Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "Device"})
_HOLDERS = frozenset({"Bundle", "Parameters"})
_NO_MORE: Mapping[str, type[Element]] = {}
_FIRST = ("resourceType", "id", "meta", "language", "text", "contained", "extension")
_DETAILS = {
    "missing": "a required element is missing",
    "extra_forbidden": "an element that is unknown, or not accepted here",
    "literal_error": "a code outside of the required value set",
    "string_pattern_mismatch": "a text that its type does not allow",
    "too_short": "too few elements",
}


def validate(
    resource: Mapping[str, Any],
    resource_type: str,
    place: str | None = None,
    *,
    models: Mapping[str, type[Element]] = _NO_MORE,
) -> dict[str, Any]:
    """The resource with its usual order, without unsafe narratives and without what a contained resource may not hold.

    `models` are those of further types: its own, and what it may contain besides.
    Raises Invalid `invalid-resource` with the FHIRPath of the first fault, under `place` (the type, when left out).
    """
    path = place or resource_type
    content = {key: value for key, value in resource.items() if key != "text" or _has_safe_narrative(value)}
    check({**_MODELS, **models}[resource_type], content, path)
    if "contained" in content:
        further = {name: model for name, model in models.items() if name != resource_type}
        content["contained"] = list(_contained(content["contained"], path, further))
    if resource_type not in _HOLDERS and "contained[" not in path:
        _check_local_references(content, path)
    return {name: content[name] for name in (*_FIRST, *content) if name in content}


def check(model: type[Element], value: Any, path: str) -> None:
    """Refuse what a model refuses, naming the place."""
    try:
        model.model_validate(value)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise Invalid("invalid-resource", _place(path, fault["loc"]), _detail(fault)) from None


def references(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every literal reference below a value, with its place."""
    if isinstance(value, dict):
        literal = value.get("reference")
        if isinstance(literal, str):
            yield place_in(path, "reference"), literal
        for key, item in value.items():
            yield from references(item, place_in(path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from references(item, place_in(path, index))


def without_orphans(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource without contained ones that nothing refers to any longer (dom-3)."""
    content = dict(resource)
    contained = content.pop("contained", [])
    kept: list[dict[str, Any]] = []
    wanted = {literal for _, literal in references(content, "")}
    while found := [one for one in contained if f"#{one.get('id')}" in wanted and one not in kept]:
        kept.extend(found)
        wanted |= {literal for _, literal in references(found, "")}
    if not kept:
        return content
    content["contained"] = [one for one in contained if one in kept]
    return {name: content[name] for name in (*_FIRST, *content) if name in content}


def orphans(resource: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a resource contains and nothing refers to, as its sender wanted it."""
    kept = without_orphans(resource).get("contained", [])
    return [one for one in resource.get("contained", []) if one not in kept]


def _contained(items: list[dict[str, Any]], path: str, models: Mapping[str, type[Element]]) -> Iterator[dict[str, Any]]:
    for index, item in enumerate(items):
        place = f"{path}.contained[{index}]"
        if str(item.get("resourceType")) not in _CONTAINABLE | models.keys():
            raise Invalid("invalid-resource", f"{place}.resourceType", "a contained resource of a type not accepted")
        if "contained" in item or "id" not in item:
            raise Invalid("invalid-resource", place, "dom-2: a contained resource has an id and contains nothing")
        yield _without_versions(validate(item, item["resourceType"], place, models=models))


def _without_versions(resource: dict[str, Any]) -> dict[str, Any]:
    forbidden = ("versionId", "lastUpdated", "security")
    meta = {key: value for key, value in resource.get("meta", {}).items() if key not in forbidden}
    return {key: meta if key == "meta" else value for key, value in resource.items() if key != "meta" or meta}


def _check_local_references(content: dict[str, Any], path: str) -> None:
    names = [item["id"] for item in content.get("contained", [])]
    if len(set(names)) != len(names):
        raise Invalid("invalid-resource", f"{path}.contained", "two contained resources with one id")
    for found, literal in references(content, path):
        if literal.startswith("#") and literal[1:] not in ("", *names):
            raise Invalid("unknown-reference", found, "no contained resource has this id")


def _has_safe_narrative(text: Any) -> bool:
    return isinstance(text, dict) and is_safe(text.get("div"))


def _place(path: str, location: tuple[int | str, ...]) -> str:
    for step in location:
        path = place_in(path, step)
    return path


def _detail(fault: Mapping[str, Any]) -> str:
    kind = fault["type"]
    return fault["msg"] if kind == "fhir" else _DETAILS.get(kind, "a value of the wrong type")
