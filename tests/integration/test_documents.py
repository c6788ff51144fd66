"""One document: read, retrieved (ITI-68), its versions; masked ones leave no trace (TD3.2)."""

import base64
import json
from typing import Any

import pytest

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import FHIR_JSON, ApiClient, Response
from tests.fed_record import AUTHOR, COLLEAGUE, HOSPITAL, SPECIALIST, STRANGER, FedRecord, open_record
from tests.requester_factories import requester_patient

VISIBILITY = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
PLACES = (
    "DocumentReference/{}",
    "DocumentReference/{}/_history",
    "DocumentReference/{}/_history/1",
    "Binary/{}",
)


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def labelled(*codes: str) -> list[dict[str, Any]]:
    return [{"coding": [{"system": VISIBILITY, "code": code}]} for code in codes]


def missing(record: FedRecord) -> str:
    """The id of a document that the record does not hold."""
    return f"{record.id}.1t3yr80qm0aaaaaaaaaaaaaaaa"


class TestReading:
    def test_a_document_is_answered_with_its_version(self, record: FedRecord) -> None:
        document = record.publish()

        answer = record.api.get(f"/fhir/DocumentReference/{document}", as_=record.patient)

        assert answer.headers["etag"] == 'W/"1"'
        assert answer.headers["last-modified"].endswith("GMT")
        assert answer.json["content"][0]["attachment"]["url"] == f"https://dmp.example/fhir/Binary/{document}"
        assert answer.json["subject"] == {"reference": f"Patient/{record.id}"}

    def test_what_the_caller_has_already_is_not_sent_again(self, record: FedRecord) -> None:
        document = record.publish()

        for condition in ({"If-None-Match": 'W/"0", W/"1"'}, {"If-Modified-Since": "Mon, 02 Mar 2099 12:00:00 GMT"}):
            answer = record.api.get(f"/fhir/DocumentReference/{document}", as_=AUTHOR, headers=condition)
            assert (answer.status, answer.body) == (304, b"")

    @pytest.mark.parametrize("place", ["DocumentReference/{}", "Binary/{}", "List/{}"])
    @pytest.mark.parametrize("id_", ["x", "0" * 26, "0" * 53, "a.b", "%2e%2e"])
    def test_what_is_no_id_of_ours_is_not_there(self, api: ApiClient, place: str, id_: str) -> None:
        assert api.get(f"/fhir/{place.format(id_)}", as_=AUTHOR).status == 404

    def test_a_document_is_not_read_under_another_record(
        self, record: FedRecord, api: ApiClient, stack: dict[str, str]
    ) -> None:
        document, other = record.publish(), open_record(api, stack)
        moved = document.replace(record.id, other.id)

        assert api.get(f"/fhir/DocumentReference/{moved}", as_=other.patient).status == 404
        assert api.get(f"/fhir/DocumentReference/{document}", as_=other.patient).status == 404

    def test_a_named_author_reads_but_changes_nothing(self, record: FedRecord) -> None:
        document = record.publish(HOSPITAL)

        assert record.api.get(f"/fhir/Binary/{document}", as_=AUTHOR).body == bodies.PDF
        assert record.api.patch(f"/fhir/DocumentReference/{document}", bodies.MASK, as_=AUTHOR).status == 403
        assert record.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR).status == 403

    def test_a_stranger_is_refused_and_traced(self, record: FedRecord) -> None:
        document = record.publish()

        for place in PLACES:
            answer = record.api.get(f"/fhir/{place.format(document)}", as_=STRANGER)
            assert (answer.status, answer.code) == (403, "not-authorised")
            assert record.trace()[-1]["outcome"] == "8"

    def test_a_closed_record_is_not_read(self, record: FedRecord) -> None:
        document = record.publish()
        body = {"resourceType": "Parameters", "parameter": [{"name": "motive", "valueCode": "patient-demande"}]}
        record.api.post(f"/fhir/Patient/{record.id}/$close", body, as_=record.patient)

        for place in PLACES:
            for who in (record.patient, AUTHOR):
                answer = record.api.get(f"/fhir/{place.format(document)}", as_=who)
                assert (answer.status, answer.code) == (403, "record-closed")


