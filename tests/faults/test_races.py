"""What happens between the reading and the writing of a deposit or a change: decided anew, never half done."""

from collections.abc import Callable

import pytest

from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import meanwhile
from tests.faults import fsck
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord, open_record

OTHER_PDF = b"%PDF-1.4 other"
DELETE = [{"op": "replace", "path": "/status", "value": "entered-in-error"}]
ARCHIVED = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"
ARCHIVE = [{"op": "add", "path": "/extension/-", "value": {"url": ARCHIVED, "valueBoolean": True}}]
UNMASK = [{"op": "remove", "path": "/securityLabel/1"}]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def close(record: FedRecord) -> None:
    body = bodies.parameters(motive={"valueCode": "patient-demande"})
    assert record.api.post(f"/fhir/Patient/{record.id}/$close", body, as_=record.patient).status == 200


def test_a_deposit_into_a_record_closed_meanwhile_leaves_nothing(record: FedRecord) -> None:
    with meanwhile("TransactWriteItems", lambda: close(record)):
        answer = record.api.post("/fhir", bodies.submission(record.id, bodies.PDF, OTHER_PDF), as_=AUTHOR)

    assert (answer.status, answer.code) == (403, "record-closed")
    assert record.objects() == {}
    assert fsck.problems(record) == []


def test_a_deposit_outlives_what_does_not_concern_it(record: FedRecord) -> None:
    with meanwhile("TransactWriteItems", lambda: record.authorise(SPECIALIST)):
        document = record.publish()

    assert record.found(SPECIALIST) == [document]
    assert len(record.objects()) == 1
    assert fsck.problems(record) == []


def test_a_document_that_came_meanwhile_is_recognised(record: FedRecord) -> None:
    body = bodies.document(record.id)

    with meanwhile("TransactWriteItems", lambda: record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)):
        answer = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)

    assert (answer.status, record.found(AUTHOR)) == (200, [answer.id])
    assert len(record.objects()) == 1


def test_a_document_deleted_meanwhile_is_not_replaced(record: FedRecord) -> None:
    former = record.publish()
    related = [{"code": "replaces", "target": {"reference": f"DocumentReference/{former}"}}]
    body = bodies.document(record.id, OTHER_PDF, relatesTo=related)

    with meanwhile("TransactWriteItems", lambda: record.api.delete(f"/fhir/DocumentReference/{former}", as_=AUTHOR)):
        answer = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)

    assert (answer.status, answer.code) == (409, "not-current")
    assert len(record.objects()) == 1
    assert fsck.problems(record) == []


def test_a_document_deleted_meanwhile_is_not_masked(record: FedRecord) -> None:
    document = record.publish()
    url = f"/fhir/DocumentReference/{document}"

    with meanwhile("TransactWriteItems", lambda: record.api.patch(url, DELETE, as_=AUTHOR)):
        answer = record.api.patch(url, bodies.MASK, as_=record.patient)

    assert (answer.status, answer.code) == (410, "gone")
    assert fsck.problems(record) == []


def test_a_change_meanwhile_breaks_the_expected_version(record: FedRecord) -> None:
    url = f"/fhir/DocumentReference/{record.publish()}"

    with meanwhile("TransactWriteItems", lambda: record.api.patch(url, bodies.MASK, as_=record.patient)):
        answer = record.api.patch(url, DELETE, as_=AUTHOR, headers={"If-Match": 'W/"1"'})

    assert (answer.status, answer.code) == (412, "version-conflict")
    assert fsck.problems(record) == []


def test_a_record_closed_meanwhile_is_not_changed(record: FedRecord) -> None:
    url = f"/fhir/DocumentReference/{record.publish()}"
    before = [item for item in record.items() if item["sk"]["S"].startswith("D#")]

    with meanwhile("TransactWriteItems", lambda: close(record)):
        answer = record.api.patch(url, DELETE, as_=AUTHOR)

    assert (answer.status, answer.code) == (403, "record-closed")
    assert [item for item in record.items() if item["sk"]["S"].startswith("D#")] == before


def replacing(*documents: str) -> list[dict[str, object]]:
    return [{"code": "replaces", "target": {"reference": f"DocumentReference/{one}"}} for one in documents]


def archive(record: FedRecord, document: str) -> Response:
    return record.api.patch(f"/fhir/DocumentReference/{document}", ARCHIVE, as_=AUTHOR)


def replace(record: FedRecord, document: str) -> Response:
    body = bodies.document(record.id, b"%PDF-1.4 later", relatesTo=replacing(document))
    return record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)


def relations(record: FedRecord, document: str) -> int:
    """How many replaced documents the specialist learns of."""
    answer = record.api.get(f"/fhir/DocumentReference/{document}", as_=SPECIALIST)
    assert answer.status == 200, answer.body
    return len(answer.json.get("relatesTo", []))


@pytest.mark.parametrize("change", [archive, replace])
def test_a_change_does_not_forget_what_was_hidden_meanwhile(
    record: FedRecord, change: Callable[[FedRecord, str], Response]
) -> None:
    record.authorise(SPECIALIST)
    former = record.publish()
    document = record.publish(content=OTHER_PDF, relatesTo=replacing(former))
    known = relations(record, document)

    with meanwhile("TransactWriteItems", lambda: record.mask(former)):
        answer = change(record, document)

    assert (answer.status < 300, known, relations(record, document)) == (True, 1, 0)
    assert fsck.problems(record) == []


def test_of_two_documents_hidden_at_once_none_is_forgotten(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    first, second = record.publish(), record.publish(content=b"%PDF-1.4 second")
    document = record.publish(content=OTHER_PDF, relatesTo=replacing(first, second))

    with meanwhile("TransactWriteItems", lambda: record.mask(second)):
        record.mask(first)
    known = []
    for one in (first, second):
        record.api.patch(f"/fhir/DocumentReference/{one}", UNMASK, as_=record.patient)
        known.append(relations(record, document))

    assert known == [0, 2]
    assert record.api.get(f"/fhir/DocumentReference/{document}", as_=AUTHOR).headers["etag"] == 'W/"1"'
