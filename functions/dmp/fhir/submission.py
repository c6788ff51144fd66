"""ITI-65: from a transaction Bundle to a Submission, every rule of its level checked, no record looked at."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dmp.domain.consent import PatientRef
from dmp.domain.content import INLINE_LIMIT, media_type
from dmp.domain.document import DocumentStatus
from dmp.domain.errors import Invalid, TooLarge
from dmp.domain.submission import (
    SUBJECT,
    EntryKind,
    EntryRef,
    Submission,
    SubmittedDocument,
    SubmittedPatch,
    with_references,
)
from dmp.fhir import attachments, document_reference, mhd_profiles
from dmp.fhir.bundle_entries import Entry, read_entries
from dmp.fhir.document_metadata import document_target
from dmp.fhir.document_reference import Intake, attachment_of
from dmp.fhir.fhirpath_patch import read_parameters
from dmp.fhir.mhd_profiles import LEVELS, Level
from dmp.fhir.patient_entries import patient_entry
from dmp.fhir.references import Surroundings, one_patient, patient_of
from dmp.fhir.submitted_lists import folder, submission_set
from dmp.fhir.systems import PDSM_PROVIDE
from dmp.fhir.validation import validate

type Resource = Mapping[str, Any]

MAX_DOCUMENTS = 30
MAX_PATCHES = 30
MAX_FOLDERS = 30
MAX_LISTED = 1_000
"""Entries of all the Lists of one bundle."""


def read_submission(bundle: Resource, intake: Intake) -> Submission:
    """Read a parsed Bundle as one ITI-65 submission.

    Raises TooLarge for more than 30 documents or 3 MiB; Invalid for everything else that is wrong in the bundle itself.
    """
    checked = validate(bundle, "Bundle")
    levels = _levels(checked)
    entries = read_entries(checked["entry"], intake.base_url)
    around = _surroundings(entries, intake.base_url)
    documents = _of_kind(entries, EntryKind.DOCUMENT)
    contents = _contents(documents, _of_kind(entries, EntryKind.CONTENT))
    subject = one_patient(_claims(entries, around))
    _check_numbers(entries)
    for level in levels.values():
        _check_level(entries, level)
    fed = tuple(
        _document(entry, content, intake, around, by_dmp=PDSM_PROVIDE in levels)
        for entry, content in zip(documents, contents, strict=True)
    )
    _check_total(fed)
    return Submission(
        subject=subject,
        documents=fed,
        submission_set=submission_set(_of_kind(entries, EntryKind.SUBMISSION_SET)[0], documents, around),
        folders=tuple(folder(entry, around) for entry in _of_kind(entries, EntryKind.FOLDER)),
        patches=tuple(_patch(entry, intake.base_url) for entry in _of_kind(entries, EntryKind.PATCH)),
        order=tuple(_order(entries)),
    )


def _levels(bundle: Resource) -> dict[str, Level]:
    profiles = [url.partition("|")[0] for url in bundle.get("meta", {}).get("profile", [])]
    levels = {url: LEVELS[url] for url in profiles if url in LEVELS}
    if not levels:
        raise Invalid("invalid-resource", "Bundle.meta.profile", "the bundle names no profile of ITI-65")
    return levels


def _check_numbers(entries: Sequence[Entry]) -> None:
    """What has to be looked for in the record, one by one, is bounded."""
    for kind, most in ((EntryKind.PATCH, MAX_PATCHES), (EntryKind.FOLDER, MAX_FOLDERS)):
        found = _of_kind(entries, kind)
        if len(found) > most:
            raise TooLarge("too-many", found[most].place, f"a bundle is limited to {most} of this kind")
    held = 0
    for entry in entries:
        if entry.kind in (EntryKind.SUBMISSION_SET, EntryKind.FOLDER):
            held += len(entry.resource.get("entry", []))
            if held > MAX_LISTED:
                raise TooLarge("too-many", f"{entry.place}.entry", f"the Lists hold {MAX_LISTED} entries at most")


def _check_level(entries: Sequence[Entry], level: Level) -> None:
    profiles = {
        EntryKind.DOCUMENT: level.document,
        EntryKind.SUBMISSION_SET: level.submission_set,
        EntryKind.FOLDER: level.folder,
    }
    for entry in entries:
        if entry.kind in profiles:
            mhd_profiles.check(entry.resource, profiles[entry.kind], entry.place)


def _surroundings(entries: Sequence[Entry], base_url: str) -> Surroundings:
    bundled = {entry.full_url or entry.url: entry.resource for entry in entries if entry.full_url or "/" in entry.url}
    claims = [(entry, patient_entry(entry)) for entry in _of_kind(entries, EntryKind.PATIENT)]
    patients = {entry.full_url or entry.url: claim for entry, claim in claims if claim}
    return Surroundings(bundled=bundled, patients=patients, base_url=base_url)


def _claims(entries: Sequence[Entry], around: Surroundings) -> Iterator[tuple[str, PatientRef]]:
    claimed = False
    for entry in entries:
        subject = entry.resource.get("subject") if entry.kind is not EntryKind.PATIENT else None
        if subject is not None:
            claimed = True
            place = f"{entry.place}.subject"
            yield place, patient_of(subject, around.within(entry.resource), place)
        if entry.kind is EntryKind.PATIENT and (named := patient_entry(entry)):
            yield entry.place, named
        if entry.kind is EntryKind.DOCUMENT:
            yield from document_reference.source_claims(entry.resource, around, entry.place)
    if not claimed:
        raise Invalid("invalid-resource", "Bundle.entry", "no entry names the patient")


def _contents(documents: Sequence[Entry], binaries: Sequence[Entry]) -> list[bytes]:
    """The bytes of each document, in the order of the documents."""
    if len(documents) > MAX_DOCUMENTS:
        raise TooLarge("too-large", "Bundle.entry", f"a bundle is limited to {MAX_DOCUMENTS} documents")
    by_url = {entry.full_url: entry for entry in binaries}
    contents = [_content(document, by_url) for document in documents]
    wanted = {attachment_of(document.resource).get("url") for document in documents}
    for binary in binaries:
        if binary.full_url not in wanted:
            raise Invalid("unknown-reference", binary.place, "no document refers to this Binary")
    return contents


def _content(document: Entry, binaries: Mapping[str, Entry]) -> bytes:
    attachment, place = attachment_of(document.resource), f"{document.place}.content[0].attachment"
    binary = binaries.get(attachment.get("url", ""))
    if binary is None:
        raise Invalid("unknown-reference", f"{place}.url", "the address leads to no Binary of the bundle")
    if media_type(attachment.get("contentType", "")) != media_type(binary.resource["contentType"]):
        raise Invalid("content-mismatch", f"{place}.contentType", "the Binary has another content type")
    attachments.check_type(binary.resource["contentType"], binary.place)
    return attachments.decode(binary.resource.get("data"), f"{binary.place}.data")


def _document(entry: Entry, content: bytes, intake: Intake, around: Surroundings, *, by_dmp: bool) -> SubmittedDocument:
    resource = with_references(entry.resource, _patients(around))
    return document_reference.submitted(
        resource,
        content,
        intake,
        around.within(resource),
        place=entry.place,
        full_url=entry.full_url,
        by_dmp=by_dmp,
    )


def _patients(around: Surroundings) -> dict[str, str]:
    return {url: SUBJECT for url, one in around.bundled.items() if one["resourceType"] == "Patient"}


def _check_total(documents: Sequence[SubmittedDocument]) -> None:
    if sum(len(document.content) for document in documents) > INLINE_LIMIT:
        raise TooLarge(
            "too-large",
            "Bundle.entry",
            f"inline content is limited to {INLINE_LIMIT} bytes: upload large files one by one (ITI-105)",
        )


def _patch(entry: Entry, base_url: str) -> SubmittedPatch:
    path = f"{entry.place}.parameter"
    parts = [part["name"] for one in entry.resource.get("parameter", []) for part in one.get("part", [])]
    if len(set(parts)) < len(parts):
        raise Invalid("invalid-resource", path, "one operation, with one path, one type and one value")
    changes = read_parameters(entry.resource, "DocumentReference", entry.place)
    if [(change.op, change.path) for change in changes] != [("replace", ("status",))]:
        raise Invalid("invalid-resource", path, "only the status of a document is changed in a bundle")
    if changes[0].value != DocumentStatus.SUPERSEDED:
        raise Invalid("invalid-resource", path, "the status can only become superseded")
    target = document_target({"reference": entry.url}, base_url, f"{entry.request_place}.url")
    return SubmittedPatch(target=target, status=DocumentStatus.SUPERSEDED, place=entry.place)


def _of_kind(entries: Sequence[Entry], kind: EntryKind) -> list[Entry]:
    return [entry for entry in entries if entry.kind is kind]


def _order(entries: Sequence[Entry]) -> Iterator[EntryRef]:
    urls = [attachment_of(entry.resource)["url"] for entry in _of_kind(entries, EntryKind.DOCUMENT)]
    seen = dict.fromkeys(EntryKind, 0)
    for entry in entries:
        index = urls.index(entry.full_url) if entry.kind is EntryKind.CONTENT else seen[entry.kind]
        seen[entry.kind] += 1
        yield EntryRef(entry.kind, index)
