"""What is not fed into a record: each refusal has its code, and leaves neither an entry nor an object behind."""

import base64
import copy
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.fed_record import AUTHOR, HOSPITAL, STRANGER, FedRecord, open_record
from tests.requester_factories import requester_cnam_feed, requester_cpam_agent, requester_patient

OTHER_PERSON = requester_patient(bodies.qualified(bodies.new_ins()))
AGENT = requester_cpam_agent()
VISIBILITY = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
MEBIBYTE = 1024 * 1024

type Json = dict[str, Any]
type Change = Callable[[Json], None]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def attachment(**changes: Any) -> Change:
    def change(document: Json) -> None:
        document["content"][0]["attachment"] |= changes

    return change


def element(**changes: Any) -> Change:
    def change(document: Json) -> None:
        document.update(changes)
        for name in [name for name, value in changes.items() if value is None]:
            del document[name]

    return change


def label(code: str) -> Change:
    return element(securityLabel=[{"coding": [{"system": VISIBILITY, "code": code}]}])


def sent(record: FedRecord, body: object, as_: Requester = AUTHOR, url: str = "/fhir/DocumentReference") -> Response:
    """Send a deposit that is to be refused, and make sure that nothing of it is kept."""
    before = record.state()
    answer = record.api.post(url, body, as_=as_)
    assert answer.status >= 400, answer.body
    assert record.state() == before
    return answer


