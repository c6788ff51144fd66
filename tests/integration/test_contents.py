"""The bytes of a document (ITI-68, TD3.2): in the form that is asked, in parts, and not twice."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dmp.adapters import aws
from dmp.content_answers import LARGEST_ANSWER
from dmp.domain.document import StoredContent
from tests import bodies
from tests.api_client import FHIR_JSON, ApiClient, Response
from tests.aws_calls import counted, refused
from tests.fed_record import AUTHOR, STRANGER, FedRecord, open_record

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
SAFE = "default-src 'none'; sandbox"
PDF = bodies.PDF


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def get(record: FedRecord, document: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Response:
    return record.api.request(method, f"/fhir/Binary/{document}", as_=AUTHOR, headers=headers)


def cda(body: str) -> bytes:
    """A ClinicalDocument that names nobody."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <id root="2.25.{bodies.unique_id()["value"].rpartition(".")[2]}"/>
  <code code="11490-0" codeSystem="2.16.840.1.113883.6.1"/>
  <title>Lettre de liaison</title>
  <effectiveTime value="20260227100000+0100"/>
  <component>{body}</component>
</ClinicalDocument>""".encode()


def narrated() -> bytes:
    text = "<text><paragraph>Patient <content styleCode='Bold'>revu</content> ce jour.</paragraph></text>"
    return cda(f"<structuredBody><component><section><title>Motif</title>{text}</section></component></structuredBody>")


def embedding(content: bytes = PDF) -> bytes:
    data = base64.b64encode(content).decode()
    return cda(f'<nonXMLBody><text mediaType="application/pdf" representation="B64">{data}</text></nonXMLBody>')


def publish_cda(record: FedRecord, content: bytes) -> str:
    return record.publish(content=content, content_type="application/xml", masterIdentifier=None)


class TestForms:
    @pytest.mark.parametrize("accept", ["", "*/*", "application/pdf", "application/*", BROWSER, "text/html, */*;q=0.1"])
    def test_a_pdf_is_a_pdf_to_whoever_takes_one(self, record: FedRecord, accept: str) -> None:
        answer = get(record, record.publish(), {"Accept": accept})

        assert (answer.status, answer.headers["content-type"], answer.body) == (200, "application/pdf", PDF)

    @pytest.mark.parametrize("accept", ["text/html", "image/png", "application/fhir+xml", "application/pdf;q=0"])
    def test_what_there_is_not_is_not_acceptable(self, record: FedRecord, accept: str) -> None:
        answer = get(record, record.publish(), {"Accept": accept})

        assert (answer.status, answer.code) == (406, "not-acceptable")

    @pytest.mark.parametrize(
        ("accept", "is_fhir"),
        [
            (FHIR_JSON, True),
            ("application/json", True),
            (f"{FHIR_JSON}, */*", True),
            ("application/json, text/plain, */*", False),
            ("application/json, application/pdf;q=0.9", True),
        ],
    )
    def test_fhir_is_answered_to_those_who_ask_for_it(self, record: FedRecord, accept: str, is_fhir: bool) -> None:
        answer = get(record, record.publish(), {"Accept": accept})

        assert answer.headers["content-type"].startswith(FHIR_JSON) is is_fhir

    @pytest.mark.parametrize("accept", ["text/html", BROWSER])
    def test_a_cda_is_a_safe_page_to_readers(self, record: FedRecord, accept: str) -> None:
        answer = get(record, publish_cda(record, narrated()), {"Accept": accept})

        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "revu" in answer.body.decode()

    @pytest.mark.parametrize("accept", ["", "application/xml", "text/xml", "*/*", "application/xml, text/html;q=0.9"])
    def test_a_cda_is_itself_to_software(self, record: FedRecord, accept: str) -> None:
        content = narrated()

        answer = get(record, publish_cda(record, content), {"Accept": accept})

        assert (answer.headers["content-type"], answer.body) == ("application/xml", content)

    @pytest.mark.parametrize("accept", ["application/pdf", "image/png, application/pdf", "application/pdf, */*;q=0.5"])
    def test_what_a_cda_embeds_is_answered_to_those_who_ask_for_it(self, record: FedRecord, accept: str) -> None:
        answer = get(record, publish_cda(record, embedding()), {"Accept": accept})

        assert (answer.headers["content-type"], answer.body) == ("application/pdf", PDF)
        assert answer.headers["content-disposition"].endswith(".pdf")

    def test_a_cda_that_embeds_nothing_has_no_other_form(self, record: FedRecord) -> None:
        document = publish_cda(record, narrated())

        assert get(record, document, {"Accept": "application/pdf"}).status == 406
        assert get(record, document, {"Accept": "application/pdf, */*;q=0.1"}).headers["content-type"] == (
            "application/xml"
        )


class TestHeaders:
    @pytest.mark.parametrize("accept", ["*/*", FHIR_JSON, "text/html", "application/pdf"])
    def test_every_form_is_tagged_inert_and_not_kept(self, record: FedRecord, accept: str) -> None:
        document = publish_cda(record, embedding())

        answer = get(record, document, {"Accept": accept})

        assert answer.status == 200
        assert answer.headers["etag"]
        assert answer.headers["last-modified"].endswith("GMT")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"] == SAFE
        assert f"attachment; filename*=UTF-8''{document}" in answer.headers["content-disposition"]

    def test_forms_have_tags_of_their_own(self, record: FedRecord) -> None:
        document = publish_cda(record, embedding())
        accepted = ("*/*", FHIR_JSON, "text/html", "application/pdf")

        tags = [get(record, document, {"Accept": accept}).headers["etag"] for accept in accepted]

        assert len(set(tags)) == len(tags)
        for accept, tag in zip(accepted, tags, strict=True):
            with counted() as calls:
                assert get(record, document, {"Accept": accept, "If-None-Match": f'"other", {tag}'}).status == 304
            assert "GetObject" not in calls

    @pytest.mark.parametrize("accept", ["*/*", FHIR_JSON])
    def test_nothing_is_fetched_for_what_the_caller_has_but_it_is_traced(self, record: FedRecord, accept: str) -> None:
        document = record.publish()
        first = get(record, document, {"Accept": accept})
        conditions = (
            {"If-None-Match": first.headers["etag"]},
            {"If-None-Match": "*"},
            {"If-Modified-Since": first.headers["last-modified"]},
        )

        for condition in conditions:
            with counted() as calls:
                answer = get(record, document, {"Accept": accept, **condition})
            assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", first.headers["etag"])
            assert calls == ["BatchGetItem", "PutItem"]

    @pytest.mark.parametrize(
        "condition",
        [
            {"If-Modified-Since": "Mon, 02 Mar 2020 12:00:00 GMT"},
            {"If-Modified-Since": "yesterday"},
            {"If-None-Match": '"other"', "If-Modified-Since": "Mon, 02 Mar 2099 12:00:00 GMT"},
        ],
    )
    def test_who_has_something_else_gets_the_bytes(self, record: FedRecord, condition: dict[str, str]) -> None:
        assert get(record, record.publish(), condition).body == PDF

    def test_a_stranger_learns_no_tag(self, record: FedRecord) -> None:
        document = record.publish()
        tag = get(record, document).headers["etag"]

        answer = record.api.get(f"/fhir/Binary/{document}", as_=STRANGER, headers={"If-None-Match": tag})

        assert (answer.status, answer.code) == (403, "not-authorised")

    @pytest.mark.parametrize("accept", ["*/*", FHIR_JSON])
    def test_head_says_what_get_would_and_fetches_nothing(self, record: FedRecord, accept: str) -> None:
        document = record.publish()
        full = get(record, document, {"Accept": accept})

        with counted() as calls:
            head = get(record, document, {"Accept": accept}, "HEAD")

        kept = ("content-type", "etag", "last-modified", "content-disposition", "content-security-policy")
        assert (head.status, head.body) == (200, b"")
        assert {name: head.headers.get(name) for name in kept} == {name: full.headers.get(name) for name in kept}
        assert calls == ["BatchGetItem", "PutItem"]

    def test_head_tells_the_length(self, record: FedRecord) -> None:
        assert get(record, record.publish(), method="HEAD").headers["content-length"] == str(len(PDF))


class TestParts:
    @pytest.mark.parametrize(
        ("text", "expected", "place"),
        [
            ("bytes=0-3", PDF[:4], f"bytes 0-3/{len(PDF)}"),
            ("bytes=-6", PDF[-6:], f"bytes {len(PDF) - 6}-{len(PDF) - 1}/{len(PDF)}"),
            ("bytes=5-", PDF[5:], f"bytes 5-{len(PDF) - 1}/{len(PDF)}"),
        ],
    )
    def test_a_part_is_answered_as_one(self, record: FedRecord, text: str, expected: bytes, place: str) -> None:
        answer = get(record, record.publish(), {"Range": text})

        assert (answer.status, answer.body) == (206, expected)
        assert answer.headers["content-range"] == place
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-type"] == "application/pdf"

    @pytest.mark.parametrize("text", ["bytes=0-1,3-4", "bytes=4-2", "pages=1-2", "nonsense"])
    def test_what_is_no_single_part_is_the_whole(self, record: FedRecord, text: str) -> None:
        answer = get(record, record.publish(), {"Range": text})

        assert (answer.status, answer.body) == (200, PDF)

    def test_a_part_beyond_the_end_is_refused(self, record: FedRecord) -> None:
        answer = get(record, record.publish(), {"Range": "bytes=100000-"})

        assert (answer.status, answer.code) == (416, "range-not-satisfiable")
        assert answer.headers["content-range"] == f"bytes */{len(PDF)}"

    def test_a_part_of_something_else_is_the_whole(self, record: FedRecord) -> None:
        document = record.publish()
        tag = get(record, document).headers["etag"]

        assert get(record, document, {"Range": "bytes=0-3", "If-Range": tag}).status == 206
        assert get(record, document, {"Range": "bytes=0-3", "If-Range": '"other"'}).body == PDF

    def test_a_part_of_damaged_bytes_is_not_served(self, record: FedRecord) -> None:
        document = record.publish()
        (key,) = record.objects()
        damaged = PDF[:-1] + b"!"
        aws.client("s3").put_object(Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key, Body=damaged)

        answer = get(record, document, {"Range": "bytes=0-3"})

        assert (answer.status, answer.code) == (503, "content-damaged")


class TestLargeContents:
    """Above 4 MiB; nothing inline is as large, so here the entry of a small document tells of a large one."""

    @pytest.fixture
    def document(self, record: FedRecord) -> str:
        document = record.publish()
        stored = replace(stored_document(record), size=LARGEST_ANSWER + 1)
        write_back(record, stored)
        return document

    @pytest.mark.parametrize("accept", ["*/*", "application/pdf", FHIR_JSON])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_they_are_fetched_from_s3_within_a_minute(
        self, record: FedRecord, document: str, accept: str, method: str
    ) -> None:
        with counted() as calls:
            answer = get(record, document, {"Accept": accept}, method)

        (key,) = record.objects()
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        assert (answer.status, answer.body) == (302, b"")
        assert urlsplit(answer.headers["location"]).path == f"/{key}"
        assert query["X-Amz-Expires"] == ["60"]
        assert query["response-content-type"] == ["application/pdf"]
        assert query["response-content-disposition"] == [f"attachment; filename*=UTF-8''{document}.pdf"]
        assert answer.headers["cache-control"] == "no-store"
        assert calls == ["BatchGetItem", "PutItem"]
        assert record.trace()[-1]["act"] == "ITI-68"

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_they_are_not_fetched_twice_by_who_names_the_tag_that_was_told(
        self, record: FedRecord, document: str, method: str
    ) -> None:
        first = get(record, document, method=method)
        again = get(record, document, {"If-None-Match": first.headers["etag"]}, method)

        assert first.headers["etag"] == f'"{stored_document(record).sha256[:32]}"'
        assert first.headers["content-disposition"] == f"attachment; filename*=UTF-8''{document}.pdf"
        assert (first.status, again.status, "location" in again.headers) == (302, 304, False)

    def test_a_stranger_gets_no_address(self, record: FedRecord, document: str) -> None:
        answer = record.api.get(f"/fhir/Binary/{document}", as_=STRANGER)

        assert (answer.status, "location" in answer.headers) == (403, False)

    def test_without_a_trace_there_is_no_address(self, record: FedRecord, document: str) -> None:
        with refused("PutItem"):
            answer = get(record, document)

        assert (answer.status, "location" in answer.headers) == (503, False)


def stored_document(record: FedRecord) -> StoredContent:
    """Where the content of the record's one document lies."""
    facts = json.loads(document_item(record)["facts"]["S"])
    key, kind, size, sha1, sha256, *_ = facts["content"]
    return StoredContent(key=key, content_type=kind, size=size, sha1=sha1, sha256=sha256)


def write_back(record: FedRecord, content: StoredContent) -> None:
    item = document_item(record)
    facts = json.loads(item["facts"]["S"])
    facts["content"][2] = content.size
    client = aws.client("dynamodb")
    client.put_item(TableName=record.stores["RECORDS_TABLE"], Item={**item, "facts": {"S": json.dumps(facts)}})


def document_item(record: FedRecord) -> dict[str, Any]:
    (item,) = (item for item in record.items() if item.get("kind") == {"S": "document"})
    return item
