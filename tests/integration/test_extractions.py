"""The function that reads documents behind their deposit: what it is told, what it keeps, what it leaves alone."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws, profile_items
from dmp.domain.clinical_profile import MOST_CANDIDATES
from tests import bodies, texts, uploads
from tests.api_client import ApiClient
from tests.aws_calls import Killed, counted, killed, meanwhile, refused
from tests.cda_entries import concern, part, problem, value
from tests.cda_factories import structured
from tests.closed_record import close, erase, forget_what_is_due
from tests.faults import fsck
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord, open_record

PDF = texts.pdf("Suivi de la glycémie")
READ = ["BatchGetItem", "GetObject", "TransactWriteItems"]

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    return record


def words(record: FedRecord, document: str) -> Json:
    item = texts.item_of(record, document)
    assert item
    return item


def test_a_deposit_leaves_what_it_knows_and_the_rest_follows(record: FedRecord) -> None:
    document = record.publish(content=PDF)
    before = words(record, document)["st"]["S"]

    assert texts.read(record.api, texts.told_by_bucket(record, document)) == []

    assert (before, words(record, document)["st"]["S"]) == ("partial", "whole")
    assert record.found(SPECIALIST, "status=current&_content=glycemie") == [document]


def test_a_document_is_read_once(record: FedRecord) -> None:
    document = record.publish(content=PDF)
    event = texts.told_by_bucket(record, document)

    costs = []
    for _ in range(2):
        with counted() as calls:
            assert texts.read(record.api, event) == []
        costs.append([call for call in calls if call != "GetSecretValue"])

    assert costs == [READ, ["BatchGetItem"]]


def test_of_a_document_that_states_too_much_it_is_kept_that_there_is_more(record: FedRecord) -> None:
    many = [concern("39", "active", problem(value("I10"))) for _ in range(MOST_CANDIDATES + 1)]
    content = structured(part("11450-4", "Problèmes", "Texte", *many))

    document = record.publish(content=content, content_type="text/xml")

    item = texts.item_of(record, document, "EX#")
    assert item
    kept = profile_items.read_extraction(item)
    assert (len(kept.candidates), kept.is_cut) == (MOST_CANDIDATES, True)


@pytest.mark.parametrize(
    "narrative", ["Pas de modification de l'allergie à la pénicilline", "Aucune allergie connue si ce n'est l'iode"]
)
def test_a_section_that_only_begins_as_a_denial_leaves_no_denial(record: FedRecord, narrative: str) -> None:
    document = record.publish(content=structured(part("48765-2", "Allergies", narrative)), content_type="text/xml")

    assert texts.item_of(record, document, "EX#") is None


def test_reading_a_document_is_no_access_to_it(record: FedRecord) -> None:
    document = record.publish(content=PDF)
    told = record.trace()

    texts.read(record.api, texts.told_by_bucket(record, document))

    assert record.trace() == told
    assert record.api.get(f"/fhir/DocumentReference/{document}", as_=AUTHOR).json["meta"]["versionId"] == "1"


@pytest.mark.parametrize(
    ("content", "content_type"), [(PDF, "application/pdf"), (b"\xff\xd8\xff" + bytes(9), "image/jpeg")]
)
def test_advance_directives_are_known_to_the_profile_whatever_they_are(
    record: FedRecord, content: bytes, content_type: str
) -> None:
    kind = {"coding": [{"system": "urn:oid:1.2.250.1.213.1.1.4.12", "code": "EXPPAT_3"}]}

    directives = record.publish(as_=record.patient, content=content, content_type=content_type, type=kind)

    assert texts.item_of(record, directives, "EX#")
    assert texts.item_of(record, record.publish(), "EX#") is None


def test_a_message_that_comes_before_its_document_comes_again_soon(record: FedRecord) -> None:
    url, bucket = record.stores["EXTRACTION_QUEUE"], record.stores["DOCUMENTS_BUCKET"]
    key = f"documents/{record.id}/{'0' * 26}"
    texts.emptied(url)
    put = aws.client("s3").put_object(
        Bucket=bucket, Key=key, Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=record.stores["DATA_KEY"]
    )
    received = [one for one in received_from(url) if key.rpartition("/")[2] in one["body"]]

    early = record.api.run("Extractions", {"Records": received})
    aws.client("s3").delete_object(Bucket=bucket, Key=key, VersionId=put["VersionId"])
    late = record.api.run("Extractions", {"Records": received})

    assert [len(one["batchItemFailures"]) for one in (early, late)] == [1, 0]


def received_from(url: str) -> list[Json]:
    """Messages of a queue, as a function gets them."""
    found = aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
    return [
        {
            "messageId": one["MessageId"],
            "body": one["Body"],
            "receiptHandle": one["ReceiptHandle"],
            "attributes": one["Attributes"],
        }
        for one in found.get("Messages", [])
    ]


def test_what_is_put_off_is_there_again_after_a_second(record: FedRecord, clock: TimeMachineFixture) -> None:
    url = record.stores["EXTRACTION_QUEUE"]
    texts.emptied(url)
    document = record.publish(content=PDF)
    [message] = [one for one in received_from(url) if document.partition(".")[2] in one["body"]]

    with refused("GetObject"):
        failed = record.api.run("Extractions", {"Records": [message]})["batchItemFailures"]
    hidden = received_from(url)
    clock.shift(2)
    [again] = received_from(url)

    assert (len(failed), hidden) == (1, [])
    assert again["body"] == message["body"]
    assert record.api.run("Extractions", {"Records": [again]}) == {"batchItemFailures": []}


@pytest.mark.parametrize("body", ["no JSON", "{}", '{"key": "seed.txt"}', '{"Records": [{"s3": {}}]}'])
def test_what_tells_of_nothing_of_ours_goes_among_the_lost_and_keeps_nobody(record: FedRecord, body: str) -> None:
    document = record.publish(content=PDF)

    assert texts.read(record.api, body, texts.told_by_bucket(record, document)) == ["0"]

    assert words(record, document)["st"]["S"] == "whole"


def test_the_first_message_of_a_bucket_tells_nothing(api: ApiClient, stack: dict[str, str]) -> None:
    assert stack
    assert texts.read(api, json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})) == []


def test_bytes_that_are_not_what_was_deposited_are_not_read(record: FedRecord) -> None:
    document = record.publish(content=PDF)
    key = f"documents/{document.replace('.', '/')}"
    aws.client("s3").put_object(
        Bucket=record.stores["DOCUMENTS_BUCKET"],
        Key=key,
        Body=b"other",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=record.stores["DATA_KEY"],
    )

    assert texts.read(record.api, texts.told_by_bucket(record, document)) == ["0"]

    assert words(record, document)["st"]["S"] == "partial"


def told_to_read(record: FedRecord, document: str) -> list[str]:
    """The messages on a document that wait to be handled."""
    return [one for one in texts.queued(record.stores["EXTRACTION_QUEUE"]) if document.replace(".", "/") in one]


def test_a_verified_upload_is_handed_on_until_the_queue_has_taken_it(record: FedRecord) -> None:
    upload = uploads.announce(record, PDF)
    event = upload.send()

    with refused("SendMessage"):
        put_off = uploads.tell(record.api, event)
    untold = told_to_read(record, upload.id)

    assert (put_off, untold) == (["0"], [])
    assert uploads.tell(record.api, event) == []
    assert texts.read(record.api, *told_to_read(record, upload.id)) == []
    assert record.found(SPECIALIST, "status=current&_content=glycemie") == [upload.id]


def test_what_the_sweep_verifies_is_handed_on_too(record: FedRecord, clock: TimeMachineFixture) -> None:
    forget_what_is_due(dict(record.stores))
    upload = uploads.announce(record, PDF)
    upload.send()
    clock.shift(3700)

    record.api.run("UploadSweep")

    assert texts.read(record.api, *told_to_read(record, upload.id)) == []
    assert record.found(SPECIALIST, "status=current&_content=glycemie") == [upload.id]


def test_what_is_still_to_come_by_upload_is_not_read(record: FedRecord) -> None:
    upload = uploads.announce(record, PDF)

    assert texts.read(record.api, {"key": upload.key}) == []

    assert texts.item_of(record, upload.id) is None


def deleted(record: FedRecord, document: str) -> None:
    record.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR)


def erased(record: FedRecord, _document: str) -> None:
    close(record)
    assert erase(record).status == 202
    record.api.run("Retention")


@pytest.mark.parametrize("end", [deleted, erased])
def test_a_document_that_is_gone_is_not_read(record: FedRecord, end: Callable[[FedRecord, str], None]) -> None:
    document = record.publish(content=PDF)
    event = texts.told_by_bucket(record, document)
    end(record, document)
    before = record.items()

    assert texts.read(record.api, event) == []

    assert record.items() == before


def test_of_a_record_erased_meanwhile_nothing_comes_back(record: FedRecord) -> None:
    document = record.publish(content=PDF)
    event = texts.told_by_bucket(record, document)

    with meanwhile("TransactWriteItems", lambda: erased(record, document)):
        assert texts.read(record.api, event) == []

    assert [item["sk"]["S"] for item in record.items()] == ["D~"]


def test_a_change_of_the_record_meanwhile_costs_another_attempt(record: FedRecord) -> None:
    document = record.publish(content=PDF)

    with meanwhile("TransactWriteItems", lambda: record.authorise(AUTHOR)):
        assert texts.read(record.api, texts.told_by_bucket(record, document)) == []

    assert words(record, document)["st"]["S"] == "whole"


def test_of_a_closed_record_what_was_deposited_before_is_read(record: FedRecord) -> None:
    document = record.publish(content=PDF)
    close(record)

    assert texts.read(record.api, texts.told_by_bucket(record, document)) == []

    assert words(record, document)["st"]["S"] == "whole"


def test_a_document_that_is_not_understood_is_deposited_and_read_again(
    record: FedRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_content: bytes) -> str:
        raise RuntimeError

    content = texts.level_3("Suivi de la glycémie")
    with monkeypatch.context() as patched:
        patched.setattr("dmp.cda.text.text_of", broken)
        document = record.publish(content=content, content_type="text/xml")
        unread = record.found(SPECIALIST, "status=current&_content=glycemie")
        by_title = record.found(SPECIALIST, "status=current&_content=lettre")

    assert (unread, by_title) == ([], [document])
    assert texts.read(record.api, texts.told_by_bucket(record, document)) == []
    assert record.found(SPECIALIST, "status=current&_content=glycemie") == [document]


def test_thirty_documents_are_still_one_transaction_and_what_is_kept_beside_goes_ahead(record: FedRecord) -> None:
    body = thirty(record)

    with counted() as calls:
        answer = record.api.post("/fhir", body, as_=AUTHOR)

    assert answer.status == 200, answer.body
    assert (calls.count("TransactWriteItems"), calls.count("PutItem")) == (1, 60)
    assert found_all(record) == 30


@pytest.mark.parametrize("nth", [1, 31, 60])
def test_a_large_deposit_that_breaks_off_before_its_transaction_leaves_nothing_to_find(
    record: FedRecord, nth: int
) -> None:
    body = thirty(record)

    with pytest.raises(Killed), killed("PutItem", nth=nth):
        record.api.post("/fhir", body, as_=AUTHOR)
    left = found_all(record)

    assert (left, broken(record)) == (0, [])
    assert record.api.post("/fhir", body, as_=AUTHOR).status == 200
    assert (found_all(record), broken(record)) == (30, [])


def broken(record: FedRecord) -> list[str]:
    """What is broken, but for look-ups that lead nowhere, which went ahead of their documents too."""
    return [one for one in fsck.problems(record) if not one.startswith("I1 I#")]


def thirty(record: FedRecord) -> Json:
    """A bundle of thirty CDA, each with a further identifier: too many items for one transaction."""
    body = bodies.submission(record.id, *(texts.level_3(f"Glycémie {number}") for number in range(30)))
    for number, entry in enumerate(body["entry"]):
        match entry["resource"]:
            case {"resourceType": "DocumentReference", "content": [{"attachment": attachment}]} as document:
                attachment["contentType"] = "text/xml"
                document["identifier"] = [{"system": "urn:oid:2.999.7", "value": str(number)}]
            case {"resourceType": "Binary"} as binary:
                binary["contentType"] = "text/xml"
    return body


def found_all(record: FedRecord) -> int:
    return len(record.found(record.patient, "status=current&_content=glycemie&_count=100"))