SPOILT: dict[str, tuple[Change, int, str]] = {
    "hash": (attachment(hash=bodies.sha1(b"other")), 422, "hash-mismatch"),
    "hash in hexadecimal": (attachment(hash=base64.b64decode(bodies.sha1(bodies.PDF)).hex()), 422, "hash-mismatch"),
    "size": (attachment(size=1), 422, "size-mismatch"),
    "no content": (attachment(data=""), 400, ""),
    "broken base64": (attachment(data="JVBER*"), 422, "invalid-resource"),
    "another content": (attachment(contentType="image/jpeg"), 422, "content-mismatch"),
    "a type not accepted": (attachment(contentType="text/html"), 422, "unsupported-content"),
    "an archive": (attachment(contentType="application/zip"), 422, "unsupported-content"),
    "an unknown type": (element(type={"coding": [{"system": bodies.LOINC, "code": "0-0"}]}), 422, "unknown-code"),
    "another system": (element(type={"coding": [{"system": "urn:x", "code": "11490-0"}]}), 422, "unknown-code"),
    "no patient": (element(subject=None), 422, "invalid-resource"),
    "another status": (element(status="superseded"), 422, "invalid-resource"),
    "an unknown mask": (label("MASKED"), 422, "unknown-code"),
    "no FHIR": (element(status=7), 422, "invalid-resource"),
    "an unknown element": (element(nonsense=True), 422, "invalid-resource"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_document_leaves_nothing(record: FedRecord, name: str) -> None:
    spoil, status, code = SPOILT[name]
    body = bodies.document(record.id)
    spoil(body)

    answer = sent(record, body)

    assert answer.status in {status, 422}, answer.body
    assert code in {answer.code, ""}, answer.body


@pytest.mark.parametrize("position", [0, 1])
def test_one_bad_document_refuses_the_whole_bundle(record: FedRecord, position: int) -> None:
    body = bodies.submission(record.id, bodies.PDF, b"%PDF-1.4 second")
    body["entry"][1 + position]["resource"]["content"][0]["attachment"]["hash"] = bodies.sha1(b"")

    answer = sent(record, body, HOSPITAL, "/fhir")

    assert (answer.status, answer.code) == (422, "hash-mismatch")
    assert answer.json["issue"][0]["expression"] == [
        f"Bundle.entry[{1 + position}].resource.content[0].attachment.hash"
    ]


def test_a_bundle_of_no_profile_is_refused(record: FedRecord) -> None:
    body = bodies.submission(record.id)
    del body["meta"]

    assert sent(record, body, HOSPITAL, "/fhir").status == 422


def test_a_bundle_about_two_patients_is_refused(record: FedRecord, api: ApiClient, stack: dict[str, str]) -> None:
    other = open_record(api, stack)
    body = bodies.submission(record.id)
    body["entry"][1]["resource"]["subject"] = {"reference": f"Patient/{other.id}"}

    answer = sent(record, body, HOSPITAL, "/fhir")

    assert (answer.status, answer.code) == (422, "wrong-patient")
    assert other.objects() == {}


def test_thirty_one_documents_are_too_many(record: FedRecord) -> None:
    body = bodies.submission(record.id, *[b"%PDF-1.4 " + bytes([40 + n]) for n in range(31)])

    answer = sent(record, body, HOSPITAL, "/fhir")

    assert (answer.status, answer.code) == (413, "too-large")


def test_too_many_identifiers_are_refused(record: FedRecord) -> None:
    identifiers = [{"system": "urn:ietf:rfc:3986", "value": f"urn:oid:2.999.1.{n}"} for n in range(320)]

    assert sent(record, bodies.document(record.id, identifier=identifiers)).status == 413


def test_three_mebibytes_are_accepted_inline_and_one_byte_more_is_not(record: FedRecord) -> None:
    content = b"%PDF-1.4\n".ljust(3 * MEBIBYTE, b" ")
    document = record.publish(content=content)
    refused = sent(record, bodies.document(record.id, content + b" "))

    assert record.api.get(f"/fhir/Binary/{document}", as_=AUTHOR).body == content
    assert (refused.status, refused.code) == (413, "too-large")
    assert "inline" in refused.json["issue"][0]["diagnostics"]


def test_the_contents_of_a_bundle_count_together(record: FedRecord) -> None:
    half = b"%PDF-1.4\n".ljust(2 * MEBIBYTE - 100_000, b" ")

    answer = sent(record, bodies.submission(record.id, half, half[:-1]), HOSPITAL, "/fhir")

    assert answer.status == 413


def test_a_body_over_four_and_a_half_megabytes_is_too_large(record: FedRecord) -> None:
    body = json.dumps(bodies.document(record.id)).ljust(4_718_593)

    answer = sent(record, body)

    assert (answer.status, answer.code) == (413, "too-large")
    assert "upload" in answer.json["issue"][0]["diagnostics"]


def test_metadata_that_no_item_holds_is_too_large(record: FedRecord) -> None:
    notes = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(90_000))

    answer = sent(record, bodies.document(record.id, description=notes))

    assert (answer.status, answer.code) == (413, "too-large")


def test_a_bundle_that_no_transaction_holds_is_too_large(record: FedRecord) -> None:
    body = bodies.submission(record.id, *[f"%PDF-1.4 {n}".encode() for n in range(30)])
    chance = random.Random(30)
    for entry in body["entry"]:
        if entry["resource"]["resourceType"] == "DocumentReference":
            value = base64.b64encode(chance.randbytes(95_000)).decode()
            entry["resource"]["identifier"] = [{"system": "urn:ietf:rfc:3986", "value": value}]

    answer = sent(record, json.dumps(body, ensure_ascii=False), HOSPITAL, "/fhir")

    assert answer.status == 413


def test_an_unknown_record_is_not_fed(record: FedRecord) -> None:
    unknown = "0" * 26

    by_id = sent(record, bodies.document(unknown))
    body = bodies.document(record.id, subject={"reference": f"Patient?identifier={bodies.qualified(bodies.new_ins())}"})
    by_ins = sent(record, body)

    assert (by_id.status, by_id.code) == (by_ins.status, by_ins.code) == (404, "no-record")


def test_a_record_and_an_ins_that_are_not_one_are_refused(record: FedRecord) -> None:
    body = bodies.document(record.id)
    body["subject"] |= {"identifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": bodies.new_ins()}}

    answer = sent(record, body)

    assert (answer.status, answer.code) == (422, "ins-mismatch")


