"""Many documents that each say something, put into a table past the API under test."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from dmp.adapters import document_items, profile_items
from dmp.domain.clinical_profile import Candidate, Extraction, ProfileKind
from dmp.domain.document import Coding, Depositor, DocumentEntry, DocumentStatus, StoredContent, Visibility
from dmp.domain.identifiers import local_id
from tests import bodies
from tests.fed_record import AUTHOR, FedRecord

type Json = dict[str, Any]

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
BODY = (
    '{"resourceType":"DocumentReference","status":"current","date":"2020-01-01T08:00:00Z","content":[{"attachment":'
    '{"contentType":"application/pdf","title":"Lettre"}}]}'
)


def table_of(record: FedRecord) -> Any:
    """The table of records as moto holds it."""
    return dynamodb_backends["123456789012"]["eu-west-3"].tables[record.stores["RECORDS_TABLE"]]


def store_documents(
    record: FedRecord,
    count: int,
    says: Callable[[int], Iterable[Json]],
    *,
    first: datetime = FIRST,
    visibility: Iterable[Visibility] = (),
    is_cut: bool = False,
) -> list[str]:
    """Documents, one an hour, each with what it says by its number; their local ids, the oldest first."""
    stored, made = table_of(record), []
    for number in range(count):
        entry = _document(record.id, number, first + timedelta(hours=number), frozenset(visibility))
        candidates = tuple(
            Candidate(kind=ProfileKind(one["resourceType"]), section=Coding(bodies.LOINC, "11450-4"), resource=one)
            for one in says(number)
        )
        extraction = Extraction(record=record.id, local=entry.local, candidates=candidates, is_cut=is_cut)
        stored.put_item(document_items.write_document(entry) | document_items.document_indexes(entry))
        stored.put_item(profile_items.write_extraction(extraction))
        made.append(entry.local)
    return made


def _document(record: str, number: int, moment: datetime, visibility: frozenset[Visibility]) -> DocumentEntry:
    return DocumentEntry(
        record=record,
        local=local_id(moment, number.to_bytes(16)),
        version=1,
        updated=moment,
        status=DocumentStatus.CURRENT,
        type=Coding(bodies.LOINC, "60591-5" if number % 2 else bodies.DISCHARGE_LETTER),
        visibility=visibility,
        depositor=Depositor(AUTHOR.identifier, AUTHOR.structure),
        authors=frozenset(),
        content=StoredContent(key="none", content_type="application/pdf", size=1, sha1="", sha256=""),
        master_identifier=None,
        body=BODY,
    )
