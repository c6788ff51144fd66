"""How much one deposit may hold and name, and what a deposit full to the brim does (ITI-65, ITI-105)."""

from typing import Any
from uuid import uuid4

import pytest

from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import Killed, counted, killed
from tests.cda_factories import cda
from tests.faults import fsck
from tests.fed_record import AUTHOR, HOSPITAL, FedRecord, open_record
from tests.integration.test_cda_versions import together
from tests.integration.test_folders import holding, named
from tests.integration.test_submissions import OTHER_PDF, documents_of, submit, superseding, with_folder

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def entry_uuid() -> Json:
    return {"use": "official", "system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid4()}"}


def pdfs(count: int) -> list[bytes]:
    return [f"%PDF-1.7\n%{number}\n%%EOF\n".encode() for number in range(count)]


def with_identifiers(body: Json, count: int) -> list[Json]:
    """Give each document of a bundle further identifiers; all of them."""
    given = []
    for entry in body["entry"]:
        if entry["resource"]["resourceType"] == "DocumentReference":
            entry["resource"]["identifier"] = [entry_uuid() for _ in range(count)]
            given += entry["resource"]["identifier"]
    return given


def of_one(record: FedRecord, identifier: Json) -> list[str]:
    query = f"status=current&identifier={identifier['system']}|{identifier['value']}"
    return record.found(record.patient, query)


