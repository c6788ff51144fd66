"""What a resource must satisfy to be found: judged of whatever a valid one may hold."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.fhir.document_search import DOCUMENT_PARAMETERS, document_query
from dmp.fhir.list_search import LIST_PARAMETERS, list_query
from dmp.fhir.search_parameters import Kind, Parameter, parse_search

type Json = dict[str, Any]

VALUES = {
    Kind.TOKEN: ("true", "urn:oid:1.2|x"),
    Kind.REFERENCE: ("x", "https://other.example/x"),
    Kind.DATE: ("ge2000", "ap2026-03"),
    Kind.STRING: ("zoe", "x"),
    Kind.URI: ("urn:oid:1.2", "x"),
}
EXTENDED = {"extension": [{"url": "https://example.org/e", "valueString": "x"}]}
ARRAYS = st.lists(st.sampled_from(["Zoé", "x", None]), min_size=1, max_size=3)


def extended(name: str, values: list[str | None]) -> Json:
    """An array of a primitive type; what has no value there has an extension in its place (FHIR R4, JSON 2.6.2.3)."""
    return {name: values, f"_{name}": [None if value else EXTENDED for value in values]}


@st.composite
def actors(draw: st.DrawFn) -> list[Json]:
    """Contained actors of every type, the values of their arrays missing at random."""
    people = {"name": [{"family": "MOREL"} | extended("given", draw(ARRAYS)) | extended("prefix", draw(ARRAYS))
                       | extended("suffix", draw(ARRAYS))]}  # fmt: skip
    role = {"resourceType": "PractitionerRole", "practitioner": {"reference": "#Practitioner"},
            "organization": {"reference": "#Organization"}}  # fmt: skip
    return [
        *({"resourceType": kind, "id": kind} | people for kind in ("Practitioner", "Patient", "RelatedPerson")),
        {"resourceType": "Organization", "id": "Organization", "name": "x"} | extended("alias", draw(ARRAYS)),
        {"resourceType": "Device", "id": "Device", "deviceName": [{"name": "x"}]},
        role | {"id": "PractitionerRole"},
    ]


def searches(parameters: tuple[Parameter, ...]) -> list[tuple[str, str]]:
    return [(one.name, value) for one in parameters if one.kind in VALUES for value in VALUES[one.kind]]


def asking(parameters: tuple[Parameter, ...], name: str, value: str) -> Any:
    pairs = [("patient", "a"), *([] if name == "status" else [("status", "current")]), (name, value)]
    return parse_search(pairs, parameters, base_url="https://dmp.example/fhir", resource_type="any")


@pytest.mark.parametrize(("name", "value"), searches(DOCUMENT_PARAMETERS))
@given(contained=actors())
def test_a_document_with_values_missing_is_judged(name: str, value: str, contained: list[Json]) -> None:
    references = [{"reference": f"#{one['id']}"} for one in contained]
    resource = {
        "contained": contained,
        "author": references,
        "authenticator": references[0],
        "custodian": references[3],
        "_description": EXTENDED,
        "securityLabel": [{"text": "x"}, {"coding": [{"_code": EXTENDED}]}],
        "relatesTo": [{"_code": EXTENDED, "target": {"display": "x"}}],
        "content": [{"attachment": {"_creation": EXTENDED, "_language": EXTENDED}, "format": {"_code": EXTENDED}}],
        "context": {
            "event": [{"text": "x"}],
            "facilityType": {"coding": [{"display": "x"}]},
            "period": {"_start": EXTENDED},
            "related": [{"identifier": {"_value": EXTENDED}}, {"_reference": EXTENDED}],
        },
    }

    conditions = document_query(asking(DOCUMENT_PARAMETERS, name, value), "").conditions

    assert all(condition(resource) in (True, False) for condition in conditions)


@pytest.mark.parametrize(("name", "value"), searches(LIST_PARAMETERS))
@given(contained=actors())
def test_a_list_with_values_missing_is_judged(name: str, value: str, contained: list[Json]) -> None:
    conditions = list_query(asking(LIST_PARAMETERS, name, value), "").conditions
    resource: Json = {"contained": contained, "_title": EXTENDED, "identifier": [{"use": "usual"}],
                      "_date": EXTENDED}  # fmt: skip

    for actor in contained:
        source = {"source": {"reference": f"#{actor['id']}"}}
        assert all(condition(resource | source) in (True, False) for condition in conditions)


@pytest.mark.parametrize(("name", "is_found"), [("zoe", True), ("x", False), ("none", False)])
def test_a_name_is_found_beside_one_without_a_value(name: str, *, is_found: bool) -> None:
    person = {"resourceType": "Practitioner", "id": "a", "name": [extended("given", ["Zoé", None])]}
    resource = {"contained": [person], "author": [{"reference": "#a"}]}

    (condition,) = document_query(asking(DOCUMENT_PARAMETERS, "author.given", name), "").conditions

    assert condition(resource) is is_found
