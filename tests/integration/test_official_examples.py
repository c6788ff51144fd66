"""The examples of IHE and the ANS, put right no further than they must be: each is taken in, and comes back equal."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dmp.domain.code_lists import document_type
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.fed_record import HOSPITAL, FedRecord, open_record
from tests.integration.test_official_documents import describe, put_right, renamed, rewritten
from tests.integration.test_submissions import documents_of, submit

SHARED = Path(__file__).parents[3] / "shared" / "data"
IHE, DMP, ANS = SHARED / "ihe/MHD/examples", SHARED / "pdsm/dmp-draft", SHARED / "pdsm/examples"
BUNDLES = [
    *sorted(IHE.glob("Bundle-ex-*rovideDocumentBundle*.json")),
    *sorted(DMP.glob("Bundle-*td2*.json")),
    *sorted(ANS.glob("Bundle-*replace.json")),
    *sorted(SHARED.glob("pdsm/generated/Bundle-*.json")),
]
DOCUMENTS = [path for folder in (IHE, DMP, ANS) for path in sorted(folder.glob("DocumentReference-*.json"))]
LISTS = [path for folder in (IHE, ANS) for path in sorted(folder.glob("List-*.json"))]
SEARCHSETS = [*sorted(IHE.glob("Bundle-*ind*.json")), *sorted(DMP.glob("Bundle-*searchset*.json"))]

REFUSED = {
    "Bundle-ex-comprehensiveProvideDocumentBundleDocument.json": (422, "unsupported-content"),
    "Bundle-ex-comprehensiveProvideDocumentBundleMultiple.json": (409, "duplicate-unique-id"),
    "Bundle-ex-comprehensiveProvideDocumentBundleReplace.json": (422, "size-mismatch"),
}
"""Examples that break a rule of ours as they stand: a FHIR document; one unique id for two documents; a wrong size."""
NO_LIST_OF_MHD = {"List-ex-list.json", "List-ex-compEmailPackage.json"}
SERVERS = {"id", "meta", "text", "subject", "category", "securityLabel", "content", "status", "contained"}
"""What the server decides, corrects or completes: looked at apart, or not at all."""

type Json = dict[str, Any]


def named(path: Path) -> str:
    return path.name


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


@pytest.mark.skipif(not BUNDLES, reason="the examples are not here")
@pytest.mark.parametrize("path", BUNDLES, ids=named)
def test_bundles_need_but_their_subject(record: FedRecord, path: Path) -> None:
    body = json.loads(path.read_text())
    if body["type"] != "transaction":
        pytest.skip("an answer")
    set_subjects(body, record)
    if "pdsm" in str(path):
        name_insured(body, record)
        put_right(body)
    make_replaced(body, record)

    if path.name in REFUSED:
        assert as_refused(submit(record, body)) == REFUSED[path.name]
        mend(body, path.name)
    if path.name == "Bundle-ex-comprehensiveProvideDocumentBundleDocument.json":
        return
    answer = submit(record, body)

    assert answer.status == 200, answer.body
    for entry, made in zip(body["entry"], answer.json["entry"], strict=True):
        if entry["resource"]["resourceType"] == "DocumentReference":
            assert_comes_back(record, entry["resource"], made["response"]["location"].split("/")[1])


@pytest.mark.skipif(not DOCUMENTS, reason="the examples are not here")
@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_documents_are_published_with_their_bytes(record: FedRecord, path: Path) -> None:
    resource = json.loads(path.read_text())

    answer = publish(record, resource)

    assert_published(record, resource, answer)


@pytest.mark.skipif(not SEARCHSETS, reason="the examples are not here")
@pytest.mark.parametrize("path", SEARCHSETS, ids=named)
def test_what_searchsets_show_is_published_too(record: FedRecord, path: Path) -> None:
    entries = json.loads(path.read_text()).get("entry", [])

    for resource in [entry["resource"] for entry in entries]:
        if resource["resourceType"] == "DocumentReference":
            assert_published(record, resource, publish(record, resource))


@pytest.mark.skipif(not LISTS, reason="the examples are not here")
@pytest.mark.parametrize("path", LISTS, ids=named)
def test_lists_are_taken_in_with_a_document(record: FedRecord, path: Path) -> None:
    resource = json.loads(path.read_text())
    if path.name in NO_LIST_OF_MHD:
        pytest.skip("neither a SubmissionSet nor a Folder")
    body = bodies.submission(record.id)
    is_set = "submissionset" in json.dumps(resource["code"])
    resource["subject"] = {"reference": f"Patient/{record.id}"}
    resource["note"] = [one for one in resource.get("note", []) if one] or None
    resource["entry"] = [{"item": {"reference": body["entry"][1]["fullUrl"]}}]
    listed = bodies.submission(record.id)["entry"][0] | {"resource": without_empty(resource)}
    body["entry"] = [*([] if is_set else body["entry"][:1]), listed, *body["entry"][1:]]

    answer = submit(record, body)

    assert answer.status == 200, answer.body
    location = answer.json["entry"][0 if is_set else 1]["response"]["location"]
    read = record.api.get(f"/fhir/{location.partition('/_history')[0]}", as_=HOSPITAL).json
    kept = {key: value for key, value in without_empty(resource).items() if key not in {*SERVERS, "entry"}}
    assert {key: read[key] for key in kept} == kept
    assert read["entry"] == [{"item": {"reference": f"DocumentReference/{documents_of(answer)[0]}"}}]


def set_subjects(body: Json, record: FedRecord) -> None:
    """The subject of everything is the open record, nothing else changes."""
    for entry in body["entry"]:
        if entry["resource"]["resourceType"] in {"List", "DocumentReference"}:
            entry["resource"]["subject"] = {"reference": f"Patient/{record.id}"}


def name_insured(node: Any, record: FedRecord) -> None:
    """Every INS that an example makes up becomes that of the record."""
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        name_insured(item, record)
    if isinstance(node, dict):
        for key, value in list(node.items()):
            if isinstance(value, str) and key in {"system", "value"}:
                node[key] = renamed(record, node, key, value) if key == "value" else value
        if "system" in node and isinstance(node["system"], str):
            node["system"] = renamed(record, node, "system", node["system"])
        if node.get("resourceType") == "Binary":
            node["data"] = base64.b64encode(rewritten(base64.b64decode(node["data"]), record.ins)).decode()


def make_replaced(body: Json, record: FedRecord) -> None:
    """What an example replaces is made first; its patches lead there."""
    made: dict[str, str] = {}

    def existing(literal: str) -> str:
        if literal not in made:
            made[literal] = record.publish(HOSPITAL, b"%PDF-1.4 " + literal.encode())
        return f"DocumentReference/{made[literal]}"

    for entry in body["entry"]:
        if entry["request"]["method"] == "PATCH":
            entry["request"]["url"] = existing(entry["request"]["url"])
        for relation in entry["resource"].get("relatesTo", []):
            if relation["code"] == "replaces":
                relation["target"]["reference"] = existing(relation["target"]["reference"])


def mend(body: Json, name: str) -> None:
    if "Replace" in name:
        put_right(body)
    if "Multiple" in name:
        body["entry"][1]["resource"]["masterIdentifier"] = bodies.unique_id()


def as_refused(answer: Response) -> tuple[int, str]:
    return answer.status, answer.code


def publish(record: FedRecord, resource: Json) -> Response:
    """Publish a document of an example, with bytes of its type in place of an address."""
    resource["subject"] = {"reference": f"Patient/{record.id}"}
    resource["status"] = "current"
    resource.setdefault("masterIdentifier", bodies.unique_id())
    name_insured(resource, record)
    attachment = resource["content"][0]["attachment"]
    attachment.pop("url", None)
    contents = {"application/pdf": bodies.PDF, "application/xml": b'<?xml version="1.0"?><note xmlns="urn:x">x</note>'}
    usual = contents.get(attachment["contentType"], b"Hello World")
    content = base64.b64decode(attachment.get("data", base64.b64encode(usual).decode()))
    attachment["data"] = base64.b64encode(content).decode()
    describe(attachment, content)
    return record.api.post("/fhir/DocumentReference", resource, as_=HOSPITAL)


def assert_published(record: FedRecord, resource: Json, answer: Response) -> None:
    """Taken in and equal, where its type is known and its content no FHIR document."""
    codings = resource.get("type", {}).get("coding", [])
    is_known = not codings or any(document_type(one.get("system", ""), one["code"]) for one in codings)
    content_type = resource["content"][0]["attachment"]["contentType"]
    if content_type.startswith("application/fhir"):
        assert as_refused(answer) == (422, "unsupported-content")
    elif not is_known:
        assert as_refused(answer) == (422, "unknown-code")
    else:
        assert answer.status in {200, 201}, answer.body
        assert_comes_back(record, resource, answer.id)


def assert_comes_back(record: FedRecord, sent: Json, document: str) -> None:
    """What the profile carries is read as it was sent."""
    read = record.api.get(f"/fhir/DocumentReference/{document}", as_=HOSPITAL).json
    for part, was, is_now in (("", sent, read), ("context", sent.get("context", {}), read.get("context", {}))):
        kept = {key: value for key, value in was.items() if value and key not in {*SERVERS, "context"}}
        assert {key: is_now.get(key) for key in kept if key != "sourcePatientInfo"} == {
            key: value for key, value in kept.items() if key != "sourcePatientInfo"
        }, part
    described, stored = (one["content"][0]["attachment"] for one in (sent, read))
    for name in set(described) - {"url", "data"}:
        assert stored[name] == described[name]
    assert list(labels(sent)) == [one for one in labels(read) if one in list(labels(sent))]
    assert [one for one in referred(sent) if one not in referred(read)] == []
    data = record.api.get(f"/fhir/Binary/{document}", as_=HOSPITAL).body
    assert len(data) == stored["size"]


def labels(resource: Json) -> Iterator[str]:
    for label in resource.get("securityLabel", []):
        yield from (coding["code"] for coding in label["coding"])


def referred(resource: Json) -> list[str]:
    """The contained resources that are still referred to: those of people and structures, by their ids."""
    contained = [one for one in resource.get("contained", []) if one["resourceType"] != "Patient"]
    return [one["id"] for one in contained if f'"#{one["id"]}"' in json.dumps(resource)]


def without_empty(resource: Json) -> Json:
    return {key: value for key, value in resource.items() if value is not None}
