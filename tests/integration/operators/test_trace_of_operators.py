"""What operators do stands in a trace of their own: chained, sealed, listed, and any change of it found."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from dmp.adapters.chain_store import ChainStore
from dmp.adapters.table import Table
from dmp.domain.operation import OPERATORS
from dmp.services.audit_chain import AuditChain
from tests.api_client import ApiClient
from tests.fed_record import SPECIALIST, FedRecord, partition
from tests.inspected_record import Json, drop, order, problems, put, settle


def test_what_operators_do_is_traced_chained_sealed_and_listed(record: FedRecord, clock: TimeMachineFixture) -> None:
    act = {"operator": "ana", "command": "fsck", "target": record.id, "run": "run-1"}

    assert order(record.api, "note", **act, stage="begun") == {"noted": True}
    clock.shift(2)
    assert order(record.api, "note", **act, stage="done", detail="problems 0") == {"noted": True}

    newest, before = order(record.api, "acts", limit=2)["acts"]
    assert (newest["operator"], newest["stage"], newest["detail"]) == ("ana", "done", "problems 0")
    assert {name: before[name] for name in act} == act
    assert before["stage"] == "begun"
    settle(record, clock, OPERATORS)
    assert [one for one in problems(record.api, "seals") if one["record"]] == []
    assert partition(record.stores["AUDIT_TABLE"], f"K#{OPERATORS}")


def test_a_trace_of_the_operators_that_was_changed_is_found(record: FedRecord, clock: TimeMachineFixture) -> None:
    order(record.api, "note", operator="ana", command="fsck", target="all", stage="begun")
    settle(record, clock, OPERATORS)
    table = record.stores["AUDIT_TABLE"]
    kept = max(partition(table, f"R#{OPERATORS}"), key=lambda one: one["sk"]["S"])
    put(table, kept | {"entry": {"S": kept["entry"]["S"].replace("ana", "eva")}})

    found = problems(record.api, "seals")

    assert {"chain-broken"} == {one["fault"] for one in found if one["record"] == OPERATORS}


@pytest.mark.parametrize("of_operators", [True, False])
def test_a_trace_that_was_cut_at_its_end_is_found_before_any_seal_is(record: FedRecord, of_operators: bool) -> None:
    table, trace = record.stores["AUDIT_TABLE"], OPERATORS if of_operators else record.id
    order(record.api, "note", operator="ana", command="fsck", target="all", stage="begun")
    record.find(SPECIALIST)
    record.api.run("AuditSealer", {"record": OPERATORS})
    before = partition(table, f"K#{trace}")
    order(record.api, "note", operator="ana", command="rm", target="all", stage="begun")
    record.find(SPECIALIST)

    chains = ChainStore(Table(database, table), database, table)
    AuditChain(chains, lambda: datetime.now(UTC)).complete(trace)
    links = [one for one in partition(table, f"K#{trace}") if one not in before]
    entries = {local for one in links for local in json.loads(one["entries"]["S"])}
    cut = [*links, *(one for one in partition(table, f"R#{trace}") if one["sk"]["S"] in entries)]
    for one in cut:
        drop(table, one)

    found = problems(record.api, "seals")

    for one in cut:
        put(table, one)
    again = problems(record.api, "seals")
    assert "chain-cut" in {one["fault"] for one in found if one["record"] == trace}
    assert "chain-cut" not in {one["fault"] for one in again if one["record"] == trace}


def database() -> Any:
    return aws.client("dynamodb")


def test_an_act_that_cannot_be_read_hides_no_other(record: FedRecord) -> None:
    order(record.api, "note", operator="ana", command="fsck", target="all", stage="begun")
    table = record.stores["AUDIT_TABLE"]
    kept = max(partition(table, f"R#{OPERATORS}"), key=lambda one: one["sk"]["S"])
    put(table, kept | {"entry": {"S": "{}"}})

    acts = order(record.api, "acts", limit=5)["acts"]

    put(table, kept)
    assert (acts[0]["stage"], acts[0]["target"]) == ("unreadable", kept["sk"]["S"])
    assert len(order(record.api, "acts", limit=5)["acts"]) == len(acts)


@pytest.mark.parametrize(
    "change",
    [
        {"operator": ""},
        {"operator": "a b"},
        {"command": "RM"},
        {"stage": "over"},
        {"target": "x" * 501},
        {"detail": "\n"},
    ],
)
def test_an_act_that_does_not_say_who_does_what_is_not_kept(
    api: ApiClient, stack: dict[str, str], change: Json
) -> None:
    before = partition(stack["AUDIT_TABLE"], f"R#{OPERATORS}")
    act = {"operator": "ana", "command": "fsck", "target": "all", "stage": "begun"}

    assert order(api, "note", **act | change)["error"] == "invalid-parameter"

    assert partition(stack["AUDIT_TABLE"], f"R#{OPERATORS}") == before


def test_the_consumer_of_the_trace_that_tells_persons_lets_operators_pass(record: FedRecord) -> None:
    order(record.api, "note", operator="ana", command="fsck", target="all", stage="begun")
    item = max(partition(record.stores["AUDIT_TABLE"], f"R#{OPERATORS}"), key=lambda one: one["sk"]["S"])
    change = {"eventName": "INSERT", "dynamodb": {"NewImage": item, "SequenceNumber": "1"}}

    assert record.api.run("FirstAccesses", {"Records": [change]}) == {"batchItemFailures": []}
