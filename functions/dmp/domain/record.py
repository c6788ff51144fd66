"""The record of one person: identity, state and every directive in force (R.1111-36)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from dmp.domain.consent import ConsentKind, Directive
from dmp.domain.identifiers import Identifier
from dmp.domain.related_person import PersonRequest

MOST_CONTACTS, LONGEST_CONTACT = 20, 254
"""How many contacts a head keeps, of how many characters."""
_MAIL_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class RecordStatus(StrEnum):
    """Only an open record is read or fed."""

    OPEN = "open"
    CLOSED = "closed"
    SUSPENDED = "suspended"
    ERASING = "erasing"
    """The retention job is deleting it: nothing brings it back."""
    ERASED = "erased"
    """Nothing is left but the trace."""


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

    def is_kept(self) -> bool:
        """Whether it is short enough for a head, and a mail address has the form of one."""
        has_form = self.system != "email" or bool(_MAIL_ADDRESS.fullmatch(self.value))
        return has_form and len(self.value) <= LONGEST_CONTACT


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
    guardian: PersonRequest | None = None
    """Who represents the minor it is for."""

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


@dataclass(frozen=True, slots=True)
class Suspension:
    """Since when the operator suspends a record, and why; without an objection it ends in a closure (R.1111-36)."""

    date: datetime
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
    suspension: Suspension | None = None
    erasure_asked: datetime | None = None
    due: datetime | None = None
    """When the retention job must next look at it."""
    unwanted: frozenset[tuple[str, str]] = frozenset()
    """Kinds of notifications, with the channel by which the person does not want them."""

    def in_force(self, kind: ConsentKind, now: datetime) -> Iterator[Directive]:
        """The directives of a kind that hold at this instant.

        Whoever reads this head comes after its last decision, even where another machine's clock is ahead.
        """
        moment = max(now, self.decided_at or now)
        return (d for d in self.directives if d.kind is kind and d.in_force(moment))

    def masks_new_documents(self, now: datetime) -> bool:
        """Whether the patient wants new documents to arrive masked."""
        return any(not d.permit for d in self.in_force(ConsentKind.DEFAULT_VISIBILITY, now))

    def deciding(self, directives: tuple[Directive, ...], now: datetime) -> "Record":
        """The next head, with other directives; the Patient stays as it is."""
        return replace(self, version=self.version + 1, directives=directives, decided_at=now)

    def opened(self, directives: tuple[Directive, ...], now: datetime) -> "Record":
        """The next Patient: open again, with its new evidence of consent among the directives."""
        amended = self._amended(now)
        return replace(
            amended,
            status=RecordStatus.OPEN,
            directives=directives,
            decided_at=now,
            closure=None,
            suspension=None,
            erasure_asked=None,
            due=None,
        )

    def closed(self, closure: Closure, due: datetime, now: datetime) -> "Record":
        """The next Patient: closed, its content kept until `due`."""
        return replace(self._amended(now), status=RecordStatus.CLOSED, closure=closure, suspension=None, due=due)

    def suspended(self, suspension: Suspension, due: datetime, now: datetime) -> "Record":
        """The next Patient: suspended, to be closed at `due`."""
        return replace(self._amended(now), status=RecordStatus.SUSPENDED, suspension=suspension, due=due)

    def resumed(self, now: datetime) -> "Record":
        """The next Patient: no longer suspended."""
        return replace(self._amended(now), status=RecordStatus.OPEN, suspension=None, due=None)

    def to_be_erased(self, due: datetime, now: datetime) -> "Record":
        """The next head: its person wants everything but the trace deleted; the Patient stays as it is."""
        return replace(self, version=self.version + 1, erasure_asked=now, due=due)

    def being_erased(self) -> "Record":
        """The next head: its content is going, whatever anybody wants now; it stays due until all is gone."""
        return replace(self, version=self.version + 1, status=RecordStatus.ERASING)

    def erased(self, due: datetime, now: datetime) -> "Record":
        """What is left: the INS by which the person still reads the trace; it is looked at once more at `due`."""
        nobody = Identity(
            ins=self.identity.ins,
            birth_name="",
            given_names=(),
            usual_name="",
            birth_date="",
            gender="",
            birth_place="",
        )
        return Record(
            id=self.id,
            version=self.version + 1,
            patient_version=self.patient_version + 1,
            updated=now,
            status=RecordStatus.ERASED,
            identity=nobody,
            opened_at=self.opened_at,
            closure=Closure(self.closure.date, self.closure.motive, "") if self.closure else None,
            due=due,
        )

    def settled(self) -> "Record":
        """The next head: nothing is left for the retention job to do."""
        return replace(self, version=self.version + 1, due=None)

    def with_contacts(
        self, telecom: tuple[Telecom, ...], unwanted: frozenset[tuple[str, str]], now: datetime
    ) -> "Record":
        """The next Patient: with other contacts and preferences."""
        return replace(self._amended(now), identity=replace(self.identity, telecom=telecom), unwanted=unwanted)

    def _amended(self, now: datetime) -> "Record":
        return replace(self, version=self.version + 1, patient_version=self.patient_version + 1, updated=now)
