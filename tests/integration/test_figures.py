"""What the figures count, each of them where it happens."""

import time
from datetime import timedelta
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from tests import bodies
from tests import open_record as with_address
from tests.api_client import ApiClient
from tests.aws_calls import answer_lost, refused
from tests.fed_record import SPECIALIST, STRANGER, FedRecord, open_record, partition
from tests.log_lines import figures
from tests.told import deliver, tell

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    return record


def trace(record: FedRecord, name: str = "INSERT", number: int = 0) -> list[Json]:
    """The changes that bring the entries of a record, all but the first ones."""
    items = partition(record.stores["AUDIT_TABLE"], f"R#{record.id}")[number:]
    return [
        {"eventName": name, "dynamodb": {"NewImage": item, "SequenceNumber": str(place)}}
        for place, item in enumerate(items)
    ]


def told(capsys: pytest.CaptureFixture[str], name: str) -> dict[str, float]:
    """The sum of a figure since it was last asked for, by reason."""
    sums: dict[str, float] = {}
    for figure in figures(capsys.readouterr().out):
        if name in figure:
            reason = str(figure.get("Reason", ""))
            sums[reason] = sums.get(reason, 0) + figure[name]
    return sums


@pytest.mark.parametrize(
    ("figure", "expected"),
    [("Accesses", {"": 2}), ("Deposits", {"": 1}), ("Refusals", {"not-authorised": 1}), ("Emergencies", {})],
)
def test_what_the_trace_tells_is_counted_once_however_often_the_stream_brings_it(
    record: FedRecord, capsys: pytest.CaptureFixture[str], figure: str, expected: dict[str, float]
) -> None:
    known = len(trace(record))
    record.publish()
    record.find(SPECIALIST)
    record.find(STRANGER)
    news = trace(record, number=known)

    for _ in range(3):
        record.api.run("AuditChain", {"Records": news})

    assert told(capsys, figure) == expected


def test_an_emergency_is_counted(record: FedRecord, capsys: pytest.CaptureFixture[str]) -> None:
    body = bodies.parameters(mode={"valueCode": "BTG"}, reason={"valueString": "Inconscient"})
    answer = record.api.post(f"/fhir/Patient/{record.id}/$emergency-access", body, as_=STRANGER)
    assert answer.status in {200, 201}, answer.body

    record.api.run("AuditChain", {"Records": trace(record)})

    assert told(capsys, "Emergencies") == {"": 1}


@pytest.mark.parametrize("name", ["MODIFY", "REMOVE"])
def test_a_change_of_the_trace_is_counted_as_tampering(
    record: FedRecord, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    record.api.run("AuditChain", {"Records": trace(record, name)[:1]})

    assert told(capsys, "TraceTampered") == {name.lower(): 1}


def test_an_entry_that_is_not_ours_is_chained_and_counts_nowhere(
    record: FedRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    [change, *_] = trace(record)
    image = change["dynamodb"]["NewImage"] | {"entry": {"S": '{"v": 9}'}}

    foreign = {**change, "dynamodb": {**change["dynamodb"], "NewImage": image}}
    answer = record.api.run("AuditChain", {"Records": [foreign]})

    assert answer == {"batchItemFailures": []}
    assert told(capsys, "Accesses") == {}


def test_the_lag_of_the_seals_is_the_age_of_the_oldest_entry_that_no_seal_covers(
    record: FedRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    record.api.run("AuditSealer")
    changes = trace(record)
    record.api.run("AuditChain", {"Records": changes[:1]})
    time.sleep(1.2)
    record.api.run("AuditChain", {"Records": changes[1:]})
    told(capsys, "SealLag")

    record.api.run("AuditSealer")
    waited = told(capsys, "SealLag")[""]
    record.publish()
    record.api.run("AuditChain", {"Records": trace(record, number=len(changes))})
    record.api.run("AuditSealer")
    soon = told(capsys, "SealLag")[""]
    record.api.run("AuditSealer")
    nothing = told(capsys, "SealLag")[""]

    assert 1.2 <= waited < 60
    assert 0 < soon < 1.2
    assert nothing == 0


def test_a_job_tells_what_it_left_and_how_late_it_came(
    api: ApiClient, record: FedRecord, clock: TimeMachineFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record.id
    api.run("ConsentExpiry")
    clock.shift(timedelta(days=400))
    capsys.readouterr()

    with refused("TransactWriteItems"):
        api.run("ConsentExpiry")
    output = figures(capsys.readouterr().out)

    [left] = [figure["Backlog"] for figure in output if figure.get("Reason") == "consent-expiry"]
    [lag] = [figure["ExpiryLag"] for figure in output if "ExpiryLag" in figure]
    assert left >= 1
    assert lag > timedelta(days=30).total_seconds()


def test_mails_are_counted_by_what_came_of_them(
    api: ApiClient, record: FedRecord, stack: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    opened = open_with_mail(api, stack)
    messages = [tell(opened.id)[0] for _ in range(3)]

    with refused("SendEmail", "TooManyRequestsException", 429):
        deliver(api, messages[0])
    put_off = told(capsys, "MailsPutOff")
    with refused("SendEmail", "BadRequestException", 400):
        deliver(api, messages[1])
    undeliverable = told(capsys, "MailsFailed")
    with answer_lost("SendEmail"):
        deliver(api, messages[2])
    in_doubt = told(capsys, "MailsFailed")

    assert (put_off, undeliverable, in_doubt) == ({"": 1}, {"undeliverable": 1}, {"in-doubt": 1})


def open_with_mail(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    opened = with_address.open_record(api, telecom=[{"system": "email", "value": "dominique@example.org"}])
    return FedRecord(api, opened.id, opened.ins, opened.patient, stack)
