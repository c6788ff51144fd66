"""The record of one person: identity, state and every directive in force (R.1111-36)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from dmp.domain.consent import ConsentKind, Directive
from dmp.domain.identifiers import Identifier


class RecordStatus(StrEnum):
    """Only an open record is read or fed."""

    OPEN = "open"
    CLOSED = "closed"
    SUSPENDED = "suspended"


class OpeningMethod(StrEnum):
    """How the consent to open was collected."""

    ELECTRONIC = "electronic"
    VERBAL = "verbal"
    WRITTEN = "written"


class ClosureMotive(StrEnum):
    """Why a record was closed (dmp-fermeture.motifFermeture)."""

    PATIENT = "patient-demande"
    DEATH = "deces"
    FRAUD = "fraude"
    OTHER = "autre"


@dataclass(frozen=True, slots=True)
class Telecom:
    """A contact: `system` is FHIR's (`phone`, `email`, …)."""

    system: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The INS with its five traits; `birth_date` is `YYYY-MM-DD`, `birth_place` the INSEE code.

    Beside an INS of TEST or DEMO a trait may be empty.
    """

    ins: Identifier
    birth_name: str
    given_names: tuple[str, ...]
    usual_name: str
    birth_date: str
    gender: str
    birth_place: str
    telecom: tuple[Telecom, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardian:
    """Who opens for a minor; `resource` is the RelatedPerson as it was sent, validated."""

    identifier: Identifier | None
    family: str
    given: tuple[str, ...]
    relationship: str
    resource: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How and when the consent to open was collected, and the words by which somebody else attests it."""

    method: OpeningMethod
    date: datetime
    attestation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The evidence of consent that opens a record."""

    identity: Identity
    method: OpeningMethod
    date: datetime
    attestation: str
    guardian: Guardian | None = None

    @property
    def evidence(self) -> Evidence:
        """What the opening Consent keeps."""
        return Evidence(method=self.method, date=self.date, attestation=self.attestation)


@dataclass(frozen=True, slots=True)
class Closure:
    """When and why a record was closed."""

    date: datetime
    motive: ClosureMotive
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The head of a record: what every decision about it needs, read in one piece.

    `opened_by` is the identifier of whoever opened it, so that they can print the attestation.
    """

    id: str
    version: int
    """Grows with every change of the head, directives included."""
    patient_version: int
    """Version of the Patient resource: grows with identity and state only."""
    updated: datetime
    """When the Patient resource last changed."""
    status: RecordStatus
    identity: Identity
    opened_at: datetime
    opened_by: Identifier | None = None
    closure: Closure | None = None
    directives: tuple[Directive, ...] = field(default=())
    decided_at: datetime | None = None
    """When the directives last changed."""

    def in_force(self, kind: ConsentKind, now: datetime) -> Iterator[Directive]:
        """The directives of a kind that hold at this instant.

        Whoever reads this head comes after its last decision, even where another machine's clock is ahead.
        """
        moment = max(now, self.decided_at or now)
        return (d for d in self.directives if d.kind is kind and d.in_force(moment))

    def deciding(self, directives: tuple[Directive, ...], now: datetime) -> "Record":
        """The next head, with other directives; the Patient stays as it is."""
        return replace(self, version=self.version + 1, directives=directives, decided_at=now)

    def opened(self, directives: tuple[Directive, ...], now: datetime) -> "Record":
        """The next Patient: open again, with its new evidence of consent among the directives."""
        amended = self._amended(now)
        return replace(amended, status=RecordStatus.OPEN, closure=None, directives=directives, decided_at=now)

    def closed(self, closure: Closure, now: datetime) -> "Record":
        """The next Patient: closed."""
        return replace(self._amended(now), status=RecordStatus.CLOSED, closure=closure)

    def _amended(self, now: datetime) -> "Record":
        return replace(self, version=self.version + 1, patient_version=self.patient_version + 1, updated=now)
