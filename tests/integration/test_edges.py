"""The edge: authentication before anything else, the order of checks, and errors that tell nothing of the inside."""

import base64
import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from dmp.api import Route
from tests import bodies
from tests.api_client import ApiClient
from tests.requester_factories import requester_patient
from tests.token_factory import TokenFactory

HANDLERS = ("records", "documents", "consents", "communications", "audit_trail", "capability")


def routes(stack: dict[str, str]) -> Iterator[tuple[str, Route]]:
    """Every route of every handler; they are made with the environment of the stack."""
    assert stack
    for name in HANDLERS:
        for route in importlib.import_module(f"handlers.{name}").ROUTES:
            yield name, route


def event(method: str, path: str, **request: Any) -> dict[str, Any]:
    """A payload 2.0 event that no authorizer has seen."""
    return {
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "requestContext": {"http": {"method": method, "path": path}, "domainName": "dmp.example", "requestId": "r"},
        **request,
    }


def test_every_route_of_every_handler_refuses_an_event_without_a_requester(stack: dict[str, str]) -> None:
    for name, route in routes(stack):
        handler = importlib.import_module(f"handlers.{name}").handler
        path = "/fhir/" + route.pattern.replace("{id}", f"{'0' * 26}.{'0' * 26}").replace("{version}", "1")

        answer = handler(event(route.method, path), None)

        assert route.public or answer["statusCode"] == 401, f"{route.method} {route.pattern}"
        assert route.public or answer["headers"]["WWW-Authenticate"].startswith("Bearer")


def test_only_the_statement_of_capabilities_and_the_well_known_addresses_are_public(stack: dict[str, str]) -> None:
    public = {route.pattern.partition("/")[0] for _, route in routes(stack) if route.public}

    assert public <= {"metadata", ".well-known"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/fhir/Nothing"), ("GET", "/fhir"), ("DELETE", "/fhir/Patient"), ("GET", "/fhir/Patient/x/y/z/w")],
)
def test_a_stranger_learns_nothing_of_routes(api: ApiClient, method: str, path: str) -> None:
    answer = api.request(method, path)

    assert (answer.status, answer.code) == (401, "token-missing")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/fhir/Nothing", 404, "unknown-route"),
        ("GET", "/fhir/Patient/$nothing", 404, "unknown-route"),
        ("DELETE", f"/fhir/Patient/{'0' * 26}", 405, "method-not-allowed"),
        ("PUT", "/fhir/AuditEvent/x", 405, "method-not-allowed"),
        ("POST", "/fhir/Patient", 405, "method-not-allowed"),
        ("GET", "/fhir/Patient/not-an-id", 404, "no-record"),
        ("GET", f"/fhir/Patient/{'0' * 26}", 404, "no-record"),
        ("GET", "/fhir/DocumentReference/not-an-id", 404, "not-found"),
        ("GET", f"/fhir/DocumentReference/{'0' * 26}.{'0' * 26}", 404, "no-record"),
    ],
)
def test_unknown_things_are_answered_in_fhir(api: ApiClient, method: str, path: str, status: int, code: str) -> None:
    answer = api.request(method, path, as_=requester_patient())

    assert (answer.status, answer.code) == (status, code)


def test_a_body_of_another_media_type_is_refused_before_it_is_read(api: ApiClient) -> None:
    answer = api.post(
        "/fhir/Patient/$open", b"<Parameters/>", content_type="application/fhir+xml", as_=requester_patient()
    )

    assert (answer.status, answer.code) == (415, "unsupported-media-type")


def test_an_answer_in_xml_is_not_acceptable(api: ApiClient) -> None:
    answer = api.get(f"/fhir/Patient/{'0' * 26}", headers={"Accept": "application/fhir+xml"}, as_=requester_patient())

    assert (answer.status, answer.code) == (406, "not-acceptable")


@pytest.mark.parametrize("body", [b"", b"{", b'{"resourceType": "Parameters", "resourceType": "x"}', b"[]", b"\xff"])
def test_what_is_not_json_is_malformed(api: ApiClient, body: bytes) -> None:
    answer = api.post("/fhir/Patient/$open", body, content_type="application/fhir+json", as_=requester_patient())

    assert answer.status == 400


def test_a_body_over_the_limit_is_too_large(api: ApiClient) -> None:
    answer = api.post("/fhir", b" " * 4_718_593, content_type="application/json", as_=requester_patient())

    assert (answer.status, answer.code) == (413, "too-large")


def test_the_request_id_comes_back_and_stands_in_the_trace(api: ApiClient, tokens: TokenFactory) -> None:
    ins = bodies.new_ins()
    token = tokens.patient(ins=bodies.qualified(ins))

    opened = api.post("/fhir/Patient/$open", bodies.opening(ins), headers={"X-Request-Id": "visit-42"}, as_=token)
    trace = api.get(f"/fhir/AuditEvent?patient={opened.id}", as_=token)

    assert opened.headers["x-request-id"] == "visit-42"
    assert "visit-42" in trace.body.decode()


def test_a_crash_says_nothing_of_the_inside(
    api: ApiClient, stack: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    documents = importlib.import_module("handlers.documents")
    secret = "Dominique PAT-TROIS"  # pragma: allowlist secret

    def crash(_request: object) -> Any:
        raise KeyError(secret)

    api_of_function = documents.Api((Route("GET", "List/{id}", crash, public=True),), clock=documents._BASE.clock)
    answer = api_of_function.handle(event("GET", "/fhir/List/x"))

    assert answer["statusCode"] == 500
    assert "internal-error" in answer["body"]
    assert secret not in answer["body"] + capsys.readouterr().out


def test_a_base64_body_is_decoded_by_the_flag_alone(stack: dict[str, str]) -> None:
    assert stack
    records = importlib.import_module("handlers.records")
    text = base64.b64encode(b"{").decode()
    context = {"http": {"method": "POST", "path": "x"}, "requestId": "r", "domainName": "d"}
    from dmp.domain.requester_context import context_of

    context["authorizer"] = {"lambda": context_of(requester_patient())}
    plain = event("POST", "/fhir/Patient/$open", body=text, isBase64Encoded=False, requestContext=context)
    coded = plain | {"isBase64Encoded": True}

    answers = [records.handler(one, None)["body"] for one in (plain, coded)]

    assert all("malformed-json" in answer for answer in answers)
    assert answers[0] != answers[1]
