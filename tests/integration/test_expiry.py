"""The end of authorisations: to the second by the decision, then marked and told by the job (IHE PCF)."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import Killed, Moment, answer_lost, counted, killed, meanwhile, refused
from tests.fed_record import partition
from tests.open_record import OpenRecord, items_of, open_record
from tests.requester_factories import requester_patient, requester_professional

HEALER = requester_professional()
TELECOM = [{"system": "email", "value": "dominique@example.org"}]
JOB = "ConsentExpiry"
TOLD = ("authorisation-expired", "authorisation-expiring")


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture, stack: dict[str, str]) -> OpenRecord:
    """A record while time stands still and nothing of other tests is due."""
    client, table = aws.client("dynamodb"), stack["RECORDS_TABLE"]
    for page in client.get_paginator("scan").paginate(TableName=table, IndexName="by-expiry"):
        for item in page["Items"]:
            key = {"pk": item["pk"], "sk": item["sk"]}
            client.update_item(TableName=table, Key=key, UpdateExpression="REMOVE gx_month, gx_at")
    return open_record(api, telecom=TELECOM)


@dataclass
class Remaining:
    """A Lambda context whose time runs out after a number of looks at it."""

    looks: int
    aws_request_id: str = field(default="run-1")

    def get_remaining_time_in_millis(self) -> int:
        self.looks -= 1
        return 60_000 if self.looks >= 0 else 9_000


def run_for(looks: int) -> dict[str, Any]:
    answer: dict[str, Any] = import_module("handlers.scheduled").consent_expiry({}, Remaining(looks))
    return answer


def messages(stack: dict[str, str], record: OpenRecord) -> list[tuple[str, str, str]]:
    """Kind, recipient and address of every message that the job made, sorted."""
    found = [json.loads(item["body"]["S"]) for item in items_of(stack, record.id, "M#")]
    return sorted((m["kind"], m["recipient"], m["email"]) for m in found if m["kind"] in TOLD)


def traced(record: OpenRecord) -> Counter[str]:
    return Counter(e["subtype"][0]["code"] for e in record.trace())


EXPIRED = [
    ("authorisation-expired", "patient", "dominique@example.org"),
    ("authorisation-expired", "urn:oid:1.2.250.1.71.4.2.1|810101234567", "810101234567@messagerie.example"),
]
EXPIRING = [("authorisation-expiring", who, email) for _, who, email in EXPIRED]


@pytest.mark.parametrize("job_runs", [True, False])
def test_an_authorisation_ends_to_the_second_whether_or_not_the_job_ran(
    record: OpenRecord, clock: TimeMachineFixture, job_runs: bool
) -> None:
    record.authorise()

    clock.move_to("2027-03-02T11:59:59.999Z", tick=False)
    if job_runs:
        record.api.run(JOB)
    before = record.documents(HEALER)
    clock.move_to("2027-03-02T12:00:00Z", tick=False)
    at_the_end = record.documents(HEALER)
    if job_runs:
        record.api.run(JOB)
    after = record.documents(HEALER)

    assert [r.status for r in (before, at_the_end, after)] == [200, 403, 403]
    assert at_the_end.code == after.code == "authorisation-expired"


def test_the_job_marks_traces_and_tells_what_has_expired(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    consent = record.authorise(period={"end": "2026-03-10"}).id
    clock.move_to("2026-03-10T22:59:59Z", tick=False)
    early = record.api.run(JOB)
    clock.move_to("2026-03-10T23:00:00Z", tick=False)

    swept = record.api.run(JOB)
    again = record.api.run(JOB)

    assert (early["expired"], swept["expired"], again["expired"]) == (0, 1, 0)
    assert record.status_of(consent) == "inactive"
    assert record.get_consent(consent)["meta"]["versionId"] == "2"
    assert messages(stack, record) == EXPIRED
    [event] = [e for e in record.trace() if e["subtype"][0]["code"] == "expire"]
    assert event["outcome"] == "0"
    assert {"reference": f"Consent/{consent}"} in [entity.get("what") for entity in event["entity"]]


def test_a_warning_comes_thirty_days_before_and_once(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    consent = record.authorise(period={"end": "2026-05-01T12:00:00Z"}).id

    clock.move_to("2026-04-01T11:59:59Z", tick=False)
    early = record.api.run(JOB)
    clock.move_to("2026-04-01T12:00:00Z", tick=False)
    warned = record.api.run(JOB)
    for _ in range(3):
        clock.shift(timedelta(days=9))
        record.api.run(JOB)

    assert (early["warned"], warned["warned"]) == (0, 1)
    assert messages(stack, record) == EXPIRING
    assert record.status_of(consent) == "active"
    assert record.may_read(HEALER)
    clock.move_to("2026-05-01T12:00:00Z", tick=False)
    assert record.api.run(JOB)["expired"] == 1
    assert messages(stack, record) == EXPIRED + EXPIRING
    assert traced(record)["warn"] == traced(record)["expire"] == 1


def test_a_short_authorisation_ends_without_a_warning(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    record.authorise(period={"end": "2026-03-31"})

    for day in (2, 3, 17, 31):
        clock.move_to(datetime(2026, 3, day, 12, tzinfo=UTC), tick=False)
        record.api.run(JOB)

    assert messages(stack, record) == []


def test_what_a_connexion_secrete_attested_ends_in_secret(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    consent = record.authorise(period={"end": "2026-03-10"}, as_=replace(HEALER, is_secret=True)).id
    clock.move_to("2026-03-11T12:00:00Z", tick=False)

    assert record.api.run(JOB)["expired"] == 1

    made = [json.loads(item["body"]["S"]) for item in items_of(stack, record.id, "M#")]
    assert {m["secret"] for m in made if m["kind"] in TOLD} == {True}
    found = partition(stack["AUDIT_TABLE"], f"R#{record.id}")
    [ended] = [entry for item in found if (entry := json.loads(item["entry"]["S"]))["act"] == "expire"]
    assert (ended["what"], ended["secret"]) == ([f"Consent/{consent}"], True)


def test_a_structure_is_told_as_a_professional_is(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    record.consent(bodies.authorisation_of_structure(record.id, "1750100125", period={"end": "2026-03-10"}))
    clock.move_to("2026-03-11T12:00:00Z", tick=False)

    record.api.run(JOB)

    assert [m[1] for m in messages(stack, record)] == ["patient", "urn:oid:1.2.250.1.71.4.2.2|1750100125"]


def test_what_was_revoked_or_prolonged_is_left_alone(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    revoked = record.authorise(period={"end": "2026-03-10"}).id
    prolonged = record.authorise("810107654321", period={"end": "2026-03-10"}).id
    record.revoke(revoked)
    change = [{"op": "replace", "path": "/provision/period/end", "value": "2026-12-31"}]
    record.api.patch(f"/fhir/Consent/{prolonged}", change, as_=record.patient)
    clock.move_to("2026-03-11T12:00:00Z", tick=False)

    swept = record.api.run(JOB)

    assert (swept["expired"], messages(stack, record)) == (0, [])
    assert record.status_of(prolonged) == "active"
    assert record.get_consent(revoked)["meta"]["versionId"] == "2"


def test_nobody_is_told_what_ends_in_a_closed_record(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    record.authorise(period={"end": "2026-03-10"})
    record.close()
    clock.move_to("2026-03-11T12:00:00Z", tick=False)

    swept = record.api.run(JOB)

    assert (swept["expired"], messages(stack, record)) == (1, [])
    assert traced(record)["expire"] == 1


def test_a_delegation_is_marked_at_the_majority(api: ApiClient, record: OpenRecord, clock: TimeMachineFixture) -> None:
    parent, ins = bodies.new_ins(), bodies.new_ins()
    minor = {"resource": bodies.patient(ins, birthDate="2008-03-10")}
    opening = bodies.opening(ins, patient=minor, guardian={"resource": bodies.guardian(parent)})
    child = api.post("/fhir/Patient/$open", opening, as_=requester_patient(bodies.qualified(parent))).id
    clock.move_to("2026-03-09T23:00:00Z", tick=False)

    swept = record.api.run(JOB)

    own = requester_patient(bodies.qualified(ins))
    [delegation] = api.get(f"/fhir/Consent?patient={child}&category=delegation", as_=own).resources
    assert (swept["expired"], delegation["status"]) == (1, "inactive")


def test_a_backlog_of_many_months_is_worked_off_the_longest_due_first(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    consents = []
    for month in range(3, 13):
        clock.move_to(datetime(2026, month, 2, 12, tzinfo=UTC), tick=False)
        end = {"end": f"2026-{month:02d}-05"}
        consents.append(record.authorise(f"8101010000{month:02d}", period=end).id)
    clock.move_to("2027-03-31T12:00:00Z", tick=False)

    first = run_for(4)
    after_first = [record.status_of(c) for c in consents]
    second = run_for(100)

    assert (first["expired"], first["done"]) == (4, False)
    assert after_first == ["inactive"] * 4 + ["active"] * 6
    assert (second["expired"], second["done"]) == (6, True)
    assert len(messages(stack, record)) == 20


def test_what_is_due_to_be_told_and_already_past_is_told_once(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    record.authorise()
    clock.move_to("2027-06-01T12:00:00Z", tick=False)

    record.api.run(JOB)

    assert messages(stack, record) == EXPIRED


def test_without_time_the_job_does_nothing_and_the_next_run_goes_on(
    record: OpenRecord, clock: TimeMachineFixture
) -> None:
    consent = record.authorise(period={"end": "2026-03-10"}).id
    clock.move_to("2026-03-11T12:00:00Z", tick=False)

    none, then = run_for(0), run_for(10)

    assert none == {"expired": 0, "warned": 0, "failed": 0, "done": False, "waited_seconds": 0}
    assert (then["expired"], then["done"], record.status_of(consent)) == (1, True, "inactive")


CALLS = ["Query", "BatchGetItem", "TransactWriteItems"]


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("warning", [True, False])
def test_a_job_killed_at_any_call_converges_to_one_run(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str], moment: Moment, warning: bool
) -> None:
    actors = [f"8101010000{n:02d}" for n in range(3)]
    end = "2026-04-09" if warning else "2026-03-10"
    consents = [record.authorise(a, period={"end": end}).id for a in actors]
    clock.move_to("2026-03-11T12:00:00Z", tick=False)

    deaths = [(operation, nth) for operation in CALLS for nth in ((1, 9, 20) if operation == "Query" else (1, 2))]
    for operation, nth in deaths:
        try:
            with killed(operation, moment, nth=nth):
                record.api.run(JOB)
        except (Killed, AssertionError):  # nothing is left that calls it so often
            continue
    last = record.api.run(JOB)

    what = "expiring" if warning else "expired"
    assert last["done"]
    assert [record.status_of(c) for c in consents] == ["active" if warning else "inactive"] * 3
    assert {record.get_consent(c)["meta"]["versionId"] for c in consents} == {"2"}
    assert Counter(kind for kind, _, _ in messages(stack, record)) == {f"authorisation-{what}": 6}
    assert traced(record)["warn" if warning else "expire"] == 3


def test_a_lost_answer_or_a_refusing_database_loses_and_doubles_nothing(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    consents = [record.authorise(f"8101010000{n:02d}", period={"end": "2026-03-10"}).id for n in range(3)]
    clock.move_to("2026-03-11T12:00:00Z", tick=False)

    with answer_lost("TransactWriteItems"):
        one_lost = record.api.run(JOB)
    fourth = record.authorise("810101000009", period={"end": "2026-03-12"}).id
    clock.move_to("2026-03-13T12:00:00Z", tick=False)
    with refused("TransactWriteItems"):
        one_refused = record.api.run(JOB)
    assert record.status_of(fourth) == "active"
    caught_up = record.api.run(JOB)
    last = record.api.run(JOB)

    assert (one_lost["failed"], one_lost["expired"], one_lost["done"]) == (1, 2, False)
    assert (one_refused["failed"], one_refused["done"], caught_up["expired"]) == (1, False, 1)
    assert last == {"expired": 0, "warned": 0, "failed": 0, "done": True, "waited_seconds": 0}
    assert [record.status_of(c) for c in consents] == ["inactive"] * 3
    assert len(messages(stack, record)) == 8


def test_one_consent_that_cannot_be_handled_stops_no_other_and_the_log_says_what_it_is_about(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR", logger="dmp")
    broken = record.authorise("810101000001", period={"end": "2026-03-10"}).id
    sound = record.authorise("810101000002", period={"end": "2026-03-10"}).id
    [item] = [i for i in items_of(stack, record.id, "C#") if i["local"]["S"] == broken.partition(".")[2]]
    aws.client("dynamodb").put_item(TableName=stack["RECORDS_TABLE"], Item={**item, "body": {"S": "{}"}})
    clock.move_to("2026-03-11T12:00:00Z", tick=False)

    swept = record.api.run(JOB)
    logged = [one.__dict__["failure"] for one in caplog.records if one.message == "consent_expiry_failed"]
    aws.client("dynamodb").put_item(TableName=stack["RECORDS_TABLE"], Item=item)
    mended = record.api.run(JOB)

    assert (swept["expired"], swept["failed"], swept["done"], logged) == (1, 1, False, ["KeyError"])
    assert record.status_of(sound) == "inactive"
    assert (mended["expired"], mended["done"]) == (1, True)


def test_a_revocation_at_the_same_moment_wins(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    consent = record.authorise(period={"end": "2026-04-09"}).id
    clock.move_to("2026-03-11T12:00:00Z", tick=False)

    with meanwhile("TransactWriteItems", lambda: record.revoke(consent)):
        swept = record.api.run(JOB)

    assert (swept["warned"], swept["done"]) == (0, True)
    assert (record.status_of(consent), messages(stack, record)) == ("inactive", [])


def test_two_jobs_at_once_tell_everything_once(
    record: OpenRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    for number in range(4):
        record.authorise(f"8101010000{number:02d}", period={"end": "2026-03-10"})
    clock.move_to("2026-03-11T12:00:00Z", tick=False)

    with meanwhile("TransactWriteItems", lambda: record.api.run(JOB)):
        late = record.api.run(JOB)

    assert (late["expired"], late["done"]) == (0, True)
    assert len(messages(stack, record)) == 8


def test_a_job_that_has_nothing_to_do_writes_nothing(record: OpenRecord) -> None:
    with counted() as calls:
        swept = record.api.run(JOB)

    assert swept == {"expired": 0, "warned": 0, "failed": 0, "done": True, "waited_seconds": 0}
    assert calls == ["Query"] * 8 * 3


def test_memory_stays_bounded_however_much_is_due(
    record: OpenRecord, clock: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dmp.adapters.due_index._PAGE", 5)
    for number in range(30):
        record.authorise(f"8101010001{number:02d}", period={"end": "2026-03-10"})
    clock.move_to("2026-03-11T12:00:00Z", tick=False)

    with counted() as calls:
        swept = record.api.run(JOB)

    runs = "".join("Q" if c == "Query" else "T" if c == "TransactWriteItems" else "" for c in calls)
    assert swept["expired"] == 30
    assert max(len(run) for run in runs.split("Q")) <= 5
