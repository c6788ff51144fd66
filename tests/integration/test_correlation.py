"""One id from a request to all that follows from it, and nothing of anybody in any line."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest

from tests import bodies, texts, uploads
from tests.api_client import ApiClient
from tests.fed_record import AUTHOR, SPECIALIST, STRANGER, FedRecord, partition
from tests.log_lines import Lines, figures, written
from tests.open_record import open_record
from tests.reimbursements import batch, feed_batch, line
from tests.told import tell

NOWHERE = "https://127.0.0.1:59999/hooks"
LETTER = texts.pdf("Suivi de la glycémie")
RANDOM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

type Json = dict[str, Any]


@pytest.fixture
def email() -> str:
    return f"{uuid4().hex}@example.org"


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], email: str) -> FedRecord:
    """A record whose patient has an address, and a software that subscribed to it."""
    opened = open_record(api, telecom=[{"system": "email", "value": email}])
    fed = FedRecord(api, opened.id, opened.ins, opened.patient, stack)
    fed.authorise(SPECIALIST)
    channel = {"type": "rest-hook", "endpoint": NOWHERE}
    wanted = {"resourceType": "Subscription", "status": "requested", "reason": "Suivi", "channel": channel}
    criteria = f"DocumentReference?patient={fed.id}"
    answer = api.post("/fhir/Subscription", {**wanted, "criteria": criteria}, as_=SPECIALIST)
    assert answer.status == 201, answer.body
    for queue in ("HOOK_QUEUE", "EXTRACTION_QUEUE", "EXPORT_QUEUE"):
        texts.emptied(stack[queue])
    return fed


@pytest.fixture
def lines(record: FedRecord) -> Iterator[Lines]:
    assert record.id
    with written() as lines:
        yield lines


def deposit(record: FedRecord, given: str) -> str:
    """Deposit a document under a request id; the document's id."""
    body = bodies.document(record.id, LETTER)
    answer = record.api.post("/fhir/DocumentReference", body, headers={"X-Request-Id": given}, as_=AUTHOR)
    assert answer.status == 201, answer.body
    return answer.id


def changes(items: list[Json]) -> Json:
    """The event of a stream that brings items as new."""
    return {
        "Records": [
            {
                "eventID": f"{number:032x}",
                "eventName": "INSERT",
                "dynamodb": {
                    "Keys": {"pk": item["pk"], "sk": item["sk"]},
                    "NewImage": {name: value for name, value in item.items() if "B" not in value},
                    "SequenceNumber": str(number),
                },
            }
            for number, item in enumerate(items)
        ]
    }


def carry_on(record: FedRecord, known: list[Json]) -> None:
    """Do what the streams and the queues of the records and of the trace do, for what is not known yet."""
    news = changes([item for item in record.items() if item not in known])
    record.api.run("Notifications", news)
    record.api.run("SubscriptionEvents", news)
    trace = changes(partition(record.stores["AUDIT_TABLE"], f"R#{record.id}"))
    record.api.run("AuditChain", trace)
    record.api.run("FirstAccesses", trace)
    record.api.run("WebHooks", {"Records": taken(record.stores["HOOK_QUEUE"])})


def taken(url: str) -> list[Json]:
    """The messages of a queue as a function gets them."""
    queues: Any = boto3.client("sqs")
    found = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
    return [
        {
            "messageId": one["MessageId"],
            "receiptHandle": one["ReceiptHandle"],
            "body": one["Body"],
            "attributes": one["Attributes"],
        }
        for one in found.get("Messages", ())
    ]


def test_all_that_follows_from_a_deposit_is_found_by_its_request_id(record: FedRecord, lines: Lines) -> None:
    given, known = str(uuid4()), record.items()

    document = deposit(record, given)
    carry_on(record, known)
    texts.read(record.api, texts.told_by_bucket(record, document))

    assert sorted(lines.events_of(given)) == sorted(
        ["request", "mail_sent", "hooks_put", "entry_chained", "hook_failed", "document_read"]
    )
    [written_entry] = [entry for entry in record.trace() if entry["req"] == given]
    assert written_entry["what"] == [f"DocumentReference/{document}"]


@pytest.mark.parametrize("given", ["visit-42", "camille.duval-1979", "279035121518989"])
def test_an_id_that_a_client_chose_is_echoed_and_traced_and_never_logged(
    record: FedRecord, lines: Lines, given: str
) -> None:
    known = record.items()

    document = deposit(record, given)
    carry_on(record, known)
    texts.read(record.api, texts.told_by_bucket(record, document))

    own = next(line["correlation_id"] for line in lines.parsed if line["message"] == "request")
    assert RANDOM.fullmatch(own), "the gateway's"
    assert {"request", "mail_sent", "hooks_put", "entry_chained", "hook_failed", "document_read"} == set(
        lines.events_of(own)
    )
    assert given not in lines.text
    assert given in {entry["req"] for entry in record.trace()}


def test_an_upload_is_followed_through_its_verification_to_its_reading(record: FedRecord, lines: Lines) -> None:
    given, known = str(uuid4()), record.items()
    body = uploads.announcement(record.id, LETTER)
    answer = record.api.post("/fhir/DocumentReference", body, headers={"X-Request-Id": given}, as_=AUTHOR)
    assert answer.status == 201, answer.body

    assert uploads.Upload(record, answer, LETTER, AUTHOR).complete() == []
    carry_on(record, known)
    texts.read(record.api, *texts.queued(record.stores["EXTRACTION_QUEUE"]))

    assert {"request", "entry_chained", "mail_sent", "document_read"} <= set(lines.events_of(given))


