"""Doses and times in French words, where a dosage has none of its own."""

from typing import Any

import pytest

from dmp.fhir.dosage_texts import dosage_texts

type Json = dict[str, Any]


def dose(value: float = 1, unit: str = "comprimé") -> Json:
    return {"doseAndRate": [{"doseQuantity": {"value": value, "unit": unit}}]}


def ratio(amount: float, unit: str, length: float, time: str) -> Json:
    return {"numerator": {"value": amount, "unit": unit}, "denominator": {"value": length, "unit": time}}


def repeated(**repeat: Any) -> Json:
    return {"timing": {"repeat": repeat}}


@pytest.mark.parametrize(
    ("dosage", "text"),
    [
        ({"text": "1 cp le matin"} | dose(2), "1 cp le matin"),
        (dose(0.5, "{cp}") | repeated(frequency=1, period=1, periodUnit="d"), "0,5 cp 1 fois par jour"),
        (dose() | repeated(frequency=3, period=1, periodUnit="d"), "1 comprimé 3 fois par jour"),
        (dose() | repeated(frequency=1, period=12, periodUnit="h"), "1 comprimé toutes les 12 heures"),
        (dose() | repeated(frequency=2, period=3, periodUnit="wk"), "1 comprimé 2 fois toutes les 3 semaines"),
        (dose() | repeated(frequency=1, frequencyMax=2, period=1, periodUnit="d"), "1 comprimé 1 à 2 fois par jour"),
        (dose() | repeated(period=2, periodUnit="d"), "1 comprimé tous les 2 jours"),
        (dose() | repeated(when=["MORN", "NIGHT"]), "1 comprimé matin, nuit"),
        (dose() | repeated(timeOfDay=["08:00:00", "20:30"]), "1 comprimé à 08:00, 20:30"),
        (dose() | repeated(dayOfWeek=["mon", "thu"]), "1 comprimé lundi, jeudi"),
        (
            dose() | repeated(frequency=1, period=1, periodUnit="d", boundsDuration={"value": 7, "unit": "j"}),
            "1 comprimé 1 fois par jour pendant 7 j",
        ),
        (
            dose() | repeated(boundsPeriod={"start": "2026-01-01", "end": "2026-02-01"}),
            "1 comprimé à partir du 01/01/2026 jusqu'au 01/02/2026",
        ),
        (dose() | {"timing": {"code": {"coding": [{"code": "BID"}]}}}, "1 comprimé BID"),
        (dose() | {"timing": {"event": ["2026-01-01"]}}, "1 comprimé le 01/01/2026"),
        (dose() | {"asNeededBoolean": True}, "1 comprimé si besoin"),
        (dose() | {"asNeededCodeableConcept": {"text": "douleur"}}, "1 comprimé si besoin (douleur)"),
        (dose() | {"route": {"text": "voie orale"}, "site": {"text": "bras"}}, "1 comprimé voie orale bras"),
        ({"doseAndRate": [{"doseRange": {"low": {"value": 1}, "high": {"value": 2, "unit": "cp"}}}]}, "1 à 2 cp"),
        ({"doseAndRate": [{"doseRange": {"high": {"value": 2, "unit": "cp"}}}]}, "au plus 2 cp"),
        ({"doseAndRate": [{"rateQuantity": {"value": 20, "unit": "mL/h"}}]}, "débit 20 mL/h"),
        (
            {"doseAndRate": [{"rateRatio": ratio(1, "L", 8, "h")}]},
            "débit 1 L / 8 heures",
        ),
        (
            {"text": "1 cp", "maxDosePerPeriod": ratio(4, "g", 1, "d")},
            "1 cp maximum 4 g / 1 jour",
        ),
        ({"text": "1 cp", "additionalInstruction": [{"text": "si fièvre"}]}, "1 cp si fièvre"),
        ({"text": "1 cp si fièvre", "additionalInstruction": [{"text": "si fièvre"}]}, "1 cp si fièvre"),
        ({"patientInstruction": "à jeun"} | dose(), "1 comprimé à jeun"),
        (dose(0) , "0 comprimé"),
        (repeated(frequency=1, period=1, periodUnit="zz", count=3), "1 fois par zz 3 fois au total"),
        (repeated(duration=30, durationUnit="min"), "pendant 30 minutes"),
        (repeated(when=["AC"], offset=15), "avant le repas 15 min d'écart"),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_dosage_is_told_in_words(dosage: Json, text: str) -> None:
    assert dosage_texts([dosage]) == ([text] if text else [])


def test_steps_that_have_the_same_words_are_told_with_what_sets_them_apart() -> None:
    steps = [{"text": "1 cp"} | repeated(when=[one]) for one in ("MORN", "EVE")]

    assert dosage_texts(steps) == ["1 cp matin", "1 cp soir"]
