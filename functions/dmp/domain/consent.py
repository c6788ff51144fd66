"""What the patient decided: Consents, and the directives in force that they leave in the head of the record."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dmp.domain.identifiers import Identifier, resource_id


class ConsentKind(StrEnum):
    """The kinds of IHE PCF (code system dmp-consent-kind)."""

    OPENING = "opening"
    AUTHORISATION = "authorisation"
    BLOCK = "block"
    OPPOSITION = "opposition"
    MASKED_IN_EMERGENCY = "masked-in-emergency"
    EMERGENCY = "emergency"
    ATTENDING_PHYSICIAN = "attending-physician"
    DELEGATION = "delegation"
    DEFAULT_VISIBILITY = "default-visibility"
    ADVANCE_DIRECTIVES = "advance-directives"
    """That there are advance directives (L.1111-11), and where."""
    ORGAN_DONATION = "organ-donation"
    """What the person wishes for their organs; the opposition that binds is the national register's (L.1232-1)."""


WISHES = frozenset({ConsentKind.ADVANCE_DIRECTIVES, ConsentKind.ORGAN_DONATION})
"""The kinds that tell of the person and decide no access: whoever reads of the person reads them."""


class ConsentStatus(StrEnum):
    """FHIR's Consent.status, those that occur."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class Grantor(StrEnum):
    """Who expressed the decision to the server."""

    PATIENT = "patient"
    REPRESENTATIVE = "representative"
    PROFESSIONAL = "professional"
    """Attests the patient's agreement."""
    AGENT = "agent"
    """A CPAM agent or a structure, at opening."""


class EmergencyPurpose(StrEnum):
    """Access modes of TRE_R248: break-glass, and the regulation of centre 15."""

    BTG = "BTG"
    ETREAT = "ETREAT"


class Relationship(StrEnum):
    """In which capacity a delegate acts."""

    LEGAL_REPRESENTATIVE = "legal-representative"
    CAREGIVER = "caregiver"


@dataclass(frozen=True, slots=True)
class PatientRef:
    """The patient that a request names: by the record's id or by the INS."""

    record: str | None = None
    ins: Identifier | None = None

    def is_of(self, record: str, ins: Identifier) -> bool:
        """Whether nothing in it names another person than the one of this record."""
        return self.record in (None, record) and self.ins in (None, ins)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """A Consent as the decision sees it. Holds from `start` until `end`, excluded; no `end` means until revoked."""

    consent: str
    """Local id of the Consent."""
    kind: ConsentKind
    permit: bool
    actor: Identifier | None
    start: datetime
    end: datetime | None
    granted_by: Grantor
    purposes: tuple[str, ...] = ()
    relationship: Relationship | None = None
    is_secret: bool = False
    """Made in a connexion secrète: representatives never learn of it."""
    document: str = ""
    """Local id of the document that says it in full: of advance directives, where one is known."""

    def in_force(self, now: datetime) -> bool:
        """Whether it holds at this instant, whatever any job has done."""
        return self.start <= now and (self.end is None or now < self.end)

    def has_expired(self, now: datetime) -> bool:
        """Whether its end is past."""
        return self.end is not None and self.end <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A Consent of a record, in one version."""

    record: str
    local: str
    version: int
    updated: datetime
    status: ConsentStatus
    directive: Directive
    date_time: datetime
    actor_display: str = ""
    attested_by: Identifier | None = None
    attested_by_name: str = ""
    organization: Identifier | None = None
    method: str = ""
    attestation: str = ""
    """The words of whoever attests; of an emergency, its reason."""
    policy_uri: str | None = None
    delegate: str | None = None
    """Local id of the RelatedPerson of a delegation."""
    due: datetime | None = None
    """When the expiry job must next look at it: to warn, then to mark it."""

    @classmethod
    def made(cls, record: str, directive: Directive, now: datetime) -> "Consent":
        """The first version of a Consent that says this."""
        return cls(
            record=record,
            local=directive.consent,
            version=1,
            updated=now,
            status=ConsentStatus.ACTIVE,
            directive=directive,
            date_time=now,
        )

    @property
    def id(self) -> str:
        """The FHIR id."""
        return resource_id(self.record, self.local)

    def holding(self, directive: Directive, due: datetime | None, now: datetime) -> "Consent":
        """The next version, that says this from now on."""
        return replace(self, version=self.version + 1, updated=now, directive=directive, due=due)

    def ended(self, now: datetime) -> "Consent":
        """The next version, that says nothing any more and leaves nothing to the expiry job."""
        return replace(self.holding(self.directive, None, now), status=ConsentStatus.INACTIVE)
