"""What is read of the published samples, against what a person read in them: treatments, results and measures."""

from typing import Any

import pytest

from dmp.domain.clinical_profile import Candidate, ProfileKind
from tests.integration.results_in_samples import RESULTS, Result
from tests.integration.test_cda_samples import SAMPLES, published
from tests.integration.treatments_in_samples import TREATMENTS, Treatment
from tests.offered_resources import candidates_of

URN = "urn:oid:"

type Json = dict[str, Any]

FILES = sorted(sample["file"] for sample in published())

pytestmark = pytest.mark.skipif(not FILES, reason="the published samples are not here")
every_file = pytest.mark.parametrize("file", FILES)


def offered(file: str, kind: ProfileKind) -> list[Candidate]:
    return [one for one in candidates_of((SAMPLES / file).read_bytes()) if one.kind is kind]


def treatment_of(candidate: Candidate) -> Treatment:
    """A candidate in the words of the list."""
    told: Json = dict(candidate.resource)
    medication = told["medicationCodeableConcept"]
    period = told.get("effectivePeriod", {})
    assert candidate.section
    return Treatment(
        section=candidate.section.code,
        product=medication["text"],
        codes=tuple((one["system"].removeprefix(URN), one["code"]) for one in medication.get("coding", [])),
        status=told["status"],
        start=period.get("start", "") or told.get("effectiveDateTime", ""),
        end=period.get("end", ""),
        posology=tuple(one["text"] for one in told.get("dosage", []) if "text" in one),
        reasons=tuple(one["coding"][0]["code"] for one in told.get("reasonCode", [])),
    )


def result_of(told: Json) -> Result:
    """An Observation in the words of the list."""
    parts = ", ".join(" ".join(filter(None, (code(one), value(one), judged(one)))) for one in told.get("component", []))
    whole = ": ".join(filter(None, (value(told), parts)))
    return Result(code(told), whole, told.get("effectiveDateTime", ""), judged(told))


def code(told: Json) -> str:
    return str(told["code"]["coding"][0]["code"])


def judged(told: Json) -> str:
    return " ".join(one["coding"][0]["code"] for one in told.get("interpretation", []))


def value(told: Json) -> str:
    found: Any = next((told[name] for name in told if name.startswith("value")), "")
    match found:
        case bool():
            return "yes" if found else "no"
        case {"value": number}:
            return " ".join(filter(None, (f"{found.get('comparator', '')}{number}", found.get("unit", ""))))
        case {"text": text}:
            return str(text)
        case _:
            return str(found)


@every_file
def test_a_sample_offers_the_treatments_that_it_states_and_no_other(file: str) -> None:
    found = tuple(map(treatment_of, offered(file, ProfileKind.MEDICATION)))

    assert found == TREATMENTS.get(file, ())


@every_file
@pytest.mark.parametrize("category", RESULTS)
def test_a_sample_offers_the_results_that_it_states_and_no_other(file: str, category: str) -> None:
    resources: list[Json] = [dict(one.resource) for one in offered(file, ProfileKind.OBSERVATION)]

    found = [result_of(one) for one in resources if one["category"][0]["coding"][0]["code"] == category]

    assert sorted(found) == sorted(RESULTS[category].get(file, ()))


def test_every_list_is_of_a_sample_that_is_there() -> None:
    listed = {*TREATMENTS, *(file for files in RESULTS.values() for file in files)}

    assert listed <= set(FILES)