class TestRetrieval:
    def test_the_very_bytes_come_back(self, record: FedRecord) -> None:
        content = bytes(range(32, 127)) + "é\n".encode()
        document = record.publish(content=content, content_type="text/plain")

        answer = record.api.get(f"/fhir/Binary/{document}", as_=record.patient)

        assert answer.body == content
        assert answer.headers["content-type"] == "text/plain"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["etag"]

    @pytest.mark.parametrize(
        ("accept", "is_fhir"),
        [
            (FHIR_JSON, True),
            (f"{FHIR_JSON};q=0.9, */*;q=0.8", True),
            ("*/*", False),
            ("application/pdf", False),
            (f"application/pdf, {FHIR_JSON};q=0.5", False),
            (f"{FHIR_JSON}, application/pdf;q=0.5", True),
            (f"{FHIR_JSON};q=nonsense", True),
            ("", False),
        ],
    )
    def test_a_binary_is_answered_to_those_who_ask_for_fhir(
        self, record: FedRecord, accept: str, is_fhir: bool
    ) -> None:
        document = record.publish()

        answer = record.api.get(f"/fhir/Binary/{document}", as_=AUTHOR, headers={"Accept": accept})

        assert answer.headers["content-type"].startswith(FHIR_JSON) is is_fhir
        if is_fhir:
            assert answer.json["contentType"] == "application/pdf"
            assert base64.b64decode(answer.json["data"]) == bodies.PDF
            assert answer.json["securityContext"] == {"reference": f"DocumentReference/{document}"}
        else:
            assert answer.body == bodies.PDF

    def test_head_tells_all_but_the_bytes(self, record: FedRecord) -> None:
        document = record.publish()

        answer = record.api.head(f"/fhir/Binary/{document}", as_=AUTHOR)

        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["etag"]
        assert record.trace()[-1]["act"] == "ITI-68"

    def test_bytes_stay_what_they_are_whatever_becomes_of_the_entry(self, record: FedRecord) -> None:
        document = record.publish()
        before = record.api.get(f"/fhir/Binary/{document}", as_=AUTHOR)
        record.mask(document)

        after = record.api.get(f"/fhir/Binary/{document}", as_=AUTHOR)

        assert (after.body, after.headers["etag"]) == (before.body, before.headers["etag"])


class TestVersions:
    def test_every_change_is_a_version(self, record: FedRecord) -> None:
        document = record.publish()
        record.mask(document)

        history = record.api.get(f"/fhir/DocumentReference/{document}/_history", as_=AUTHOR)
        first = record.api.get(f"/fhir/DocumentReference/{document}/_history/1", as_=AUTHOR)
        second = record.api.get(f"/fhir/DocumentReference/{document}/_history/2", as_=AUTHOR)

        assert history.json["total"] == 2
        versions = [entry["resource"]["meta"]["versionId"] for entry in history.json["entry"]]
        methods = [entry["request"]["method"] for entry in history.json["entry"]]
        assert (versions, methods) == (["2", "1"], ["PATCH", "POST"])
        assert "MASQUE_PS" not in json.dumps(first.json)
        assert "MASQUE_PS" in json.dumps(second.json)
        assert first.headers["etag"] == 'W/"1"'

    @pytest.mark.parametrize("version", ["0", "2", "x", "-1", "1e9", "9999999999"])
    def test_a_version_that_never_was_is_not_there(self, record: FedRecord, version: str) -> None:
        document = record.publish()

        answer = record.api.get(f"/fhir/DocumentReference/{document}/_history/{version}", as_=AUTHOR)

        assert (answer.status, answer.code) == (404, "no-version")

    def test_a_version_that_never_was_is_asked_for_on_the_record(self, record: FedRecord) -> None:
        document = record.publish()
        record.api.get(f"/fhir/DocumentReference/{document}/_history/7", as_=AUTHOR)

        assert record.trace()[-1]["act"] == "vread"

    def test_a_deleted_document_is_gone_but_its_history_stays(self, record: FedRecord) -> None:
        document = record.publish()
        record.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR)

        for place in ("DocumentReference", "Binary"):
            answer = record.api.get(f"/fhir/{place}/{document}", as_=record.patient)
            assert (answer.status, answer.code) == (410, "gone")
        history = record.api.get(f"/fhir/DocumentReference/{document}/_history", as_=record.patient)
        former = record.api.get(f"/fhir/DocumentReference/{document}/_history/1", as_=record.patient)
        assert [entry["request"]["method"] for entry in history.json["entry"]] == ["DELETE", "POST"]
        assert former.json["status"] == "current"
        assert record.found(record.patient) == []


