"""What AWS refuses, forgets or damages: 503 with Retry-After, nothing written, and no byte told without a trace."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from dmp.adapters import aws
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import SERVICES, answer_lost, counted, refused
from tests.faults import fsck
from tests.fed_record import AUTHOR, SPECIALIST, STRANGER, FedRecord, open_record

REASONS = ("ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def reads(record: FedRecord, document: str, folder: str) -> list[str]:
    """Every route by which something of a document can be learnt."""
    return [
        f"/fhir/DocumentReference/{document}",
        f"/fhir/DocumentReference/{document}/_history",
        f"/fhir/DocumentReference/{document}/_history/1",
        f"/fhir/DocumentReference?patient={record.id}&status=current",
        f"/fhir/DocumentReference?patient={record.id}&status=current&type=http://loinc.org|11490-0",
        f"/fhir/DocumentReference?patient={record.id}&status=current&_total=accurate",
        f"/fhir/Binary/{document}",
        f"/fhir/List/{folder}",
    ]


@pytest.fixture
def routes(record: FedRecord) -> list[str]:
    fed = record.api.post("/fhir", bodies.submission(record.id), as_=AUTHOR).json["entry"]
    folder, document = (entry["response"]["location"].split("/")[1] for entry in fed[:2])
    record.authorise()
    return reads(record, document, folder)


def assert_unavailable(answer: Response) -> None:
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.json["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "InternalServerError"])
def test_without_a_trace_nothing_is_told(record: FedRecord, routes: list[str], code: str) -> None:
    for route in routes:
        for who in (record.patient, SPECIALIST, AUTHOR, STRANGER):
            with counted() as calls, refused("PutItem", code, 400):
                answer = record.api.get(route, as_=who)
            assert_unavailable(answer)
            assert answer.code == "service-unavailable"
            assert "GetObject" not in calls


def test_without_a_trace_nothing_is_changed(record: FedRecord) -> None:
    document = record.publish()
    before = record.state()
    requests: list[tuple[str, str, Any]] = [
        ("POST", "/fhir/DocumentReference", bodies.document(record.id, b"%PDF-1.4 new")),
        ("POST", "/fhir", bodies.submission(record.id, b"%PDF-1.4 new")),
        ("PATCH", f"/fhir/DocumentReference/{document}", bodies.MASK),
        ("DELETE", f"/fhir/DocumentReference/{document}", None),
    ]

    for method, url, body in requests:
        with cancelled("None", "None"):
            answer = record.api.request(method, url, body, as_=AUTHOR)
        assert_unavailable(answer)

    assert record.items() == before[0]


@pytest.mark.parametrize(
    "reasons", [None, [], ["None"], ["Unheard"], ["ValidationError", "None"], ["ItemCollectionSizeLimitExceeded"]]
)
def test_a_cancelled_transaction_without_a_known_reason_fails_closed(
    record: FedRecord, reasons: list[str] | None
) -> None:
    before = record.items()

    with counted() as calls, cancelled(*(reasons or []), is_told=reasons is not None):
        answer = record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=AUTHOR)

    assert_unavailable(answer)
    assert calls.count("TransactWriteItems") == 1
    assert record.items() == before


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("place", range(4))
def test_a_transaction_cancelled_once_is_tried_again(record: FedRecord, reason: str, place: int) -> None:
    with cancelled(*["None"] * place, reason, times=1):
        answer = record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=AUTHOR)

    assert answer.status == 201
    assert len(record.objects()) == 1
    assert fsck.problems(record) == []


@pytest.mark.parametrize("reason", REASONS)
def test_a_transaction_cancelled_for_ever_is_given_up(record: FedRecord, reason: str) -> None:
    with cancelled(reason):
        answer = record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=AUTHOR)

    assert_unavailable(answer)
    assert fsck.problems(record) == []


def test_a_refused_object_leaves_no_other_behind(record: FedRecord) -> None:
    body = bodies.submission(record.id, b"%PDF-1.4 a", b"%PDF-1.4 b", b"%PDF-1.4 c")

    with refused("PutObject", "SlowDown", 503, nth=3):
        answer = record.api.post("/fhir", body, as_=AUTHOR)

    assert_unavailable(answer)
    assert record.objects() == {}


def test_missing_bytes_are_not_served(record: FedRecord) -> None:
    document = record.publish()
    (key,) = record.objects()
    aws.client("s3").delete_object(Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key)

    answer = record.api.get(f"/fhir/Binary/{document}", as_=AUTHOR)

    assert_unavailable(answer)
    assert fsck.problems(record)


@pytest.mark.parametrize("damage", [b"", b"%PDF", bodies.PDF + b" ", bodies.PDF.replace(b"1", b"2")])
def test_damaged_bytes_are_not_served(record: FedRecord, damage: bytes) -> None:
    document = record.publish()
    (key,) = record.objects()
    aws.client("s3").put_object(Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key, Body=damage)

    for accept in ("*/*", "application/fhir+json"):
        answer = record.api.get(f"/fhir/Binary/{document}", as_=AUTHOR, headers={"Accept": accept})
        assert (answer.status, answer.code) == (503, "content-damaged")
    assert fsck.problems(record)


@pytest.mark.parametrize("operation", ["BatchGetItem", "Query", "GetObject"])
def test_a_read_that_fails_is_unavailable(record: FedRecord, routes: list[str], operation: str) -> None:
    failed = 0
    for route in routes:
        with counted() as calls:
            record.api.get(route, as_=SPECIALIST)
        if operation in calls:
            failed += 1
            with refused(operation, "ThrottlingException", 400):
                assert_unavailable(record.api.get(route, as_=SPECIALIST))

    assert failed


def test_a_trace_whose_answer_is_lost_tells_nothing_but_is_kept(record: FedRecord) -> None:
    document = record.publish()

    with answer_lost("PutItem"):
        answer = record.api.get(f"/fhir/Binary/{document}", as_=AUTHOR)

    assert_unavailable(answer)
    assert record.trace()[-1]["act"] == "ITI-68"


@pytest.mark.parametrize(("times", "status"), [(1, 200), (None, 503)])
def test_what_dynamodb_leaves_over_is_asked_for_again(record: FedRecord, times: int | None, status: int) -> None:
    document = record.publish()

    with left_over(times):
        answer = record.api.get(f"/fhir/DocumentReference/{document}", as_=AUTHOR)

    assert answer.status == status


def test_contention_for_ever_is_given_up(record: FedRecord) -> None:
    document = record.publish()

    with cancelled("ConditionalCheckFailed"):
        answer = record.api.patch(f"/fhir/DocumentReference/{document}", bodies.MASK, as_=record.patient)

    assert_unavailable(answer)
    assert fsck.problems(record) == []


@pytest.mark.parametrize("service", ["dynamodb", "s3"])
def test_a_throttled_attempt_is_repeated(record: FedRecord, service: str) -> None:
    document = record.publish()

    with throttled_once(service) as attempts:
        answer = record.api.get(f"/fhir/Binary/{document}", as_=AUTHOR)

    assert (answer.status, answer.body) == (200, bodies.PDF)
    assert len(attempts) > 1


@contextmanager
def cancelled(*reasons: str, times: int | None = None, is_told: bool = True) -> Iterator[None]:
    """DynamoDB cancels transactions, `times` of them or all, for these reasons in the order of the writes."""
    error: dict[str, Any] = {"Error": {"Code": "TransactionCanceledException", "Message": "injected"}}
    if is_told:
        error["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    error["ResponseMetadata"] = {"HTTPStatusCode": 400}
    left = [times]

    def answer(model: Any, **_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
        if model.name != "TransactWriteItems" or left[0] == 0:
            return None
        left[0] = None if left[0] is None else left[0] - 1
        return AWSResponse("https://injected.example", 400, HTTPHeaders(), None), error

    handler: Callable[..., Any] = answer
    events = aws.client("dynamodb").meta.events
    events.register("before-call", handler)
    try:
        yield
    finally:
        events.unregister("before-call", handler)


@contextmanager
def left_over(times: int | None) -> Iterator[None]:
    """The answers to the first batch gets, or to all, leave every key for later."""
    table = os.environ["RECORDS_TABLE"]
    left = [times]

    def keep(model: Any, parsed: dict[str, Any], **_: object) -> None:
        if model.name == "BatchGetItem" and left[0] != 0:
            left[0] = None if left[0] is None else left[0] - 1
            items = parsed["Responses"].pop(table, [])
            keys = [{name: item[name] for name in ("pk", "sk")} for item in items]
            parsed["UnprocessedKeys"] = {table: {"Keys": keys, "ConsistentRead": True}}

    events = aws.client("dynamodb").meta.events
    events.register("after-call", keep)
    try:
        yield
    finally:
        events.unregister("after-call", keep)


@contextmanager
def throttled_once(service: str) -> Iterator[list[str]]:
    """The first attempt of a call to a service is answered 503 below the SDK, which tries again."""
    attempts: list[str] = []

    def answer(request: Any, **_: object) -> AWSResponse | None:
        attempts.append(request.url)
        if len(attempts) > 1:
            return None
        return AWSResponse(request.url, 503, HTTPHeaders(), _Body(b"<Error><Code>SlowDown</Code></Error>"))

    handler: Callable[..., Any] = answer
    (name,) = (one for one in SERVICES if one == service)
    events = aws.client(name).meta.events
    events.register_first("before-send", handler)
    try:
        yield attempts
    finally:
        events.unregister("before-send", handler)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._content
