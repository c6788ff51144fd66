"""Who may see what, and why: the question of `$explain`, put to the one decision in the place of somebody else."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dmp.domain import access_matrix
from dmp.domain.access_request import Decision
from dmp.domain.identifiers import PS_IDNAT, STRUCT_IDNAT, Identifier
from dmp.domain.requester import Requester, RequesterKind

_NOBODY = Identifier(PS_IDNAT, "")
"""Stands for a professional whom nothing in the record names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A professional or a structure that is asked about; of a structure `profession` is that of who works there."""

    identifier: Identifier = _NOBODY
    profession: str = ""
    structure: Identifier | None = None
    specialty: str = ""

    @property
    def requester(self) -> Requester:
        """The caller that this actor would be; a structure without a profession calls with its certificate alone."""
        is_structure = self.identifier.system == STRUCT_IDNAT
        if is_structure and not self.profession:
            return Requester(kind=RequesterKind.STRUCTURE, identifier=self.identifier, structure=self.identifier)
        return Requester(
            kind=RequesterKind.PROFESSIONAL,
            identifier=_NOBODY if is_structure else self.identifier,
            structure=self.identifier if is_structure else self.structure,
            profession=self.profession,
            specialties=(self.specialty,) if self.specialty else (),
            # Whoever holds an emergency of centre 15 had the right to declare it; without one it opens nothing.
            regulates_emergency_calls=True,
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody whom the answer is about: by identifier, by reference, or (neither) any other professional."""

    identifier: Identifier | None = None
    reference: str = ""
    professions: Mapping[str, Requester] = field(default_factory=dict)
    """The caller that they would be, by profession; the empty one where none matters."""


def professional_or_structure(identifier: Identifier = _NOBODY) -> Subject:
    """Somebody whose profession is not known: each that the matrix knows is asked about."""
    callers = {row: Actor(identifier=identifier, profession=row).requester for row in access_matrix.professions()}
    return Subject(identifier if identifier != _NOBODY else None, professions=callers)


def person(ins: Identifier, reference: str) -> Subject:
    """The patient, or a delegate: named by `reference`, never by the INS."""
    return Subject(reference=reference, professions={"": Requester(kind=RequesterKind.PATIENT, identifier=ins)})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is decided of somebody, if they have one of these professions; of anybody's where there is none."""

    subject: Subject
    decision: Decision
    professions: tuple[str, ...] = ()


def outcomes(subject: Subject, decisions: Mapping[str, Decision]) -> Iterator[Outcome]:
    """The decisions by profession, equal ones as one."""
    alike: dict[Decision, list[str]] = {}
    for profession, decision in decisions.items():
        alike.setdefault(decision, []).append(profession)
    for decision, professions in alike.items():
        yield Outcome(subject, decision, tuple(professions) if len(alike) > 1 else ())


@dataclass(frozen=True, slots=True)
class OfActor:
    """What somebody may see: the record as a whole, and each document (by its FHIR id), the newest first."""

    record: str
    access: Decision
    documents: tuple[tuple[str, Decision], ...]
    is_truncated: bool


@dataclass(frozen=True, slots=True)
class OfDocument:
    """Who may see a document."""

    record: str
    outcomes: tuple[Outcome, ...]


def known_actors(identifiers: Iterable[Identifier | None]) -> list[Identifier]:
    """The professionals and structures among identifiers, each once: nobody is named by an INS."""
    return [i for i in dict.fromkeys(identifiers) if i and i.system in (PS_IDNAT, STRUCT_IDNAT)]