class TestMasking:
    def everything(self, record: FedRecord, who: Requester, document: str, folder: str) -> list[Response]:
        """What a caller learns of a document by any route."""
        urls = [
            *(f"/fhir/{place.format(document)}" for place in PLACES),
            f"/fhir/List/{folder}",
            f"/fhir/DocumentReference?patient={record.id}&status=current,superseded",
            f"/fhir/DocumentReference?patient={record.id}&status=current&type=http://loinc.org|11490-0",
            f"/fhir/DocumentReference?patient={record.id}&status=current&category=10",
            f"/fhir/DocumentReference?patient={record.id}&status=current&identifier=urn:oid:2.999.4.4",
            f"/fhir/DocumentReference?patient={record.id}&status=current&_total=accurate&_count=1",
        ]
        patched = record.api.patch(f"/fhir/DocumentReference/{document}", bodies.MASK, as_=who)
        deleted = record.api.delete(f"/fhir/DocumentReference/{document}", as_=who)
        named = record.api.patch("/fhir/DocumentReference?identifier=urn:oid:2.999.4.4", bodies.MASK, as_=who)
        return [*(record.api.get(url, as_=who) for url in urls), patched, deleted, named]

    def test_a_masked_document_looks_missing(self, record: FedRecord, api: ApiClient, stack: dict[str, str]) -> None:
        twin = open_record(api, stack)
        unique = {"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.999.4.4", "type": bodies.unique_id()["type"]}
        body = bodies.submission(record.id, masterIdentifier=unique)
        fed = api.post("/fhir", body, as_=HOSPITAL).json["entry"]
        folder, document = (entry["response"]["location"].split("/")[1] for entry in fed[:2])
        record.mask(document)
        for one in (record, twin):
            one.authorise(SPECIALIST)
            one.publish(content=b"%PDF-1.4 seen", date="2026-01-01T00:00:00Z")

        masked = self.everything(record, SPECIALIST, document, folder)
        absent = self.everything(twin, SPECIALIST, missing(twin), missing(twin))

        for hidden, never in zip(masked, absent, strict=True):
            assert hidden.status == never.status
            assert told(hidden, record) == told(never, twin)

    def test_a_masked_document_costs_the_calls_of_a_missing_one(self, record: FedRecord) -> None:
        from tests.aws_calls import counted

        document = record.publish()
        record.mask(document)
        record.authorise()
        for place in PLACES:
            with counted() as masked:
                record.api.get(f"/fhir/{place.format(document)}", as_=SPECIALIST)
            with counted() as absent:
                record.api.get(f"/fhir/{place.format(missing(record))}", as_=SPECIALIST)
            assert masked == absent

    def test_patient_author_and_attending_physician_see_it(self, record: FedRecord) -> None:
        document = record.publish(HOSPITAL, author=None, contained=None)
        record.mask(document)
        record.name_attending_physician(COLLEAGUE)

        for who in (record.patient, HOSPITAL, COLLEAGUE):
            assert record.api.get(f"/fhir/Binary/{document}", as_=who).body == bodies.PDF
            assert record.found(who) == [document]

    def test_pages_are_filled_over_masked_documents(self, record: FedRecord) -> None:
        record.authorise()
        ids = [
            record.publish(content=f"%PDF-1.4 {n}".encode(), date=f"2026-01-{n + 1:02d}T00:00:00Z") for n in range(14)
        ]
        for document in ids[3:]:
            record.mask(document)

        first = record.find(SPECIALIST, "status=current&_count=2")

        assert [one["id"] for one in first.resources] == [ids[2], ids[1]]
        assert "total" not in first.json
        second = record.api.get(first.links["next"], as_=SPECIALIST)
        assert [one["id"] for one in second.resources] == [ids[0]]

    def test_invisible_documents_are_missing_for_the_patient_alone(self, record: FedRecord) -> None:
        document = record.publish(securityLabel=labelled("INVISIBLE_PATIENT"))
        record.authorise()

        for place in PLACES:
            hidden = record.api.get(f"/fhir/{place.format(document)}", as_=record.patient)
            absent = record.api.get(f"/fhir/{place.format(missing(record))}", as_=record.patient)
            assert (hidden.status, hidden.json) == (404, absent.json)
        assert record.found(record.patient) == []
        assert record.found(SPECIALIST) == [document]

    def test_a_list_shows_what_its_reader_may_see(self, record: FedRecord) -> None:
        fed = record.api.post("/fhir", bodies.submission(record.id, bodies.PDF, b"%PDF-1.4 b"), as_=HOSPITAL)
        folder, first, second = (e["response"]["location"].split("/")[1] for e in fed.json["entry"][:3])
        record.authorise()
        record.mask(first)

        seen = record.api.get(f"/fhir/List/{folder}", as_=SPECIALIST)
        whole = record.api.get(f"/fhir/List/{folder}", as_=record.patient)
        record.mask(second)
        emptied = record.api.get(f"/fhir/List/{folder}", as_=SPECIALIST)

        assert [e["item"]["reference"] for e in seen.json["entry"]] == [f"DocumentReference/{second}"]
        assert len(whole.json["entry"]) == 2
        assert emptied.status == 404

    def test_a_list_that_is_not_there_is_not_found(self, record: FedRecord) -> None:
        for who in (record.patient, AUTHOR):
            assert record.api.get(f"/fhir/List/{missing(record)}", as_=who).status == 404
            assert record.trace()[-1]["outcome"] == "8"


