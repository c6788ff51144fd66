"""Measures that can be: what no body has is a slip of the hand, and refused (API Mesures)."""

from typing import Any

import pytest

from dmp.domain.errors import Invalid
from dmp.domain.measures import PRESSURES, UNITS
from dmp.fhir.measure_rules import check_measure
from tests import profile_bodies as made

type Json = dict[str, Any]

WEIGHT, HEIGHT, PAIN, STEPS, HEART_RATE = "29463-7", "8302-2", "72514-3", "41950-7", "8867-4"
SIZES = {WEIGHT, HEIGHT, "39156-5", "8280-0", "8287-5"}
RECORD = "0" * 26


def measure(code: str, value: float, unit: str) -> Json:
    return made.observation(RECORD, code=made.concept(made.LOINC, code), valueQuantity=made.quantity(value, unit))


def refusal(observation: Json) -> tuple[str, str | None] | None:
    """The code and the place of a refusal, if there is one."""
    try:
        check_measure(observation, "Observation")
    except Invalid as error:
        return error.code, error.expression
    return None


REFUSED = ("invalid-measure", "Observation.valueQuantity")


@pytest.mark.parametrize(("code", "unit"), [(code, unit) for code in sorted(UNITS) for unit in sorted(UNITS[code])])
def test_no_measure_is_below_nothing_and_no_body_is_nothing(code: str, unit: str) -> None:
    assert refusal(measure(code, -0.1, unit)) == REFUSED
    assert refusal(measure(code, 0, unit)) == (REFUSED if code in SIZES else None)
    assert refusal(measure(code, 1, unit)) is None


@pytest.mark.parametrize(
    ("code", "unit", "most"),
    [
        *((WEIGHT, "kg", 1_000), (WEIGHT, "g", 1_000_000), (WEIGHT, "[lb_av]", 2_204)),
        *((WEIGHT, "kg{dry}", 1_000), (HEIGHT, "cm", 300), (HEIGHT, "m", 3), (HEIGHT, "[in_i]", 118)),
        *((PAIN, "{score}", 10), (PAIN, "1", 10)),
    ],
)
def test_beyond_what_can_be_a_measure_is_refused_in_each_of_its_units(code: str, unit: str, most: float) -> None:
    assert refusal(measure(code, most, unit)) is None
    assert refusal(measure(code, most + 1, unit)) == REFUSED


@pytest.mark.parametrize(
    ("code", "number", "is_refused"),
    [
        (PAIN, -1, True),
        (PAIN, 0, False),
        (PAIN, 10, False),
        (PAIN, 11, True),
        (STEPS, -1, True),
        (STEPS, 80_000, False),
    ],
)
def test_a_mere_number_can_be_wrong_too(code: str, number: int, is_refused: bool) -> None:
    counted = made.observation(RECORD, code=made.concept(made.LOINC, code), valueQuantity=None, valueInteger=number)

    assert refusal(counted) == (("invalid-measure", "Observation.valueInteger") if is_refused else None)


def test_neither_part_of_a_blood_pressure_is_below_nothing() -> None:
    assert refusal(made.blood_pressure(RECORD)) is None
    for index, code in enumerate(PRESSURES):
        parts = made.blood_pressure(RECORD)["component"]
        parts[index] = {"code": made.concept(made.LOINC, code), "valueQuantity": made.quantity(-80, "mm[Hg]")}
        place = f"Observation.component[{index}].valueQuantity"
        assert refusal(made.blood_pressure(RECORD, component=parts)) == ("invalid-measure", place)


def test_of_other_observations_nothing_is_asked() -> None:
    assert refusal(measure("11558-4", -7, "mmol/L")) is None
