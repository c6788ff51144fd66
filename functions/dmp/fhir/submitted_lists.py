"""SubmissionSets and Folders of an ITI-65 Bundle: which entries they hold, those of the bundle and those on record."""

from collections.abc import Mapping, Sequence
from typing import Any

from dmp.domain.document_list import ListKind
from dmp.domain.errors import Invalid
from dmp.domain.submission import SUBJECT, EntryKind, SubmittedList, with_references
from dmp.fhir import mhd_profiles
from dmp.fhir.bundle_entries import Entry
from dmp.fhir.references import Surroundings, identifiers_of, parse_target, with_logical
from dmp.fhir.times import parse_datetime
from dmp.fhir.validation import without_orphans


def submission_set(entry: Entry, documents: Sequence[Entry], around: Surroundings) -> SubmittedList:
    """The SubmissionSet, which must hold every document of the bundle."""
    found = _list(ListKind.SUBMISSION_SET, entry, around)
    missing = {document.full_url for document in documents}.difference(found.documents)
    if missing:
        raise Invalid("invalid-resource", f"{entry.place}.entry", "the SubmissionSet leaves out a document")
    return found


def folder(entry: Entry, documents: Sequence[Entry], around: Surroundings) -> SubmittedList:
    """A Folder; with PUT, one that the record may already hold."""
    found = _list(ListKind.FOLDER, entry, around)
    if found.lists:
        raise Invalid("invalid-resource", f"{entry.place}.entry", "a Folder holds documents alone")
    return found


def _list(kind: ListKind, entry: Entry, around: Surroundings) -> SubmittedList:
    items = [_item(item["item"], f"{entry.place}.entry[{index}].item", around) for index, item in _entries(entry)]
    moments = parse_datetime(entry.resource["date"]) if "date" in entry.resource else None
    return SubmittedList(
        kind=kind,
        date=moments[0] if moments else None,
        identifiers=identifiers_of(entry.resource),
        resource=_stored(entry, around),
        full_url=entry.full_url,
        documents=tuple(name for kind_of, name in items if kind_of is EntryKind.DOCUMENT),
        lists=tuple(name for kind_of, name in items if kind_of is EntryKind.FOLDER),
        existing=tuple(name for kind_of, name in items if kind_of is None),
        updates=entry.method == "PUT",
        place=entry.place,
    )


def _entries(entry: Entry) -> Sequence[tuple[int, Mapping[str, Any]]]:
    return list(enumerate(entry.resource.get("entry", [])))


def _item(reference: Mapping[str, Any], place: str, around: Surroundings) -> tuple[EntryKind | None, str]:
    literal = reference.get("reference", "")
    bundled = around.bundled.get(literal)
    if bundled is not None and bundled["resourceType"] == "DocumentReference":
        return EntryKind.DOCUMENT, literal
    if bundled is not None and bundled["resourceType"] == "List":
        return EntryKind.FOLDER, literal
    target = parse_target(literal, around.base_url)
    if target and target.resource_type == "DocumentReference" and target.id:
        return None, target.id
    raise Invalid("unknown-reference", place, "the entry leads to no document")


def _stored(entry: Entry, around: Surroundings) -> dict[str, Any]:
    patients = {url: SUBJECT for url, one in around.bundled.items() if one["resourceType"] == "Patient"}
    content = {key: value for key, value in entry.resource.items() if key not in ("id", "meta", "entry")}
    content["subject"] = {"reference": SUBJECT}
    stored = without_orphans(with_logical(with_references(content, patients)))
    claims = entry.resource.get("meta", {}).get("profile", [])
    kept = [url for url in claims if mhd_profiles.conforms({**stored, "entry": entry.resource.get("entry", [])}, url)]
    return {"resourceType": "List", "meta": {"profile": kept}, **stored} if kept else stored
