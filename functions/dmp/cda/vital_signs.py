"""Vital signs and measures of the body as Observations, the blood pressure as one (CI-SIS, Signes vitaux)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dmp.cda.entry import Entry
from dmp.cda.observations import Category, observation, own_concept
from dmp.domain.clinical_profile import Candidate, ProfileKind

type Json = dict[str, Any]

_SIGNS, _FRENCH_SIGNS = "1.3.6.1.4.1.19376.1.5.3.1.4.13.1", "1.2.250.1.213.1.1.3.49"
_SIGN, _FRENCH_SIGN = "1.3.6.1.4.1.19376.1.5.3.1.4.13.2", "1.2.250.1.213.1.1.3.50"
_SECTION = "8716-3"
_SYSTOLIC, _DIASTOLIC = "8480-6", "8462-4"
_OF_COMPONENT = frozenset({"code", "interpretation", "referenceRange"})


def vital_signs(entry: Entry) -> Iterator[Candidate]:
    """The measures that were taken together; the two of the blood pressure as one where both are there."""
    pressures: dict[str, tuple[Entry, Json]] = {}
    for sign in entry.inner("observation"):
        found = _measure(sign, entry)
        if found and sign.code in (_SYSTOLIC, _DIASTOLIC) and sign.code not in pressures:
            pressures[sign.code] = (sign, found)
        elif found:
            yield sign.candidate(ProfileKind.OBSERVATION, found)
    yield from _pressure(pressures)


def vital_sign(entry: Entry) -> Iterator[Candidate]:
    """A measure that stands by itself."""
    found = _measure(entry, None)
    if found:
        yield entry.candidate(ProfileKind.OBSERVATION, found)


READERS: Mapping[tuple[str, str], Callable[[Entry], Iterator[Candidate]]] = {
    **{("", one): vital_signs for one in (_SIGNS, _FRENCH_SIGNS)},
    **{("", one): vital_sign for one in (_SIGN, _FRENCH_SIGN)},
    (_SECTION, "organizer"): vital_signs,
    (_SECTION, "observation"): vital_sign,
}
"""By (section code or nothing, template id or name of the element)."""


def _measure(sign: Entry, together: Entry | None) -> Json | None:
    found = observation(sign, Category.VITAL_SIGNS, within=together)
    return found if found and any(name.startswith("value") for name in found) else None


def _pressure(pressures: dict[str, tuple[Entry, Json]]) -> Iterator[Candidate]:
    """The blood pressure of both its values where they were taken at one time; else each by itself."""
    both = [pressures[code] for code in (_SYSTOLIC, _DIASTOLIC) if code in pressures]
    if len(both) == 1 or len({_time(found) for _, found in both}) > 1:
        yield from (sign.candidate(ProfileKind.OBSERVATION, found) for sign, found in both)
    elif both:
        [sign, first], parts = both[0], [_part(found) for _, found in both]
        head = {name: value for name, value in first.items() if name in ("status", "category") or "effective" in name}
        told = head | {"code": own_concept("blood-pressure"), "component": parts}
        yield sign.candidate(ProfileKind.OBSERVATION, told)


def _time(found: Json) -> str:
    return str([value for name, value in found.items() if name.startswith("effective")])


def _part(found: Json) -> Json:
    return {name: value for name, value in found.items() if name in _OF_COMPONENT or name.startswith("value")}
