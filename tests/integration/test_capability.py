"""What a client finds out before it has a token, and what becomes of addresses that do not exist."""

import pytest

from tests.api_client import BASE, ApiClient
from tests.aws_calls import counted
from tests.requester_factories import requester_patient


def test_the_capability_statement_needs_no_token_and_no_aws(api: ApiClient) -> None:
    with counted() as calls:
        answer = api.get("/fhir/metadata")

    assert answer.status == 200
    assert answer.json["resourceType"] == "CapabilityStatement"
    assert answer.json["implementation"]["url"] == BASE
    assert calls == []


@pytest.mark.parametrize("query", ["_format=json", "_format=application/fhir%2Bjson", "mode=full", "unknown=1"])
def test_the_statement_is_answered_in_json(api: ApiClient, query: str) -> None:
    assert api.get(f"/fhir/metadata?{query}").status == 200


@pytest.mark.parametrize(("query", "accept"), [("?_format=xml", "*/*"), ("", "application/fhir+xml")])
def test_the_statement_is_not_answered_in_xml(api: ApiClient, query: str, accept: str) -> None:
    answer = api.get(f"/fhir/metadata{query}", headers={"Accept": accept})

    assert (answer.status, answer.code) == (406, "not-acceptable")


def test_there_is_a_head_and_no_body(api: ApiClient) -> None:
    answer = api.head("/fhir/metadata")

    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nobody_changes_the_statement(api: ApiClient, method: str) -> None:
    assert api.request(method, "/fhir/metadata", as_=requester_patient()).status in (401, 405)


@pytest.mark.parametrize("name", ["smart-configuration", "openid-configuration"])
def test_no_discovery_document_promises_endpoints_that_this_server_lacks(api: ApiClient, name: str) -> None:
    answer = api.get(f"/fhir/.well-known/{name}")

    assert (answer.status, answer.code) == (404, "unknown-route")


@pytest.mark.parametrize("path", ["/fhir/Unknown", "/fhir/patient", "/fhir/Encounter/1", "/elsewhere", "/"])
def test_an_unknown_route_is_told_to_those_who_are_known(api: ApiClient, path: str) -> None:
    answer = api.get(path, as_=requester_patient())

    assert (answer.status, answer.code) == (404, "unknown-route")


@pytest.mark.parametrize("path", ["/fhir/Unknown", "/elsewhere"])
def test_a_stranger_learns_nothing_of_routes(api: ApiClient, path: str) -> None:
    answer = api.get(path)

    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="dmp"')
