"""A document of the record: its metadata, its content's place, its visibility and its life (ITI-65, ITI-105)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from dmp.domain.identifiers import Identifier, resource_id
from dmp.domain.requester import Requester, RequesterKind


class Visibility(StrEnum):
    """What a document carries besides `N` (TRE_A07, JDV_J08)."""

    MASQUE_PS = "MASQUE_PS"
    INVISIBLE_PATIENT = "INVISIBLE_PATIENT"
    INVISIBLE_REPRESENTANTS_LEGAUX = "INVISIBLE_REPRESENTANTS_LEGAUX"


INVISIBLE = frozenset({Visibility.INVISIBLE_PATIENT, Visibility.INVISIBLE_REPRESENTANTS_LEGAUX})
"""Codes that hide from the patient or the representatives, never from professionals."""

type Labelling = Callable[[Mapping[str, Any], frozenset[Visibility]], Mapping[str, Any]]
"""Writes these codes, and no other extra code, into the labels of a FHIR resource."""


class DocumentStatus(StrEnum):
    """FHIR's names of the XDS states Approved, Deprecated and Deleted."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    ENTERED_IN_ERROR = "entered-in-error"


class Awaited(StrEnum):
    """What must come before others than its depositor may know of a document."""

    CONTENT = "content"
    """Its bytes, by upload, and their verification."""
    VERDICT = "verdict"
    """That of the malware scanner, where there is one."""


@dataclass(frozen=True, slots=True)
class Coding:
    """A code within its system."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class ReplacesTarget:
    """A document of the record, or a List, that another resource names: by its FHIR id, or by an identifier."""

    resource_id: str | None = None
    identifier: Identifier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a producer says of a document; `resource` is the FHIR resource that says it, normalised."""

    master_identifier: Identifier | None
    identifiers: tuple[Identifier, ...]
    type: Coding | None
    visibility: frozenset[Visibility]
    date: datetime
    authors: tuple[Identifier, ...]
    content_type: str
    size: int | None
    sha1: str | None
    title: str
    language: str
    created: datetime | None
    period_start: datetime | None
    period_end: datetime | None
    status: DocumentStatus
    is_archived: bool
    source_patient: Identifier | None
    replaces: tuple[ReplacesTarget, ...]
    resource: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Depositor:
    """Who fed the record: the person of the token, and the structure of the token."""

    person: Identifier | None
    structure: Identifier | None

    @classmethod
    def of(cls, requester: Requester) -> "Depositor":
        """The depositor that this caller is: a server certificate or an employee counts as its structure."""
        if requester.kind in (RequesterKind.STRUCTURE, RequesterKind.EMPLOYEE):
            return cls(None, requester.structure)
        return cls(requester.identifier, requester.structure)

    def is_same_author(self, other: "Depositor") -> bool:
        """Whether both are one author: the same person, or the same structure."""
        same_person = self.person is not None and self.person == other.person
        return same_person or (self.structure is not None and self.structure == other.structure)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContent:
    """Where the bytes lie, and what they are: `size` in bytes, `sha1` in base64 (FHIR), `sha256` in hexadecimal."""

    key: str
    content_type: str
    size: int
    sha1: str
    sha256: str
    version: str = ""
    """S3's id of the version that was verified, which every read asks for; empty where the key was written once."""


@dataclass(frozen=True, slots=True)
class Edition:
    """Which of the successive versions of one document a CDA is: its `setId` and `versionNumber`."""

    set: Identifier
    number: int


@dataclass(frozen=True, slots=True)
class Predecessor:
    """A document of the record that another one replaced, and what hides it now."""

    local: str
    visibility: frozenset[Visibility]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentEntry:
    """One document of a record, in one version; `body` is its FHIR resource as JSON text, without id and meta."""

    record: str
    local: str
    version: int
    revision: int = 0
    """How often it had been written over when it was read, in the same version too."""
    updated: datetime
    status: DocumentStatus
    type: Coding | None
    visibility: frozenset[Visibility]
    depositor: Depositor
    is_secret: bool = False
    """Deposited in a connexion secrète: representatives never learn by whom."""
    authors: frozenset[Identifier]
    content: StoredContent
    master_identifier: Identifier | None
    identifiers: tuple[Identifier, ...] = ()
    is_archived: bool = False
    hidden_at: datetime | None = None
    """When it, or what it replaces, was first hidden from the patient; for ever, lest hiding it anew begins anew."""
    due: datetime | None = None
    """When a job must next look at it: to tell the patient, then to show it (R.1111-53); or to give up awaiting it."""
    predecessors: tuple[Predecessor, ...] = ()
    """What it replaced: whoever may not know of them does not learn from it that they are there."""
    successors: tuple[str, ...] = ()
    """Local ids of what replaced it."""
    edition: Edition | None = None
    awaits: frozenset[Awaited] = frozenset()
    awaited_until: datetime | None = None
    """When it is given up where it still awaits something."""
    is_uploaded: bool = False
    upload_error: str = ""
    """Why it never became available: the code of the rule that its content breaks."""
    correlation_id: str = field(default="", compare=False)
    """Of the request that wrote it last, as far as the logs follow it."""
    body: str = field(repr=False)

    @property
    def id(self) -> str:
        """The FHIR id of the DocumentReference, and of its Binary."""
        return resource_id(self.record, self.local)

    @property
    def is_pending(self) -> bool:
        """Whether it may still become available."""
        return bool(self.awaits) and self.status is not DocumentStatus.ENTERED_IN_ERROR

    @property
    def was_never_available(self) -> bool:
        """Whether nobody but its depositor has ever known of it."""
        return bool(self.awaits) or bool(self.upload_error)

    def without_depositor(self) -> "DocumentEntry":
        """The entry as if nobody knew who deposited it."""
        return replace(self, depositor=Depositor(None, None))

    def with_status(self, status: DocumentStatus, now: datetime) -> "DocumentEntry":
        """The next version of the entry, in another status."""
        body = _text(json.loads(self.body) | {"status": status.value})
        return replace(self, status=status, body=body, version=self.version + 1, updated=now)

    def labelled(self, visibility: frozenset[Visibility], label: Labelling) -> "DocumentEntry":
        """The entry with these extra codes alone, in its resource too."""
        if visibility == self.visibility:
            return self
        return replace(self, visibility=visibility, body=_text(label(json.loads(self.body), visibility)))

    @property
    def origin(self) -> frozenset[Visibility]:
        """What hides the documents that it replaced."""
        return frozenset(code for one in self.predecessors for code in one.visibility)

    def following(self, former: "DocumentEntry") -> "DocumentEntry":
        """The same version, that knows what hides one of its predecessors now."""
        known = [one for one in self.predecessors if one.local != former.local]
        return replace(self, predecessors=(*known, Predecessor(former.local, former.visibility)))

    def without_origin(self) -> "DocumentEntry":
        """The entry as if it had replaced nothing."""
        resource = json.loads(self.body)
        relations = [one for one in resource.pop("relatesTo", []) if one.get("code") != "replaces"]
        return replace(self, body=_text(resource | ({"relatesTo": relations} if relations else {})))


def _text(resource: Mapping[str, Any]) -> str:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
