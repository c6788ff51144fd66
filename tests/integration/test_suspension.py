"""The operator suspends a record on malfunction or fraud: its person is told, and it closes after six weeks."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import Killed, Moment, answer_lost, killed, meanwhile, refused
from tests.closed_record import (
    CONTACTS,
    JOB,
    close,
    erase,
    forget_what_is_due,
    full_record,
    reopen,
    small_record,
    small_stack,
    suspend,
)
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord
from tests.open_record import extension
from tests.requester_factories import requester_cpam_agent

AGENT = requester_cpam_agent()
ATTESTED = {"attestation": bodies.attested()}


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, str]]:
    with small_stack() as environment:
        yield environment


@pytest.fixture(scope="module")
def api(stack: dict[str, str]) -> ApiClient:
    assert stack
    return ApiClient()


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    forget_what_is_due(stack)
    return full_record(api, stack)


@pytest.fixture
def bare(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    """A record without content."""
    forget_what_is_due(stack)
    return small_record(api, stack)


def told(record: FedRecord) -> list[tuple[str, str]]:
    """Kind and address of the messages about the state of the record."""
    bodies_ = [json.loads(item["body"]["S"]) for item in record.items() if item["sk"]["S"].startswith("M#")]
    return [(m["kind"], m["email"]) for m in bodies_ if m["kind"].startswith("record-")]


def acts(record: FedRecord) -> list[tuple[str, str, str]]:
    """What was done to the record itself, by whom, and why, in the order of names: ids of one instant have none."""
    wanted = {"suspend", "resume", "close", "reopen"}
    return sorted((e["act"], e["actor"].rpartition("|")[2], e["reason"]) for e in record.trace() if e["act"] in wanted)


def looked_up(record: FedRecord) -> dict[str, Any]:
    [patient] = record.api.get(f"/fhir/Patient?identifier={bodies.qualified(record.ins)}", as_=SPECIALIST).resources
    return patient


def test_a_suspended_record_is_closed_to_all_and_its_person_is_told_and_reads_the_trace(record: FedRecord) -> None:
    document = record.publish()

    answer = suspend(record)

    assert answer == {"record": record.id, "status": "suspended"}
    for who in (record.patient, AUTHOR, SPECIALIST):
        reads = [record.find(who), record.api.get(f"/fhir/DocumentReference/{document}", as_=who)]
        feeding = record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=who)
        assert {(a.status, a.code) for a in (*reads, feeding)} == {(403, "record-closed")}
    operations = [close(record), reopen(record), erase(record), reopen(record, AGENT, **ATTESTED)]
    assert [(a.status, a.code) for a in operations] == [
        (409, "record-closed"), *[(409, "record-suspended")] * 3
    ]  # fmt: skip
    assert record.api.get(f"/fhir/AuditEvent?patient={record.id}", as_=record.patient).status == 200
    assert looked_up(record)["active"] is False
    assert not extension(looked_up(record), "dmp-fermeture")
    assert told(record) == [("record-suspended", CONTACTS[0]["value"])]
    assert ("suspend", "op-7", "operator") in acts(record)


def test_a_resumed_record_is_as_it_was(record: FedRecord, clock: TimeMachineFixture) -> None:
    before = record.found(record.patient)
    suspend(record)

    answer = suspend(record, "resume")
    clock.shift(7 * 7 * 86_400)
    run = record.api.run(JOB)

    assert (answer["status"], run["closed"]) == ("open", 0)
    assert record.found(record.patient) == before
    assert record.find(SPECIALIST).status == 200
    assert [act for act, _, _ in acts(record)] == ["resume", "suspend"]


def test_without_an_objection_it_is_closed_after_six_weeks(record: FedRecord, clock: TimeMachineFixture) -> None:
    before = record.found(record.patient)
    suspend(record)
    clock.move_to("2026-04-13T11:59:59Z", tick=False)
    early = record.api.run(JOB)
    clock.move_to("2026-04-13T12:00:00Z", tick=False)

    run = record.api.run(JOB)

    assert (early["closed"], run) == (0, {"closed": 1, "erased": 0, "failed": 0, "done": True})
    parts = {part["url"]: part for part in extension(looked_up(record), "dmp-fermeture")["extension"]}
    assert parts["motifFermeture"]["valueCode"] == "autre"
    assert parts["raisonFermeture"]["valueString"] == "Suspension restée sans objection jusqu'à son terme."
    assert parts["dateFermeture"]["valueDateTime"].startswith("2026-04-13")
    assert min(told(record)) == ("record-closed", CONTACTS[0]["value"])
    assert acts(record)[0] == ("close", "retention", "retention")
    assert suspend(record, "resume") == {"error": "record-closed", "detail": ""}
    assert reopen(record).status == 200
    assert record.found(record.patient) == before


def test_the_time_is_a_parameter(clock: TimeMachineFixture) -> None:
    with small_stack(SuspensionWeeks="1") as stack:
        record = full_record(ApiClient(), stack)
        suspend(record)
        clock.shift(7 * 86_400)

        run = record.api.run(JOB)

    assert run["closed"] == 1


def test_an_order_given_twice_is_carried_out_once(bare: FedRecord) -> None:
    answers = [suspend(bare), suspend(bare), suspend(bare, "resume"), suspend(bare, "resume")]

    assert [a["status"] for a in answers] == ["suspended", "suspended", "open", "open"]
    assert [act for act, _, _ in acts(bare)] == ["resume", "suspend"]
    assert len(told(bare)) == 1


def test_what_is_closed_going_or_gone_is_not_suspended(bare: FedRecord) -> None:
    close(bare)
    closed = suspend(bare)
    erase(bare)
    with refused("ListObjectVersions"):
        bare.api.run(JOB)
    going = suspend(bare)
    bare.api.run(JOB)
    gone = suspend(bare)

    assert [a["error"] for a in (closed, going, gone)] == ["record-closed", "erasure-under-way", "no-record"]


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"record": "0" * 26}, "no-record", ""),
        ({"record": "nobody"}, "invalid-parameter", "record"),
        ({"record": None}, "invalid-parameter", "record"),
        ({"action": "close"}, "invalid-parameter", "action"),
        ({"action": ["suspend"]}, "invalid-parameter", "action"),
        ({"reason": "  "}, "invalid-parameter", "reason"),
        ({"reason": "x" * 1001}, "invalid-parameter", "reason"),
        ({"operator": ""}, "invalid-parameter", "operator"),
        ({"operator": "Jean Martin"}, "invalid-parameter", "operator"),
    ],
)
def test_a_wrong_order_is_answered_and_changes_nothing(
    bare: FedRecord, changes: dict[str, Any], code: str, named: str
) -> None:
    before = bare.items()

    answer = suspend(bare, **changes)

    assert (answer["error"], answer["detail"].partition(" ")[0]) == (code, named)
    assert bare.items() == before


@pytest.mark.parametrize("event", [{}, [], "suspend", 7, None])
def test_what_is_no_order_is_answered(api: ApiClient, event: Any) -> None:
    assert api.functions.invoke("Suspension", event)["error"] == "invalid-parameter"


def test_a_change_of_the_patient_meanwhile_is_kept(record: FedRecord) -> None:
    with meanwhile("TransactWriteItems", lambda: record.authorise(AUTHOR)):
        answer = suspend(record)

    suspend(record, "resume")
    assert answer["status"] == "suspended"
    consents = record.api.get(f"/fhir/Consent?patient={record.id}&category=authorisation", as_=record.patient)
    assert len(consents.resources) == 2


@pytest.mark.parametrize("call", ["GetItem", "TransactWriteItems"])
@pytest.mark.parametrize("mode", ["before", "after", "lost"])
def test_an_order_that_breaks_off_is_given_again(bare: FedRecord, call: str, mode: str) -> None:
    try:
        with answer_lost(call) if mode == "lost" else killed(call, Moment[mode.upper()]):
            assert suspend(bare) == {"error": "service-unavailable", "detail": ""}
    except Killed:
        pass
    again = suspend(bare)

    assert again["status"] == "suspended"
    assert [act for act, _, _ in acts(bare)] == ["suspend"]
    assert len(told(bare)) == 1


def test_no_item_of_a_suspended_record_is_touched(record: FedRecord) -> None:
    def others() -> list[dict[str, Any]]:
        return [item for item in record.items() if item["sk"]["S"][:2] not in ("D~", "M#", "V#")]

    before = others()
    suspend(record)
    suspend(record, "resume")

    assert others() == before
    kept = aws.client("s3").list_objects_v2(Bucket=record.stores["DOCUMENTS_BUCKET"], Prefix=f"documents/{record.id}/")
    assert kept["KeyCount"] == 2
