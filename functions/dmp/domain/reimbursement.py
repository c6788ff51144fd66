"""Lines of the history of reimbursements: what the insurer says of one, and how long it is shown (R.1111-42)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from dmp.domain import code_lists
from dmp.domain.civil_time import PARIS, eighteenth_birthday, end_of_day, same_day_months_later
from dmp.domain.consent import PatientRef
from dmp.domain.document import Coding, Depositor, Visibility
from dmp.domain.errors import Conflict, DmpError, Invalid
from dmp.domain.identifiers import Identifier, moment_of, resource_id
from dmp.domain.record import Record
from dmp.domain.secret_acts import tell_of_secret_acts

RESOURCE_TYPE = "ExplanationOfBenefit"
MOST_NAMES = 10
"""Identifiers of one line."""
_TYPE = "REMB"
_CONTENT = "https://interop.esante.gouv.fr/ig/fhir/dmp/NamingSystem/dmp-content"
"""System of the digest by which a line without an identifier is known again."""


@dataclass(frozen=True, slots=True)
class Window:
    """How long lines are shown: until the end of the same civil day in Paris, so many months after the care."""

    months: int

    def end(self, care: date) -> datetime:
        """The instant from which a line of this day of care is shown no more."""
        return end_of_day(same_day_months_later(datetime(care.year, care.month, care.day, tzinfo=PARIS), self.months))

    def shows(self, care: date, now: datetime) -> bool:
        """Whether a line of this day of care is still shown."""
        return now < self.end(care)

    def begin(self, now: datetime) -> date:
        """A day before which no care is shown any more; care of the days right after it may not be either."""
        return same_day_months_later(now, -self.months).date() - timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reimbursement:
    """One line, which never changes; `resource` is the FHIR resource without id, meta and patient."""

    record: str
    local: str
    updated: datetime
    care: date
    """The day of care, in Paris: the last one where there are several."""
    expires: datetime
    """When it was to go, by the window of the day that it was fed; what is shown, the window of today says."""
    depositor: Depositor
    visibility: frozenset[Visibility] = frozenset()
    digest: str
    """By which the same content is known again."""
    names: tuple[Identifier, ...]
    resource: Mapping[str, object] = field(repr=False)

    @property
    def id(self) -> str:
        """The FHIR id."""
        return resource_id(self.record, self.local)

    @property
    def version(self) -> int:
        """The only one."""
        return 1

    @property
    def type(self) -> Coding | None:
        """The type of document in whose column of the matrix of habilitations it stands."""
        column = code_lists.document_types()[_TYPE]
        return Coding(column.system, column.code, column.display)

    @property
    def authors(self) -> frozenset[Identifier]:
        """Nobody reads it as an author."""
        return frozenset()

    @property
    def was_never_available(self) -> bool:
        """Never so: a line awaits nothing."""
        return False


@dataclass(frozen=True, slots=True)
class SaveReimbursement:
    """Create a line under all its names; fails where the record has one of that name.

    `previous` are the local ids of the lines that had some of the names before, and are shown no more.
    """

    line: Reimbursement
    previous: Mapping[Identifier, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """The line that has a name in a record, as the name tells it."""

    local: str
    digest: str
    updated: datetime

    @property
    def care(self) -> date:
        """The day of care, with which the local id of a line begins."""
        return moment_of(self.local).astimezone(PARIS).date()


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that breaks a rule by itself: which, and whom it names nevertheless."""

    patient: PatientRef | None
    failure: DmpError
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRequest:
    """What the insurer says of one line; `sayings` are all its codes and texts, `first` its first day of care.

    `condition` is the identifier by which it is created only if none is there. `place` is the FHIRPath of the resource.
    """

    patient: PatientRef
    identifiers: tuple[Identifier, ...]
    condition: Identifier | None
    first: date
    care: date
    sayings: frozenset[str] = field(repr=False)
    visibility: frozenset[Visibility]
    place: str
    resource: Mapping[str, object] = field(repr=False)

    @property
    def digest(self) -> str:
        """The same for the same content, however the patient is named."""
        content = json.dumps([sorted(self.visibility), self.resource], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def names(self) -> tuple[Identifier, ...]:
        """By what it is known again: its identifiers, its condition; without any, by all that it says."""
        named = [*self.identifiers, *([self.condition] if self.condition else [])]
        return tuple(dict.fromkeys(named)) or (Identifier(_CONTENT, self.digest),)

    def known_in(self, held: Mapping[Identifier, Known]) -> Known | None:
        """The line that it repeats; Conflict `duplicate-unique-id` where another line has one of its names."""
        if self.condition and self.condition in held:
            return held[self.condition]
        found = {known.local: known for name in self.names if (known := held.get(name))}
        if any(known.digest != self.digest for known in found.values()):
            raise Conflict("duplicate-unique-id", f"{self.place}.identifier")
        return next(iter(found.values()), None)

    def check(self, record: Record, window: Window, now: datetime) -> None:
        """Raise Invalid where the record must not hold it.

        `wrong-patient` or `ins-mismatch`: it names somebody else; `care-too-old`, `care-in-future`; `secret-act`: the
        patient was a minor who may keep this act secret, so that nothing tells of it (R.1111-50).
        """
        if not self.patient.is_of(record.id, record.identity.ins):
            raise Invalid("ins-mismatch" if self.patient.ins else "wrong-patient", f"{self.place}.patient")
        if self.care > now.astimezone(PARIS).date():
            raise Invalid("care-in-future", self.place)
        if not window.shows(self.care, now):
            raise Invalid("care-too-old", self.place)
        if _was_minor(record.identity.birth_date, self.first) and self._may_be_secret:
            raise Invalid("secret-act", self.place)

    @property
    def _may_be_secret(self) -> bool:
        return Visibility.INVISIBLE_REPRESENTANTS_LEGAUX in self.visibility or tell_of_secret_acts(self.sayings)

    def made(self, record: str, local: str, by: Depositor, window: Window, now: datetime) -> Reimbursement:
        """The line of the record."""
        return Reimbursement(
            record=record,
            local=local,
            updated=now,
            care=self.care,
            expires=window.end(self.care),
            depositor=by,
            visibility=self.visibility,
            digest=self.digest,
            names=self.names,
            resource=self.resource,
        )


def _was_minor(birth_date: str, day: date) -> bool:
    """Whether a person was a minor on a day; whose birth date is not known, as those of TEST, may have been."""
    if not birth_date:
        return True
    return datetime(day.year, day.month, day.day, tzinfo=PARIS) < eighteenth_birthday(birth_date)