def test_what_tells_no_id_of_its_own_does_not_follow_from_its_neighbour(record: FedRecord, lines: Lines) -> None:
    given = str(uuid4())
    followed, former = deposit(record, given), deposit(record, str(uuid4()))
    key = {"pk": {"S": f"R#{record.id}"}, "sk": {"S": f"D#{former.partition('.')[2]}"}}
    boto3.client("dynamodb").update_item(
        TableName=record.stores["RECORDS_TABLE"], Key=key, UpdateExpression="REMOVE cid"
    )
    told = [texts.told_by_bucket(record, document)["Records"][0] for document in (followed, former)]

    assert texts.read(record.api, {"Records": told}) == []

    read = [line["correlation_id"] for line in lines.parsed if line["message"] == "document_read"]
    assert read == [given, "0"]


def test_every_record_that_a_batch_feeds_is_followed_from_it(record: FedRecord, lines: Lines) -> None:
    records = [record.id, *(open_record(record.api).id for _ in range(2))]

    answer = feed_batch(record.api, batch(*map(line, records)), headers={"X-Request-Id": "batch-42"})

    assert answer.status == 200, answer.body
    asked = lines.parsed[-1]["correlation_id"]
    fed = [item for each in records for item in partition(record.stores["AUDIT_TABLE"], f"R#{each}")]
    assert [item.get("cid") for item in fed if "batch-42" in item["entry"]["S"]] == [{"S": asked}] * 3


def test_an_archive_is_built_under_the_id_of_who_asked(record: FedRecord, lines: Lines) -> None:
    given = str(uuid4())
    record.publish()

    answer = record.api.post(
        f"/fhir/Patient/{record.id}/$export", None, headers={"X-Request-Id": given}, as_=record.patient
    )
    assert answer.status == 202, answer.body
    [message] = taken(record.stores["EXPORT_QUEUE"])
    record.api.run("ExportBuilder", {"Records": [message]})
    carry_on(record, [])

    assert json.loads(message["body"])["cid"] == given
    assert "mail_sent" in lines.events_of(given)


def test_a_job_has_one_id_a_run_in_its_lines_and_in_what_it_writes(record: FedRecord, lines: Lines) -> None:
    record.api.run("MailSweep")
    record.api.run("ConsentExpiry")

    swept, expired = (line for line in lines.parsed if line["message"] in {"mails_swept", "consents_swept"})
    assert RANDOM.fullmatch(swept["correlation_id"])
    assert RANDOM.fullmatch(expired["correlation_id"])
    assert swept["correlation_id"] != expired["correlation_id"]


def test_a_message_that_a_job_makes_carries_the_id_of_the_run(record: FedRecord) -> None:
    answer = record.api.run(
        "Suspension", {"record": record.id, "action": "suspend", "reason": "Essai", "operator": "o-1"}
    )
    assert answer == {"record": record.id, "status": "suspended"}

    [run] = {entry["req"] for entry in record.trace() if entry["act"] == "suspend"}
    told = [item["cid"]["S"] for item in record.items() if item["sk"]["S"].startswith("M#")]
    assert told[-1] == run


def test_no_line_and_no_figure_names_anybody_or_anything(
    record: FedRecord, lines: Lines, email: str, capsys: pytest.CaptureFixture[str]
) -> None:
    known = record.items()

    document = deposit(record, str(uuid4()))
    assert (record.find(SPECIALIST).status, record.find(STRANGER).status) == (200, 403)
    record.api.get(f"/fhir/DocumentReference?patient.identifier=urn:oid:1.2.250.1.213.1.4.10|{record.ins}", as_=AUTHOR)
    record.api.post("/fhir/DocumentReference", bodies.document(record.id, b"MZ"), as_=AUTHOR)
    tell(record.id)
    carry_on(record, known)
    texts.read(record.api, texts.told_by_bucket(record, document), '{"key": "nothing"}')
    for job in ("MailSweep", "ConsentExpiry", "VisibilityRelease", "Retention", "UploadSweep", "AuditSealer"):
        record.api.run(job)
    record.api.run("AuditSealer", {"whole": True})
    record.api.run("IndexRebuild", {"record": record.id})

    printed = capsys.readouterr().out
    assert {"Accesses", "Refusals", "Deposits", "Backlog", "ExpiryLag", "SealLag"} <= {
        name for figure in figures(printed) for name in figure
    }
    secrets = [record.id, record.ins, document.partition(".")[2], email, "DUVAL", "10101234567", "1750100125", NOWHERE]
    assert not [one for one in secrets if one.casefold() in (lines.text + printed).casefold()]


def test_a_key_that_is_not_on_the_list_does_not_get_through(lines: Lines) -> None:
    from dmp.observability import logger

    logger.info("tried", extra={"record": "canary", "title": "canary", "status": 200})

    assert "canary" not in lines.text
    assert lines.parsed[-1]["status"] == 200


def test_every_line_has_an_event_and_an_id(record: FedRecord, lines: Lines) -> None:
    known = record.items()

    deposit(record, str(uuid4()))
    carry_on(record, known)

    assert all(re.fullmatch(r"[a-z_]+", line["message"]) and line["correlation_id"] for line in lines.parsed)
