"""Clients that others wrote, as they come: what they send is understood, and what they are answered they understand."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.documentreference import DocumentReference
from fhirclient.server import FHIRNotFoundException, FHIRPermissionDeniedException, FHIRUnauthorizedException
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, ForbiddenError, OperationOutcome, ResourceNotFound

from infra.local.process import LocalProcess
from tests import bodies
from tests.http_people import Caller, HttpRecord, opened, professional

KIT = Path(__file__).parent / "fhir_kit"
NODE = Path(__file__).parents[2] / ".venv" / "bin" / "node"
AUTHOR, STRANGER = ("10109999991", "1750100125"), ("10103333333", "1310000003")
CONTENTS = (b"%PDF-1.4 a", b"%PDF-1.4 b")
SUPERSEDE = bodies.parameters(operation={"part": [
    {"name": "type", "valueCode": "replace"},
    {"name": "path", "valueString": "DocumentReference.status"},
    {"name": "value", "valueCode": "superseded"},
]})  # fmt: skip


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalProcess]:
    with LocalProcess(seed="none", LOG_LEVEL="ERROR") as stack:
        yield stack


@pytest.fixture(scope="module")
def author(stack: LocalProcess) -> Caller:
    return professional(stack, *AUTHOR)


@pytest.fixture(scope="module")
def stranger(stack: LocalProcess) -> Caller:
    return professional(stack, *STRANGER)


@pytest.fixture
def record(stack: LocalProcess, author: Caller) -> HttpRecord:
    """A record with two documents."""
    record = opened(stack)
    for content in CONTENTS:
        record.deposit(author, content)
    return record


def missing(record: HttpRecord) -> str:
    return f"{record.id}.1t3yr80qm0aaaaaaaaaaaaaaaa"


class TestFhirpy:
    def client(self, who: Caller, token: str = "") -> Any:
        return SyncFHIRClient(f"{who.stack.url}/fhir", authorization=f"Bearer {token or who.token}")

    def test_it_reads_the_capability_and_feeds_a_record(self, author: Caller, record: HttpRecord) -> None:
        client = self.client(author)

        statement = client.execute("metadata", method="get")
        made = client.resource("DocumentReference", **bodies.document(record.id)).create()
        read = client.get("DocumentReference", made.id)
        answered = client.execute("", data=bodies.submission(record.id, *CONTENTS))

        assert statement["fhirVersion"] == "4.0.1"
        assert (read["id"], read["meta"]["versionId"]) == (made.id, "1")
        assert [entry["response"]["status"][:3] for entry in answered["entry"]] == ["201"] * 5

    def test_it_finds_everything_page_by_page(self, author: Caller, record: HttpRecord) -> None:
        documents = {record.deposit(author) for _ in range(5)}
        searched = self.client(author).resources("DocumentReference").search(patient=record.id, status="current")

        assert len(searched.limit(2).fetch()) == 2
        assert documents < {one.id for one in searched.limit(2).fetch_all()}
        assert len(searched.limit(3).fetch_all()) == 7
        assert len(searched.search(type="http://loinc.org|11490-0").fetch_all()) == 7

    def test_it_changes_a_document_and_reads_its_history(self, author: Caller, record: HttpRecord) -> None:
        client, document = self.client(author), record.deposit(author)

        changed = client.execute(f"DocumentReference/{document}", method="patch", data=SUPERSEDE)
        history = client.execute(f"DocumentReference/{document}/_history", method="get")
        client.delete("DocumentReference", document)

        assert (changed["status"], changed["meta"]["versionId"]) == ("superseded", "2")
        assert [entry["resource"]["status"] for entry in history["entry"]] == ["superseded", "current"]
        with pytest.raises(ResourceNotFound):
            client.get("DocumentReference", document)

    def test_it_learns_what_went_wrong(self, author: Caller, stranger: Caller, record: HttpRecord) -> None:
        document = record.deposit(author)

        with pytest.raises(ResourceNotFound, match="no-document"):
            self.client(author).get("DocumentReference", missing(record))
        with pytest.raises(AuthorizationError, match="token-malformed"):
            self.client(author, "no token").get("DocumentReference", document)
        with pytest.raises(ForbiddenError, match="not-authorised"):
            self.client(stranger).get("DocumentReference", document)
        with pytest.raises(OperationOutcome) as failure:
            self.client(author).resource("DocumentReference", status="current").create()
        assert failure.value.resource["issue"][0]["severity"] == "error"


class TestFhirclient:
    def client(self, who: Caller, token: str = "") -> Any:
        client = FHIRClient(settings={"app_id": "tests", "api_base": f"{who.stack.url}/fhir"})
        client.prepare()
        assert client.server.auth.auth_type == "oauth2", "the capability statement names the authorization server"
        client.server.auth.access_token = token or who.token
        return client.server

    def test_it_reads_the_capability_and_feeds_a_record(self, author: Caller, record: HttpRecord) -> None:
        server = self.client(author)

        made = DocumentReference(bodies.document(record.id)).create(server)
        read = DocumentReference.read(made["id"], server)
        answered = server.post_json("", Bundle(bodies.submission(record.id, *CONTENTS)).as_json()).json()

        assert server.capabilityStatement.fhirVersion == "4.0.1"
        assert server.ready
        assert read.content[0].attachment.contentType == "application/pdf"
        assert read.meta.versionId == "1"
        assert [entry.response.status[:3] for entry in Bundle(answered).entry] == ["201"] * 5

    def test_it_finds_everything_page_by_page(self, author: Caller, record: HttpRecord) -> None:
        documents = {record.deposit(author) for _ in range(5)}
        server = self.client(author)
        asked = {"patient": record.id, "status": "current", "_count": "3"}

        pages = list(DocumentReference.where(asked).perform_iter(server))
        found = [one.id for one in DocumentReference.where(asked).perform_resources_iter(server)]

        assert [len(page.entry) for page in pages] == [3, 3, 1]
        assert documents < set(found)
        assert len(found) == len(set(found)) == 7

    def test_it_retrieves_bytes_and_reads_the_history(self, author: Caller, record: HttpRecord) -> None:
        server, document = self.client(author), record.deposit(author, CONTENTS[0])
        record.mask(document)
        read = DocumentReference.read(document, server)

        history = Bundle(server.request_json(f"DocumentReference/{document}/_history"))
        content = server.request_data(read.content[0].attachment.url, headers={"Accept": "application/pdf"})
        binary = server.request_json(f"Binary/{document}")
        read.delete(server)

        assert [entry.resource.meta.versionId for entry in history.entry] == ["2", "1"]
        assert content == base64.b64decode(binary["data"]) == CONTENTS[0]
        assert author.get(f"DocumentReference/{document}").status_code == 410

    def test_it_learns_what_went_wrong(self, author: Caller, stranger: Caller, record: HttpRecord) -> None:
        document = record.deposit(author)

        with pytest.raises(FHIRNotFoundException):
            DocumentReference.read(missing(record), self.client(author))
        with pytest.raises(FHIRUnauthorizedException):
            DocumentReference.read(document, self.client(author, "no token"))
        with pytest.raises(FHIRPermissionDeniedException):
            DocumentReference.read(document, self.client(stranger))


def test_fhir_kit_client_does_all_that_software_does_with_a_record(author: Caller, record: HttpRecord) -> None:
    told = {
        "base": f"{author.stack.url}/fhir",
        "token": author.token,
        "record": record.id,
        "document": bodies.document(record.id),
        "bundle": bodies.submission(record.id, *CONTENTS),
        "mask": bodies.MASK,
    }

    run = subprocess.run(
        [NODE, "journey.mjs"], cwd=KIT, input=json.dumps(told), capture_output=True, text=True, check=False, timeout=60
    )

    assert run.returncode == 0, f"{run.stderr}\nmake test installs what this needs"
    assert json.loads(run.stdout) == {
        "fhirVersion": "4.0.1",
        "sameAsRead": True,
        "transaction": ["201"] * 5,
        "found": [2, 2, 1],
        "postedTheSame": True,
        "labels": ["N", "MASQUE_PS"],
        "labelsBefore": ["N"],
        "history": ['W/"2"', 'W/"1"'],
        "binary": "application/pdf",
        "missing": [404, "no-document"],
        "stranger": [401, "token-malformed"],
    }
