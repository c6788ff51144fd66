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


def is_measured_in(code: str, unit: str) -> bool:
    """Whether a measure may be told in a unit; an annotation (`{score}`, `{beats}/min`) changes nothing of one."""
    before, _, rest = unit.partition("{")
    bare = before + rest.partition("}")[2] if rest else unit
    return (bare or "1") in UNITS[code]
