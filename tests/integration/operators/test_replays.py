"""What was set aside is handled again: each queue in its own way, nothing lost where it is killed, nothing twice."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import boto3
import pytest
import time_machine
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from tests import texts
from tests.aws_calls import Killed, refused
from tests.closed_record import full_record
from tests.conftest import NOON
from tests.fed_record import SPECIALIST, FedRecord, partition
from tests.kept_stack import KeptStack, Moment
from tests.log_lines import written
from tests.operator_tools import Operator

type Json = dict[str, Any]


@pytest.fixture(scope="module")
def unsealed(kept: KeptStack) -> tuple[FedRecord, Moment]:
    with time_machine.travel(NOON, tick=True) as clock:
        kept.put_back(kept.empty, clock)
        return full_record(kept.api, kept.environment), kept.moment()


@pytest.fixture
def record(
    unsealed: tuple[FedRecord, Moment], kept: KeptStack, stack: dict[str, str], clock: TimeMachineFixture
) -> FedRecord:
    """A record of which nothing is chained yet."""
    assert stack
    record, moment = unsealed
    kept.put_back(moment, clock)
    return record


def put(operator: Operator, queue: str, *bodies: Mapping[str, Any] | str, **attributes: str) -> None:
    url = operator.installation.resource(queue)
    told: Any = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    for body in bodies:
        text = body if isinstance(body, str) else json.dumps(body)
        boto3.client("sqs").send_message(QueueUrl=url, MessageBody=text, MessageAttributes=told)


def hook(number: int) -> Json:
    return {"subscription": "record.local", "event": str(number)}


def waiting(operator: Operator, queue: str) -> list[str]:
    return texts.queued(operator.installation.resource(queue))


def by_key(record: FedRecord, prefix: str, table: str = "RECORDS_TABLE", pk: str = "R#") -> Json:
    """What a consumer says of a change that it gave up: the newest item there."""
    item = [one for one in partition(record.stores[table], f"{pk}{record.id}") if one["sk"]["S"].startswith(prefix)][-1]
    key = {name: item[name] for name in ("pk", "sk")}
    return {"failure": "KeyError", "keys": key, "DDBStreamBatchInfo": {"streamArn": "", "startSequenceNumber": "1"}}


def by_place(record: FedRecord, table: str, prefix: str, pk: str = "R#") -> Json:
    """What Lambda says of a batch that it gave up: a place in the stream, of the newest change of such keys."""
    streams = boto3.client("dynamodbstreams")
    arn = boto3.client("dynamodb").describe_table(TableName=record.stores[table])["Table"]["LatestStreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    place = {"StreamArn": arn, "ShardId": shard["ShardId"]}
    iterator = streams.get_shard_iterator(**place, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    found = streams.get_records(ShardIterator=iterator)["Records"]
    wanted = [
        one["dynamodb"] for one in found
        if one["dynamodb"]["Keys"]["pk"]["S"] == f"{pk}{record.id}"
        and one["dynamodb"]["Keys"]["sk"]["S"].startswith(prefix)
    ]  # fmt: skip
    number = wanted[-1]["SequenceNumber"]
    told = {"shardId": shard["ShardId"], "startSequenceNumber": number, "endSequenceNumber": number, "streamArn": arn}
    return {"requestContext": {}, "DDBStreamBatchInfo": told | {"batchSize": 1}}


# --- queues whose messages go back


@pytest.mark.parametrize(
    ("queue", "lost", "source"),
    [("hooks", "LostHooks", "HookQueue"), ("extractions", "LostExtractions", "ExtractionQueue")],
)
def test_messages_go_back_to_where_they_came_from(operator: Operator, queue: str, lost: str, source: str) -> None:
    texts.emptied(operator.installation.resource(source))
    bodies = [{"subscription": "a.b", "event": str(n), "key": f"documents/a/{n}"} for n in range(13)]
    put(operator, lost, *bodies)

    outcome = operator.run("replay", queue)

    assert (outcome.code, outcome.json["replayed"]) == (0, 13)
    assert sorted(int(json.loads(one)["event"]) for one in waiting(operator, source)) == list(range(13))
    assert waiting(operator, lost) == []
    assert operator.acts()[-1] == ("replay", lost, "done", "replayed 13, dropped 0, left 0")


def test_no_more_than_was_asked_for_is_replayed(operator: Operator) -> None:
    put(operator, "LostHooks", *(hook(number) for number in range(13)))

    assert operator.run("replay", "hooks", "--limit", "11").json["replayed"] == 11


@pytest.mark.parametrize("call", ["SendMessage", "DeleteMessage"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_anywhere_nothing_is_lost(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, clock: TimeMachineFixture, call: str, moment: str
) -> None:
    put(operator, "LostHooks", *(hook(number) for number in range(4)))
    client: Any = boto3.client("sqs")
    monkeypatch.setattr(operator.installation, "client", lambda _: client)

    def die(model: Any, **_: object) -> None:
        if model.name == call:
            raise Killed

    client.meta.events.register(f"{moment}-call.sqs.{call}", die)
    with pytest.raises(Killed):
        operator.run("replay", "hooks")
    client.meta.events.unregister(f"{moment}-call.sqs.{call}", die)
    clock.shift(timedelta(hours=1))

    operator.run("replay", "hooks")

    assert {json.loads(one)["event"] for one in waiting(operator, "HookQueue")} == {"0", "1", "2", "3"}


@pytest.mark.parametrize(
    ("queue", "lost", "source"),
    [
        ("uploads", "LostUploads", "UploadQueue"), ("extractions", "LostExtractions", "ExtractionQueue"),
        ("exports", "LostExports", "ExportQueue"), ("hooks", "LostHooks", "HookQueue"),
    ],
)  # fmt: skip
def test_only_what_has_the_form_of_its_queue_goes_back_and_garbage_stays_until_it_is_dropped(
    operator: Operator, queue: str, lost: str, source: str
) -> None:
    object_ = {"s3": {"object": {"key": "uploads/a/b", "versionId": "1"}}}
    fine = {"Records": [object_], "export": "a.b", "subscription": "a.b", "event": "c"}
    garbage = ["x", "[]", "{}", '{"Records": [7]}', '{"key": 1}', '{"detail": []}', '{"export": "a"}', '{"event": "c"}']
    for name in (lost, source):
        texts.emptied(operator.installation.resource(name))
    put(operator, lost, fine, *garbage)

    first, again = operator.run("replay", queue), operator.run("replay", queue)
    capacity = next(one for one in operator.run("capacity").json["queues"] if one["queue"] == lost)
    dropped = operator.run("replay", queue, "--drop-poison")
    empty = operator.run("replay", queue)

    reason = "not understood: of no form of ours"
    assert [(one.code, one.json["replayed"], one.json["left"]) for one in (first, again)] == [(1, 1, 8), (1, 0, 8)]
    assert any("--drop-poison" in note for note in again.json["notes"])
    assert capacity["waiting"] + capacity["being handled"] == 8
    assert (dropped.code, dropped.json["dropped"], dropped.json["left"]) == (0, 8, 0)
    assert dropped.json["dropped because"] == [{"reason": reason, "messages": 8}]
    assert ("replay", lost, "done", f"replayed 0, dropped 8, left 0: {reason} 8") in operator.acts()
    assert (empty.code, empty.json["left"]) == (0, 0)
    assert len(waiting(operator, source)) == 1


def test_what_another_replay_holds_is_counted_as_left(operator: Operator) -> None:
    put(operator, "LostHooks", hook(1), hook(2))
    url = operator.installation.resource("LostHooks")
    boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=2, VisibilityTimeout=900)

    outcome = operator.run("replay", "hooks")

    capacity = operator.run("capacity")
    assert (outcome.code, outcome.json["replayed"], outcome.json["left"]) == (1, 0, 2)
    assert (capacity.code, any("set aside" in note for note in capacity.json["notes"])) == (1, True)


def test_one_poisoned_message_keeps_no_other_from_being_handled(operator: Operator, record: FedRecord) -> None:
    put(operator, "LostMessages", {"requestContext": 7}, {"keys": 5}, {"keys": {"sk": "a"}}, by_key(record, "M#"))

    outcome = operator.run("replay", "messages")

    assert (outcome.code, outcome.json["replayed"], outcome.json["left"]) == (1, 1, 3)


# --- queues of what consumers of streams gave up


@pytest.mark.parametrize("form", ["key", "place"])
def test_a_mail_that_was_given_up_is_sent_and_only_once(operator: Operator, record: FedRecord, form: str) -> None:
    lost = by_key(record, "M#") if form == "key" else by_place(record, "RECORDS_TABLE", "M#")
    put(operator, "LostMessages", lost, lost)

    outcome = operator.run("replay", "messages")

    assert (outcome.code, outcome.json["replayed"]) == (0, 2)
    states = [item["mail"]["S"] for item in record.items() if item["sk"]["S"].startswith("M#")]
    assert states.count("sent") == 1


@pytest.mark.parametrize("form", ["key", "place"])
def test_a_first_access_that_was_given_up_is_told(operator: Operator, record: FedRecord, form: str) -> None:
    record.find(SPECIALIST)
    lost = by_place(record, "AUDIT_TABLE", "1") if form == "place" else by_key(record, "1", "AUDIT_TABLE")
    put(operator, "LostMessages", lost)

    operator.run("replay", "messages")

    marks = [item for item in record.items() if item["sk"]["S"].startswith("F#")]
    assert len(marks) == 1


def test_a_change_that_was_given_up_is_announced(operator: Operator, record: FedRecord) -> None:
    put(operator, "LostChanges", by_key(record, "D#"), by_place(record, "RECORDS_TABLE", "D#"))

    outcome = operator.run("replay", "changes")

    assert (outcome.code, outcome.json["replayed"], waiting(operator, "LostChanges")) == (0, 2, [])


@pytest.mark.parametrize("form", ["key", "place"])
def test_an_entry_that_was_given_up_is_chained_once(operator: Operator, record: FedRecord, form: str) -> None:
    lost = by_key(record, "1", "AUDIT_TABLE") if form == "key" else by_place(record, "AUDIT_TABLE", "1")
    put(operator, "LostEntries", lost, lost)

    assert operator.run("replay", "entries").json["replayed"] == 2

    links = partition(record.stores["AUDIT_TABLE"], f"K#{record.id}")
    chained = [local for link in links for local in json.loads(link["entries"]["S"])]
    assert len(chained) == len(set(chained)) >= 1
    assert operator.run("fsck", "--record", record.id).json["problems"] == 0


@pytest.mark.parametrize("change", ["REMOVE", "MODIFY"])
@pytest.mark.parametrize("pk", ["R#", "K#"])
@pytest.mark.parametrize("form", ["key", "place"])
def test_a_change_of_the_trace_that_was_given_up_is_an_alarm_and_no_entry(
    operator: Operator, record: FedRecord, form: str, pk: str, change: str
) -> None:
    operator.run("complete-chain", record.id)
    tampered = partition(record.stores["AUDIT_TABLE"], f"{pk}{record.id}")[-1]
    table, key = record.stores["AUDIT_TABLE"], {name: tampered[name] for name in ("pk", "sk")}
    if change == "REMOVE":
        aws.client("dynamodb").delete_item(TableName=table, Key=key)
    else:
        aws.client("dynamodb").put_item(TableName=table, Item=tampered | {"entry": {"S": "{}"}})
    lost: Json = {"keys": key, "eventName": change, "DDBStreamBatchInfo": {"startSequenceNumber": "1"}}
    put(operator, "LostEntries", lost if form == "key" else by_place(record, "AUDIT_TABLE", key["sk"]["S"], pk))
    before = partition(table, f"K#{record.id}")

    with written() as lines:
        outcome = operator.run("replay", "entries")

    assert (outcome.code, outcome.json["replayed"]) == (0, 1)
    assert [line["change"] for line in lines.parsed if line["message"] == "trace_changed"] == [change]
    assert partition(table, f"K#{record.id}") == before


@pytest.mark.parametrize("pk", ["K#1", "SEALS", "W#2026-01#1", "R#", ""])
def test_what_is_no_entry_of_a_record_is_not_chained_as_one(operator: Operator, pk: str) -> None:
    put(operator, "LostEntries", {"keys": {"pk": {"S": pk}, "sk": {"S": "1"}}})

    outcome = operator.run("replay", "entries")

    assert (outcome.code, outcome.json["left because"]) == (1, [{"reason": "no entry of a record", "messages": 1}])


def test_an_entry_that_was_chained_long_ago_is_not_chained_again(
    operator: Operator, record: FedRecord, clock: TimeMachineFixture
) -> None:
    lost = by_key(record, "1", "AUDIT_TABLE")
    operator.run("complete-chain", record.id)
    clock.shift(timedelta(days=13))
    put(operator, "LostEntries", lost)

    operator.run("replay", "entries")

    found = operator.run("fsck", "--record", record.id).json["problem list"]
    assert "chained-twice" not in {one["fault"] for one in found}


def test_what_is_there_no_more_is_done_with(operator: Operator, record: FedRecord) -> None:
    lost = by_key(record, "M#")
    aws.client("dynamodb").delete_item(TableName=record.stores["RECORDS_TABLE"], Key=lost["keys"])
    put(operator, "LostMessages", lost)

    assert operator.run("replay", "messages").json["replayed"] == 1


def test_what_fails_again_stays(operator: Operator, record: FedRecord) -> None:
    put(operator, "LostChanges", by_key(record, "D#"))

    with refused("Query"):
        outcome = operator.run("replay", "changes")

    assert (outcome.code, outcome.json["left"]) == (1, 1)
    assert len(waiting(operator, "LostChanges") or ["hidden"]) == 1


@pytest.mark.parametrize("body", ["no JSON", "[]", {}, {"keys": {"pk": 1}}, {"DDBStreamBatchInfo": {}}])
def test_what_nobody_understands_stays(operator: Operator, body: Any) -> None:
    put(operator, "LostChanges", body)

    outcome = operator.run("replay", "changes")

    assert (outcome.code, outcome.json["replayed"], outcome.json["left"]) == (1, 0, 1)


# --- runs


def test_a_run_that_failed_is_run_again(operator: Operator, record: FedRecord) -> None:
    arn = "arn:aws:scheduler:eu-west-3:123456789012:schedule/default/dmp-ConsentExpiryNow-X1"
    put(operator, "LostRuns", {"source": "aws.scheduler", "resources": [arn], "detail": "{}"}, {"whole": True})
    put(operator, "LostRuns", {}, TARGET_ARN="arn:aws:lambda:eu-west-3:123456789012:function:dmp-MailSweep-X")

    outcome = operator.run("replay", "runs")

    assert (outcome.code, outcome.json["replayed"]) == (0, 3)


def test_a_run_that_names_no_job_stays(operator: Operator) -> None:
    put(operator, "LostRuns", {"order": "note"})

    outcome = operator.run("replay", "runs")

    assert (outcome.code, outcome.json["left because"]) == (1, [{"reason": "no job is named", "messages": 1}])
