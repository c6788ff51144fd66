"""What a producer feeds in one transaction: documents, the SubmissionSet, Folders and replaced entries (ITI-65)."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dmp.domain.consent import PatientRef
from dmp.domain.document import DocumentStatus, Edition, Metadata, ReplacesTarget
from dmp.domain.document_list import ListKind
from dmp.domain.identifiers import Identifier

SUBJECT = "urn:dmp:subject"
"""Stands in a submitted resource where the reference to the record's Patient will be."""


NAMED = "urn:dmp:named:"
"""Begins what stands where a reference will lead to a document that a new one names by an identifier."""


class EntryKind(StrEnum):
    """What an entry of the bundle is."""

    DOCUMENT = "document"
    CONTENT = "content"
    SUBMISSION_SET = "submission-set"
    FOLDER = "folder"
    PATCH = "patch"
    PATIENT = "patient"


@dataclass(frozen=True, slots=True)
class Remark:
    """What the producer ought to know of a resource that is taken in: a code, and the FHIRPath of the place."""

    code: str
    place: str


@dataclass(frozen=True, slots=True)
class SubmittedRelation:
    """A document of the record that a new one names without replacing it; `place` is the FHIRPath of the reference."""

    target: ReplacesTarget
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedDocument:
    """One document: what is said of it, and its bytes, whose hash and size agree with it.

    `content_patients` are the INS that the content itself names: each must be the record's. `predecessors` are the
    documents that the content says it replaces: those that the record does not hold are left alone. `relations` are
    in the order of their NAMED references, where they have one. `place` is the FHIRPath of the DocumentReference in the
    request, for messages.
    """

    metadata: Metadata
    content: bytes = field(repr=False)
    full_url: str = ""
    content_patients: frozenset[Identifier] = frozenset()
    predecessors: tuple[Identifier, ...] = ()
    edition: Edition | None = None
    relations: tuple[SubmittedRelation, ...] = ()
    remarks: tuple[Remark, ...] = ()
    is_upload: bool = False
    """Whether its bytes are still to come, of the size and the SHA-1 that the metadata give."""
    place: str = "DocumentReference"

    @property
    def size(self) -> int:
        """How many bytes it has, or will have."""
        return (self.metadata.size or 0) if self.is_upload else len(self.content)

    @property
    def sha1(self) -> str:
        """The SHA-1 of its bytes, in base64 (FHIR), as announced where they are still to come."""
        if self.is_upload:
            return self.metadata.sha1 or ""
        return base64.b64encode(hashlib.sha1(self.content, usedforsecurity=False).digest()).decode()

    @property
    def sha256(self) -> str:
        """The SHA-256 of its bytes, in hexadecimal; empty where they are still to come."""
        return "" if self.is_upload else hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedList:
    """A SubmissionSet or a Folder; `resource` comes without its entries.

    `documents` and `lists` are the full URLs of the bundle's documents and Folders that it holds, `existing` and
    `existing_lists` what the record already holds. `updates`: a Folder of the record that `target` names, or that has
    one of these identifiers, gets these entries instead.
    """

    kind: ListKind
    date: datetime | None
    identifiers: tuple[Identifier, ...]
    resource: Mapping[str, object]
    full_url: str = ""
    documents: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    existing: tuple[SubmittedRelation, ...] = ()
    existing_lists: tuple[SubmittedRelation, ...] = ()
    updates: bool = False
    target: ReplacesTarget | None = None
    remarks: tuple[Remark, ...] = ()
    place: str = "List"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedPatch:
    """The change of status of an entry that the record holds."""

    target: ReplacesTarget
    status: DocumentStatus
    place: str = "Parameters"


@dataclass(frozen=True, slots=True)
class EntryRef:
    """One entry of the bundle: its kind, and where it is in the submission's tuple of that kind.

    Of `CONTENT` it is the place of the document that it belongs to.
    """

    kind: EntryKind
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One ITI-65 transaction; `order` has an element for each entry of the bundle, in the bundle's order."""

    subject: PatientRef
    documents: tuple[SubmittedDocument, ...]
    submission_set: SubmittedList | None = None
    """None where a single document is published (ITI-105)."""
    folders: tuple[SubmittedList, ...] = ()
    patches: tuple[SubmittedPatch, ...] = ()
    order: tuple[EntryRef, ...] = ()

    @property
    def lists(self) -> tuple[SubmittedList, ...]:
        """The SubmissionSet and the Folders."""
        return (*([self.submission_set] if self.submission_set else []), *self.folders)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One ITI-105 request: a document for a patient."""

    subject: PatientRef
    document: SubmittedDocument


def with_references(resource: Mapping[str, Any], targets: Mapping[str, str]) -> dict[str, Any]:
    """The resource with literal references replaced: full URLs by `Type/id`, SUBJECT by `Patient/id`."""
    return {key: _replaced(key, value, targets) for key, value in resource.items()}


def _replaced(key: str, value: Any, targets: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return with_references(value, targets)
    if isinstance(value, list):
        return [_replaced("", item, targets) for item in value]
    return targets.get(value, value) if key == "reference" and isinstance(value, str) else value
