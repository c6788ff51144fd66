"""What every resource keeps of FHIR's REST: formats, preferences, conditions, HEAD."""

import pytest

from tests import bodies
from tests.api_client import FHIR_JSON, ApiClient, Response
from tests.fed_record import AUTHOR, FedRecord, open_record

MASK, UNMASK = bodies.MASK, [{"op": "remove", "path": "/securityLabel/1"}]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


class TestFormats:
    @pytest.mark.parametrize(
        "accept",
        [
            *(FHIR_JSON, "application/json", "application/*", "*/*", "", "application/json+fhir"),
            *(f"{FHIR_JSON}; charset=UTF-8", "application/fhir+json; fhirVersion=4.0", "text/html, */*;q=0.1"),
            "application/fhir+xml;q=1.0, application/fhir+json;q=1.0",
        ],
    )
    def test_json_is_answered_to_whoever_takes_it(self, record: FedRecord, accept: str) -> None:
        answer = record.api.get(f"/fhir/DocumentReference/{record.publish()}", as_=AUTHOR, headers={"Accept": accept})

        assert answer.status == 200
        assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"

    @pytest.mark.parametrize("accept", ["application/fhir+xml", "text/html", "image/*", f"{FHIR_JSON};q=0, text/html"])
    def test_nothing_else_is_spoken(self, record: FedRecord, accept: str) -> None:
        answer = record.api.get(f"/fhir/DocumentReference/{record.publish()}", as_=AUTHOR, headers={"Accept": accept})

        assert (answer.status, answer.code) == (406, "not-acceptable")

    @pytest.mark.parametrize(
        "wanted", ["json", "application/json", "application/fhir%2Bjson", "application/fhir+json", "text/json"]
    )
    def test_a_format_in_the_address_goes_before_the_header(self, record: FedRecord, wanted: str) -> None:
        path, headers = f"/fhir/DocumentReference/{record.publish()}", {"Accept": "application/fhir+xml"}

        assert record.api.get(f"{path}?_format={wanted}", as_=AUTHOR, headers=headers).status == 200
        assert record.api.get(f"{path}?_format=xml", as_=AUTHOR, headers={"Accept": "*/*"}).status == 406

    def test_a_format_chooses_the_form_of_a_content(self, record: FedRecord) -> None:
        document = record.publish()

        as_fhir = record.api.get(f"/fhir/Binary/{document}?_format=json", as_=AUTHOR, headers={"Accept": "*/*"})

        assert as_fhir.json["resourceType"] == "Binary"
        assert record.api.get(f"/fhir/Binary/{document}?_format=application/pdf", as_=AUTHOR).body == bodies.PDF
        assert record.api.get(f"/fhir/Binary/{document}?_format=xml", as_=AUTHOR).status == 406

    def test_pretty_and_summary_change_nothing_of_a_read(self, record: FedRecord) -> None:
        path = f"/fhir/DocumentReference/{record.publish()}"

        assert record.api.get(f"{path}?_pretty=true", as_=AUTHOR).body == record.api.get(path, as_=AUTHOR).body

    @pytest.mark.parametrize(
        ("content_type", "status"),
        [
            (f"{FHIR_JSON}; charset=utf-8", 201),
            (f'{FHIR_JSON};charset="UTF-8"', 201),
            ("application/json", 201),
            (f"{FHIR_JSON}; charset=iso-8859-1", 415),
            (f"{FHIR_JSON}; charset=utf-16", 415),
            ("application/fhir+xml", 415),
            ("text/plain", 415),
        ],
    )
    def test_bodies_are_json_in_utf_8(self, record: FedRecord, content_type: str, status: int) -> None:
        body = bodies.document(record.id)

        answer = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR, content_type=content_type)

        assert answer.status == status


