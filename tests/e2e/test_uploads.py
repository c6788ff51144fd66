"""Large files over HTTP against the local stack: past every function, to the bucket, and verified there (ITI-105)."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from infra.local import demo_documents
from infra.local.process import LocalProcess
from tests import bodies
from tests.http_people import Caller, HttpRecord, opened, professional
from tests.integration.test_official_documents import patient
from tests.uploads import announcement, cda_announcement, error, extension

HOSPITAL, PRACTICE = "1750100125", "1690000005"
MIB = 1024 * 1024
PATIENCE_SECONDS = 90

type Json = dict[str, Any]


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalProcess]:
    with LocalProcess(seed="none", LOG_LEVEL="INFO") as stack:
        yield stack


@pytest.fixture(scope="module")
def author(stack: LocalProcess) -> Caller:
    return professional(stack, "10109999991", HOSPITAL)


@pytest.fixture(scope="module")
def doctor(stack: LocalProcess) -> Caller:
    return professional(stack, "10102222222", PRACTICE)


@pytest.fixture
def record(stack: LocalProcess, doctor: Caller) -> HttpRecord:
    record = opened(stack)
    record.authorise(doctor)
    return record


def text(size: int) -> bytes:
    """A text of so many bytes."""
    line = b"Pouls 72, tension 12/8, temperature 37.\n"
    return (line * (size // len(line) + 1))[:size]


def send(announced: Json, content: bytes) -> httpx.Response:
    """PUT bytes where an announced document says, with the headers that it says."""
    parts = extension(announced)["extension"]
    said = {part["url"]: part for part in parts if part["url"] != "header"}
    headers = dict(part["valueString"].split(": ", 1) for part in parts if part["url"] == "header")
    return httpx.request(
        said["method"]["valueCode"], said["url"]["valueUrl"], content=content, headers=headers, timeout=60
    )


def settled(author: Caller, document: str, is_settled: Callable[[Json], bool]) -> Json:
    """The document as its depositor reads it, once it is as expected."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        resource: Json = author.get(f"DocumentReference/{document}").json()
        if is_settled(resource) or time.monotonic() > until:
            return resource
        time.sleep(0.1)


def is_final(resource: Json) -> bool:
    return resource.get("docStatus") == "final"


def has_failed(resource: Json) -> bool:
    return bool(error(resource))


def announce(author: Caller, body: Json) -> Json:
    answer = author.post("DocumentReference", body)
    assert answer.status_code == 201, answer.text
    resource: Json = answer.json()
    return resource


def upload_of(record: HttpRecord, content: bytes) -> Json:
    return announcement(record.id, content, content_type="text/plain")


@pytest.mark.parametrize("size", [5 * MIB, pytest.param(100 * MIB, marks=pytest.mark.long)])
def test_a_large_file_is_there_for_others_once_it_was_verified(
    record: HttpRecord, author: Caller, doctor: Caller, size: int
) -> None:
    content = text(size)
    announced = announce(author, upload_of(record, content))
    before = doctor.get(f"DocumentReference/{announced['id']}").status_code

    sent = send(announced, content)
    resource = settled(author, announced["id"], is_final)

    assert (before, sent.status_code, resource["docStatus"]) == (404, 200, "final")
    assert record.found(doctor) == [announced["id"]]
    answer = doctor.get(f"Binary/{announced['id']}", accept="text/plain")
    assert answer.status_code == 302
    fetched = httpx.get(answer.headers["location"], timeout=60)
    assert (fetched.status_code, fetched.content == content) == (200, True)


def test_bytes_that_are_not_those_announced_fail_and_are_said_to_the_depositor_alone(
    record: HttpRecord, author: Caller, doctor: Caller
) -> None:
    announced = announce(author, upload_of(record, text(1000)))

    send(announced, text(1000).replace(b"12/8", b"11/7"))
    resource = settled(author, announced["id"], has_failed)

    assert (resource["status"], error(resource)) in {
        ("entered-in-error", "hash-mismatch"),
        ("entered-in-error", "size-mismatch"),
    }
    assert doctor.get(f"DocumentReference/{announced['id']}").status_code == 404


def test_bytes_of_another_type_fail(record: HttpRecord, author: Caller) -> None:
    announced = announce(author, announcement(record.id, b"plain words\n"))

    send(announced, b"plain words\n")

    assert error(settled(author, announced["id"], has_failed)) == "content-mismatch"


def test_an_upload_is_resumed_under_a_new_address(stack: LocalProcess, record: HttpRecord, author: Caller) -> None:
    announced = announce(author, upload_of(record, text(2000)))
    stack.move_clock(1800)
    try:
        again = author.get(f"DocumentReference/{announced['id']}").json()
        sent = send(again, text(2000))
        resource = settled(author, announced["id"], is_final)
    finally:
        stack.move_clock(0)

    assert extension(again) != extension(announced)
    assert (sent.status_code, resource["docStatus"]) == (200, "final")


def test_an_upload_that_never_comes_is_given_up(stack: LocalProcess, record: HttpRecord, author: Caller) -> None:
    announced = announce(author, upload_of(record, text(3000)))
    stack.move_clock(25 * 3600 + 60)
    try:
        ran = httpx.post(f"{stack.url}/local/jobs/upload_sweep", json={}, timeout=60).json()
        later = professional(stack, "10109999991", HOSPITAL)
        resource = settled(later, announced["id"], has_failed)
    finally:
        stack.move_clock(0)

    assert ran["given_up"] >= 1
    assert error(resource) == "upload-abandoned"


def test_a_cda_of_another_person_fails(record: HttpRecord, author: Caller) -> None:
    content = demo_documents.discharge_letter(patient(bodies.new_ins()), "2.25.97.1", datetime.now(UTC))
    announced = announce(author, cda_announcement(record.id, content))

    send(announced, content)

    assert error(settled(author, announced["id"], has_failed)) == "ins-mismatch"
