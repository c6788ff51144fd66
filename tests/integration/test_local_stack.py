"""The local stack from outside: its demonstration, tokens, clock, jobs and mails, and a clean stop."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.local.process import LocalProcess
from tests.http_people import opened, professional

DAY_SECONDS = 86_400


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalProcess]:
    with LocalProcess(seed="demo", LOG_LEVEL="ERROR") as stack:
        yield stack


def personas(stack: LocalProcess) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in httpx.get(f"{stack.url}/local/personas").json()}


def get(stack: LocalProcess, persona: str, path: str, **parameters: str) -> httpx.Response:
    token = personas(stack)[persona]["access_token"]
    return httpx.get(
        f"{stack.url}/fhir/{path}", params=parameters, headers={"Authorization": f"Bearer {token}"}, timeout=10
    )


def record_of(stack: LocalProcess) -> str:
    ins = personas(stack)["patient"]["claims"]["ins"]
    return str(get(stack, "patient", "Patient", identifier=ins).json()["entry"][0]["resource"]["id"])


def test_it_is_ready_when_it_says_where_it_is(stack: LocalProcess) -> None:
    assert httpx.get(f"{stack.url}/fhir/metadata").status_code == 200


def test_the_demonstration_has_a_record_with_documents_for_those_who_may_read_it(stack: LocalProcess) -> None:
    wanted = {"patient": record_of(stack), "status": "current"}

    answers = {who: get(stack, who, "DocumentReference", **wanted) for who in ("patient", "specialist", "nurse")}

    assert {who: answer.status_code for who, answer in answers.items()} == {
        "patient": 200,
        "specialist": 200,
        "nurse": 403,
    }
    assert len(answers["patient"].json()["entry"]) == len(answers["specialist"].json()["entry"]) == 4


def test_every_persona_is_let_in(stack: LocalProcess) -> None:
    statuses = {who: get(stack, who, "Unknown").status_code for who in personas(stack)}

    assert set(statuses.values()) == {404}
    assert statuses.keys() >= {"patient", "attending-physician", "specialist", "nurse", "pharmacist", "secretary"}
    assert statuses.keys() >= {"hospital-server", "samu-physician", "cpam-agent", "cnam-feed"}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_says_what_it_is_told_to_and_is_signed_by_a_published_key(stack: LocalProcess, algorithm: str) -> None:
    body = {"issuer": "insurer", "claims": {"role": "CPAM_AGENT", "agent_id": "7"}, "algorithm": algorithm}
    token = httpx.post(f"{stack.url}/local/token", json=body).json()

    answer = httpx.get(f"{stack.url}/fhir/Unknown", headers={"Authorization": f"Bearer {token['access_token']}"})

    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert answer.status_code == 404


def test_an_expired_token_is_refused(stack: LocalProcess) -> None:
    token = stack.token("insurer", {"role": "CNAM_FEED"}, expires_in=-120)

    answer = httpx.get(f"{stack.url}/fhir/Unknown", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401


def test_an_unknown_issuer_is_named_as_the_mistake(stack: LocalProcess) -> None:
    answer = httpx.post(f"{stack.url}/local/token", json={"issuer": "somebody", "claims": {}})

    assert answer.status_code == 400
    assert "pro-sante-connect" in answer.json()["message"]


def test_an_issuer_describes_itself(stack: LocalProcess) -> None:
    issuer = f"{stack.url}/local/issuers/patient"

    described = httpx.get(f"{issuer}/.well-known/openid-configuration").json()
    keys = httpx.get(described["jwks_uri"]).json()["keys"]

    assert described["issuer"] == issuer
    assert {key["alg"] for key in keys} == {"RS256", "ES256"}
    assert len({key["kid"] for key in keys}) == 2


def test_the_clock_moves_for_issuers_and_functions_and_comes_back(stack: LocalProcess) -> None:
    before = stack.token("insurer", {"role": "CNAM_FEED"})
    moved = httpx.post(f"{stack.url}/local/clock", json={"offset_seconds": DAY_SECONDS}).json()
    after = stack.token("insurer", {"role": "CNAM_FEED"})

    answers = [
        httpx.get(f"{stack.url}/fhir/Unknown", headers={"Authorization": f"Bearer {token}"})
        for token in (before, after)
    ]
    stack.move_clock(0)
    again = httpx.get(f"{stack.url}/fhir/Unknown", headers={"Authorization": f"Bearer {before}"})

    assert datetime.fromisoformat(moved["now"]) - datetime.now(UTC) > timedelta(hours=23)
    assert [answer.status_code for answer in answers] == [401, 404]
    assert again.status_code == 404


def test_a_job_answers_its_result_and_an_unknown_one_is_not_found(stack: LocalProcess) -> None:
    job = httpx.post(f"{stack.url}/local/jobs/consent_expiry", timeout=30)
    by_hand = httpx.post(f"{stack.url}/local/jobs/suspension", json={})
    unknown = [httpx.post(f"{stack.url}/local/jobs/{name}", json={}) for name in ("nothing", "authorizer", "records")]

    assert (job.status_code, by_hand.status_code) == (200, 200)
    assert isinstance(job.json(), dict)
    assert by_hand.json()["error"] == "invalid-parameter"
    assert {answer.status_code for answer in unknown} == {404}


def test_the_outbox_lists_mails(stack: LocalProcess) -> None:
    mails = httpx.get(f"{stack.url}/local/outbox").json()

    assert all(mail.keys() == {"to", "subject", "text"} for mail in mails)


def test_both_streams_tell_of_a_first_access(stack: LocalProcess) -> None:
    email = f"{uuid4().hex}@example.org"
    record = opened(stack, telecom=[{"system": "email", "value": email}])
    healer = professional(stack, "10107654321")
    record.authorise(healer)

    assert record.search(healer).status_code == 200
    first_accesses: list[dict[str, Any]] = []
    until = monotonic() + 20
    while not first_accesses and monotonic() < until:
        mails = httpx.get(f"{stack.url}/local/outbox").json()
        first_accesses = [mail for mail in mails if mail["to"] == [email] and "premier accès" in mail["subject"]]

    [newest, *_] = record.patient.get(f"Communication?recipient=Patient/{record.id}").json()["entry"]
    assert len(first_accesses) == 1
    assert newest["resource"]["category"][0]["coding"][0]["code"] == "first-access"


def test_it_stops_when_told_to_and_frees_its_port() -> None:
    with LocalProcess(LOG_LEVEL="ERROR") as stack:
        port = int(stack.url.rpartition(":")[2])

        assert stack.stop() == 0

    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(RuntimeError, match=f"Port {port} is taken"):
            LocalProcess(port=port).__enter__()
