"""The CapabilityStatement against the routes and search parameters of the handlers: all of it, and nothing else."""

import importlib
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dmp.api import Route
from dmp.fhir.capability import VERSION, capability_statement
from dmp.fhir.capability_resources import RESOURCE_TYPES
from dmp.fhir.profile_search import PROFILE_PARAMETERS
from dmp.fhir.search_parameters import Parameter
from tests.fhir_validity import assert_valid_r4

type Json = dict[str, Any]

BASE = "https://dmp.example/fhir"
FUNCTIONAL = (
    *("records", "documents", "submissions", "contents", "lists", "consents", "related_persons", "communications"),
    *("audit_trail", "subscriptions", "clinical_profile", "reimbursements", "summaries", "exports"),
)
ENVIRONMENT = {
    "STAGE": "local",
    "RECORDS_TABLE": "records",
    "AUDIT_TABLE": "audit",
    "DOCUMENTS_BUCKET": "documents",
    "DATA_KEY": "key",
    "SECRET_ID": "secret",
}
INTERACTIONS = {
    ("GET", ()): "search-type",
    ("POST", ()): "create",
    ("PATCH", ()): "patch",
    ("POST", ("_search",)): "search-type",
    ("GET", ("{id}",)): "read",
    ("PUT", ("{id}",)): "update",
    ("PATCH", ("{id}",)): "patch",
    ("DELETE", ("{id}",)): "delete",
    ("GET", ("{id}", "_history")): "history-instance",
    ("GET", ("{id}", "_history", "{version}")): "vread",
}


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The handlers, in an environment that they forget again: other tests have their own."""
    before = set(sys.modules)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    yield {name: importlib.import_module(f"handlers.{name}") for name in FUNCTIONAL}
    for name in set(sys.modules) - before:
        if name.startswith("handlers."):
            del sys.modules[name]


def statement() -> Json:
    return capability_statement(BASE)


def test_the_statement_is_valid_r4_and_says_what_the_contract_promises() -> None:
    body = statement()

    assert_valid_r4(body)
    assert body["fhirVersion"] == "4.0.1"
    assert body["kind"] == "instance"
    assert body["implementation"]["url"] == BASE
    assert all("json" in one for one in body["format"])
    guides = [one.partition("|")[0].rpartition("/")[2] for one in body["implementationGuide"]]
    assert guides == ["ihe.iti.mhd", "ihe.iti.pcf", "ihe.iti.balp", "ans.fhir.fr.pdsm"]
    assert "deviation" in body["rest"][0]["documentation"]


def test_every_interaction_of_the_statement_is_routed_and_every_route_is_stated(handlers: dict[str, Any]) -> None:
    routes = [route for handler in handlers.values() for route in handler.ROUTES]

    # the archive of a record is no resource: the text on $export tells of its address
    told = {routed(route) for route in routes if not route.pattern.startswith("exports/")}
    assert stated() == told | {("", "batch")}


def test_every_search_parameter_stated_is_parsed_and_every_one_parsed_is_stated(handlers: dict[str, Any]) -> None:
    parsed = {
        "Patient": (handlers["records"]._IDENTIFIER,),
        "DocumentReference": handlers["documents"].DOCUMENT_PARAMETERS,
        "List": handlers["lists"].LIST_PARAMETERS,
        "Consent": handlers["consents"].CONSENT_PARAMETERS,
        "RelatedPerson": handlers["related_persons"].PERSON_PARAMETERS,
        "CareTeam": handlers["related_persons"].CARE_TEAM_PARAMETERS,
        "ExplanationOfBenefit": handlers["reimbursements"].REIMBURSEMENT_PARAMETERS,
        "Communication": handlers["communications"].COMMUNICATION_PARAMETERS,
        "AuditEvent": handlers["audit_trail"].AUDIT_PARAMETERS,
        **{kind.value: parameters for kind, parameters in PROFILE_PARAMETERS.items()},
    }

    assert {one.type: named(one.parameters) for one in RESOURCE_TYPES if one.parameters} == {
        name: named(parameters) for name, parameters in parsed.items()
    }


def test_nothing_is_stated_twice() -> None:
    for resource in statement()["rest"][0]["resource"]:
        for key in ("interaction", "searchParam", "operation"):
            names = [one.get("code") or one["name"] for one in resource.get(key, [])]
            assert len(names) == len(set(names))


def test_the_software_has_the_version_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]

    assert project["version"] == VERSION


def stated() -> set[tuple[str, str]]:
    rest = statement()["rest"][0]
    found = {("", one["code"]) for one in rest["interaction"]}
    for resource in rest["resource"]:
        found |= {(resource["type"], one["code"]) for one in resource["interaction"]}
        found |= {(resource["type"], f"${one['name']}") for one in resource.get("operation", [])}
    return found


def routed(route: Route) -> tuple[str, str]:
    kind, *rest = route.pattern.split("/")
    if not kind:
        return "", "transaction"
    if rest and rest[-1].startswith("$"):
        return kind, rest[-1]
    return kind, INTERACTIONS[route.method, tuple(rest)]


def named(parameters: tuple[Parameter, ...]) -> dict[str, str]:
    return {one.name: one.kind for one in parameters}