class TestThirtyDocuments:
    def test_with_two_further_identifiers_each_are_one_submission(self, record: FedRecord) -> None:
        body = bodies.submission(record.id, *pdfs(30))
        given = with_identifiers(body, 2)

        answer = submit(record, body)

        assert answer.status == 200, answer.body
        documents = documents_of(answer)
        for place in (0, 1, 30, 59):
            assert of_one(record, given[place]) == [documents[place // 2]]
        assert fsck.problems(record) == []

    def test_each_a_version_of_another_set_with_an_entry_uuid_are_one_submission(self, record: FedRecord) -> None:
        versions = {f"2.25.{2000 + number}.1": 1 for number in range(30)}

        answer = together(record, versions, identifier=[entry_uuid()])

        assert len(documents_of(answer)) == 30
        found = record.found(AUTHOR, "status=current&identifier=urn:ietf:rfc:3986|urn:oid:2.25.2007")
        assert found == [documents_of(answer)[7]]

    def test_leave_nothing_that_is_found_where_the_process_ends_half_way(self, record: FedRecord) -> None:
        body = bodies.submission(record.id, *pdfs(30))
        given = with_identifiers(body, 2)

        with pytest.raises(Killed), killed("TransactWriteItems"):
            submit(record, body)

        assert of_one(record, given[0]) == []
        assert {one.partition("#")[0] for one in fsck.problems(record)} == {"I1 I"}
        answer = submit(record, body)
        assert answer.status == 200, answer.body
        assert of_one(record, given[0]) == documents_of(answer)[:1]

    def test_that_replace_thirty_are_told_why_they_are_too_many(self, record: FedRecord) -> None:
        former = [record.publish(HOSPITAL, content) for content in pdfs(30)]
        body = bodies.submission(record.id, *(content + b"%" for content in pdfs(30)))
        documents = [e["resource"] for e in body["entry"] if e["resource"]["resourceType"] == "DocumentReference"]
        for document, replaced in zip(documents, former, strict=True):
            target = {"reference": f"DocumentReference/{replaced}"}
            document["relatesTo"] = [{"code": "replaces", "target": target}]

        answer = submit(record, body)

        assert (answer.status, answer.code) == (413, "too-many")
        assert "hundred" in answer.json["issue"][0]["diagnostics"]
        assert len(record.objects()) == 30


class TestWhatOneDocumentRelatesTo:
    @pytest.mark.parametrize("element", ["relatesTo", "context"])
    def test_is_bounded(self, record: FedRecord, element: str) -> None:
        targets = [{"reference": f"DocumentReference/{record.id}.{number:026d}"} for number in range(101)]
        relations = [{"code": "appends", "target": target} for target in targets]
        more = {"relatesTo": relations} if element == "relatesTo" else {"context": {"related": targets}}

        with counted() as calls:
            answer = record.api.post("/fhir/DocumentReference", bodies.document(record.id, **more), as_=AUTHOR)

        place = "relatesTo" if element == "relatesTo" else "context.related"
        assert (answer.status, answer.code) == (422, "invalid-resource")
        assert answer.json["issue"][0]["expression"] == [f"DocumentReference.{place}"]
        assert len(calls) < 10

    def test_is_bounded_in_a_cda_too(self, record: FedRecord) -> None:
        related = "".join(
            f'<relatedDocument typeCode="APND"><parentDocument><id root="1.2.{number}"/></parentDocument>'
            "</relatedDocument>"
            for number in range(101)
        )
        body = bodies.document(record.id, cda(related), content_type="text/xml")

        answer = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)

        assert (answer.status, answer.code) == (422, "invalid-resource")


class TestABundle:
    def test_takes_thirty_patches(self, record: FedRecord) -> None:
        body = bodies.submission(record.id)
        body["entry"] += [superseding(f"{record.id}.{number:026d}") for number in range(31)]

        answer = submit(record, body)

        assert (answer.status, answer.code) == (413, "too-many")
        assert answer.json["issue"][0]["expression"] == ["Bundle.entry[33].resource"]

    def test_takes_thirty_folders(self, record: FedRecord) -> None:
        body = with_folder(record, named(), "POST")
        folder = body["entry"][-1]
        for _ in range(30):
            other = {**folder["resource"], "identifier": [named()]}
            body["entry"].append({**folder, "fullUrl": f"urn:uuid:{uuid4()}", "resource": other})

        answer = submit(record, body)

        assert (answer.status, answer.code) == (413, "too-many")

    def test_takes_a_thousand_entries_of_lists(self, record: FedRecord) -> None:
        body = with_folder(record, named(), "POST")
        holding(body, 0, *(f"DocumentReference/{record.id}.{number:026d}" for number in range(1000)))

        answer = submit(record, body)

        assert (answer.status, answer.code) == (413, "too-many")
        assert answer.json["issue"][0]["expression"] == ["Bundle.entry[0].resource.entry"]

    def test_fills_a_folder_no_further_than_it_is_read(
        self, record: FedRecord, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("dmp.services.deposit_lists.MOST_HELD", 0)
        name = named()
        submit(record, with_folder(record, name, "POST"))

        answer = submit(record, with_folder(record, name, "PUT", OTHER_PDF))

        assert (answer.status, answer.code) == (413, "too-many")
        assert answer.json["issue"][0]["expression"] == ["Bundle.entry[3].resource.entry"]

    def test_that_comes_again_with_more_ends_nothing_twice(self, record: FedRecord) -> None:
        former = record.publish(HOSPITAL, OTHER_PDF)
        body = bodies.submission(record.id, *pdfs(2))
        first = {**body, "entry": [*_alone(body), superseding(former)]}
        assert submit(record, first).status == 200

        answer = submit(record, {**body, "entry": [*_renamed(body), superseding(former)]})

        assert answer.status == 200, answer.body
        statuses = [entry["response"]["status"] for entry in answer.json["entry"]]
        assert statuses == ["201 Created", "200 OK", "201 Created", "200 OK", "201 Created", "200 OK"]
        assert fsck.problems(record) == []


def _alone(body: Json) -> list[Json]:
    """The submission with its first document alone."""
    submission_set, document, _, binary, _ = body["entry"]
    held = {**submission_set["resource"], "entry": submission_set["resource"]["entry"][:1]}
    return [{**submission_set, "resource": held}, document, binary]


def _renamed(body: Json) -> list[Json]:
    submission_set, *others = body["entry"]
    identifiers = [{**bodies.unique_id(), "use": "usual"}]
    return [{**submission_set, "resource": {**submission_set["resource"], "identifier": identifiers}}, *others]


def test_naming_a_masked_document_costs_what_naming_none_costs(record: FedRecord) -> None:
    unique_id = bodies.unique_id()
    record.mask(record.publish(AUTHOR, masterIdentifier=unique_id))
    costs = []

    for one in (unique_id, bodies.unique_id()):
        target = {"identifier": {"system": one["system"], "value": one["value"]}}
        body = bodies.document(record.id, OTHER_PDF, relatesTo=[{"code": "appends", "target": target}])
        with counted() as calls:
            answer = record.api.post("/fhir/DocumentReference", body, as_=HOSPITAL)
        costs.append((answer.status, answer.code, list(calls)))

    assert costs[0] == costs[1]
    assert costs[0][:2] == (422, "unknown-reference")
