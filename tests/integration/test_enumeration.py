"""Nobody learns by trying for whom there is a record: look-ups by INS that come to nothing are counted (TD0.2)."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from moto.dynamodb.models import dynamodb_backends
from time_machine import TimeMachineFixture

from dmp.domain.requester import Requester
from dmp.fhir.capability_resources import RESOURCE_TYPES
from dmp.fhir.search_parameters import Kind
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import counted, refused
from tests.aws_stack import forget_handlers
from tests.fed_record import FedRecord, open_record
from tests.requester_factories import requester_professional

FEW = 3
SEARCHED = sorted(
    one.type
    for one in RESOURCE_TYPES
    if one.type != "Patient" and any(p.kind is Kind.PATIENT_IDENTIFIER for p in one.parameters)
)
"""The types that are searched by INS; TD0.2 counts by itself, and answers alike anyway."""
_numbers = iter(range(1000))


@pytest.fixture
def record(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FedRecord]:
    """A record, where three look-ups an hour may come to nothing."""
    monkeypatch.setenv("LOOK_UPS_AN_HOUR", str(FEW))
    forget_handlers()
    yield open_record(api, stack)
    forget_handlers()


def somebody() -> Requester:
    """A professional whom no other test has counted."""
    return requester_professional(f"1019{next(_numbers):07d}", "1310000003")


def search(record: FedRecord, who: Requester, ins: str, resource_type: str = "DocumentReference") -> Response:
    url = f"/fhir/{resource_type}?patient.identifier={quote(bodies.qualified(ins))}&status=current"
    return record.api.get(url, as_=who)


def by_form(record: FedRecord, who: Requester, ins: str) -> Response:
    form = {"patient.identifier": bodies.qualified(ins), "status": "current"}
    return record.api.search("/fhir/DocumentReference", form, as_=who)


def by_page(record: FedRecord, who: Requester, ins: str) -> Response:
    url = f"/fhir/DocumentReference?patient.identifier={quote(bodies.qualified(ins))}&status=current&_cursor=x"
    return record.api.get(url, as_=who)


def emergency(record: FedRecord, who: Requester, ins: str) -> Response:
    body = bodies.parameters(
        mode={"valueCode": "ETREAT"},
        reason={"valueString": "Urgence"},
        identifier={"valueIdentifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": ins}},
    )
    return record.api.post("/fhir/Patient/$emergency-access", body, as_=who)


def named(ins: str) -> dict[str, str]:
    return {"reference": f"Patient?identifier={bodies.qualified(ins)}"}


def publish(record: FedRecord, who: Requester, ins: str) -> Response:
    return record.api.post("/fhir/DocumentReference", bodies.document("", subject=named(ins)), as_=who)


def submit(record: FedRecord, who: Requester, ins: str) -> Response:
    body = bodies.submission("", subject=named(ins))
    body["entry"][0]["resource"]["subject"] = named(ins)
    return record.api.post("/fhir", body, as_=who)


def consent(record: FedRecord, who: Requester, ins: str) -> Response:
    body: dict[str, Any] = {**bodies.block(""), "patient": named(ins)}
    return record.api.post("/fhir/Consent", body, as_=who)


WAYS: dict[str, Callable[[FedRecord, Requester, str], Response]] = {
    "a form": by_form,
    "a page": by_page,
    "$emergency-access": emergency,
    "ITI-105": publish,
    "ITI-65": submit,
    "a Consent": consent,
}


@pytest.mark.parametrize("resource_type", SEARCHED)
def test_searches_by_ins_look_alike_once_too_many_came_to_nothing(record: FedRecord, resource_type: str) -> None:
    who = somebody()

    missed = [search(record, who, bodies.new_ins(), resource_type) for _ in range(FEW + 1)]
    denied = search(record, who, record.ins, resource_type)
    other = search(record, somebody(), bodies.new_ins(), resource_type)

    assert [(a.status, a.code) for a in missed] == [(404, "no-record")] * FEW + [(429, "quota-exceeded")]
    assert (denied.status, denied.code, denied.headers["retry-after"]) == (429, "quota-exceeded", "3600")
    assert denied.body == missed[-1].body
    assert (other.status, other.code) == (404, "no-record")


@pytest.mark.parametrize("way", WAYS)
def test_so_does_every_other_way_to_name_a_person_by_ins(record: FedRecord, way: str) -> None:
    who, ask = somebody(), WAYS[way]
    record.authorise(who) if way == "a page" else record.block(who)

    missed = [ask(record, who, bodies.new_ins()) for _ in range(FEW)]
    hit, miss = ask(record, who, record.ins), ask(record, who, bodies.new_ins())

    assert [(a.status, a.code) for a in missed] == [(404, "no-record")] * FEW
    assert [(a.status, a.code) for a in (hit, miss)] == [(429, "quota-exceeded")] * 2
    assert hit.body == miss.body


def test_denials_count_like_misses_and_stay_in_the_trace_of_the_record(
    record: FedRecord, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    who = somebody()

    denied = [search(record, who, record.ins) for _ in range(FEW + 1)]
    with counted() as calls:
        miss = search(record, who, bodies.new_ins())

    assert [answer.status for answer in (*denied, miss)] == [403, 403, 403, 429, 429]
    assert calls == ["GetItem", "UpdateItem", "PutItem"]
    refusals = [entry["reason"] for entry in record.trace() if entry["outcome"] == "8"]
    assert refusals == ["not-authorised"] * (FEW + 1)
    told = [entry for entry in of_no_record(stack) if entry["actor"] == str(who.identifier)]
    assert [(e["reason"], e["outcome"], e["query"]) for e in told] == [("quota-exceeded", "8", "identifier=(INS)")] * 2
    clock.shift(timedelta(hours=1))
    assert search(record, who, record.ins).status == 403


def of_no_record(stack: dict[str, str]) -> list[dict[str, Any]]:
    """What the trace holds of callers who asked for nothing that there is, read where moto keeps it."""
    table: Any = dynamodb_backends["123456789012"]["eu-west-3"].tables[stack["AUDIT_TABLE"]]
    of_callers = (items for partition, items in table.items.items() if partition.value.startswith("X#"))
    return [json.loads(item.attrs["entry"].value) for items in of_callers for item in items.values()]


def test_what_succeeds_is_not_counted_and_goes_on_beyond_the_limit(record: FedRecord) -> None:
    who = somebody()
    record.authorise(who)
    with counted() as calls:
        before = [search(record, who, record.ins).status for _ in range(FEW + 1)]
    missed = [search(record, who, bodies.new_ins()).status for _ in range(FEW + 1)]

    after = search(record, who, record.ins)

    assert before == [200] * (FEW + 1)
    assert "UpdateItem" not in calls
    assert missed == [404] * FEW + [429]
    assert after.status == 200


def test_a_record_named_by_its_id_is_not_counted(record: FedRecord) -> None:
    who = somebody()

    with counted() as calls:
        answers = [record.find(who).status for _ in range(FEW + 1)]

    assert answers == [403] * (FEW + 1)
    assert "UpdateItem" not in calls


def test_a_counter_that_cannot_be_reached_tells_nothing(record: FedRecord) -> None:
    with refused("UpdateItem", "ThrottlingException", 400):
        hit, miss = (search(record, somebody(), ins) for ins in (record.ins, bodies.new_ins()))

    assert [(answer.status, answer.code) for answer in (hit, miss)] == [(503, "service-unavailable")] * 2
