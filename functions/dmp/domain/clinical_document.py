"""What the header of a CDA R2 document says of it (CI-SIS, Structuration minimale; mapping to XDS metadata)."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dmp.domain.document import Coding, Edition
from dmp.domain.identifiers import INS_SYSTEMS, Identifier

STRUCTURED_BODY = "structured"
URI_SYSTEM = "urn:ietf:rfc:3986"

_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class AuthorKind(StrEnum):
    """What an author is."""

    PERSON = "person"
    DEVICE = "device"
    PATIENT = "patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class CdaAuthor:
    """A person or a device that wrote or answers for a document; a device has its name in `family`.

    `specialty` is a profession with its specialty, or the kind of a device; `function` is the part in the care.
    """

    kind: AuthorKind = AuthorKind.PERSON
    identifier: Identifier | None
    family: str
    given: str
    specialty: Coding | None
    function: Coding | None = None
    organization: Identifier | None
    organization_name: str


@dataclass(frozen=True, slots=True)
class CdaName:
    """A name of the patient."""

    family: str
    given: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CdaPatient:
    """The person as the producer knows them (XDS sourcePatientInfo): `birth_date` is YYYY, YYYY-MM or YYYY-MM-DD.

    `gender` is FHIR's code, or empty; `used` is the name in use where it is another than that of birth.
    """

    identifiers: tuple[Identifier, ...]
    birth: CdaName | None
    used: CdaName | None
    birth_date: str
    gender: str


class Relation(StrEnum):
    """What a document is to another, by FHIR's code."""

    REPLACES = "replaces"
    APPENDS = "appends"
    TRANSFORMS = "transforms"


@dataclass(frozen=True, slots=True)
class RelatedDocument:
    """Another document that this one names, by its unique id in the form of `unique_id_of`."""

    relation: Relation
    unique_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalDocumentHeader:
    """The header, each field as the document gives it: what is missing is None or empty.

    `body_media_type` is `structured` for a level 2 or 3 body, the media type of what is embedded for a level 1 body.
    `unique_id` and `set_id` are in the form of `unique_id_of`.
    """

    names_a_patient: bool = True
    """Whether there is a recordTarget at all: one without an INS is a person who cannot be told."""
    patient_ids: tuple[Identifier, ...]
    patient: CdaPatient | None
    unique_id: str
    set_id: str
    version: int | None
    type: Coding | None
    title: str
    effective_time: datetime | None
    authors: tuple[CdaAuthor, ...]
    legal_authenticator: CdaAuthor | None
    custodian: Identifier | None
    custodian_name: str
    confidentiality: Coding | None
    language: str
    service_start: datetime | None
    service_end: datetime | None
    facility: Coding | None
    practice_setting: Coding | None
    events: tuple[Coding, ...]
    related: tuple[RelatedDocument, ...]
    template_ids: tuple[str, ...]
    body_media_type: str | None
    format: Coding | None

    @property
    def ins(self) -> frozenset[Identifier]:
        """The INS of everybody whom the document is about: a document of one person holds one."""
        return frozenset(patient for patient in self.patient_ids if patient.system in INS_SYSTEMS)

    @property
    def master_identifier(self) -> Identifier | None:
        """The unique id as the masterIdentifier of a DocumentReference."""
        return master_identifier_of(self.unique_id) if self.unique_id else None

    @property
    def set_identifier(self) -> Identifier | None:
        """What all versions of the document have in common, as an identifier of a DocumentReference."""
        return master_identifier_of(self.set_id) if self.set_id else None

    @property
    def edition(self) -> Edition | None:
        """Which of the versions of the set it is; None where it is not one of a set."""
        if self.set_identifier is None or self.version is None:
            return None
        return Edition(self.set_identifier, self.version)

    @property
    def replaced(self) -> tuple[str, ...]:
        """The unique ids of what it says it replaces."""
        return tuple(one.unique_id for one in self.related if one.relation is Relation.REPLACES)


def unique_id(root: str, extension: str = "") -> str:
    """The unique id of a CDA `id` as XDS writes it, root^extension, the root being a URI."""
    return f"{root_uri(root)}^{extension}" if extension else root_uri(root)


def unique_id_of(identifier: Identifier) -> str:
    """The unique id that a masterIdentifier stands for: two that name one document give one text.

    A URI (`urn:oid:R`, `urn:oid:R^E`, `urn:uuid:U`, system urn:ietf:rfc:3986 or none), a bare OID or UUID, and the
    pair system `urn:oid:R`, value E (how FHIR writes an HL7 V3 root and extension) come out as `unique_id` gives them.
    """
    value = identifier.value.strip()
    if identifier.system in ("", URI_SYSTEM):
        root, _, extension = value.partition("^")
        return unique_id(root, extension)
    return unique_id(identifier.system, value)


def is_unique_id(identifier: Identifier) -> bool:
    """Whether an identifier without a system names a unique id all the same: by a URI, an OID or a UUID."""
    return root_uri(identifier.value.strip().partition("^")[0]).startswith("urn:")


def master_identifier_of(unique: str) -> Identifier:
    """The masterIdentifier for a unique id: a URI without extension, the pair of root and extension with one."""
    root, caret, extension = unique.partition("^")
    return Identifier(root, extension) if caret else Identifier(URI_SYSTEM, root)


def root_uri(root: str) -> str:
    """The URI of an HL7 V3 root: an OID or a UUID; anything else stays as it is."""
    text = root.strip()
    if text.lower().startswith("urn:uuid:") or _UUID.fullmatch(text):
        return f"urn:uuid:{text.lower().removeprefix('urn:uuid:')}"
    return f"urn:oid:{text}" if _OID.fullmatch(text) else text
