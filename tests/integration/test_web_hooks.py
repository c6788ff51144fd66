"""From a change of a document to the software of those who may see it: announced, queued, signed, sent, given up."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import boto3
import pytest
from time_machine import TimeMachineFixture

from dmp.adapters.web_hooks import WebHooks
from dmp.domain.requester import Requester
from dmp.domain.subscription import Delivery
from infra.local.process import LocalProcess
from tests import bodies, uploads
from tests.api_client import ApiClient
from tests.aws_calls import counted, refused
from tests.conftest import NOON
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord, open_record
from tests.hook_receiver import SLOWLY, HookReceiver, signature
from tests.http_people import opened, professional
from tests.requester_factories import requester_professional
from tests.told import lost

PHYSICIAN = requester_professional("10108888888", "1690000008", name="Claude LE GALL")
NURSE = replace(SPECIALIST, profession="60", specialties=())
WITHHELD_FROM_NURSES = "75496-0"
LAST_ATTEMPT = 5
EVENT = re.compile(r"[0-9a-f]{32}")

type Json = dict[str, Any]


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HookReceiver]:
    """A receiver whose certificate the functions trust: they read the setting when they send for the first time."""
    with HookReceiver(tmp_path_factory.mktemp("tls")) as receiver, pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(receiver.certificate))
        sys.modules.pop("handlers.web_hooks", None)
        yield receiver
        sys.modules.pop("handlers.web_hooks", None)


@pytest.fixture
def receiver(trusted: HookReceiver) -> HookReceiver:
    trusted.received.clear()
    trusted.statuses.clear()
    return trusted


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    clock.move_to(NOON, tick=False)
    under_way(stack)
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    return record


def subscribe(record: FedRecord, url: str, as_: Requester = SPECIALIST, **elements: Any) -> Json:
    """A Subscription, which succeeds."""
    answer = record.api.post("/fhir/Subscription", resource(record.id, url, **elements), as_=as_)
    assert answer.status == 201, answer.body
    return answer.json


def resource(record: str, url: str, **elements: Any) -> Json:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "Suivi du patient",
        "criteria": f"DocumentReference?patient={record}",
        "channel": {"type": "rest-hook", "endpoint": url},
        **elements,
    }


def secret_of(subscription: Json) -> str:
    return str(subscription["extension"][0]["valueString"])


def changes(record: FedRecord, *documents: str, event: str = "INSERT") -> list[Json]:
    """What the stream tells of documents as they stand, of all where none is named."""
    items = [item for item in record.items() if item["sk"]["S"].startswith("D#")]
    wanted = [i for i in items if not documents or f"{record.id}.{i['local']['S']}" in documents]
    return [
        {
            "eventID": f"{item['local']['S']}/{item['v']['N']}",
            "eventName": event,
            "dynamodb": {"NewImage": {**item, "body": {"B": "…"}}, "SequenceNumber": str(number)},
        }
        for number, item in enumerate(wanted)
    ]


def announce(record: FedRecord, *batch: Json) -> list[str]:
    """Hand changes over as the stream does; the sequence numbers that failed come back."""
    answer = record.api.run("SubscriptionEvents", {"Records": list(batch) or changes(record)})
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def under_way(stack: dict[str, str]) -> list[Json]:
    """The hooks in the queue, which is empty then."""
    queues, found = boto3.client("sqs"), []
    while messages := queues.receive_message(QueueUrl=stack["HOOK_QUEUE"], MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            queues.delete_message(QueueUrl=stack["HOOK_QUEUE"], ReceiptHandle=message["ReceiptHandle"])
            found.append(json.loads(message["Body"]))
    return found


def message(hook: Json, attempt: int = 1, number: int = 0, receipt: str = "none") -> Json:
    return {
        "messageId": str(number),
        "receiptHandle": receipt,
        "body": json.dumps(hook),
        "attributes": {"ApproximateReceiveCount": str(attempt)},
    }


def deliver(api: ApiClient, *messages: Json) -> list[str]:
    """Hand messages over as the queue does; the ids of those that are to come again come back."""
    answer = api.run("WebHooks", {"Records": list(messages)})
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def hook_for(subscription: Json, event: str = "0" * 32) -> Json:
    return {"subscription": subscription["id"], "event": event}


def status_of(record: FedRecord, subscription: Json) -> str:
    return str(record.api.get(f"/fhir/Subscription/{subscription['id']}", as_=SPECIALIST).json["status"])


def test_a_new_document_is_announced_to_each_subscription_and_never_which(
    record: FedRecord, stack: dict[str, str], receiver: HookReceiver
) -> None:
    subscriptions = [subscribe(record, receiver.url) for _ in range(12)]
    document = record.publish()

    assert announce(record) == []

    hooks = under_way(stack)
    assert {hook["subscription"] for hook in hooks} == {one["id"] for one in subscriptions}
    assert len({hook["event"] for hook in hooks}) == 12
    assert all(hook.keys() == {"subscription", "event", "cid"} and EVENT.fullmatch(hook["event"]) for hook in hooks)
    assert document.partition(".")[2] not in json.dumps(hooks)


def test_an_upload_is_announced_when_it_is_there_not_when_it_is_awaited(
    record: FedRecord, stack: dict[str, str], receiver: HookReceiver
) -> None:
    subscribe(record, receiver.url)
    upload, bad = uploads.announce(record), uploads.announce(record, b"%PDF-1.7\n%bad\n%%EOF\n")

    announce(record)
    awaited = under_way(stack)
    upload.complete()
    bad.complete(bodies.PDF)
    announce(record, *changes(record, event="MODIFY"))

    assert (awaited, len(under_way(stack))) == ([], 1)


def test_the_same_change_is_the_same_event_and_another_version_another(
    record: FedRecord, stack: dict[str, str], receiver: HookReceiver
) -> None:
    subscribe(record, receiver.url)
    document = record.publish()
    events = []

    for _ in range(2):
        announce(record)
        events += [hook["event"] for hook in under_way(stack)]
    assert record.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR).status == 204
    announce(record, *changes(record, event="MODIFY"))
    events += [hook["event"] for hook in under_way(stack)]

    assert (events[0] == events[1], len(set(events)), len(events)) == (True, 2, 3)


def test_a_masked_document_fires_for_those_alone_who_see_it(
    record: FedRecord, stack: dict[str, str], receiver: HookReceiver
) -> None:
    record.name_attending_physician(PHYSICIAN)
    hidden = subscribe(record, receiver.url)
    seeing = [subscribe(record, receiver.url, PHYSICIAN)["id"]]
    document = record.publish()
    [old] = changes(record)

    record.mask(document)
    announce(record, old, *changes(record, event="MODIFY"))
    masked = [hook["subscription"] for hook in under_way(stack)]
    unmask = [{"op": "remove", "path": "/securityLabel/1"}]
    assert record.api.patch(f"/fhir/DocumentReference/{document}", unmask, as_=record.patient).status == 200
    announce(record, *changes(record, event="MODIFY"))
    shown = [hook["subscription"] for hook in under_way(stack)]

    assert masked == seeing
    assert sorted(shown) == sorted([*seeing, hidden["id"]])


@pytest.mark.parametrize("end", ["blocked", "closed", "deleted", "expired", "not habilitated"])
def test_nobody_is_told_who_may_not_see_it_any_more(
    record: FedRecord, stack: dict[str, str], receiver: HookReceiver, clock: TimeMachineFixture, end: str
) -> None:
    subscription = subscribe(record, receiver.url, NURSE, end="2026-03-03T12:00:00Z")
    record.publish(type_code=WITHHELD_FROM_NURSES if end == "not habilitated" else bodies.CONSULTATION)
    cut_off(record, subscription, end, clock)

    announce(record)

    assert under_way(stack) == []


def cut_off(record: FedRecord, subscription: Json, end: str, clock: TimeMachineFixture) -> None:
    match end:
        case "blocked":
            record.block(SPECIALIST)
        case "closed":
            motive = bodies.parameters(motive={"valueCode": "patient-demande"})
            assert record.api.post(f"/fhir/Patient/{record.id}/$close", motive, as_=record.patient).status == 200
        case "deleted":
            assert record.api.delete(f"/fhir/Subscription/{subscription['id']}", as_=SPECIALIST).status == 204
        case "expired":
            clock.shift(timedelta(days=1))


def test_a_record_to_which_nobody_listens_costs_one_query_a_batch(record: FedRecord, receiver: HookReceiver) -> None:
    for _ in range(3):
        record.publish()
    batch = changes(record)

    with counted() as unheard:
        announce(record, *batch)
    subscribe(record, receiver.url)
    with counted() as heard:
        announce(record, batch[0])

    assert unheard == ["Query"]
    assert heard == ["Query", "BatchGetItem", "SendMessageBatch"]


def test_a_poison_is_put_aside_at_once_and_the_others_of_its_batch_are_announced(
    record: FedRecord, stack: dict[str, str], receiver: HookReceiver
) -> None:
    subscribe(record, receiver.url)
    for _ in range(2):
        record.publish()
    first, last = changes(record)
    key = {"pk": {"S": f"R#{record.id}"}, "sk": {"S": "D#x"}}
    poison = {"eventID": "x", "dynamodb": {"Keys": key, "NewImage": {"sk": key["sk"]}, "SequenceNumber": "poison"}}
    other = {"eventID": "y", "dynamodb": {"Keys": {}, "SequenceNumber": "other"}}
    index_alone = {**last, "dynamodb": {**last["dynamodb"], "OldImage": last["dynamodb"]["NewImage"]}}

    failed = announce(record, poison, other, index_alone, first, last)

    assert (failed, len(under_way(stack))) == ([], 2)
    [put_aside] = [one for one in lost(stack, "LOST_CHANGES") if one["keys"] == key]
    assert put_aside["DDBStreamBatchInfo"]["startSequenceNumber"] == "poison"


def test_every_change_that_waits_for_a_queue_comes_back_and_is_the_same_event_again(
    record: FedRecord, stack: dict[str, str], receiver: HookReceiver
) -> None:
    subscribe(record, receiver.url)
    for _ in range(3):
        record.publish()
    batch = changes(record)

    with refused("SendMessageBatch", "RequestThrottled", 400, nth=2):
        failed = announce(record, *batch)
    events = [hook["event"] for hook in under_way(stack)]
    again = announce(record, *batch)

    assert (failed, again) == (["1", "2"], [])
    assert len({hook["event"] for hook in under_way(stack)} | set(events)) == 3


def test_what_cannot_even_be_put_aside_comes_back(record: FedRecord) -> None:
    poison = {"eventID": "x", "dynamodb": {"NewImage": {"sk": {"S": "D#x"}}, "SequenceNumber": "poison"}}

    with refused("SendMessage", "RequestThrottled", 400):
        failed = announce(record, poison)

    assert failed == ["poison"]


def test_a_hook_is_empty_signed_and_tells_nothing_of_the_patient(record: FedRecord, receiver: HookReceiver) -> None:
    subscription = subscribe(record, receiver.url)
    event = "0123456789abcdef" * 2

    assert deliver(record.api, message(hook_for(subscription, event))) == []

    [received] = receiver.received
    assert (received.method, received.target, received.body) == ("POST", "/hooks?of=dmp", b"")
    assert received.headers == {
        "host": f"localhost:{receiver.port}",
        "accept-encoding": "identity",
        "content-length": "0",
        "user-agent": "DMP",
        "connection": "close",
        "x-dmp-subscription": f"Subscription/{subscription['id']}",
        "x-dmp-event": event,
        "x-dmp-timestamp": "1772452800",
        "x-dmp-signature": signature(secret_of(subscription), received),
    }
    assert signature("another secret", received) != received.headers["x-dmp-signature"]


@pytest.mark.parametrize("end", ["blocked", "closed", "deleted", "expired", "never was"])
def test_a_hook_that_nobody_may_get_any_more_is_dropped(
    record: FedRecord, receiver: HookReceiver, clock: TimeMachineFixture, end: str
) -> None:
    subscription = subscribe(record, receiver.url, end="2026-03-03T12:00:00Z")
    cut_off(record, subscription, end, clock)
    if end == "never was":
        subscription = {"id": f"{record.id}.{'0' * 26}"}

    assert deliver(record.api, message(hook_for(subscription))) == []

    assert receiver.received == []


@pytest.mark.parametrize("status", [302, 307, 400, 404, 500, 503])
def test_any_other_answer_is_a_failure_and_no_redirect_is_followed(
    record: FedRecord, receiver: HookReceiver, status: int
) -> None:
    subscription = subscribe(record, receiver.url)
    receiver.statuses = [status]

    assert deliver(record.api, message(hook_for(subscription))) == ["0"]

    assert len(receiver.received) == 1
    assert status_of(record, subscription) == "active"


def test_each_failure_puts_the_hook_off_longer_until_it_is_given_up(
    record: FedRecord, stack: dict[str, str], receiver: HookReceiver, clock: TimeMachineFixture
) -> None:
    subscription = subscribe(record, receiver.url)
    record.publish()
    announce(record)
    receiver.statuses = [500] * LAST_ATTEMPT

    for attempt, pause in enumerate((60, 300, 1_500, 7_200, 0), start=1):
        [taken] = shown(stack)
        hook = message(json.loads(taken["Body"]), attempt, receipt=taken["ReceiptHandle"])
        assert deliver(record.api, hook) == ["0"]
        if pause:
            clock.shift(timedelta(seconds=pause - 1))
            assert shown(stack) == []
            clock.shift(timedelta(seconds=2))

    events, times = ({one.headers[f"x-dmp-{name}"] for one in receiver.received} for name in ("event", "timestamp"))
    assert (len(receiver.received), len(events), len(times)) == (LAST_ATTEMPT, 1, LAST_ATTEMPT)
    assert shown(stack) == []
    assert status_of(record, subscription) == "error"


def shown(stack: dict[str, str]) -> list[Any]:
    """The messages that the queue hands out now."""
    queue = stack["HOOK_QUEUE"]
    return list(boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []))


def test_after_the_last_attempt_it_is_in_error_and_told_nothing_more(
    record: FedRecord, stack: dict[str, str], receiver: HookReceiver
) -> None:
    subscription = subscribe(record, receiver.url)
    receiver.statuses = [500]

    deliver(record.api, message(hook_for(subscription), LAST_ATTEMPT))
    record.publish()
    announce(record)

    seen = record.api.get(f"/fhir/Subscription/{subscription['id']}", as_=SPECIALIST).json
    assert (seen["status"], seen["meta"]["versionId"], "error" in seen) == ("error", "2", True)
    assert under_way(stack) == []


def test_a_receiver_that_is_gone_turns_its_subscription_off(record: FedRecord, receiver: HookReceiver) -> None:
    subscription = subscribe(record, receiver.url)
    receiver.statuses = [410]

    assert deliver(record.api, message(hook_for(subscription))) == []
    assert deliver(record.api, message(hook_for(subscription))) == []

    assert (status_of(record, subscription), len(receiver.received)) == ("off", 1)
    [told] = [entry for entry in record.trace() if entry["act"] == "update"]
    assert (told["what"], told["reason"]) == ([f"Subscription/{subscription['id']}"], "delivery")


def test_poison_and_failures_hold_up_nobody(record: FedRecord, receiver: HookReceiver) -> None:
    good, bad = subscribe(record, receiver.url), subscribe(record, "https://localhost:1024/")
    batch = [
        message(hook_for(bad), number=1),
        message({"subscription": "none", "event": "x"}, number=2),
        message({}, number=3),
        message(hook_for(good), number=4),
    ]

    failed = deliver(record.api, *batch)

    assert failed == ["1", "2", "3"]
    assert [one.headers["x-dmp-subscription"] for one in receiver.received] == [f"Subscription/{good['id']}"]


def test_a_receiver_without_a_known_certificate_is_sent_nothing(tmp_path: Path) -> None:
    with HookReceiver(tmp_path) as stranger:
        sent = WebHooks(may_loop_back=True).post(stranger.url, {})

    assert (sent, stranger.connections, stranger.received) == (Delivery.FAILED, 1, [])


def test_a_certificate_of_another_host_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HookReceiver(tmp_path, host="other.example") as other:
        monkeypatch.setenv("SSL_CERT_FILE", str(other.certificate))
        sender = WebHooks(may_loop_back=True)
        by_name, by_address = sender.post(other.url, {}), sender.post(f"https://127.0.0.1:{other.port}/", {})

    assert (by_name, by_address, len(other.received)) == (Delivery.FAILED, Delivery.DONE, 1)


def test_a_name_that_leads_inside_is_not_even_connected_to(receiver: HookReceiver) -> None:
    before = receiver.connections

    sent = WebHooks(may_loop_back=False).post(receiver.url, {})

    assert (sent, receiver.connections) == (Delivery.FAILED, before)


def test_an_answer_that_drips_is_not_waited_for(receiver: HookReceiver) -> None:
    receiver.statuses = [SLOWLY]
    started = monotonic()

    sent = WebHooks(may_loop_back=True, answer_seconds=0.5).post(receiver.url, {})

    assert sent is Delivery.FAILED
    assert 0.4 < monotonic() - started < 5


def test_on_the_local_stack_a_deposit_calls_the_software(tmp_path: Path) -> None:
    with HookReceiver(tmp_path) as software, LocalProcess(SSL_CERT_FILE=str(software.certificate)) as stack:
        software.statuses = [503]
        specialist, author = professional(stack, "10107654321"), professional(stack, "10101234567", "1750100125")
        record = opened(stack)
        record.authorise(specialist)
        asked = specialist.post("Subscription", resource(record.id, software.url))

        record.deposit(author)
        again = first = list(software.wait_for(1))
        for minutes in (1, 2, 4, 8):  # the failure may be noted only after the clock was moved
            stack.move_clock(60 * minutes + 1)
            again = list(software.wait_for(2, seconds=5))
            if len(again) == 2:
                break

    secret = secret_of(asked.json())
    assert (len(first), len(again)) == (1, 2)
    assert len({one.event for one in again}) == 1
    assert [one.headers["x-dmp-signature"] for one in again] == [signature(secret, one) for one in again]
    assert int(again[1].headers["x-dmp-timestamp"]) - int(again[0].headers["x-dmp-timestamp"]) >= 60
    log = "".join(stack.log)
    assert not [part for part in (record.ins, secret, "hooks?of", specialist.token) if part in log]
