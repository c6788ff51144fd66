"""The index of a record made anew, by order of the operator: from nothing, after a change of readers, in pieces."""

from importlib import import_module
from typing import Any

import pytest

from dmp.adapters import aws, profile_items
from dmp.domain.clinical_profile import Candidate, Extraction, ProfileKind
from tests import texts, uploads
from tests.api_client import ApiClient
from tests.aws_calls import counted, refused
from tests.closed_record import Remaining, close
from tests.fed_record import SPECIALIST, FedRecord, open_record

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    return record


def rebuilt(record: FedRecord, **more: str) -> Json:
    answer: Json = record.api.run("IndexRebuild", {"record": record.id, **more})
    return answer


def index_of(record: FedRecord) -> list[Json]:
    return [item for item in record.items() if item["sk"]["S"].startswith(("T#", "EX#"))]


def forget(record: FedRecord) -> None:
    """Leave nothing of the index."""
    for item in index_of(record):
        key = {"pk": item["pk"], "sk": item["sk"]}
        aws.client("dynamodb").delete_item(TableName=record.stores["RECORDS_TABLE"], Key=key)


def fill(record: FedRecord) -> list[str]:
    """A narrative, a PDF, an upload and an image, the oldest first."""
    return [
        record.publish(
            date="2026-01-01T08:00:00Z",
            content=texts.level_3("Glycémie"),
            content_type="text/xml",
            attachment={"title": None},
        ),
        record.publish(date="2026-01-02T08:00:00Z", content=texts.pdf("Glycémie")),
        uploads.uploaded(record, texts.pdf("Glycémie "), date="2026-01-03T08:00:00Z"),
        record.publish(date="2026-01-04T08:00:00Z", content=b"\xff\xd8\xff" + bytes(9), content_type="image/jpeg"),
    ]


def found(record: FedRecord, word: str = "glycemie") -> list[str]:
    return record.found(SPECIALIST, f"status=current&_content={word}&_sort=date")


def test_everything_is_read_again_from_the_documents(record: FedRecord) -> None:
    documents = fill(record)
    forget(record)
    lost = found(record)

    answer = rebuilt(record)

    assert lost == []
    assert answer == {"record": record.id, "read": 4, "failed": 0, "done": True, "after": documents[-1][27:]}
    assert found(record) == documents[:3]
    assert found(record, "lettre") == documents


def test_twice_is_as_once_and_nobody_learns_of_it(record: FedRecord) -> None:
    fill(record)
    rebuilt(record)
    before, told = record.items(), record.trace()

    rebuilt(record)

    assert (record.items(), record.trace()) == (before, told)


def test_what_was_found_before_and_is_found_no_more_goes(record: FedRecord) -> None:
    document = record.publish(content=texts.level_3("Glycémie"), content_type="text/xml")
    record_id, _, local = document.partition(".")
    said = Candidate(kind=ProfileKind.CONDITION, section=None, resource={"resourceType": "Condition"})
    former = Extraction(record=record_id, local=local, candidates=(said,))
    table = record.stores["RECORDS_TABLE"]
    aws.client("dynamodb").put_item(TableName=table, Item=profile_items.write_extraction(former))

    rebuilt(record)

    item = texts.item_of(record, document, "EX#")
    assert item
    assert profile_items.read_extraction(item).candidates == ()


def test_a_run_that_is_out_of_time_says_where_to_go_on(record: FedRecord) -> None:
    documents = fill(record)
    forget(record)
    handler = import_module("handlers.index_rebuild").handler

    first = handler({"record": record.id}, Remaining(2))
    second = handler({"record": record.id, "after": first["after"]}, Remaining(9))

    assert (first["read"], first["done"], first["after"]) == (2, False, documents[1][27:])
    assert (second["read"], second["done"]) == (2, True)
    assert found(record) == documents[:3]


def test_a_document_that_cannot_be_read_keeps_back_no_other(record: FedRecord) -> None:
    documents = fill(record)
    forget(record)

    with refused("GetObject", nth=4):
        answer = rebuilt(record)

    assert (answer["read"], answer["failed"], answer["done"]) == (3, 1, False)
    assert found(record) == documents[:3]


def test_a_document_costs_one_get_and_one_transaction(record: FedRecord) -> None:
    fill(record)
    rebuilt(record)

    with counted() as calls:
        rebuilt(record)

    assert calls == ["GetItem", "Query", *["GetObject", "TransactWriteItems"] * 4]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({}, "invalid-parameter"),
        ({"record": "../x"}, "invalid-parameter"),
        ({"record": 7}, "invalid-parameter"),
        ({"record": "0" * 26}, "no-record"),
        ({"record": "0" * 26, "after": "x"}, "invalid-parameter"),
    ],
)
def test_an_order_that_is_none_is_refused(api: ApiClient, stack: dict[str, str], event: Json, code: str) -> None:
    assert stack
    assert api.run("IndexRebuild", event)["error"] == code


def test_a_closed_record_is_read_too(record: FedRecord) -> None:
    fill(record)
    forget(record)
    close(record)

    assert rebuilt(record)["read"] == 4
