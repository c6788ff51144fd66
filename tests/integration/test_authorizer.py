"""The authorizer as Lambda calls it: real tokens, keys fetched over HTTP, and every forgery refused (RFC 8725)."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dmp.domain.claims import IssuerKind
from dmp.domain.identifiers import INS_NIR, INS_NIR_TEST
from dmp.domain.requester import RequesterKind
from tests.deployed_authorizer import Stack, deployed, event
from tests.forged_tokens import FORGED, PERSON, says
from tests.issuer_server import self_signed
from tests.requester_factories import requester_employee, requester_patient, requester_professional, requester_server
from tests.token_factory import TokenFactory, ins_with_key, professional_claims

FUNCTIONS = Path(__file__).parents[2] / "functions"
PSC, ESTABLISHMENT, PATIENT, INSURER = IssuerKind


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with deployed() as stack:
        yield stack


# --- those who are let in


def test_a_physician_is_known_by_card_structure_and_specialty(stack: Stack) -> None:
    assert stack.requester(stack.tokens.professional()) == requester_professional()


def test_a_server_reinforced_by_pro_sante_connect_is_the_professional(stack: Stack) -> None:
    assert stack.requester(stack.tokens.air()) == requester_professional()


def test_a_secretary_and_a_server_are_known_by_their_structure(stack: Stack) -> None:
    assert stack.requester(stack.tokens.employee()) == requester_employee()
    assert stack.requester(stack.tokens.server()) == requester_server()


def test_a_patient_is_known_by_her_ins(stack: Stack) -> None:
    assert stack.requester(stack.tokens.patient()) == requester_patient()


def test_the_insurer_is_known_by_its_role(stack: Stack) -> None:
    assert stack.requester(stack.tokens.insurer()).kind is RequesterKind.CPAM_AGENT
    assert stack.requester(stack.tokens.insurer("CNAM_FEED")).kind is RequesterKind.CNAM_FEED


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
def test_the_header_is_read_in_any_case(stack: Stack, name: str, scheme: str) -> None:
    answer = stack.handler(event({name: scheme + stack.tokens.patient()}), None)

    assert "requester" in answer["context"]


def test_one_audience_among_several_is_enough(stack: Stack) -> None:
    claims = stack.tokens.claims(PSC, **professional_claims(), aud=["other", "https://dmp.example/fhir"])

    assert stack.requester(stack.tokens.sign(PSC, claims)).kind is RequesterKind.PROFESSIONAL


@pytest.mark.parametrize("times", [{"exp": -58}, {"nbf": 58}, {"iat": 58, "nbf": 58}])
def test_clocks_may_differ_by_a_minute(stack: Stack, times: dict[str, int]) -> None:
    now = int(time.time())
    claims = stack.tokens.claims(PATIENT, **PERSON) | {name: now + shift for name, shift in times.items()}

    assert stack.requester(stack.tokens.sign(PATIENT, claims)).kind is RequesterKind.PATIENT


def test_a_token_need_not_say_since_when_it_is_valid(stack: Stack) -> None:
    claims = stack.tokens.claims(PATIENT, **PERSON)
    del claims["nbf"]

    assert stack.requester(stack.tokens.sign(PATIENT, claims)).kind is RequesterKind.PATIENT


@pytest.mark.parametrize("media_type", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
def test_access_tokens_may_say_their_type(stack: Stack, media_type: str) -> None:
    claims = stack.tokens.claims(INSURER, role="CPAM_AGENT", agent_id="agent-751", typ="Bearer")

    assert stack.requester(stack.tokens.sign(INSURER, claims, typ=media_type)).kind is RequesterKind.CPAM_AGENT


# --- those who are not


def test_at_least_forty_forgeries_are_tried() -> None:
    assert len(FORGED) >= 40


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused_for_its_reason(name: str, stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    reason, forge = FORGED[name]
    for kind in IssuerKind:
        stack.refusal(stack.tokens.sign(kind, stack.tokens.claims(kind)))
    asked = len(stack.server.hits)
    capsys.readouterr()

    refusal = stack.refusal(forge(stack.tokens))

    assert refusal == reason
    assert len(stack.server.hits) == asked, "a forged token must not reach the network"
    line, *figures = map(json.loads, capsys.readouterr().out.splitlines())
    assert line == {
        "level": "WARNING",
        "message": "request_refused",
        "code": reason,
        "correlation_id": "request-1",
    }
    assert [figure["Reason"] for figure in figures] == [reason] * (reason != "structure-mismatch")


def test_a_structure_mismatch_is_no_matter_of_authentication(stack: Stack) -> None:
    assert stack.requester(stack.tokens.air("1690781810")).refusal == "structure-mismatch"
    assert stack.context("x")["outcome"] == "not-authenticated"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "token-missing"),
        ({"authorization": ""}, "token-missing"),
        ({"authorization": "Bearer"}, "token-missing"),
        ({"authorization": "Bearer "}, "token-missing"),
        ({"authorization": "Basic dXNlcjpwYXNz"}, "token-missing"),
        ({"authorization": "Digest TOKEN"}, "token-missing"),
        ({"authorization": "TOKEN"}, "token-missing"),
        ({"authorization": "Bearer\tTOKEN"}, "token-missing"),
        ({"x-authorization": "Bearer TOKEN"}, "token-missing"),
        ({"cookie": "access_token=TOKEN"}, "token-missing"),
        ({"authorization": "Bearer TOKEN", "Authorization": "Bearer TOKEN"}, "token-malformed"),
        ({"authorization": "Bearer TOKEN,Bearer TOKEN"}, "token-malformed"),
        ({"authorization": "Bearer TOKEN, Bearer TOKEN"}, "token-malformed"),
        ({"authorization": "Bearer Bearer TOKEN"}, "token-malformed"),
    ],
)
def test_only_one_bearer_token_in_its_own_header_counts(stack: Stack, headers: dict[str, str], reason: str) -> None:
    token = stack.tokens.patient()
    named = {name: value.replace("TOKEN", token) for name, value in headers.items()}

    answer = stack.handler({"headers": named, "queryStringParameters": {"access_token": token}}, None)

    assert answer == {
        "isAuthorized": True,
        "context": {"refusal": reason, "outcome": "not-authenticated", "detail": ""},
    }


@pytest.mark.parametrize("odd", [{}, {"headers": None}, {"headers": {}, "requestContext": None}])
def test_an_event_without_headers_has_no_token(stack: Stack, odd: dict[str, Any]) -> None:
    assert stack.handler(odd, None)["context"]["refusal"] == "token-missing"


@pytest.mark.parametrize("odd", [{"headers": ["authorization"]}, {"headers": {1: "x"}}])
def test_an_event_of_no_known_shape_is_still_answered(stack: Stack, odd: dict[str, Any]) -> None:
    context = stack.handler(odd, None)["context"]

    assert (context["refusal"], context["outcome"]) == ("authorizer-failed", "unavailable")


# --- the doors

SECRET = "s" * 64
CLIENT = {"authentication": {"clientCert": {"subjectDN": "CN=logiciel.example"}}}


@pytest.fixture(scope="module")
def behind_the_edge() -> Iterator[Stack]:
    with deployed(edge_secret=SECRET) as stack:
        yield stack


@pytest.mark.parametrize("name", ["x-dmp-edge", "X-DMP-Edge"])
def test_what_the_edge_vouches_for_is_let_in(behind_the_edge: Stack, name: str) -> None:
    headers = {"authorization": f"Bearer {behind_the_edge.tokens.patient()}", name: SECRET}

    answer = behind_the_edge.handler(event(headers), None)

    assert answer["isAuthorized"] is True
    assert "requester" in answer["context"]


def test_a_client_certificate_is_a_door_of_its_own(behind_the_edge: Stack) -> None:
    request = event({"authorization": f"Bearer {behind_the_edge.tokens.patient()}"})

    answer = behind_the_edge.handler(request | {"requestContext": CLIENT}, None)

    assert "requester" in answer["context"]


@pytest.mark.parametrize("sent", ["", "x", SECRET[:-1], SECRET + "s", f"{SECRET},{SECRET}", SECRET.upper(), "é" * 64])
@pytest.mark.parametrize("context", [{}, {"authentication": None}, {"authentication": {"clientCert": None}}, None])
def test_what_goes_round_the_edge_is_refused_whatever_its_token(
    behind_the_edge: Stack, sent: str, context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {"authorization": f"Bearer {behind_the_edge.tokens.patient()}", "x-dmp-edge": sent}

    answer = behind_the_edge.handler(event(headers) | {"requestContext": context}, None)

    assert answer == {"isAuthorized": False}
    assert SECRET not in capsys.readouterr().out


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"headers": None},
        {"headers": ["x-dmp-edge"]},
        {"headers": {1: SECRET}},
        {"headers": {"x-dmp-edge": "\ud800"}},
    ],
)
def test_an_event_of_no_known_shape_did_not_come_through_the_edge(behind_the_edge: Stack, odd: dict[str, Any]) -> None:
    assert behind_the_edge.handler(odd, None) == {"isAuthorized": False}


def test_a_client_certificate_in_a_header_is_none(behind_the_edge: Stack) -> None:
    request = event(
        {"authorization": f"Bearer {behind_the_edge.tokens.patient()}", "x-client-cert": "CN=a", "clientCert": "b"}
    )

    assert behind_the_edge.handler(request, None) == {"isAuthorized": False}


# --- production


def test_production_refuses_test_identities_and_takes_real_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    with deployed("prod", tls=self_signed(tmp_path / "server.pem")) as stack:
        real = stack.tokens.patient(ins=f"{INS_NIR}|{ins_with_key('2850775056123')}")

        assert stack.requester(real).kind is RequesterKind.PATIENT
        assert stack.refusal(stack.tokens.patient()) == "token-claims-invalid"


# --- keys


def test_keys_are_fetched_once_and_never_for_an_issuer_nobody_trusts() -> None:
    with deployed() as stack:
        stack.refusal(says(iss="https://attacker.example")(stack.tokens))
        assert stack.server.hits == []

        for _ in range(5):
            stack.requester(stack.tokens.patient())

        assert stack.server.hits == ["/patient/jwks.json"]


def test_many_threads_at_once_fetch_the_keys_once() -> None:
    with deployed() as stack, ThreadPoolExecutor(16) as pool:
        token = stack.tokens.patient()

        requesters = list(pool.map(lambda _: stack.requester(token), range(64)))

        assert set(requesters) == {requester_patient()}
        assert stack.server.hits == ["/patient/jwks.json"]


def test_an_issuer_that_does_not_answer_is_unavailable() -> None:
    with deployed() as stack:
        stack.server.broken = True

        context = stack.context(stack.tokens.patient())

        assert context == {"refusal": "issuer-unavailable", "outcome": "unavailable", "detail": ""}


def test_one_issuer_out_of_order_leaves_the_others_alone() -> None:
    with deployed() as stack:
        del stack.server.documents["/patient/jwks.json"]

        assert stack.refusal(stack.tokens.patient()) == "issuer-unavailable"
        assert stack.requester(stack.tokens.server()) == requester_server()


# --- what it says and what it loads


def test_nothing_of_the_token_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    with deployed() as stack:
        wrong_key = stack.tokens.patient(ins=f"{INS_NIR_TEST}|123456789012345")
        tokens = [wrong_key, stack.tokens.professional(SubjectRole=["CANARY"]), stack.tokens.air("1690781810")]
        for token in tokens:
            stack.context(token)

    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    told = [line.get("code") or line["Reason"] for line in lines]
    assert told == ["ins-key-invalid", "token-claims-invalid", "token-claims-invalid", "structure-mismatch"]
    assert printed.err == ""
    for secret in [*tokens, "123456789012345", "CANARY", "DUVAL", "MARTIN", "10101234567", "1690781810", "example"]:
        assert secret not in printed.out


def test_a_quiet_log_level_leaves_the_figures_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with deployed(log_level="ERROR") as stack:
        stack.refusal("x")

    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line).keys() == {"_aws", "Stage", "Unauthenticated", "Reason"}


def run_python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(FUNCTIONS), "STAGE": "local", **variables}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_authorizer_loads_neither_aws_nor_frameworks() -> None:
    code = "import sys, handlers.authorizer; print(*{name.partition('.')[0] for name in sys.modules})"

    result = run_python(code, ISSUERS=TokenFactory().issuers())

    loaded = set(result.stdout.split())
    heavy = {
        "boto3",
        "botocore",
        "s3transfer",
        "urllib3",
        "pydantic",
        "pydantic_core",
        "aws_lambda_powertools",
        "aws_xray_sdk",
    }
    assert {"handlers", "dmp", "cryptography"} <= loaded, result.stderr
    assert not loaded & (heavy | {"jwt", "joserfc", "logging"})


@pytest.mark.parametrize(("variable", "value"), [("ISSUERS", ""), ("ISSUERS", "["), ("STAGE", "")])
def test_the_authorizer_does_not_start_with_a_wrong_variable_and_names_it(variable: str, value: str) -> None:
    result = run_python("import handlers.authorizer", **{"ISSUERS": TokenFactory().issuers(), variable: value})

    assert result.returncode == 1
    assert f"environment variable {variable}" in result.stderr
