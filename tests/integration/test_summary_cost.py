"""What a summary costs in calls to AWS, however many documents the record holds, and what it says of the rest."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto.dynamodb.models.dynamo_type import DynamoType

from tests.api_client import ApiClient
from tests.aws_calls import counted
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord, open_record
from tests.health_record import allergy, condition, medication, observation
from tests.ips_rules import assert_summary, entries_of, sections
from tests.many_documents import store_documents, table_of

type Json = dict[str, Any]


@pytest.fixture(scope="module", params=[10, 250, 1_000])
def count(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def record(count: int, api: ApiClient, stack: dict[str, str]) -> Iterator[FedRecord]:
    """A record of that many documents, each of which says something; gone afterwards."""
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    record.name_attending_physician(AUTHOR)
    api.get(f"/fhir/Patient/{record.id}/$summary", as_=SPECIALIST)  # the function fetches the secret once
    store_documents(record, count, says)
    yield record
    del table_of(record).items[DynamoType({"S": f"R#{record.id}"})]


def says(number: int) -> list[Json]:
    return [condition(f"{number}"), allergy(), medication(), observation(number, "2020-01-01", f"{number}-1")]


def test_a_summary_is_two_reads_and_one_entry_of_the_trace_beyond_100_documents_the_second_in_parts(
    record: FedRecord, count: int
) -> None:
    with counted() as calls:
        answer = record.api.get(f"/fhir/Patient/{record.id}/$summary", as_=SPECIALIST)

    assert answer.status == 200
    parts = {10: 1, 250: 3, 1_000: 4}[count]
    assert calls == ["Query", *["BatchGetItem"] * parts, "PutItem"]


def test_a_summary_of_more_documents_than_are_looked_at_says_so(record: FedRecord, count: int) -> None:
    answer = record.api.get(f"/fhir/Patient/{record.id}/$summary", as_=SPECIALIST)

    assert_summary(answer.json)
    is_too_large = count == 1_000
    words = "Le dossier n'a pas pu être examiné en entier"
    assert (words in answer.json["entry"][0]["resource"]["text"]["div"]) == is_too_large
    told = list(sections(answer.json).values())[:4]
    assert all((words in section["text"]["div"]) == is_too_large for section in told)
    assert len(entries_of(answer.json, "48765-2")) == 1
    assert len(entries_of(answer.json, "11450-4")) == min(count, 150)
