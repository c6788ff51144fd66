"""What the header of a CDA R2 document says of it (CI-SIS, Structuration minimale; mapping to XDS metadata)."""

import re
from dataclasses import dataclass
from datetime import datetime

from dmp.domain.document import Coding
from dmp.domain.identifiers import INS_SYSTEMS, Identifier

STRUCTURED_BODY = "structured"
URI_SYSTEM = "urn:ietf:rfc:3986"

_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CdaAuthor:
    """A person or a device that wrote or answers for a document; a device has its name in `family`."""

    identifier: Identifier | None
    family: str
    given: str
    specialty: Coding | None
    organization: Identifier | None
    organization_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalDocumentHeader:
    """The header, each field as the document gives it: what is missing is None or empty.

    `body_media_type` is `structured` for a level 2 or 3 body, the media type of what is embedded for a level 1 body.
    `unique_id`, `set_id` and `replaced` are in the form of `unique_id_of`.
    """

    patient_ids: tuple[Identifier, ...]
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
    replaced: tuple[str, ...]
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