def test_source_patient_info_of_somebody_else_is_refused(record: FedRecord) -> None:
    insured = {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": bodies.new_ins()}

    answer = sent(record, bodies.document(record.id, context={"sourcePatientInfo": {"identifier": insured}}))

    assert (answer.status, answer.code) == (422, "ins-mismatch")


@pytest.mark.parametrize("who", [requester_cpam_agent(), requester_cnam_feed()], ids=["desk", "feed"])
def test_the_insurer_feeds_nothing(record: FedRecord, who: Requester) -> None:
    assert sent(record, bodies.document(record.id), who).status == 403


def test_another_person_feeds_nothing(record: FedRecord) -> None:
    other = requester_patient(bodies.qualified(bodies.new_ins()))

    answer = sent(record, bodies.document(record.id), other)

    assert (answer.status, answer.code) == (404, "no-record")


def test_a_blocked_professional_feeds_nothing(record: FedRecord) -> None:
    record.block(STRANGER)

    answer = sent(record, bodies.document(record.id), STRANGER)

    assert (answer.status, answer.code) == (403, "blocked")
    assert record.trace()[-1]["outcome"] == "8"


def by_ins(body: Json, record: FedRecord) -> None:
    body["subject"] = {"reference": f"Patient?identifier={bodies.qualified(record.ins)}"}


def by_logical_ins(body: Json, record: FedRecord) -> None:
    system, _, value = bodies.qualified(record.ins).partition("|")
    body["subject"] = {"identifier": {"system": system, "value": value}}


def in_a_contained_patient(body: Json, record: FedRecord) -> None:
    body["subject"] = {"reference": "#p"}
    body["contained"].append(bodies.patient(record.ins) | {"id": "p"})


def by_id(_: Json, __: FedRecord) -> None:
    """As the body is."""


NAMINGS = {naming.__name__: naming for naming in (by_id, by_ins, by_logical_ins, in_a_contained_patient)}


class TestOrder:
    """Who may not feed the record is told that, whatever else is wrong."""

    @pytest.mark.parametrize("name", sorted(SPOILT.keys() - {"no patient"}))
    def test_the_decision_comes_before_what_is_wrong_with_a_document(self, record: FedRecord, name: str) -> None:
        body = bodies.document(record.id)
        SPOILT[name][0](body)
        record.block(STRANGER)
        callers = {STRANGER: (403, "blocked"), OTHER_PERSON: (404, "no-record"), AGENT: (403, "not-authorised")}

        answers = [sent(record, body, who) for who in callers]

        assert [(answer.status, answer.code) for answer in answers] == [*callers.values()]
        refused = [entry["reason"] for entry in record.trace() if (entry["act"], entry["outcome"]) == ("ITI-105", "8")]
        assert refused == [code for _, code in callers.values()]

    @pytest.mark.parametrize("name", NAMINGS)
    def test_however_the_patient_is_named(self, record: FedRecord, name: str) -> None:
        body = bodies.document(record.id)
        NAMINGS[name](body, record)
        assert record.api.post("/fhir/DocumentReference", body, as_=AUTHOR).status == 201
        record.block(STRANGER)
        attachment(size=1)(body)

        blocked, author = (sent(record, body, who) for who in (STRANGER, AUTHOR))

        assert (blocked.status, blocked.code) == (403, "blocked")
        assert (author.status, author.code) == (422, "size-mismatch")

    @pytest.mark.parametrize(
        "subject",
        [[], 7, {"reference": 7}, {"reference": "#p"}, {"identifier": {"system": 7, "value": []}}, {"identifier": 7}],
    )
    def test_a_document_that_names_nobody_is_wrong_in_itself(self, record: FedRecord, subject: Any) -> None:
        body = bodies.document(record.id, subject=subject, contained=[7, {"id": "p", "identifier": [7]}, {"id": []}])

        assert sent(record, body).status == 422

    def test_the_decision_comes_before_what_is_wrong_with_a_change(self, record: FedRecord) -> None:
        document = record.publish()
        record.block(STRANGER)
        url = f"/fhir/DocumentReference/{document}"
        by_identifier = f"/fhir/DocumentReference?identifier=urn:x|{document}"
        wrong: list[object] = [
            [{"op": "add", "path": "/securityLabel/-", "value": {}}],
            {"resourceType": "Parameters", "parameter": []},
        ]

        answers = [
            record.api.patch(url, body, as_=who) for body in wrong for who in (STRANGER, OTHER_PERSON, AGENT, AUTHOR)
        ]
        unknown = [record.api.patch(by_identifier, body, as_=STRANGER).status for body in wrong]

        expected = [(403, "blocked"), (404, "no-record"), (403, "not-authorised"), (422, "invalid-resource")]
        assert [(answer.status, answer.code) for answer in answers] == expected * 2
        assert unknown == [404, 404]
        refused = [entry["reason"] for entry in record.trace() if (entry["act"], entry["outcome"]) == ("patch", "8")]
        assert refused == [code for _, code in expected[:3]] * 2


def test_a_closed_record_is_not_fed(record: FedRecord) -> None:
    body = {"resourceType": "Parameters", "parameter": [{"name": "motive", "valueCode": "patient-demande"}]}
    assert record.api.post(f"/fhir/Patient/{record.id}/$close", body, as_=record.patient).status == 200

    answer = sent(record, bodies.document(record.id))

    assert (answer.status, answer.code) == (403, "record-closed")


def test_a_stranger_without_token_feeds_nothing(record: FedRecord) -> None:
    before = record.state()

    answer = record.api.post("/fhir", bodies.submission(record.id))

    assert answer.status == 401
    assert record.state() == before


class TestPatients:
    @pytest.mark.parametrize(
        ("content", "content_type"),
        [
            (b"bonjour", "text/plain"),
            (b"{\\rtf1 bonjour}", "application/rtf"),
            (b"\xff\xd8\xff\xe0 photo", "image/jpeg"),
            (b"II*\x00 scan", "image/tiff"),
        ],
    )
    def test_feed_plain_files(self, record: FedRecord, content: bytes, content_type: str) -> None:
        document = record.publish(record.patient, content, content_type=content_type)

        assert record.api.get(f"/fhir/Binary/{document}", as_=record.patient).body == content

    @pytest.mark.parametrize(
        ("content", "content_type"), [(PNG, "image/png"), (b"<note>bonjour</note>", "application/xml")]
    )
    def test_feed_nothing_else(self, record: FedRecord, content: bytes, content_type: str) -> None:
        answer = sent(record, bodies.document(record.id, content, content_type=content_type), record.patient)

        assert (answer.status, answer.code) == (422, "unsupported-content")

    @pytest.mark.parametrize("code", ["INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX"])
    def test_hide_nothing_from_themselves(self, record: FedRecord, code: str) -> None:
        body = bodies.document(record.id)
        label(code)(body)

        answer = sent(record, body, record.patient)

        assert (answer.status, answer.code) == (422, "label-not-permitted")

    def test_feed_masked_documents(self, record: FedRecord) -> None:
        body = bodies.document(record.id)
        label("MASQUE_PS")(body)

        answer = record.api.post("/fhir/DocumentReference", body, as_=record.patient)
        record.authorise()

        assert answer.status == 201
        assert record.found(record.patient) == [answer.id]


def test_what_the_server_decides_is_not_taken_from_the_client(record: FedRecord) -> None:
    meta = {"versionId": "77", "lastUpdated": "2001-01-01T00:00:00Z"}

    answer = record.api.post("/fhir/DocumentReference", bodies.document(record.id, id="mine", meta=meta), as_=AUTHOR)

    assert answer.status == 201
    assert answer.id != "mine"
    assert answer.json["meta"]["versionId"] == "1"
    assert answer.headers["location"].endswith(f"/DocumentReference/{answer.id}/_history/1")
    assert answer.headers["etag"] == 'W/"1"'
    assert "data" not in answer.json["content"][0]["attachment"]
    assert base64.b64decode(answer.json["content"][0]["attachment"]["hash"])


def test_minimal_answers_carry_no_body(record: FedRecord) -> None:
    headers = {"Prefer": "return=minimal"}

    answer = record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=AUTHOR, headers=headers)

    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["location"]


def test_a_body_that_is_no_json_is_refused(record: FedRecord) -> None:
    assert sent(record, "{", AUTHOR).status == 400
    assert sent(record, "", AUTHOR).status == 400
    assert sent(record, copy.deepcopy({"resourceType": "Patient"}), AUTHOR).status in {400, 422}
