"""What passes validation can be emitted as valid FHIR R4; what does not is refused with its place."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fhirkit
import pytest

from dmp.domain.errors import Invalid
from dmp.fhir.validation import validate
from tests import fhir_factories as make

EXAMPLES = Path(__file__).parents[3] / "shared" / "data"


def refused(resource: make.Json) -> Invalid:
    with pytest.raises(Invalid) as error:
        validate(resource, resource["resourceType"])
    return error.value


@pytest.mark.parametrize(
    "resource",
    [
        make.document_reference(),
        make.submission_set(),
        make.folder(),
        make.binary(),
        make.bundle(),
        make.patient(),
        make.opening(),
    ],
)
def test_a_complete_resource_passes_unchanged(resource: make.Json) -> None:
    assert validate(resource, resource["resourceType"]) == resource


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"birthDate": "1979-02-30"}, "Patient.birthDate"),
        ({"birthDate": 1979}, "Patient.birthDate"),
        ({"gender": "F"}, "Patient.gender"),
        ({"active": "true"}, "Patient.active"),
        ({"active": 1}, "Patient.active"),
        ({"name": {"family": "X"}}, "Patient.name"),
        ({"name": [{"family": ["X"]}]}, "Patient.name[0].family"),
        ({"name": [{"use": "nom"}]}, "Patient.name[0].use"),
        ({"telecom": [{"value": "06"}]}, "Patient.telecom[0]"),
        ({"colour": "red"}, "Patient.colour"),
        ({"modifierExtension": [{"url": "x", "valueBoolean": True}]}, "Patient.modifierExtension"),
        ({"deceasedBoolean": True, "deceasedDateTime": "2020"}, "Patient"),
        ({"extension": [{"url": "x"}]}, "Patient.extension[0]"),
        ({"extension": [{"url": "x", "valueString": "a", "valueCode": "a"}]}, "Patient.extension[0]"),
        ({"extension": [{"url": "a b", "valueString": "a"}]}, "Patient.extension[0].url"),
        ({"extension": [{"url": "x", "valueDecimal": True}]}, "Patient.extension[0].valueDecimal"),
        ({"identifier": [{"period": {"start": "2021", "end": "2020"}}]}, "Patient.identifier[0].period"),
        ({"id": "a b"}, "Patient.id"),
        ({"_gender": "x"}, "Patient"),
        ({"_name": {"id": "x"}}, "Patient"),
        ({"contact": [{"gender": "male"}]}, "Patient.contact[0]"),
        ({"photo": [{"data": "QQ=="}]}, "Patient.photo[0]"),
        ({"photo": [{"contentType": "image/png", "data": "Q"}]}, "Patient.photo[0].data"),
    ],
)
def test_a_fault_is_refused_with_its_place(changes: make.Json, place: str) -> None:
    assert refused(make.patient(**changes)).expression == place


def test_a_missing_element_is_named() -> None:
    error = refused(make.submission_set(mode=None))

    assert (error.code, error.expression) == ("invalid-resource", "List.mode")


def test_an_unknown_name_that_is_no_word_is_not_repeated() -> None:
    error = refused(make.patient(**{"27903 5121518989": 1}))

    assert error.expression == "Patient"


def test_siblings_of_primitives_are_checked_and_kept() -> None:
    url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    absent = {"extension": [{"url": url, "valueCode": "masked"}]}
    resource = make.patient(gender=None, _gender=absent, name=[{"given": ["A", None], "_given": [None, absent]}])

    assert validate(resource, "Patient") == resource


def test_siblings_must_match_their_array() -> None:
    error = refused(make.patient(name=[{"given": ["A", None], "_given": [{"id": "x"}]}]))

    assert error.expression == "Patient.name[0]"


def test_a_fault_within_a_sibling_is_refused() -> None:
    assert refused(make.patient(_gender={"extension": [{"url": "x"}]})).code == "invalid-resource"


@pytest.mark.parametrize(
    "div",
    [
        "<div>no namespace</div>",
        '<div xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></div>',
        '<div xmlns="http://www.w3.org/1999/xhtml"><img src="https://x.example/a.png"/></div>',
        '<div xmlns="http://www.w3.org/1999/xhtml"><a href="javascript:alert(1)">x</a></div>',
        '<div xmlns="http://www.w3.org/1999/xhtml"><p onclick="x()">x</p></div>',
        '<div xmlns="http://www.w3.org/1999/xhtml"><p style="background:url(x)">x</p></div>',
        '<!DOCTYPE d [<!ENTITY a "b">]><div xmlns="http://www.w3.org/1999/xhtml">&a;</div>',
        '<div xmlns="http://www.w3.org/1999/xhtml"></div>',
        '<div xmlns="http://www.w3.org/1999/xhtml">',
        7,
    ],
)
def test_an_unsafe_narrative_is_dropped(div: object) -> None:
    resource = make.patient(text={"status": "generated", "div": div})

    assert validate(resource, "Patient") == make.patient()


def test_a_safe_narrative_is_kept() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p class="a">Vu le <b>12</b></p><a href="#x">lien</a></div>'
    resource = make.patient(text={"status": "generated", "div": div})

    assert validate(resource, "Patient")["text"]["div"] == div


def test_contained_resources_are_checked_under_their_place() -> None:
    error = refused(make.document_reference(contained=[make.practitioner(gender="x"), make.contained_patient()]))

    assert error.expression == "DocumentReference.contained[0].gender"


@pytest.mark.parametrize(
    "contained",
    [
        [{"resourceType": "Encounter", "id": "author"}],
        [{"resourceType": ["Patient"], "id": "author"}],
        [make.practitioner(id=None)],
        [make.practitioner(contained=[make.contained_patient()])],
        [make.practitioner(), make.practitioner()],
    ],
)
def test_contained_resources_that_fhir_forbids_are_refused(contained: list[make.Json]) -> None:
    resource = make.document_reference(contained=contained, context=None)

    assert refused(resource).code == "invalid-resource"


def test_a_reference_to_nothing_contained_is_refused() -> None:
    error = refused(make.document_reference(contained=[make.contained_patient()]))

    assert (error.code, error.expression) == ("unknown-reference", "DocumentReference.author[0].reference")


def test_versions_of_contained_resources_are_dropped() -> None:
    meta = {"versionId": "1", "lastUpdated": "2025-04-28T18:19:34.908+02:00", "source": "https://annuaire.sante.fr"}
    contained = [make.practitioner(meta=meta), make.contained_patient(meta={"versionId": "3"})]

    found = validate(make.document_reference(contained=contained), "DocumentReference")["contained"]

    assert found[0]["meta"] == {"source": "https://annuaire.sante.fr"}
    assert "meta" not in found[1]


def _official() -> Iterator[Any]:
    for path in sorted([*EXAMPLES.glob("pdsm/*/*.json"), *EXAMPLES.glob("ihe/MHD/examples/*.json")]):
        body = json.loads(path.read_text())
        found = [entry.get("resource", {}) for entry in body.get("entry", [])] if isinstance(body, dict) else []
        for resource in [body, *found]:
            if isinstance(resource, dict) and resource.get("resourceType") in ("DocumentReference", "List", "Patient"):
                yield pytest.param(resource, id=f"{path.name}-{resource['resourceType']}")


@pytest.mark.parametrize("resource", list(_official()))
def test_official_examples_pass_and_stay_valid(resource: make.Json) -> None:
    found = validate(resource, resource["resourceType"])

    assert not fhirkit.validate(json.dumps(found))
