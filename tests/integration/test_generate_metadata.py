"""ITI-106: what a CDA says of itself, told without storing it and without asking about any record."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from dmp.domain.requester import Requester
from infra.local import demo_documents
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import counted
from tests.fed_record import AUTHOR, HOSPITAL, open_record
from tests.integration.test_official_documents import patient
from tests.requester_factories import requester_cpam_agent, requester_patient

AT = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)
INS = "279035121518989"

type Json = dict[str, Any]


def letter() -> bytes:
    return demo_documents.discharge_letter(patient(INS), "2.25.95.1", AT)


def binary(content: bytes, content_type: str = "text/xml") -> Json:
    return {
        "resourceType": "Binary",
        "contentType": content_type,
        "data": base64.b64encode(content).decode(),
    }


def asked(api: ApiClient, resource: Json, as_: Requester = AUTHOR, operation: str = "$generate-metadata") -> Response:
    body = bodies.parameters(document={"resource": resource})
    return api.post(f"/fhir/DocumentReference/{operation}", body, as_=as_)


@pytest.mark.parametrize("operation", ["$generate-metadata", "%24generate-metadata"])
def test_a_document_is_described(api: ApiClient, operation: str) -> None:
    content = letter()

    answer = asked(api, binary(content), operation=operation)

    assert answer.status == 200, answer.body
    [parameter] = answer.json["parameter"]
    resource = parameter["resource"]
    attachment = resource["content"][0]["attachment"]
    assert (answer.json["resourceType"], parameter["name"]) == ("Parameters", "DocumentReference")
    assert resource["masterIdentifier"]["value"] == "urn:oid:2.25.95.1"
    assert resource["status"] == "current"
    assert resource["subject"]["identifier"]["value"] == INS
    assert resource["category"][0]["coding"][0]["code"] == "10"
    assert (attachment["size"], attachment["hash"]) == (len(content), bodies.sha1(content))
    assert (attachment["contentType"], attachment["creation"]) == ("text/xml", "2026-03-02T17:30:00.000Z")
    assert {"data", "url"}.isdisjoint(attachment)


def test_nothing_is_asked_and_nothing_written_but_the_trace(api: ApiClient) -> None:
    asked(api, binary(letter()))  # fetches the secret, once a process

    with counted() as calls:
        assert asked(api, binary(letter())).status == 200

    assert calls == ["PutItem"]


@pytest.mark.parametrize("as_", [AUTHOR, HOSPITAL, requester_patient()], ids=["professional", "server", "patient"])
def test_whoever_may_feed_may_ask(api: ApiClient, as_: Requester) -> None:
    assert asked(api, binary(letter()), as_=as_).status == 200


def test_who_never_feeds_is_refused(api: ApiClient) -> None:
    answer = asked(api, binary(letter()), as_=requester_cpam_agent())

    assert (answer.status, answer.code) == (403, "not-authorised")


DOCUMENT_BUNDLE: Json = {"resourceType": "Bundle", "type": "document", "entry": [{"fullUrl": "urn:uuid:1"}]}


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        (DOCUMENT_BUNDLE, "unsupported-content"),
        (binary(b"Bonjour", "text/plain"), "unsupported-content"),
        (binary(bodies.PDF, "application/pdf"), "unsupported-content"),
        (binary(b"<letter/>"), "unsupported-content"),
        (binary(b"PK\x03\x04", "application/zip"), "unsupported-content"),
        (binary(b"Bonjour"), "content-mismatch"),
        (binary(b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + letter()[38:]), "xml-doctype-forbidden"),
        (binary(letter()[:500]), "xml-malformed"),
        ({"resourceType": "Patient"}, "invalid-parameter"),
        ({"resourceType": "Binary", "contentType": "text/xml"}, "content-missing"),
        ({"resourceType": "Binary", "data": "QQ=="}, "invalid-resource"),
    ],
)
def test_what_is_no_sound_cda_is_refused(api: ApiClient, resource: Json, code: str) -> None:
    answer = asked(api, resource)

    assert (answer.status, answer.code) == (422, code)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (bodies.parameters(other={"valueString": "x"}), 422, "missing-parameter"),
        (bodies.parameters(document={"valueString": "x"}), 422, "invalid-parameter"),
        ({"resourceType": "Parameters"}, 422, "missing-parameter"),
        ({"resourceType": "Parameters", "parameter": [{"name": "document"}]}, 422, "invalid-resource"),
        (binary(b"x"), 400, "malformed-request"),
    ],
)
def test_other_parameters_are_refused(api: ApiClient, body: Json, status: int, code: str) -> None:
    answer = api.post("/fhir/DocumentReference/$generate-metadata", body, as_=AUTHOR)

    assert (answer.status, answer.code) == (status, code)


def test_it_is_no_place_to_get_anything_from(api: ApiClient) -> None:
    assert api.get("/fhir/DocumentReference/$generate-metadata", as_=AUTHOR).status in (404, 405)


def test_what_is_answered_can_be_deposited(api: ApiClient, stack: dict[str, str]) -> None:
    record = open_record(api, stack)
    content = demo_documents.medical_synthesis(patient(record.ins), "2.25.96.1", AT)
    resource = asked(api, binary(content)).json["parameter"][0]["resource"]
    resource["content"][0]["attachment"]["data"] = base64.b64encode(content).decode()

    answer = api.post("/fhir/DocumentReference", resource, as_=AUTHOR)

    assert answer.status == 201, answer.body
    for element in ("masterIdentifier", "identifier", "type", "category", "author", "contained", "custodian"):
        assert answer.json[element] == resource[element]
