"""The judges of emitted bodies: what they must see, and what they must let pass."""

import json
from pathlib import Path

import pytest

from tests.fhir_validity import Json, assert_valid_r4, problems

EXAMPLES = Path(__file__).parents[3] / "shared" / "data"
OFFICIAL = sorted(p for folder in ("ihe", "pdsm") for p in (EXAMPLES / folder).glob("**/examples/*.json"))
KNOWN_WRONG = {"Binary-B-ink.json"}  # its data is the name of a file, for the publisher to replace


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({}, "schema: /"),
        ({"resourceType": "Person Of Interest"}, "fhirkit"),
        ({"resourceType": "Patient", "nickname": "x"}, "unknown element"),
        ({"resourceType": "Patient", "gender": "F"}, "schema: gender"),
        ({"resourceType": "Patient", "active": None}, "null is not allowed"),
        ({"resourceType": "Patient", "name": []}, "empty array"),
        ({"resourceType": "Patient", "name": [{}]}, "ele-1"),
        ({"resourceType": "Patient", "name": [{"given": ["Zoé", None]}]}, "null with no extension"),
        ({"resourceType": "Patient", "birthDate": "2023-02-29"}, "no day of the calendar"),
        ({"resourceType": "Patient", "extension": [{"url": "u"}]}, "ext-1"),
        ({"resourceType": "Patient", "text": {"status": "generated", "div": "<div>"}}, "txt-1"),
        ({"resourceType": "OperationOutcome"}, "issue"),
        ({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": {"resourceType": "List"}}]}, "status"),
        ({"resourceType": "Bundle", "type": "collection", "total": 1}, "bdl-1"),
        ({"resourceType": "Bundle", "type": "searchset", "entry": [{"response": {"status": "200"}}]}, "bdl-4"),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.9"}, "fhirVersion"),
    ],
)
def test_what_is_wrong_is_named(resource: Json, expected: str) -> None:
    found = problems(resource)

    assert any(expected in problem for problem in found), found


def test_version_4_0_1_is_known() -> None:
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}

    assert not [problem for problem in problems(statement) if "fhirVersion" in problem]


def test_a_sound_resource_passes() -> None:
    assert_valid_r4({"resourceType": "Patient", "id": "a", "active": True, "birthDate": "1979-03-28"})


def test_a_primitive_may_have_an_extension_in_place_of_its_value() -> None:
    extensions = {"extension": [{"url": "https://example.org/e", "valueString": "x"}]}

    assert_valid_r4(
        {"resourceType": "Patient", "name": [{"given": ["Zoé", None], "_given": [None, extensions]}]},
    )


@pytest.mark.skipif(not OFFICIAL, reason="the official examples lie outside this repository")
def test_official_examples_are_not_refused() -> None:
    refused = {
        path.name: found
        for path in OFFICIAL
        if path.name not in KNOWN_WRONG and (found := problems(json.loads(path.read_text(encoding="utf-8"))))
    }

    assert not refused
