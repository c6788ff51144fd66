"""The eleven measures of the health profile, and the units that each is told in (LOINC, UCUM, API Mesures)."""

from collections.abc import Mapping

UCUM = "http://unitsofmeasure.org"
BLOOD_PRESSURE = "85354-9"
_PRESSURE = frozenset({"mm[Hg]"})
_LENGTH = frozenset({"cm", "m", "[in_i]"})
_NUMBER = frozenset({"1"})

PRESSURES: Mapping[str, frozenset[str]] = {"8480-6": _PRESSURE, "8462-4": _PRESSURE}
"""What a blood pressure is made of: the systolic and the diastolic one."""
UNITS: Mapping[str, frozenset[str]] = {
    "29463-7": frozenset({"kg", "g", "[lb_av]"}),
    "8302-2": _LENGTH,
    "39156-5": frozenset({"kg/m2"}),
    "8310-5": frozenset({"Cel", "[degF]"}),
    "2345-7": frozenset({"g/L", "mg/dL", "mmol/L"}),
    "72514-3": _NUMBER,
    "41950-7": _NUMBER | {"/d"},
    "8280-0": _LENGTH,
    "8287-5": _LENGTH,
    "8867-4": frozenset({"/min"}),
    **PRESSURES,
}
"""Weight, height, body mass index, temperature, glucose, pain, steps, waist, head, heart rate; and pressures."""

COUNTED = frozenset({"72514-3", "41950-7"})
"""Pain and steps: a mere integer tells them, too."""


_SIZES = frozenset({"29463-7", "8302-2", "39156-5", "8280-0", "8287-5"})
"""What nobody has none of: weight, height, body mass index, waist, head."""
_MOST: Mapping[str, Mapping[str, float]] = {
    "29463-7": {"kg": 1_000, "g": 1_000_000, "[lb_av]": 2_204.7},
    "8302-2": {"cm": 300, "m": 3, "[in_i]": 118.2},
    "72514-3": {"1": 10},
}
"""More than ever was, of a weight and a height in each unit; the scale of pain ends there."""


def is_measured_in(code: str, unit: str) -> bool:
    """Whether a measure may be told in a unit; an annotation (`{score}`, `{beats}/min`) changes nothing of one."""
    return _bare(unit) in UNITS[code]


def can_be(code: str, value: float, unit: str = "1") -> bool:
    """Whether a body can have a measure of this value in a unit of its own: nothing is negative."""
    most = _MOST.get(code, {}).get(_bare(unit))
    return (value > 0 if code in _SIZES else value >= 0) and (most is None or value <= most)


def _bare(unit: str) -> str:
    before, _, rest = unit.partition("{")
    return (before + rest.partition("}")[2] if rest else unit) or "1"
