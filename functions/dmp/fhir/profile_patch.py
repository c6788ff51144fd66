"""PATCH of an entry of the structured profile: its labels, `meta.security`, and nothing else (masking)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dmp.domain.clinical_profile import ProfileEntry, ProfileKind
from dmp.domain.consent import PatientRef
from dmp.domain.errors import Invalid
from dmp.domain.profile_request import ProfileRequest
from dmp.fhir.datatypes import Coding
from dmp.fhir.fhirpath import BY_CODE
from dmp.fhir.json_patch import Change, applied, forbidden
from dmp.fhir.patch import read_patch
from dmp.fhir.profile_reading import labelled
from dmp.fhir.profile_rendering import render_entry
from dmp.fhir.validation import check

type Resource = Mapping[str, Any]

_LABELS = ("meta", "security")
_NO_LABEL = ({"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"},)


@dataclass(frozen=True, slots=True)
class ProfilePatch:
    """Changes that were read and may be tried on any entry."""

    changes: tuple[Change, ...]

    def apply(self, entry: ProfileEntry) -> ProfileRequest:
        """The request for the same entry under other labels; raises Invalid where the changes do not fit it."""
        resource: dict[str, Any] = {"meta": {"security": render_entry(entry)["meta"]["security"]}}
        for change in self.changes:
            resource = _apply(resource, change)
        labels = resource["meta"].get("security", [])
        for index, label in enumerate(labels):
            check(Coding, label, f"{entry.kind}.meta.security[{index}]")
        meta = {"security": labels or _NO_LABEL}
        return labelled(entry.kind, PatientRef(record=entry.record), entry.resource, meta)


def read_profile_patch(body: bytes, content_type: str, kind: ProfileKind) -> ProfilePatch:
    """Read the body of a PATCH of a resource of this kind.

    Raises Malformed or Invalid for a patch that is none, NotAllowed `patch-path-forbidden` for other elements,
    UnsupportedMedia for other media types.
    """
    changes = read_patch(body, content_type, kind)
    for change in changes:
        if change.path[:2] != _LABELS or change.origin[:2] not in ((), _LABELS):
            raise forbidden(change.place)
    return ProfilePatch(tuple(changes))


def _apply(resource: Resource, change: Change) -> dict[str, Any]:
    labels = resource["meta"].get("security", [])
    match change.path[2:]:
        case () if change.op == "remove":
            return {"meta": {}}
        case () if change.op in ("add", "replace"):
            return {"meta": {"security": change.value if isinstance(change.value, list) else [change.value]}}
        case (step, *_) if step.startswith(BY_CODE):
            return _by_code({"meta": {"security": labels}}, change, labels, step.removeprefix(BY_CODE))
    return applied({"meta": {"security": labels}}, change)


def _by_code(resource: Resource, change: Change, labels: list[Any], code: str) -> dict[str, Any]:
    found = [n for n, label in enumerate(labels) if isinstance(label, dict) and label.get("code") == code]
    if not found and change.if_found:
        return dict(resource)
    if not found:
        raise Invalid("invalid-parameter", change.place or None, "the path leads nowhere in this resource")
    return applied(resource, replace(change, path=(*_LABELS, str(found[0]), *change.path[3:])))