class TestPreferences:
    @pytest.mark.parametrize(
        ("prefer", "expected"),
        [
            ("", "DocumentReference"),
            ("return=representation", "DocumentReference"),
            ("return=OperationOutcome", "OperationOutcome"),
            ("handling=strict; return=OperationOutcome", "OperationOutcome"),
            ("return=minimal", None),
            ('Return = "minimal"', None),
            ("respond-async, return=minimal", None),
        ],
    )
    def test_a_write_returns_what_is_preferred(self, record: FedRecord, prefer: str, expected: str | None) -> None:
        headers = {"Prefer": prefer}

        made = record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=AUTHOR, headers=headers)
        place = made.headers["location"].rpartition("/_history/")[0]
        changed = record.api.patch(place, MASK, as_=AUTHOR, headers=headers)

        for answer, status in ((made, 201), (changed, 200)):
            assert answer.status == status
            assert answer.headers["etag"] == ('W/"1"' if status == 201 else 'W/"2"')
            assert (answer.json["resourceType"] if answer.body else None) == expected


class TestConditions:
    def test_a_stale_version_is_not_changed(self, record: FedRecord) -> None:
        path = f"/fhir/DocumentReference/{record.publish()}"
        current, stale = {"If-Match": 'W/"2"'}, {"If-Match": 'W/"1"'}

        assert record.api.patch(path, MASK, as_=AUTHOR, headers=stale).status == 200
        assert record.api.patch(path, UNMASK, as_=AUTHOR, headers=stale).code == "version-conflict"
        assert record.api.delete(path, as_=AUTHOR, headers=stale).status == 412
        assert record.api.delete(path, as_=AUTHOR, headers=current).status == 204

    def test_a_second_deletion_is_answered_like_the_first(self, record: FedRecord) -> None:
        path = f"/fhir/DocumentReference/{record.publish()}"

        assert [record.api.delete(path, as_=AUTHOR).status for _ in range(2)] == [204, 204]
        assert record.api.get(path, as_=AUTHOR).status == 410
        assert record.api.patch(path, MASK, as_=AUTHOR).status == 410

    def test_a_patch_finds_its_document_by_identifier_or_says_why_not(self, record: FedRecord) -> None:
        shared = {"system": "urn:oid:1.2.3.4", "value": bodies.unique_id()["value"]}
        query = f"/fhir/DocumentReference?identifier={shared['system']}%7C{shared['value']}"

        assert record.api.patch(query, MASK, as_=AUTHOR).status == 404
        document = record.publish(identifier=[shared])
        assert record.api.patch(query, MASK, as_=AUTHOR).id == document
        record.publish(identifier=[shared])
        assert record.api.patch(query, UNMASK, as_=AUTHOR).code == "multiple-matches"
        assert record.api.patch("/fhir/DocumentReference?status=current", MASK, as_=AUTHOR).status == 400

    def test_a_patch_by_identifier_minds_the_version(self, record: FedRecord) -> None:
        shared = bodies.unique_id()
        record.publish(masterIdentifier=shared)
        query = f"/fhir/DocumentReference?identifier={shared['system']}%7C{shared['value']}"

        assert record.api.patch(query, MASK, as_=AUTHOR, headers={"If-Match": 'W/"9"'}).status == 412
        assert record.api.patch(query, MASK, as_=AUTHOR, headers={"If-Match": 'W/"1"'}).status == 200

    @pytest.mark.parametrize("version", ["", "/_history/1"])
    def test_a_read_is_not_repeated(self, record: FedRecord, version: str) -> None:
        path = f"/fhir/DocumentReference/{record.publish()}{version}"
        first = record.api.get(path, as_=AUTHOR)

        for condition in (
            {"If-None-Match": first.headers["etag"]},
            {"If-Modified-Since": first.headers["last-modified"]},
        ):
            again = record.api.get(path, as_=AUTHOR, headers=condition)
            assert (again.status, again.body) == (304, b"")
        assert record.api.get(path, as_=AUTHOR, headers={"If-Modified-Since": "x"}).status == 200


@pytest.mark.parametrize(
    "path",
    [
        *("DocumentReference/{}", "Binary/{}", "Consent/{}", "AuditEvent/{}", "List/{}", "Patient/{}"),
    ],
)
def test_every_read_is_conditional_both_ways(record: FedRecord, path: str) -> None:
    url = f"/fhir/{path.format(one_of(record, path.partition('/')[0]))}"
    first = record.api.get(url, as_=record.patient)

    again = [
        record.api.get(url, as_=record.patient, headers=condition).status
        for condition in (
            {"If-None-Match": first.headers["etag"]},
            {"If-Modified-Since": first.headers["last-modified"]},
            {"If-None-Match": '"other"'},
            {"If-Modified-Since": "Mon, 02 Mar 2020 12:00:00 GMT"},
        )
    ]

    assert again == [304, 304, 200, 200]


