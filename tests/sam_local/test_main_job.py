"""The main job through `sam local start-api`: the template and the package as deployed, in containers."""

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx
import pytest

from tests import bodies
from tests.fhir_validity import assert_valid_r4
from tests.http_people import Caller, HttpRecord, code, opened, professional
from tests.sam_local.conftest import SamProcess
from tests.uploads import announcement, extension

pytestmark = pytest.mark.sam_local

HOSPITAL, PRACTICE = "1750100125", "1690000005"
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def author(sam: SamProcess) -> Caller:
    return professional(sam, "10109999991", HOSPITAL)


@pytest.fixture(scope="module")
def doctor(sam: SamProcess) -> Caller:
    return professional(sam, "10102222222", PRACTICE)


@pytest.fixture(scope="module")
def record(sam: SamProcess) -> HttpRecord:
    return opened(sam, telecom=[{"system": "email", "value": "personne@example.org"}])


def test_the_main_job_from_the_opening_to_the_trace(record: HttpRecord, author: Caller, doctor: Caller) -> None:
    submitted = author.post("", bodies.submission(record.id))
    letter = record.deposit(author)

    authorisation = record.authorise(doctor)
    found = record.search(doctor)
    content = doctor.get(f"Binary/{letter}", accept="application/pdf")
    summary = doctor.get(f"Patient/{record.id}/$summary")

    assert submitted.json()["entry"][0]["response"]["status"].startswith("201")
    assert_valid_r4(found.json())
    assert letter in record.found(doctor)
    assert (content.status_code, content.content) == (200, bodies.PDF)
    assert content.headers["content-type"] == "application/pdf"
    assert summary.json()["entry"][0]["resource"]["resourceType"] == "Composition"

    record.mask(letter)
    assert letter not in record.found(doctor)
    assert letter in record.found(record.patient)

    record.revoke(authorisation)
    refused = record.search(doctor)
    assert (refused.status_code, code(refused)) == (403, "not-authorised")

    told = {coding["code"] for event in record.trace() for coding in event["subtype"]}
    assert {"ITI-65", "ITI-105", "ITI-67", "ITI-68"} <= told
    assert "8" in {event["outcome"] for event in record.trace()}


def test_who_sends_no_token_is_answered_401_as_fhir(sam: SamProcess) -> None:
    for path in ("Patient/x", "DocumentReference?patient=x", "nothing/of/ours"):
        answer = httpx.get(f"{sam.url}/fhir/{path}")

        assert (answer.status_code, code(answer)) == (401, "token-missing")
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_an_unknown_route_is_answered_404_as_fhir(doctor: Caller) -> None:
    answer = doctor.get("nothing/of/ours")

    assert (answer.status_code, code(answer)) == (404, "unknown-route")


def test_an_operation_is_found_with_its_dollar_sign_plain_or_encoded(record: HttpRecord) -> None:
    plain, encoded = (record.patient.get(f"Patient/{record.id}/{sign}summary") for sign in ("$", "%24"))

    assert plain.status_code == encoded.status_code == 200


def test_an_operation_by_post_passes_the_routes_of_those_by_get(record: HttpRecord, doctor: Caller) -> None:
    declared = record.declare(doctor)

    assert declared.status_code == 201, declared.text


def test_requests_at_once_wait_for_each_other(record: HttpRecord) -> None:
    with ThreadPoolExecutor(max_workers=8) as callers:
        answers = list(callers.map(record.search, [record.patient] * 8))

    assert [answer.status_code for answer in answers] == [200] * 8


def test_a_search_by_post_takes_its_form(record: HttpRecord) -> None:
    form = f"patient={record.id}&status=current"

    answer = httpx.post(
        f"{record.stack.url}/fhir/DocumentReference/_search",
        content=form,
        headers={
            "authorization": f"Bearer {record.patient.token}",
            "content-type": "application/x-www-form-urlencoded",
        },
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] > 0


def test_a_repeated_parameter_stays_two(record: HttpRecord) -> None:
    url = f"DocumentReference?patient={record.id}&status=current&date=ge2026-01-01&date=lt2026-02-01"

    found = record.patient.get(url).json()

    assert found["total"] == 0


def test_headers_are_read_whatever_their_case_became(record: HttpRecord, author: Caller) -> None:
    letter = record.deposit(author)
    read = author.get(f"DocumentReference/{letter}")

    again = author.get(f"DocumentReference/{letter}", **{"iF-nOnE-mAtCh": read.headers["etag"]})
    stale = httpx.request(
        "PATCH",
        f"{record.stack.url}/fhir/DocumentReference/{letter}",
        json=bodies.MASK,
        headers={
            "AUTHORIZATION": f"Bearer {record.patient.token}",
            "Content-Type": "application/json-patch+json",
            "if-MATCH": 'W/"99"',
        },
    )

    assert again.status_code == 304
    assert not again.content
    assert stale.status_code == 412


def test_texts_beyond_ascii_come_through_both_ways(record: HttpRecord, author: Caller) -> None:
    title = "Compte rendu – œdème aigu, 38 °C"

    letter = record.deposit(author, attachment={"title": title})

    resource = author.get(f"DocumentReference/{letter}").json()
    assert resource["content"][0]["attachment"]["title"] == title


def test_a_body_that_is_no_fhir_is_refused(record: HttpRecord, author: Caller) -> None:
    answer = httpx.post(
        f"{record.stack.url}/fhir/DocumentReference",
        content=bodies.PDF,
        headers={"authorization": f"Bearer {author.token}", "content-type": "application/pdf"},
    )

    assert (answer.status_code, answer.json()["resourceType"]) == (415, "OperationOutcome")


def test_an_upload_goes_past_the_functions_and_is_verified_behind(record: HttpRecord, author: Caller) -> None:
    announced = author.post("DocumentReference", announcement(record.id)).json()
    parts = extension(announced)["extension"]
    said = {part["url"]: part for part in parts if part["url"] != "header"}
    headers = dict(part["valueString"].split(": ", 1) for part in parts if part["url"] == "header")

    sent = httpx.request("PUT", said["url"]["valueUrl"], content=bodies.PDF, headers=headers)

    assert sent.status_code == 200
    until = time.monotonic() + PATIENCE_SECONDS
    while author.get(f"DocumentReference/{announced['id']}").json().get("docStatus") != "final":
        assert time.monotonic() < until, "the upload was not verified"
        time.sleep(0.2)


def test_a_stream_reaches_its_consumer(record: HttpRecord, author: Caller) -> None:
    record.deposit(author)

    until = time.monotonic() + PATIENCE_SECONDS
    while not httpx.get(f"{record.stack.controls}/local/outbox").json():
        assert time.monotonic() < until, "no mail left"
        time.sleep(0.2)


def test_links_of_a_page_lead_back_to_the_api(record: HttpRecord) -> None:
    page = record.patient.get(f"DocumentReference?patient={record.id}&status=current&_count=1").json()
    following = next(link["url"] for link in page["link"] if link["relation"] == "next")

    answer = record.patient.get(following)

    assert following.startswith(f"{record.stack.url}/fhir/DocumentReference?")
    assert quote(record.id) in following
    assert answer.json()["entry"]
