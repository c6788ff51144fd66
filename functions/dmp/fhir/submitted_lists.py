"""SubmissionSets and Folders of an ITI-65 Bundle: which entries they hold, those of the bundle and those on record."""

from collections.abc import Mapping, Sequence
from typing import Any

from dmp.domain.document import ReplacesTarget
from dmp.domain.document_list import ListKind
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import split_resource_id
from dmp.domain.submission import SUBJECT, Remark, SubmittedList, SubmittedRelation, with_references
from dmp.fhir import mhd_profiles
from dmp.fhir.bundle_entries import Entry
from dmp.fhir.reference_targets import check_targets
from dmp.fhir.references import Surroundings, Target, identifier_of, identifiers_of, parse_target, with_logical
from dmp.fhir.times import parse_datetime
from dmp.fhir.validation import without_orphans

_TYPES = ("DocumentReference", "List")


def submission_set(entry: Entry, documents: Sequence[Entry], around: Surroundings) -> SubmittedList:
    """The SubmissionSet, which must hold every document of the bundle."""
    found = _list(ListKind.SUBMISSION_SET, entry, around)
    missing = {document.full_url for document in documents}.difference(found.documents)
    if missing:
        raise Invalid("invalid-resource", f"{entry.place}.entry", "the SubmissionSet leaves out a document")
    return found


def folder(entry: Entry, around: Surroundings) -> SubmittedList:
    """A Folder; with PUT, one that the record may already hold."""
    found = _list(ListKind.FOLDER, entry, around)
    if found.lists or found.existing_lists:
        raise Invalid("invalid-resource", f"{entry.place}.entry", "a Folder holds documents alone")
    return found


def _list(kind: ListKind, entry: Entry, around: Surroundings) -> SubmittedList:
    check_targets(entry.resource, around.within(entry.resource), entry.place)
    moments = parse_datetime(entry.resource["date"]) if "date" in entry.resource else None
    held = _Held(entry, around)
    return SubmittedList(
        kind=kind,
        date=moments[0] if moments else None,
        identifiers=tuple(dict.fromkeys(identifiers_of(entry.resource))),
        resource=_stored(entry, around),
        full_url=entry.full_url,
        documents=tuple(held.bundled["DocumentReference"]),
        lists=tuple(held.bundled["List"]),
        existing=tuple(held.on_record["DocumentReference"]),
        existing_lists=tuple(held.on_record["List"]),
        updates=entry.method == "PUT",
        target=_target(entry),
        remarks=tuple(held.remarks),
        place=entry.place,
    )


def _target(entry: Entry) -> ReplacesTarget | None:
    """The Folder that the address of a PUT names; `List` alone leaves that to its identifiers."""
    target = parse_target(entry.url) if entry.method == "PUT" else None
    return ReplacesTarget(target.id, target.identifier) if target else None


class _Held:
    """What a List holds, each thing once: full URLs of the bundle, and what the record has, by type."""

    def __init__(self, entry: Entry, around: Surroundings) -> None:
        self.bundled: dict[str, dict[str, None]] = {kind: {} for kind in _TYPES}
        self.on_record: dict[str, list[SubmittedRelation]] = {kind: [] for kind in _TYPES}
        self.remarks: list[Remark] = []
        for index, one in enumerate(entry.resource.get("entry", [])):
            self._take(one["item"], f"{entry.place}.entry[{index}].item", around)

    def _take(self, reference: Mapping[str, Any], place: str, around: Surroundings) -> None:
        literal = reference.get("reference", "")
        bundled = around.bundled.get(literal)
        if bundled is not None and bundled["resourceType"] in _TYPES:
            self.bundled[bundled["resourceType"]][literal] = None
            return
        target = _named(reference, literal, around)
        if target is None or target.resource_type not in _TYPES:
            raise Invalid("unknown-reference", place, "the entry leads to no document")
        if target.id and split_resource_id(target.id) is None:
            self.remarks.append(Remark("entry-left-out", place))
            return
        found = SubmittedRelation(ReplacesTarget(target.id, target.identifier), place)
        self.on_record[target.resource_type].append(found)


def _named(reference: Mapping[str, Any], literal: str, around: Surroundings) -> Target | None:
    """What an entry names by its address, or else by an identifier: a document, unless it says that it is a List."""
    if literal:
        return parse_target(literal, around.base_url)
    logical = identifier_of(reference.get("identifier"))
    return Target(reference.get("type", _TYPES[0]), identifier=logical) if logical else None


def _stored(entry: Entry, around: Surroundings) -> dict[str, Any]:
    patients = {url: SUBJECT for url, one in around.bundled.items() if one["resourceType"] == "Patient"}
    content = {key: value for key, value in entry.resource.items() if key not in ("id", "meta", "entry")}
    content["subject"] = {"reference": SUBJECT}
    stored = without_orphans(with_logical(with_references(content, patients)))
    claims = entry.resource.get("meta", {}).get("profile", [])
    kept = [url for url in claims if mhd_profiles.conforms({**stored, "entry": entry.resource.get("entry", [])}, url)]
    return {"resourceType": "List", "meta": {"profile": kept}, **stored} if kept else stored