def told(answer: Response, record: FedRecord) -> str:
    """What a body says, ids aside."""
    text = answer.body.decode()
    resources = answer.resources if answer.status == 200 else []
    for number, resource in enumerate(resources):
        unique = resource["masterIdentifier"]["value"]
        text = text.replace(resource["id"], f"document-{number}").replace(unique, f"unique-{number}")
        text = text.replace(resource["meta"]["lastUpdated"], "then")
    return text.replace(record.id, "record").replace(record.ins, "ins")


def test_another_person_sees_nothing_at_all(record: FedRecord) -> None:
    document, other = record.publish(), requester_patient(bodies.qualified(bodies.new_ins()))

    answers = [record.api.get(f"/fhir/{place.format(document)}", as_=other) for place in PLACES]
    absent = [record.api.get(f"/fhir/{place.format('0' * 26 + '.' + '0' * 26)}", as_=other) for place in PLACES]

    assert {answer.status for answer in answers} == {404}
    assert [answer.json for answer in answers] == [answer.json for answer in absent]


def test_a_list_is_refused_like_its_documents(record: FedRecord) -> None:
    answer = record.api.post("/fhir", bodies.submission(record.id), as_=AUTHOR)
    (location,) = [e["response"]["location"] for e in answer.json["entry"] if "List/" in e["response"]["location"]]

    refusal = record.api.get("/fhir/" + location.partition("/_history")[0], as_=SPECIALIST)

    assert (refusal.status, refusal.code) == (403, "not-authorised")
