"""Warnings about treatments by stated, simple rules on ATC codes: the same thing twice, and what one is allergic to.

They are no prescription aid: dose, duration, way of administration and the person's state are not looked at, and what
is not coded is not checked.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dmp.domain.allergy_groups import denies, groups, named_by

_SUBSTANCE, _SUBGROUP = 7, 5
"""Characters of a code of the fifth and of the fourth level of the ATC."""
_SHORTEST_CLASS = 3
"""An allergy to a whole anatomical group of the ATC (one letter) says nothing."""
_ATC = re.compile(r"[A-Z]\d{2}(?:[A-Z]{1,2}(?:\d{2})?)?")


class WarningKind(StrEnum):
    """What a warning is about."""

    DUPLICATE = "duplicate"
    ALLERGY = "allergy"


class Severity(StrEnum):
    """DetectedIssue.severity."""

    HIGH = "high"
    MODERATE = "moderate"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Treatment:
    """A treatment that goes on: what it is called here, and its ATC codes.

    `product` and `doses` (the numbers of its dosage) tell one that two documents tell from two that are taken: a
    product told again with the same numbers, or without any, is no second treatment.
    """

    key: str
    atc: frozenset[str]
    product: str = ""
    doses: tuple[str, ...] = ()

    @property
    def is_checkable(self) -> bool:
        """Whether any rule can say anything of it."""
        return any(len(code) >= _SUBGROUP for code in self.atc)


@dataclass(frozen=True, slots=True)
class KnownAllergy:
    """An allergy that is not over: what it is called here, the codes of its substance, the French words of its name.

    Of several names each stands on a line of `words`.
    """

    key: str
    atc: frozenset[str]
    snomed: frozenset[str]
    words: str = ""

    @property
    def groups(self) -> frozenset[str]:
        """The groups of substances that it is about."""
        return named_by(self.atc, self.snomed, self.words)

    @property
    def classes(self) -> tuple[str, ...]:
        """The ATC codes that it is stated with, down to a class."""
        return tuple(code for code in self.atc if len(code) >= _SHORTEST_CLASS)

    @property
    def is_judged(self) -> bool:
        """Whether the rules understand it: what it is to, or that it says there is none."""
        return bool(self.groups or self.classes) or denies(self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationWarning:
    """One warning: about these treatments (keys, in order), and about an allergy where it is one.

    `about` is the ATC code that the treatments share, or the ATC code or group of the allergy that they meet.
    """

    kind: WarningKind
    severity: Severity
    treatments: tuple[str, ...]
    about: str
    allergy: str = ""


def atc_code(text: str) -> str | None:
    """An ATC code as the rules know it; None for a text that is none."""
    code = text.strip().upper()
    return code if _ATC.fullmatch(code) else None


def warnings(treatments: Sequence[Treatment], allergies: Iterable[KnownAllergy]) -> tuple[MedicationWarning, ...]:
    """Every warning, the most severe first; the order of what is given changes nothing."""
    found = [*_duplicates(treatments), *(one for allergy in allergies for one in _conflicts(allergy, treatments))]
    return tuple(sorted(found, key=_rank))


def _rank(warning: MedicationWarning) -> tuple[int, str, str, str, tuple[str, ...]]:
    severity = list(Severity).index(warning.severity)
    return severity, warning.kind.value, warning.about, warning.allergy, warning.treatments


def _duplicates(treatments: Sequence[Treatment]) -> Iterator[MedicationWarning]:
    """Two treatments of one substance (same code of level 5), or of one subgroup of substances (same level 4)."""
    known = {one.key: one for one in treatments}
    for warning in _of_one_code(treatments):
        if _are_two([known[key] for key in warning.treatments]):
            yield warning


def _are_two(treatments: Sequence[Treatment]) -> bool:
    """Whether these are more than one treatment told several times."""
    products = {one.product or one.key for one in treatments}
    return len(products) > 1 or len({one.doses for one in treatments if one.doses}) > 1


def _of_one_code(treatments: Iterable[Treatment]) -> Iterator[MedicationWarning]:
    by_substance: dict[str, set[str]] = defaultdict(set)
    by_subgroup: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for treatment in treatments:
        for code in treatment.atc:
            if len(code) == _SUBSTANCE:
                by_substance[code].add(treatment.key)
            if len(code) >= _SUBGROUP:
                by_subgroup[code[:_SUBGROUP]][code].add(treatment.key)
    yield from (_duplicate(Severity.MODERATE, code, held) for code, held in by_substance.items() if len(held) > 1)
    for code, substances in by_subgroup.items():
        held = {key for keys in substances.values() for key in keys}
        if len(held) > 1 and not any(held <= keys for one, keys in substances.items() if len(one) == _SUBSTANCE):
            yield _duplicate(Severity.LOW, code, held)


def _duplicate(severity: Severity, code: str, treatments: Iterable[str]) -> MedicationWarning:
    return MedicationWarning(
        kind=WarningKind.DUPLICATE, severity=severity, treatments=tuple(sorted(treatments)), about=code
    )


def _conflicts(allergy: KnownAllergy, treatments: Sequence[Treatment]) -> Iterator[MedicationWarning]:
    """Treatments with what the allergy is to, each told once: first the stated class, its group, then related ones."""
    told: set[str] = set()
    for severity, about, prefixes in _scopes(allergy):
        met = {one.key for one in treatments if one.key not in told and _is_within(one, prefixes)}
        told |= met
        if met:
            yield MedicationWarning(
                kind=WarningKind.ALLERGY,
                severity=severity,
                treatments=tuple(sorted(met)),
                about=about,
                allergy=allergy.key,
            )


def _scopes(allergy: KnownAllergy) -> Iterator[tuple[Severity, str, tuple[str, ...]]]:
    """What an allergy warns of, the surest first: a severity, what it is about, and the ATC codes' beginnings."""
    yield from ((Severity.HIGH, code, (code,)) for code in sorted(allergy.classes))
    own, table = sorted(allergy.groups), groups()
    yield from ((Severity.HIGH, name, table[name].atc) for name in own)
    related = sorted({one for name in own for one in table[name].related} - set(own))
    yield from ((Severity.MODERATE, name, table[name].atc) for name in related)


def _is_within(treatment: Treatment, prefixes: tuple[str, ...]) -> bool:
    return any(code.startswith(prefixes) for code in treatment.atc)
