"""The structured profile: what is entered of a person's health, and what their documents say of it (L.1111-15)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from dmp.domain import code_lists
from dmp.domain.document import Coding, Depositor, Visibility
from dmp.domain.identifiers import INS_SYSTEMS, Identifier, encode_base32, is_local_id, resource_id
from dmp.domain.requester import Requester

_NUMBER_CHARS = 3
MOST_CANDIDATES = 500
"""Statements that one document offers."""
_SYNTHESIS, _VACCINATIONS, _BIOLOGY = "SYNTH", "11369-6", "11502-2"
_LABORATORY = "laboratory"


class ProfileKind(StrEnum):
    """The types of resource of the structured profile that tell of health."""

    ALLERGY = "AllergyIntolerance"
    CONDITION = "Condition"
    MEDICATION = "MedicationStatement"
    IMMUNIZATION = "Immunization"
    PROCEDURE = "Procedure"
    FAMILY_HISTORY = "FamilyMemberHistory"
    OBSERVATION = "Observation"


class Origin(StrEnum):
    """Where an entry comes from, as `meta.tag` tells it."""

    PATIENT = "patient"
    """Entered by the person, a representative or a caregiver."""
    PROFESSIONAL = "professional"
    DOCUMENT = "document"
    """A candidate: found in the data of a document, entered by nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileEntry:
    """One entry, in one version; `resource` is the FHIR resource without id, subject and what tells of a version."""

    record: str
    local: str
    kind: ProfileKind
    version: int
    updated: datetime
    depositor: Depositor
    """Who said so last: what this version says comes from them."""
    depositor_name: str = ""
    is_by_patient: bool = False
    """Said by the person, not by somebody who acts for them."""
    is_secret: bool = False
    """Said in a connexion secrète: representatives never learn by whom."""
    visibility: frozenset[Visibility] = frozenset()
    shows_at: datetime | None = None
    """From when on INVISIBLE_PATIENT means nothing on it; for ever, lest hiding it anew begins anew (R.1111-53)."""
    resource: Mapping[str, object] = field(repr=False)
    is_deleted: bool = False

    @property
    def id(self) -> str:
        """The FHIR id."""
        return resource_id(self.record, self.local)

    @property
    def origin(self) -> Origin:
        """Whether a person or a professional entered it."""
        by = self.depositor.person
        return Origin.PATIENT if by and by.system in INS_SYSTEMS else Origin.PROFESSIONAL

    @property
    def authors(self) -> frozenset[Identifier]:
        """Nobody beside who entered it reads it as an author."""
        return frozenset()

    @property
    def was_never_available(self) -> bool:
        """Never so: an entry awaits nothing."""
        return False

    @property
    def type(self) -> Coding | None:
        """The type of document in whose column of the matrix of habilitations it stands."""
        column = code_lists.document_types()[_column(self.kind, self.resource)]
        return Coding(column.system, column.code, column.display)

    def at(self, now: datetime) -> "ProfileEntry":
        """The entry as it is at a moment: without INVISIBLE_PATIENT where the wait for an announcement is over."""
        is_over = self.shows_at is not None and self.shows_at <= now
        return replace(self, visibility=self.visibility - {Visibility.INVISIBLE_PATIENT}) if is_over else self

    def told_by(self, requester: Requester, patient: Identifier) -> "ProfileEntry":
        """The same, said by this caller; `patient` is the INS of the person whose record it is."""
        by = Depositor.of(requester)
        return replace(
            self,
            depositor=by,
            depositor_name=requester.name if by.person else requester.structure_name,
            is_by_patient=requester.ins == patient,
            is_secret=requester.is_secret,
        )

    def saying(
        self, resource: Mapping[str, object], visibility: frozenset[Visibility], now: datetime
    ) -> "ProfileEntry":
        """The next version, that says this, and is hidden by these codes."""
        return replace(self, version=self.version + 1, updated=now, resource=resource, visibility=visibility)

    def deleted(self, now: datetime) -> "ProfileEntry":
        """The next version, that tells of the deletion; what was said stays in those before."""
        return replace(self, version=self.version + 1, updated=now, is_deleted=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What an entry of a section of a document says, as a FHIR resource without id, meta and subject."""

    kind: ProfileKind
    section: Coding | None
    section_title: str = ""
    resource: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the content of a document offers; `is_cut`: it states more than that."""

    candidates: tuple[Candidate, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """All that one document offers; it says nothing of who may see it: that is the document's to say.

    `local` is the document's. A document that is of interest itself, such as advance directives, offers nothing.
    """

    record: str
    local: str
    candidates: tuple[Candidate, ...]
    is_cut: bool = False
    """Whether the document states more than is kept of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentText:
    """The words by which a document is found, as `dmp.domain.words` writes them.

    `is_whole`: those of its content are among them, or it has none.
    """

    record: str
    local: str
    words: str = field(repr=False)
    is_whole: bool


def candidate_local(document: str, number: int) -> str:
    """The local id of what a document offers, by its place among all that it does."""
    return document + encode_base32(number, _NUMBER_CHARS)


def candidate_of(local: str) -> tuple[str, int] | None:
    """The local id of a document, and the place of what it offers; None for another local id."""
    document, number = local[:-_NUMBER_CHARS], local[-_NUMBER_CHARS:]
    if not is_local_id(document):
        return None
    found = next((n for n in range(MOST_CANDIDATES) if encode_base32(n, _NUMBER_CHARS) == number), None)
    return None if found is None else (document, found)


def _column(kind: ProfileKind, resource: Mapping[str, object]) -> str:
    if kind is ProfileKind.IMMUNIZATION:
        return _VACCINATIONS
    return _BIOLOGY if kind is ProfileKind.OBSERVATION and is_laboratory(resource) else _SYNTHESIS


def is_laboratory(resource: Mapping[str, object]) -> bool:
    """Whether an Observation is a result of biology."""
    categories = resource.get("category")
    concepts = categories if isinstance(categories, list) else []
    codings = [coding for concept in concepts for coding in concept.get("coding", [])]
    return any(coding.get("code") == _LABORATORY for coding in codings)
