"""Hostile files at every way in: refused with their code, nothing stored, quickly and in little memory."""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest

from dmp.domain.identifiers import INS_NIR_TEST
from infra.local.demo_cda import DemoPatient
from infra.local.demo_documents import discharge_letter
from tests import bodies
from tests.api_client import ApiClient
from tests.fed_record import AUTHOR, HOSPITAL, FedRecord, open_record
from tests.hostile.corpus import HOSTILE_FILES
from tests.hostile.harmless_files import HARMLESS_FILES
from tests.hostile.hostile_file import HarmlessFile, HostileFile
from tests.uploads import announce, announcement

LONGEST = 1.0
MOST_MEMORY = 128 * 1024 * 1024
IN_BUNDLES = HOSTILE_FILES[::7]
BY_UPLOAD = [file for file in HOSTILE_FILES[::4] if file.code != "unsupported-content"]


@pytest.fixture(scope="module")
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    """One for all: nothing of them stays."""
    return open_record(api, stack)


def test_the_files_are_many_and_different() -> None:
    names = Counter([*map(str, HOSTILE_FILES), *map(str, HARMLESS_FILES)])

    assert len(HOSTILE_FILES) >= 60
    assert len(HARMLESS_FILES) >= 20
    assert max(names.values()) == 1


@pytest.mark.parametrize("file", HOSTILE_FILES, ids=str)
def test_a_hostile_file_is_refused_and_leaves_nothing(record: FedRecord, file: HostileFile) -> None:
    body = bodies.document(record.id, file.content, content_type=file.content_type)
    before = record.state()

    answer = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)

    assert (answer.status, answer.code) == (422, file.code)
    assert record.state() == before
    assert _told_nothing(answer.body, file.content)


@pytest.mark.parametrize("file", IN_BUNDLES, ids=str)
def test_a_hostile_file_refuses_its_whole_bundle(record: FedRecord, file: HostileFile) -> None:
    body = bodies.submission(record.id, bodies.PDF, file.content)
    body["entry"][2]["resource"]["content"][0]["attachment"]["contentType"] = file.content_type
    body["entry"][4]["resource"]["contentType"] = file.content_type
    before = record.state()

    answer = record.api.post("/fhir", body, as_=HOSPITAL)

    assert (answer.status, answer.code) == (422, file.code)
    assert record.state() == before


@pytest.mark.parametrize("file", BY_UPLOAD, ids=str)
def test_a_hostile_file_that_was_uploaded_is_never_seen(record: FedRecord, file: HostileFile) -> None:
    upload = announce(record, file.content, content_type=file.content_type)

    assert upload.complete() == []

    seen = {who.name: record.api.get(f"/fhir/Binary/{upload.id}", as_=who).status for who in (AUTHOR, record.patient)}
    assert upload.error == file.code
    assert upload.versions() == []
    assert not {200, 302}.intersection(seen.values())
    assert record.found(record.patient) == []
    assert record.find(AUTHOR).code == "not-authorised", "who has no other right finds own documents, and has none"


def test_no_hostile_file_takes_much_time_or_memory() -> None:
    command = [sys.executable, "-m", "tests.hostile.measure"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    told = json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)

    assert {name: code for name, (code, _) in told["files"].items()} == {f.name: f.code for f in HOSTILE_FILES}
    assert not {name: seconds for name, (_, seconds) in told["files"].items() if seconds > LONGEST}
    assert told["peak"] < MOST_MEMORY


@pytest.mark.parametrize("file", HARMLESS_FILES, ids=str)
def test_a_harmless_file_is_taken_and_comes_back(api: ApiClient, stack: dict[str, str], file: HarmlessFile) -> None:
    record = open_record(api, stack)
    body = bodies.document(record.id, file.content, content_type=file.content_type)

    answer = api.post("/fhir/DocumentReference", body, as_=AUTHOR)

    assert answer.status == 201, answer.body
    assert record.found(AUTHOR) == [answer.id]
    assert api.get(f"/fhir/Binary/{answer.id}", as_=AUTHOR).body == file.content


def test_the_title_of_a_document_is_in_no_header(api: ApiClient, stack: dict[str, str]) -> None:
    record = open_record(api, stack)
    title = 'Lettre"; filename="a.exe"\r\nSet-Cookie: a=b é'
    document = record.publish(attachment={"title": title})

    headers = api.get(f"/fhir/Binary/{document}", as_=AUTHOR).headers

    assert headers["content-disposition"] == f"attachment; filename*=UTF-8''{document}.pdf"
    assert "set-cookie" not in headers
    assert not any("Lettre" in value or "a.exe" in value for value in headers.values())


@pytest.mark.parametrize("title", ["ordonnance\u202efdp.exe", "a\u0000", "a\u009b", "\ud800", "\u200b"], ids=ascii)
def test_a_title_that_deceives_is_refused(record: FedRecord, title: str) -> None:
    body = json.dumps(bodies.document(record.id, attachment={"title": title})).encode()
    before = record.state()

    answer = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)

    assert (answer.status, answer.code) == (422, "invalid-resource")
    assert answer.json["issue"][0]["expression"] == ["DocumentReference.content[0].attachment.title"]
    assert record.state() == before


def test_a_title_that_deceives_is_cleaned_where_a_cda_says_it(api: ApiClient, stack: dict[str, str]) -> None:
    record = open_record(api, stack)
    person = DemoPatient(record.ins, INS_NIR_TEST, "PAT-TEST", "DOMINIQUE", date(1979, 3, 28), "F")
    letter = discharge_letter(person, "2.25.77.1", datetime(2026, 2, 27, 10, tzinfo=UTC))
    content = letter.replace(b"<title>", "<title>\u202e\u009b".encode(), 1)
    described: dict[str, Any] = {"type": None, "masterIdentifier": None, "date": None, "author": None}

    document = record.publish(content=content, content_type="application/xml", attachment={"title": None}, **described)

    resource = api.get(f"/fhir/DocumentReference/{document}", as_=AUTHOR).json
    title = resource["content"][0]["attachment"]["title"]
    assert title == "Lettre de liaison à la sortie du service de médecine interne"


@pytest.mark.parametrize("parameter", ["\u2028", "\U0001f600", "é", '"', "a\u00a0b"], ids=ascii)
def test_a_content_type_that_no_header_may_say_is_refused(record: FedRecord, parameter: str) -> None:
    content_type = f'application/pdf; name="{parameter}"'
    before = record.state()
    inline = bodies.document(record.id, bodies.PDF, content_type=content_type)
    announced = announcement(record.id, attachment={"contentType": content_type})
    attached, binary = (bodies.submission(record.id, bodies.PDF, bodies.PDF + b"\n") for _ in range(2))
    attached["entry"][2]["resource"]["content"][0]["attachment"]["contentType"] = content_type
    binary["entry"][4]["resource"]["contentType"] = content_type

    simplified = [record.api.post("/fhir/DocumentReference", body, as_=AUTHOR) for body in (inline, announced)]
    bundles = [record.api.post("/fhir", body, as_=HOSPITAL) for body in (attached, binary)]

    assert {(answer.status, answer.code) for answer in (*simplified, *bundles)} == {(422, "invalid-resource")}
    assert record.state() == before


def _told_nothing(body: bytes, content: bytes) -> bool:
    """Whether no word of a content is in an answer."""
    words = {word for word in content[:4_096].split() if len(word) > 12}
    return not any(word in body for word in words)
