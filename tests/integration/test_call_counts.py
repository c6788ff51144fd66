"""What a request costs in calls to AWS, in order, however many documents the record holds."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from dmp.adapters import document_items, profile_items
from dmp.domain.clinical_profile import DocumentText
from dmp.domain.document import Coding, Depositor, DocumentEntry, DocumentStatus, StoredContent
from dmp.domain.document_list import ListEntry, ListKind
from dmp.domain.identifiers import local_id, moment_of
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import counted
from tests.fed_record import AUTHOR, COLLEAGUE, SPECIALIST, FedRecord, open_record

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
SYNTHESIS = "60591-5"


@pytest.fixture(scope="module", params=[10, 10_000])
def record(request: pytest.FixtureRequest, api: ApiClient, stack: dict[str, str]) -> Iterator[FedRecord]:
    """A record of that many documents, gone afterwards; only the newest have bytes."""
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    # each function fetches the secret once
    record.api.get(
        f"/fhir/DocumentReference?patient.identifier={bodies.qualified(record.ins)}&status=current", as_=SPECIALIST
    )
    template = record.api.get(f"/fhir/DocumentReference/{record.publish()}", as_=AUTHOR).json
    body = {key: value for key, value in template.items() if key not in {"id", "meta"}}
    stored = moto_table(stack["RECORDS_TABLE"])
    for entry in entries(record.id, body, request.param):
        stored.put_item(document_items.write_document(entry) | document_items.document_indexes(entry))
        stored.put_item(document_items.write_list(holding(entry)))
        text = DocumentText(record=entry.record, local=entry.local, words="lettre liaison", is_whole=True)
        stored.put_item(profile_items.write_text(text))
    yield record
    # moto looks at every item of a table for each query of an index: the tests to come would take minutes
    del stored.items[DynamoType({"S": f"R#{record.id}"})]


def entries(record: str, body: Mapping[str, Any], count: int) -> Iterator[DocumentEntry]:
    depositor = Depositor(AUTHOR.identifier, AUTHOR.structure)
    for number in range(count):
        moment = FIRST + timedelta(hours=number)
        code = (bodies.DISCHARGE_LETTER, SYNTHESIS)[number % 2]
        yield DocumentEntry(
            record=record,
            local=local_id(moment, number.to_bytes(16)),
            version=1,
            updated=moment,
            status=DocumentStatus.CURRENT,
            type=Coding(bodies.LOINC, code),
            visibility=frozenset(),
            depositor=replace(depositor, person=None) if number % 3 else depositor,
            authors=frozenset(),
            content=StoredContent(key="none", content_type="application/pdf", size=1, sha1="", sha256=""),
            master_identifier=None,
            body=json.dumps(body),
        )


def holding(entry: DocumentEntry) -> ListEntry:
    """A list of this document: one in ten is a Folder, the others are SubmissionSets."""
    is_folder = moment_of(entry.local).hour % 10 == 0
    code = {"coding": [{"code": "folder" if is_folder else "submissionset"}]}
    body = {"resourceType": "List", "status": "current", "mode": "working", "code": code,
            "date": moment_of(entry.local).isoformat()}  # fmt: skip
    return ListEntry(
        record=entry.record,
        local=entry.local,
        version=1,
        updated=entry.updated,
        kind=ListKind.FOLDER if is_folder else ListKind.SUBMISSION_SET,
        status="current",
        depositor=entry.depositor,
        identifiers=(),
        documents=(entry.local,),
        body=json.dumps(body),
    )


def moto_table(name: str) -> Any:
    """Where moto keeps a table: through its front door ten thousand entries take minutes."""
    return dynamodb_backends["123456789012"]["eu-west-3"].tables[name]


BOUNDED: list[str] = []
"""Of a search that must look through the record: not more than MOST of these."""
MOST = 7
LISTS = {
    "patient={id}&status=current": ["Query", "PutItem"],
    "patient={id}&status=current&_count=100": ["Query", "PutItem"],
    "patient={id}&status=current,superseded&date=ge2019-01-01": ["Query", "PutItem"],
    "patient.identifier={ins}&status=current": ["GetItem", "Query", "PutItem"],
    "patient={id}&status=current&type=60591-5": ["Query", "BatchGetItem", "PutItem"],
    "patient={id}&status=current&category=11": ["Query", "BatchGetItem", "PutItem"],
    "patient={id}&status=current&type=60591-5&date=ge2020": ["Query", "BatchGetItem", "PutItem"],
    "patient={id}&status=current&date=le2020-01-01T04:00:00Z": ["GetItem", "Query", "PutItem"],
    "patient={id}&status=current&type=60591-5&author:identifier=810101234567": ["Query", "BatchGetItem", "PutItem"],
    "patient={id}&status=current&format=urn:none,other": BOUNDED,
    "patient={id}&status=current&author.identifier=810101234567&contenttype=application/pdf": ["Query", "PutItem"],
    "patient={id}&status=current&_sort=date": ["GetItem", "Query", "PutItem"],
    "patient={id}&status=current&_sort=-_lastUpdated": ["Query", "BatchGetItem", "PutItem"],
    "patient={id}&status=current&_sort=_lastUpdated&_lastUpdated=ge2020": ["Query", "BatchGetItem", "PutItem"],
    "patient={id}&status=current&_lastUpdated=ge2026": ["Query", "BatchGetItem", "PutItem"],
    "patient={id}&status=current,superseded&_lastUpdated=ge2026&type=11490-0": ["Query", "BatchGetItem", "PutItem"],
    "patient={id}&status=current&_include=DocumentReference:patient": ["Query", "PutItem"],
    "patient={id}&status=current&_content=liaison": ["Query", "BatchGetItem", "PutItem"],
    "patient={id}&status=current&_content=liaison&type=60591-5": BOUNDED,
    "patient={id}&status=current&_content=liaison&_sort=date": ["Query", "BatchGetItem", "PutItem"],
    "patient={id}&status=current&_content=liaison&_sort=-_lastUpdated": [
        "Query",
        "BatchGetItem",
        "BatchGetItem",
        "PutItem",
    ],
}


@pytest.mark.parametrize("query", LISTS)
def test_a_list_is_one_query_and_one_trace_entry(record: FedRecord, query: str) -> None:
    url = query.format(id=record.id, ins=quote(bodies.qualified(record.ins)))

    with counted() as calls:
        answer = record.api.get(f"/fhir/DocumentReference?{url}", as_=SPECIALIST)

    assert answer.status == 200
    assert answer.resources or LISTS[query] is BOUNDED
    assert calls == LISTS[query] or (LISTS[query] is BOUNDED and len(calls) <= MOST)


LISTS_OF_DOCUMENTS = {
    "": ["Query", "BatchGetItem", "PutItem"],
    "&_count=3&_sort=date": ["Query", "BatchGetItem", "PutItem"],
    "&code=submissionset&_count=3": ["Query", "BatchGetItem", "PutItem"],
    "&code=submissionset&date=ge2020&_include=List:item": ["Query", "BatchGetItem", "PutItem"],
    "&code=folder": ["Query", "BatchGetItem", "BatchGetItem", "PutItem"],
    "&code=folder&date=ge2020&_include=List:patient": ["Query", "BatchGetItem", "BatchGetItem", "PutItem"],
}


@pytest.mark.parametrize("query", LISTS_OF_DOCUMENTS)
def test_a_search_for_lists_costs_the_same_in_every_record(record: FedRecord, query: str) -> None:
    url = f"/fhir/List?patient={record.id}&status=current{query}"
    record.api.get(url, as_=SPECIALIST)

    with counted() as calls:
        answer = record.api.get(url, as_=SPECIALIST)

    assert answer.status == 200
    assert answer.resources
    assert calls == LISTS_OF_DOCUMENTS[query]


def test_a_search_for_lists_that_looks_through_the_record_is_bounded(
    record: FedRecord, request: pytest.FixtureRequest
) -> None:
    with counted() as calls:
        answer = record.api.get(f"/fhir/List?patient={record.id}&status=current&title=none", as_=SPECIALIST)

    assert answer.resources == []
    assert ("next" in answer.links) is (size_of(request) > 400)
    assert len(calls) <= MOST + 1


def test_a_stranger_learns_of_no_lists(record: FedRecord) -> None:
    from tests.fed_record import STRANGER

    with counted() as calls:
        answer = record.api.get(f"/fhir/List?patient={record.id}&status=current", as_=STRANGER)

    assert answer.status == 403
    assert calls == ["Query", "BatchGetItem", "Query", "Query", "PutItem"]


def test_own_lists_are_looked_for_within_the_same_bounds(record: FedRecord, request: pytest.FixtureRequest) -> None:
    from tests.fed_record import HOSPITAL

    record.publish(HOSPITAL, b"%PDF-1.4 own", date="2019-01-01T00:00:00Z")
    url: str | None = f"/fhir/List?patient={record.id}&status=current"
    answers: list[Response] = []
    costs = []

    while url and len(answers) < 3:
        with counted() as calls:
            answers.append(record.api.get(url, as_=HOSPITAL))
        costs.append(len(calls))
        url = answers[-1].links.get("next") if answers[-1].status == 200 else None

    is_large = size_of(request) > 400
    assert [one.status for one in answers] == ([200, 200, 200] if is_large else [403])
    assert not any(one.resources for one in answers if is_large)
    assert max(costs) <= 2 * MOST


@pytest.mark.parametrize("name", ["identifier", "type", "category", "_id"])
def test_many_alternatives_cost_no_more_than_a_record_looked_through(record: FedRecord, name: str) -> None:
    from tests.fed_record import STRANGER

    values = ",".join(f"urn:none|{n}" for n in range(50 - 1))
    costs = []
    for who in (SPECIALIST, STRANGER):
        with counted() as calls:
            answer = record.api.search(
                "/fhir/DocumentReference", {"patient": record.id, "status": "current", name: values}, as_=who
            )
        assert answer.status == (200 if who is SPECIALIST else 403)
        costs.append(len(calls))

    assert max(costs) <= MOST


def test_a_search_that_looks_through_the_record_goes_on(record: FedRecord, request: pytest.FixtureRequest) -> None:
    first = record.find(SPECIALIST, "status=current&facility=SA01")

    is_large = size_of(request) > 400
    assert ("next" in first.links) is is_large
    assert ("total" in first.json) is not is_large
    assert first.resources == []


def test_what_is_new_since_a_visit_comes_in_the_order_of_dates(record: FedRecord) -> None:
    (newest_id,) = newest(record)

    answer = record.find(SPECIALIST, "status=current&_lastUpdated=ge2026")
    none = record.find(SPECIALIST, "status=current&_lastUpdated=ge2030")

    assert answer.resources[0]["id"] == newest_id
    assert answer.json["total"] == len(answer.resources) < 10
    assert none.json["total"] == 0


@pytest.mark.parametrize("query", ["_sort=date", "_sort=_lastUpdated", "_sort=-_lastUpdated", "_lastUpdated=ge2020"])
def test_further_pages_keep_the_order(record: FedRecord, query: str) -> None:
    first = record.find(SPECIALIST, f"status=current&_count=3&{query}")
    second = record.api.get(first.links["next"], as_=SPECIALIST)
    both = record.find(SPECIALIST, f"status=current&_count=6&{query}")

    assert [one["id"] for one in (*first.resources, *second.resources)] == [one["id"] for one in both.resources]


@pytest.mark.parametrize("query", ["status=current&_count=3", "status=current&date=lt2020-01-01T09:00:00Z&_count=3"])
def test_a_further_page_reads_the_head_beside(record: FedRecord, query: str) -> None:
    url = record.find(SPECIALIST, query).links["next"]

    with counted() as calls:
        answer = record.api.get(url, as_=SPECIALIST)

    assert len(answer.resources) == 3
    assert calls == ["GetItem", "Query", "PutItem"]


def test_a_further_page_of_an_index_is_one_query_too(record: FedRecord) -> None:
    url = record.find(SPECIALIST, "status=current&type=60591-5&_count=2").links["next"]

    with counted() as calls:
        answer = record.api.get(url, as_=SPECIALIST)

    assert len(answer.resources) == 2
    assert calls == ["Query", "BatchGetItem", "PutItem"]


def test_own_documents_cost_a_query_for_person_and_structure(record: FedRecord) -> None:
    with counted() as calls:
        answer = record.find(COLLEAGUE, "status=current&_count=3")

    assert len(answer.resources) == 3
    assert calls == ["Query", "Query", "Query", "BatchGetItem", "PutItem"]


def test_a_search_that_matches_nothing_is_bounded(record: FedRecord) -> None:
    with counted() as superseded:
        record.find(SPECIALIST, "status=superseded")
    with counted() as deleted:
        record.find(SPECIALIST, "status=entered-in-error")

    assert len(superseded) <= 6
    assert deleted == ["GetItem", "PutItem"]


@pytest.mark.parametrize("place", ["DocumentReference/{}", "DocumentReference/{}/_history/1"])
def test_a_read_is_one_batch_get_and_one_trace_entry(record: FedRecord, place: str) -> None:
    (document,) = newest(record)

    with counted() as calls:
        assert record.api.get(f"/fhir/{place.format(document)}", as_=SPECIALIST).status == 200

    assert calls == ["BatchGetItem", "PutItem"]


def test_a_retrieval_is_traced_before_the_bytes_are_fetched(record: FedRecord) -> None:
    (document,) = newest(record)

    with counted() as calls:
        assert record.api.get(f"/fhir/Binary/{document}", as_=SPECIALIST).body == bodies.PDF

    assert calls == ["BatchGetItem", "PutItem", "GetObject"]


def test_a_deposit_is_one_read_one_object_and_one_transaction(record: FedRecord) -> None:
    with counted() as calls:
        record.publish(content=b"%PDF-1.4 counted", date="2019-01-01T00:00:00Z")

    assert calls == ["BatchGetItem", "PutObject", "TransactWriteItems"]


def test_a_bundle_is_one_read_its_objects_and_one_transaction(record: FedRecord) -> None:
    contents = [f"%PDF-1.4 counted {n}".encode() for n in range(3)]
    body = bodies.submission(record.id, *contents, date="2019-01-01T00:00:00Z")

    with counted() as calls:
        assert record.api.post("/fhir", body, as_=AUTHOR).status == 200

    assert calls == ["BatchGetItem", *["PutObject"] * 3, "TransactWriteItems"]


def test_a_deposit_by_ins_reads_the_record_first(record: FedRecord) -> None:
    subject = {"reference": f"Patient?identifier={bodies.qualified(record.ins)}"}

    with counted() as calls:
        record.publish(content=b"%PDF-1.4 by ins", date="2019-01-01T00:00:00Z", subject=subject)

    assert calls == ["GetItem", "BatchGetItem", "PutObject", "TransactWriteItems"]


def test_a_refusal_is_one_trace_entry(record: FedRecord) -> None:
    from tests.fed_record import STRANGER

    (document,) = newest(record)

    with counted() as calls:
        assert record.api.get(f"/fhir/Binary/{document}", as_=STRANGER).status == 403

    assert calls == ["BatchGetItem", "PutItem"]


def test_a_change_is_one_read_and_one_transaction(record: FedRecord) -> None:
    document = record.publish(content=b"%PDF-1.4 changed", date="2019-01-01T00:00:00Z")

    with counted() as calls:
        record.mask(document)

    assert calls == ["BatchGetItem", "TransactWriteItems"]


def size_of(request: pytest.FixtureRequest) -> int:
    """How many documents the record of a test holds."""
    return int(request.node.callspec.params["record"])


def newest(record: FedRecord) -> list[str]:
    """The one document that has bytes."""
    return record.found(SPECIALIST, "status=current&_count=1")
