"""Entries of the profile whose making or changing is cut short, or raced: all or nothing, and a retry converges."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import profile_bodies as made
from tests.api_client import ApiClient, Response
from tests.aws_calls import Killed, Moment, answer_lost, counted, killed, meanwhile
from tests.faults import fsck
from tests.faults.test_races import close
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord, open_record

type Request = Callable[[], Response]

URL = "/fhir/Condition"
ADD_MASK = [{"op": "add", "path": "/meta/security/-", "value": made.MASK}]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def entered(record: FedRecord, as_: Any = AUTHOR) -> str:
    response = record.api.post(URL, made.condition(record.id), as_=as_)
    assert response.status == 201, response.body
    return response.id


def _create_once(record: FedRecord) -> Request:
    headers = {"If-None-Exist": "identifier=urn:oid:2.25.9|1"}
    body = made.condition(record.id, identifier=[{"system": "urn:oid:2.25.9", "value": "1"}])
    return lambda: record.api.post(URL, body, as_=AUTHOR, headers=headers)


def _update(record: FedRecord) -> Request:
    identity = entered(record)
    body = made.condition(record.id, id=identity, severity={"text": "Modérée"})
    return lambda: record.api.put(f"{URL}/{identity}", body, as_=AUTHOR)


def _mask(record: FedRecord) -> Request:
    identity = entered(record)
    return lambda: record.api.patch(f"{URL}/{identity}", ADD_MASK, as_=record.patient)


def _delete(record: FedRecord) -> Request:
    identity = entered(record)
    return lambda: record.api.delete(f"{URL}/{identity}", as_=AUTHOR)


OPERATIONS: dict[str, tuple[Callable[[FedRecord], Request], tuple[str, ...], int]] = {
    "create once": (_create_once, ("BatchGetItem", "Query", "TransactWriteItems"), 1),
    "update": (_update, ("BatchGetItem", "TransactWriteItems"), 1),
    "mask": (_mask, ("BatchGetItem", "TransactWriteItems"), 1),
    "delete": (_delete, ("BatchGetItem", "TransactWriteItems"), 0),
}


def boundaries() -> Iterator[tuple[str, str]]:
    for name, (_, calls, _) in OPERATIONS.items():
        yield from ((name, call) for call in calls)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_undisturbed_operation_makes_the_calls_that_are_swept(record: FedRecord, name: str) -> None:
    prepare, expected, found = OPERATIONS[name]
    request = prepare(record)

    with counted() as calls:
        assert request().status < 300

    assert tuple(calls) == expected
    assert len(alive(record)) == found
    assert problems(record) == []


@pytest.mark.parametrize("mode", ["before", "after", "answer lost"])
@pytest.mark.parametrize(("name", "call"), list(boundaries()))
def test_a_fault_breaks_nothing_and_a_retry_converges(record: FedRecord, name: str, call: str, mode: str) -> None:
    prepare, _, found = OPERATIONS[name]
    request = prepare(record)
    moment = Moment.BEFORE if mode == "before" else Moment.AFTER

    try:
        with answer_lost(call) if mode == "answer lost" else killed(call, moment):
            assert request().status >= 500
    except Killed:
        pass

    assert problems(record) == []
    assert request().status in {200, 201, 204}
    assert len(alive(record)) == found
    assert problems(record) == []


def test_what_is_entered_while_the_record_closes_is_not_kept(record: FedRecord) -> None:
    with meanwhile("TransactWriteItems", lambda: close(record)):
        answer = record.api.post(URL, made.condition(record.id), as_=AUTHOR)

    assert (answer.status, answer.code) == (403, "record-closed")
    assert entries(record) == []


def test_of_two_changes_that_race_both_are_made_one_upon_the_other(record: FedRecord) -> None:
    identity = entered(record)
    body = made.condition(record.id, id=identity, severity={"text": "Modérée"})

    with meanwhile("TransactWriteItems", lambda: record.api.patch(f"{URL}/{identity}", ADD_MASK, as_=record.patient)):
        changed = record.api.put(f"{URL}/{identity}", body, as_=AUTHOR)

    assert (changed.status, changed.headers["etag"]) == (200, 'W/"3"')
    assert [label["code"] for label in changed.json["meta"]["security"]] == ["N", "MASQUE_PS"]
    assert problems(record) == []


def test_of_two_changes_of_one_version_the_second_is_stale(record: FedRecord) -> None:
    identity = entered(record)
    body = made.condition(record.id, id=identity, severity={"text": "Modérée"})

    with meanwhile("TransactWriteItems", lambda: record.api.patch(f"{URL}/{identity}", ADD_MASK, as_=record.patient)):
        changed = record.api.put(f"{URL}/{identity}", body, as_=AUTHOR, headers={"If-Match": 'W/"1"'})

    assert (changed.status, changed.code) == (412, "version-conflict")


def test_what_is_masked_meanwhile_is_not_changed_by_whom_it_is_hidden_from(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    identity = entered(record)
    body = made.condition(record.id, id=identity)

    with meanwhile("BatchGetItem", lambda: record.api.patch(f"{URL}/{identity}", ADD_MASK, as_=record.patient)):
        answer = record.api.put(f"{URL}/{identity}", body, as_=SPECIALIST)

    assert (answer.status, answer.code) == (404, "not-found")


def entries(record: FedRecord) -> list[Any]:
    return [item for item in record.items() if item["sk"]["S"].startswith(("E#", "V#Condition"))]


def alive(record: FedRecord) -> list[Any]:
    return [i for i in entries(record) if i["sk"]["S"].startswith("E#") and i["st"]["S"] == "active"]


def problems(record: FedRecord) -> list[str]:
    """Versions that are missing, or that the trace does not tell of."""
    found = list(fsck.problems(record))
    told = [e for e in record.trace() if e["outcome"] == "0" and e["action"] in fsck.WRITING]
    for item in entries(record):
        about = [e for e in told if f"Condition/{record.id}.{item['local']['S']}" in e["what"]]
        newest = max(int(one["v"]["N"]) for one in entries(record) if one["local"] == item["local"])
        versions = {int(one["v"]["N"]) for one in entries(record) if one["local"] == item["local"]}
        if versions != set(range(1, newest + 1)) or len(about) < newest:
            found.append(f"{item['sk']['S']}: a version, or its trace, is missing")
    return found
