"""PATCH of a DocumentReference: status, securityLabel and isArchived, nothing else (PDSm flux 3, DMP TD3.3a-d)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dmp.domain.document import Metadata
from dmp.domain.errors import Invalid
from dmp.fhir import document_reference
from dmp.fhir.fhirpath import BY_CODE, BY_URL
from dmp.fhir.json_patch import Change, applied, forbidden
from dmp.fhir.patch import read_patch
from dmp.fhir.systems import PDSM_IS_ARCHIVED

type Resource = Mapping[str, Any]

_DRAFT_PATH = re.compile(r"""extension\[\s*url\s*[:=]\s*["']([^"']+)["']\s*\](?:/valueBoolean)?""")
_CHANGEABLE = ("status", "securityLabel", "extension")
_EXTENSION_DEPTH = 3
_OF_STATUS = ("add", "replace", "test")


@dataclass(frozen=True, slots=True)
class DocumentPatch:
    """Changes that were read and may be tried on any document."""

    changes: tuple[Change, ...]

    def apply(self, resource: Resource) -> dict[str, Any]:
        """The stored resource after the changes, not yet checked; raises Invalid where they do not fit it."""
        patched = {"securityLabel": [], "extension": [], **resource}
        for change in self.changes:
            patched = _apply(patched, change)
        _check_extensions(resource, patched)
        return {key: value for key, value in patched.items() if value != []}

    def revise(self, resource: Resource) -> Metadata:
        """The metadata of the document after the changes, checked like that of a new one."""
        return document_reference.revised(self.apply(resource))


def read_document_patch(body: bytes, content_type: str) -> DocumentPatch:
    """Read the body of a PATCH.

    Raises Malformed or Invalid for a patch that is none, NotAllowed `patch-path-forbidden` for other elements,
    UnsupportedMedia for other media types.
    """
    return DocumentPatch(tuple(map(_permitted, read_patch(body, content_type, "DocumentReference"))))


def _permitted(change: Change) -> Change:
    match = _DRAFT_PATH.fullmatch("/".join(change.path))
    if match:
        change = replace(change, path=("extension", BY_URL + match[1]))
    if change.path == ("status", "-"):
        change = replace(change, path=("status",))
    first = change.path[0]
    if first not in _CHANGEABLE or (first == "status" and (len(change.path) > 1 or change.op not in _OF_STATUS)):
        raise forbidden(change.place)
    if change.origin[:1] not in ((), (first,)):
        raise forbidden(change.place)
    if first == "extension":
        _check_extension(change)
    return change


def _check_extension(change: Change) -> None:
    """Refuse what surely is about another extension; what depends on the resource is seen when it is applied."""
    by_url = [step for step in change.path if step.startswith(BY_URL)]
    values = change.value if isinstance(change.value, list) else [change.value]
    others = [one for one in values if isinstance(one, dict) and one.get("url") != PDSM_IS_ARCHIVED]
    if others or len(change.path) > _EXTENSION_DEPTH or by_url not in ([], [BY_URL + PDSM_IS_ARCHIVED]):
        raise forbidden(change.place)


def _apply(resource: Resource, change: Change) -> dict[str, Any]:
    match change.path:
        case ("status",):
            value = change.value.strip() if isinstance(change.value, str) else change.value
            return applied(resource, replace(change, value=value))
        case ("extension", step) if step.startswith(BY_URL):
            return _archived(resource, change)
        case ("extension", _) if change.op == "add":
            applied(resource, change)
            return {**resource, "extension": [*_other_extensions(resource), change.value]}
        case ("securityLabel", step) if step.startswith(BY_CODE):
            return _by_code(resource, change, step.removeprefix(BY_CODE))
        case ("securityLabel", "0") if _clears_labels(resource, change):
            return {**resource, "securityLabel": [change.value]}
        case ("securityLabel" | "extension" as name,):
            return _whole(resource, change, name)
    return applied(resource, change)


def _whole(resource: Resource, change: Change, name: str) -> dict[str, Any]:
    """All of a list at once; one element stands for a list of one."""
    if change.op == "remove":
        return {**resource, name: []}
    values = change.value if isinstance(change.value, list) else [change.value]
    if change.op == "test":
        return applied(resource, replace(change, value=values))
    if name == "extension":
        values = [*_other_extensions(resource), *values]
    return {**resource, name: values}


def _archived(resource: Resource, change: Change) -> dict[str, Any]:
    others = _other_extensions(resource)
    if change.op == "remove":
        return {**resource, "extension": others}
    value = change.value.get("valueBoolean") if isinstance(change.value, dict) else change.value
    if not isinstance(value, bool):
        raise Invalid("invalid-parameter", change.place or None, "isArchived is true or false")
    archived = {"url": PDSM_IS_ARCHIVED, "valueBoolean": value}
    if change.op == "test":
        return applied(resource, replace(change, path=("extension",), value=[*others, archived]))
    return {**resource, "extension": [*others, archived]}


def _by_code(resource: Resource, change: Change, code: str) -> dict[str, Any]:
    labels = resource["securityLabel"]
    found = [index for index, label in enumerate(labels) if code in _codes(label)]
    if not found and change.if_found:
        return dict(resource)
    if not found:
        raise Invalid("invalid-parameter", change.place or None, "the path leads nowhere in this resource")
    return applied(resource, replace(change, path=("securityLabel", str(found[0]))))


def _clears_labels(resource: Resource, change: Change) -> bool:
    """Whether `N` replaces the `N` that stands first: software that knows one label means to lift the extra codes."""
    labels = resource["securityLabel"]
    is_normal = isinstance(change.value, dict) and _codes(change.value) == ["N"]
    return change.op == "replace" and is_normal and bool(labels) and _codes(labels[0]) == ["N"]


def _codes(label: Resource) -> list[Any]:
    codings = label.get("coding", [])
    return [coding.get("code") for coding in codings if isinstance(coding, dict)] if isinstance(codings, list) else []


def _other_extensions(resource: Resource) -> list[Any]:
    extensions = resource.get("extension", [])
    return [one for one in extensions if not isinstance(one, dict) or one.get("url") != PDSM_IS_ARCHIVED]


def _check_extensions(before: Resource, after: Resource) -> None:
    if not isinstance(after["extension"], list) or _other_extensions(before) != _other_extensions(after):
        raise forbidden("")
