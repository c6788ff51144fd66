"""The measures of the health profile must be ones: a number in a unit of theirs, a blood pressure of its two parts."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dmp.domain.errors import Invalid
from dmp.domain.measures import BLOOD_PRESSURE, COUNTED, PRESSURES, UCUM, UNITS, can_be, is_measured_in
from dmp.fhir.systems import LOINC

type Resource = Mapping[str, Any]


def check_measure(observation: Resource, place: str) -> None:
    """Refuse a measure that is told otherwise, or cannot be: Invalid `invalid-measure`; of others nothing is asked.

    Where there is no value, the reason is told in its place.
    """
    codes = set(_loinc_codes(observation))
    parts = observation.get("component", [])
    if BLOOD_PRESSURE in codes:
        found = [code for part in parts for code in _loinc_codes(part) if code in PRESSURES]
        if sorted(found) != sorted(PRESSURES):
            raise Invalid("invalid-measure", f"{place}.component", "a blood pressure is a systolic and a diastolic one")
    elif codes & UNITS.keys():
        _check_value(observation, codes, place)
    for index, part in enumerate(parts):
        _check_value(part, set(_loinc_codes(part)), f"{place}.component[{index}]")


def _check_value(element: Resource, codes: set[str], place: str) -> None:
    measures = codes & UNITS.keys()
    if not measures or "dataAbsentReason" in element:
        return
    if measures <= COUNTED and "valueInteger" in element:
        _check_possible(measures, element["valueInteger"], "1", f"{place}.valueInteger")
        return
    quantity = element.get("valueQuantity", {})
    unit = quantity.get("code", "") if quantity.get("system") == UCUM else ""
    is_told = "value" in quantity and all(is_measured_in(code, unit) for code in measures) and unit
    if not is_told:
        raise Invalid("invalid-measure", f"{place}.valueQuantity", "a measure is a number in a UCUM unit of its own")
    _check_possible(measures, quantity["value"], unit, f"{place}.valueQuantity")


def _check_possible(measures: Collection[str], value: float, unit: str, place: str) -> None:
    if not all(can_be(code, value, unit) for code in measures):
        raise Invalid("invalid-measure", place, "no body has a measure of this value")


def _loinc_codes(element: Resource) -> Iterator[str]:
    for coding in element["code"].get("coding", []):
        if coding.get("system") == LOINC and "code" in coding:
            yield coding["code"]