def one_of(record: FedRecord, kind: str) -> str:
    """The id of a resource of this type in the record."""
    match kind:
        case "Patient":
            return record.id
        case "DocumentReference" | "Binary":
            return record.publish()
        case "List":
            answer = record.api.post("/fhir", bodies.submission(record.id), as_=AUTHOR)
            return str(answer.json["entry"][0]["response"]["location"].split("/")[1])
    return str(record.api.get(f"/fhir/{kind}?patient={record.id}", as_=record.patient).resources[0]["id"])


@pytest.mark.parametrize(
    "path",
    [
        *("DocumentReference/{0}", "DocumentReference/{0}/_history", "DocumentReference/{0}/_history/1", "Binary/{0}"),
        *("DocumentReference?patient={1}&status=current", "Patient/{1}", "Consent?patient={1}", "metadata"),
    ],
)
def test_head_is_get_without_its_body(record: FedRecord, path: str) -> None:
    url = f"/fhir/{path.format(record.publish(), record.id)}"

    full = record.api.get(url, as_=record.patient)
    head = record.api.head(url, as_=record.patient)

    own = {"x-request-id", "apigw-requestid", "content-length"}
    assert (head.status, head.body) == (full.status, b"")
    assert {n: v for n, v in head.headers.items() if n not in own} == {
        n: v for n, v in full.headers.items() if n not in own
    }
    assert head.headers["content-length"] == str(len(full.body))


class TestHistories:
    @pytest.fixture
    def place(self, record: FedRecord) -> str:
        """The history of a document of five versions."""
        path = f"/fhir/DocumentReference/{record.publish()}"
        for change in (MASK, UNMASK, MASK, UNMASK):
            assert record.api.patch(path, change, as_=AUTHOR).status == 200
        return f"{path}/_history"

    def versions(self, answer: Response) -> list[str]:
        return [entry["resource"]["meta"]["versionId"] for entry in answer.json.get("entry", [])]

    def test_a_history_is_read_page_by_page(self, record: FedRecord, place: str) -> None:
        pages = [record.api.get(f"{place}?_count=2", as_=AUTHOR)]
        while "next" in pages[-1].links:
            pages.append(record.api.get(pages[-1].links["next"], as_=AUTHOR))

        assert [self.versions(page) for page in pages] == [["5", "4"], ["3", "2"], ["1"]]
        assert {page.json["total"] for page in pages} == {5}
        assert [self.versions(record.api.get(page.links["self"], as_=AUTHOR)) for page in pages] == [
            self.versions(page) for page in pages
        ]

    def test_a_history_begins_where_it_is_asked_to(self, record: FedRecord, place: str) -> None:
        updated = record.api.get(place, as_=AUTHOR).json["entry"][1]["resource"]["meta"]["lastUpdated"]

        since = record.api.get(f"{place}?_since={updated}", as_=AUTHOR)

        assert self.versions(since)[-1] == "4"
        assert self.versions(record.api.get(f"{place}?_since=2099-01-01", as_=AUTHOR)) == []

    @pytest.mark.parametrize("query", ["_count=0", "_count=x", "_since=yesterday", "_cursor=AAAA"])
    def test_what_cannot_be_read_is_refused(self, record: FedRecord, place: str, query: str) -> None:
        assert record.api.get(f"{place}?{query}", as_=AUTHOR).status == 400

    def test_a_link_leads_its_caller_alone_through_its_own_history(self, record: FedRecord, place: str) -> None:
        following = record.api.get(f"{place}?_count=2", as_=AUTHOR).links["next"]
        other = f"/fhir/DocumentReference/{record.publish()}/_history?{following.partition('?')[2]}"

        assert record.api.get(following, as_=record.patient).code == "invalid-cursor"
        assert record.api.get(other, as_=AUTHOR).code == "invalid-cursor"
