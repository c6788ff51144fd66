"""What is extracted of every published CDA sample, compared with what was written down from reading it."""

from collections.abc import Mapping
from typing import Any

import pytest

from dmp.cda.text import text_of
from dmp.domain.clinical_profile import Candidate, ProfileKind
from tests.fhir_validity import assert_valid_r4
from tests.integration.stated_in_samples import STATED, Facts, Stated
from tests.integration.test_cda_samples import SAMPLES, published
from tests.offered_resources import about_somebody, candidates_of

type Json = Mapping[str, Any]

pytestmark = pytest.mark.skipif(not published(), reason="the published samples are not here")
every_sample = pytest.mark.parametrize("name", [sample["file"] for sample in published()])


@every_sample
def test_the_extraction_of_a_sample_is_what_it_states(name: str) -> None:
    found = candidates_of((SAMPLES / name).read_bytes())

    assert stated(found) == STATED[name]


@every_sample
def test_whatever_a_sample_offers_is_valid_and_tells_where_it_stands(name: str) -> None:
    found = candidates_of((SAMPLES / name).read_bytes())

    for candidate in found:
        assert_valid_r4(about_somebody(candidate))
        assert candidate.section
        assert candidate.section.system
        assert candidate.resource["resourceType"] == candidate.kind


def test_the_words_of_a_sample_are_those_of_its_narratives() -> None:
    words = text_of((SAMPLES / "VSM_1.4_2022.01.xml").read_bytes())

    assert "Facteurs de risques professionnels" in words
    assert "Exposition à l'amiante à contrôler" in words
    assert "Infarctus transmural inférieur" in words
    assert "interprétation diagnostique" not in words, "which only an entry says"


def stated(candidates: tuple[Candidate, ...]) -> Stated:
    """The statements of a document, in the terms of the list."""
    by_kind: dict[ProfileKind, list[Json]] = {
        kind: [one.resource for one in candidates if one.kind is kind] for kind in ProfileKind
    }
    return Stated(
        problems=facts(by_kind[ProfileKind.CONDITION], "code", state, since),
        allergies=facts(by_kind[ProfileKind.ALLERGY], "code", state, since),
        vaccinations=facts(by_kind[ProfileKind.IMMUNIZATION], "vaccineCode", given, lot, dose),
        procedures=facts(by_kind[ProfileKind.PROCEDURE], "code", done),
        relatives=tuple(
            (first_code(one["relationship"]), first_code(illness["code"]))
            for one in by_kind[ProfileKind.FAMILY_HISTORY]
            for illness in one["condition"]
        ),
    )


def facts(resources: list[Json], code: str, *others: Any) -> Facts:
    return tuple(
        (first_code(one[code]), one[code]["text"], *(str(other(one)) for other in others)) for one in resources
    )


def first_code(concept: Json) -> str:
    return str(concept.get("coding", [{"code": ""}])[0]["code"])


def state(resource: Json) -> str:
    verification, clinical = first_code(resource["verificationStatus"]), first_code(resource["clinicalStatus"])
    return verification if verification == "refuted" else clinical


def since(resource: Json) -> str:
    return str(resource.get("onsetDateTime", ""))[:10]


def given(resource: Json) -> str:
    return str(resource.get("occurrenceDateTime", ""))[:10]


def lot(resource: Json) -> str:
    return str(resource.get("lotNumber", ""))


def dose(resource: Json) -> str:
    return str(resource.get("protocolApplied", [{"doseNumberPositiveInt": ""}])[0]["doseNumberPositiveInt"])


def done(resource: Json) -> str:
    return str(resource.get("performedDateTime") or resource.get("performedPeriod", {}).get("start", ""))[:10]
