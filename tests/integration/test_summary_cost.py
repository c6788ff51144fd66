"""What a summary costs in calls to AWS: the same, however many documents the record holds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from dmp.adapters import document_items, profile_items
from dmp.domain.clinical_profile import Candidate, Extraction, ProfileKind
from dmp.domain.document import Coding, Depositor, DocumentEntry, DocumentStatus, StoredContent
from dmp.domain.identifiers import local_id
from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import counted
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord, open_record
from tests.health_record import allergy, condition, medication, observation
from tests.ips_rules import assert_summary, entries_of, resources, sections

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
BODY = (
    '{"resourceType":"DocumentReference","status":"current","date":"2020-01-01T08:00:00Z","content":[{"attachment":'
    '{"contentType":"application/pdf","title":"Lettre"}}]}'
)


@pytest.fixture(scope="module", params=[10, 1_000])
def record(request: pytest.FixtureRequest, api: ApiClient, stack: dict[str, str]) -> Iterator[FedRecord]:
    """A record of that many documents, each of which says something; gone afterwards."""
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    record.name_attending_physician(AUTHOR)
    api.get(f"/fhir/Patient/{record.id}/$summary", as_=SPECIALIST)  # the function fetches the secret once
    stored: Any = dynamodb_backends["123456789012"]["eu-west-3"].tables[stack["RECORDS_TABLE"]]
    for entry, extraction in documents(record.id, request.param):
        stored.put_item(document_items.write_document(entry) | document_items.document_indexes(entry))
        stored.put_item(profile_items.write_extraction(extraction))
    yield record
    del stored.items[DynamoType({"S": f"R#{record.id}"})]


def documents(record: str, count: int) -> Iterator[tuple[DocumentEntry, Extraction]]:
    for number in range(count):
        moment = FIRST + timedelta(hours=number)
        local = local_id(moment, number.to_bytes(16))
        found = (condition(f"{number}"), allergy(), medication(), observation(number, "2020-01-01", f"{number}-1"))
        candidates = tuple(
            Candidate(kind=ProfileKind(one["resourceType"]), section=Coding(bodies.LOINC, "11450-4"), resource=one)
            for one in found
        )
        entry = DocumentEntry(
            record=record,
            local=local,
            version=1,
            updated=moment,
            status=DocumentStatus.CURRENT,
            type=Coding(bodies.LOINC, "60591-5" if number % 2 else bodies.DISCHARGE_LETTER),
            visibility=frozenset(),
            depositor=Depositor(AUTHOR.identifier, AUTHOR.structure),
            authors=frozenset(),
            content=StoredContent(key="none", content_type="application/pdf", size=1, sha1="", sha256=""),
            master_identifier=None,
            body=BODY,
        )
        yield entry, Extraction(record=record, local=local, candidates=candidates)


def test_a_summary_is_two_reads_and_one_entry_of_the_trace(record: FedRecord) -> None:
    with counted() as calls:
        answer = record.api.get(f"/fhir/Patient/{record.id}/$summary", as_=SPECIALIST)

    assert answer.status == 200
    assert calls == ["Query", "BatchGetItem", "PutItem"]


def test_a_summary_of_many_documents_says_that_older_ones_were_left_out(record: FedRecord) -> None:
    answer = record.api.get(f"/fhir/Patient/{record.id}/$summary", as_=SPECIALIST)

    assert_summary(answer.json)
    is_large = len(resources(answer.json, "DocumentReference")) > 10
    words = "Des documents plus anciens du dossier n'ont pas été repris"
    assert (words in answer.json["entry"][0]["resource"]["text"]["div"]) == is_large
    assert all((words in section["text"]["div"]) == is_large for section in list(sections(answer.json).values())[:4])
    assert len(entries_of(answer.json, "48765-2")) == 1
    assert len(entries_of(answer.json, "11450-4")) == (99 if is_large else 10)
