"""The entries of an ITI-65 Bundle, told apart: closed slicing of MHD's ProvideBundle profiles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dmp.domain.errors import Invalid
from dmp.domain.submission import EntryKind
from dmp.fhir import document_reference
from dmp.fhir.bundle_references import BundleReferences
from dmp.fhir.references import parse_target
from dmp.fhir.systems import MHD_LIST_TYPES
from dmp.fhir.validation import references, validate

type Resource = Mapping[str, Any]

_METHODS = {
    EntryKind.DOCUMENT: ("POST",),
    EntryKind.CONTENT: ("POST",),
    EntryKind.SUBMISSION_SET: ("POST",),
    EntryKind.FOLDER: ("POST", "PUT"),
    EntryKind.PATCH: ("PATCH",),
    EntryKind.PATIENT: ("GET", "POST", "PUT"),
}
_KINDS = {
    "DocumentReference": EntryKind.DOCUMENT,
    "Binary": EntryKind.CONTENT,
    "Parameters": EntryKind.PATCH,
    "Patient": EntryKind.PATIENT,
}
_LISTS = {"submissionset": EntryKind.SUBMISSION_SET, "folder": EntryKind.FOLDER}
_CONDITIONS = ("ifNoneMatch", "ifModifiedSince", "ifMatch", "ifNoneExist")
_NEEDING_URL = (EntryKind.DOCUMENT, EntryKind.CONTENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry, its resource validated; `place` is the FHIRPath of the resource, `url` what its request names."""

    kind: EntryKind
    full_url: str
    method: str
    url: str
    resource: Resource
    place: str
    condition: str = ""
    """The `ifNoneExist` of a Patient: it finds the record, which is never created so."""

    @property
    def request_place(self) -> str:
        """The FHIRPath of the request of this entry."""
        return self.place.removesuffix("resource") + "request"


def read_entries(entries: Sequence[Resource], base_url: str = "") -> list[Entry]:
    """Tell the entries apart and check what MHD says of their number and their requests.

    Every reference from one to another becomes the full URL of that other.
    """
    found = [_entry(entry, f"Bundle.entry[{index}]", base_url) for index, entry in enumerate(entries)]
    _check_number(found)
    _check_full_urls(found)
    named = _full_urls(found)
    linked = BundleReferences(named)
    resolved = [replace(entry, resource=linked.resolved(entry.resource, entry.full_url)) for entry in found]
    for entry in resolved:
        _check_references(entry, set(named.values()))
    return resolved


def _entry(entry: Resource, place: str, base_url: str) -> Entry:
    resource, request = entry.get("resource"), entry["request"]
    if resource is None:
        raise Invalid("invalid-resource", f"{place}.resource", "a required element is missing")
    kind = _kind(resource, f"{place}.resource")
    if request["method"] not in _METHODS[kind]:
        raise Invalid("invalid-resource", f"{place}.request.method", "the profile wants another method here")
    _check_conditions(request, kind, f"{place}.request")
    url = _request_url(request["url"], base_url)
    _check_url(request["method"], url, resource["resourceType"], f"{place}.request.url")
    return Entry(
        kind=kind,
        full_url=entry.get("fullUrl", ""),
        method=request["method"],
        url=url,
        resource=_validated(resource, f"{place}.resource"),
        place=f"{place}.resource",
        condition=_request_url(request.get("ifNoneExist", ""), base_url),
    )


def _check_conditions(request: Resource, kind: EntryKind, place: str) -> None:
    """A document's unique id makes its creation conditional already: no condition is taken but a Patient's."""
    for condition in _CONDITIONS:
        if condition in request and (condition != "ifNoneExist" or kind is not EntryKind.PATIENT):
            detail = "no condition is accepted here: the unique id keeps a resource from being created twice"
            raise Invalid("invalid-resource", f"{place}.{condition}", detail)


def _request_url(url: str, base_url: str) -> str:
    relative = url.removeprefix(f"{base_url}/") if base_url else url
    return relative.removeprefix("/")


def _check_url(method: str, url: str, resource_type: str, place: str) -> None:
    """What is created is posted to its type; what is read or put names a resource of the type, or the type alone."""
    if url == resource_type or method == "PATCH":
        return
    target = parse_target(url) if method != "POST" else None
    if target is None or target.resource_type != resource_type:
        raise Invalid("invalid-resource", place, "the address is of no resource that this entry may be about")


def _kind(resource: Resource, place: str) -> EntryKind:
    resource_type = str(resource.get("resourceType"))
    if resource_type == "List":
        codings = _codings(resource)
        kinds = [kind for code, kind in _LISTS.items() if (MHD_LIST_TYPES, code) in codings]
        if len(kinds) != 1:
            raise Invalid("invalid-resource", f"{place}.code", "a List is a SubmissionSet or a Folder")
        return kinds[0]
    if resource_type == "Bundle":
        raise Invalid("unsupported-content", place, "documents that are FHIR Bundles are not accepted")
    if resource_type not in _KINDS:
        raise Invalid("invalid-resource", place, "the profile has no place for a resource of this type")
    return _KINDS[resource_type]


def _codings(resource: Resource) -> list[tuple[Any, Any]]:
    code = resource.get("code")
    codings = code.get("coding") if isinstance(code, Mapping) else None
    if not isinstance(codings, list):
        return []
    return [(coding.get("system"), coding.get("code")) for coding in codings if isinstance(coding, Mapping)]


def _validated(resource: Resource, place: str) -> Resource:
    if resource["resourceType"] == "DocumentReference":
        return document_reference.validated(resource, place)
    return validate(resource, resource["resourceType"], place)


def _check_number(entries: Sequence[Entry]) -> None:
    kinds = [entry.kind for entry in entries]
    if kinds.count(EntryKind.SUBMISSION_SET) != 1:
        raise Invalid("invalid-resource", "Bundle.entry", "exactly one SubmissionSet is required")
    if EntryKind.DOCUMENT not in kinds:
        raise Invalid("invalid-resource", "Bundle.entry", "at least one DocumentReference is required")
    if kinds.count(EntryKind.PATIENT) > 1:
        raise Invalid("invalid-resource", "Bundle.entry", "one Patient is allowed")


def _check_full_urls(entries: Sequence[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        place = entry.place.removesuffix(".resource") + ".fullUrl"
        if entry.full_url in seen:
            raise Invalid("duplicate-entry", place, "two entries have this full URL")
        if "/_history/" in entry.full_url:
            raise Invalid("invalid-resource", place, "bdl-8: a full URL names no version")
        if entry.full_url:
            seen.add(entry.full_url)
        elif entry.kind in _NEEDING_URL:
            raise Invalid("invalid-resource", place, "a required element is missing")


def _full_urls(entries: Sequence[Entry]) -> dict[str, str]:
    """What names each entry: its full URL, and for one that is there already the address in its request."""
    named = {entry.url: entry.full_url or entry.url for entry in entries if entry.kind in _HELD and "/" in entry.url}
    return named | {entry.full_url: entry.full_url for entry in entries if entry.full_url}


_HELD = (EntryKind.FOLDER, EntryKind.PATIENT)


def _check_references(entry: Entry, full_urls: set[str]) -> None:
    """Every reference to something within the bundle leads there."""
    for place, literal in references(entry.resource, entry.place):
        if literal.startswith(("urn:uuid:", "urn:oid:")) and literal not in full_urls:
            raise Invalid("unknown-reference", place, "no entry of the bundle has this full URL")
