"""Quotas against the enumeration of INS and mass opening: 429 with an entry of the trace, by caller and hour."""

from collections.abc import Iterator
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.identifiers import INS_NIR_TEST
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.caller_trace import traced_of
from tests.closed_record import small_stack
from tests.open_record import OpenRecord, everything_stored, open_record
from tests.requester_factories import (
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)

MOST = 3
ATTESTED = {"attestation": bodies.attested()}


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, str]]:
    with small_stack(LookUpsAnHour=str(MOST), OpeningsAnHour=str(MOST)) as environment:
        yield environment


@pytest.fixture(scope="module")
def api(stack: dict[str, str]) -> ApiClient:
    assert stack
    return ApiClient()


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    return open_record(api)


@pytest.fixture
def healer(request: pytest.FixtureRequest) -> Requester:
    """Somebody who has used nothing yet."""
    return requester_professional(f"1{abs(hash(request.node.name)) % 10**10:010d}")


def look_up(api: ApiClient, ins: str, who: Requester) -> Response:
    return api.get(f"/fhir/Patient?identifier={INS_NIR_TEST}|{ins}", as_=who)


def opens(api: ApiClient, ins: str, who: Requester) -> Response:
    return api.post("/fhir/Patient/$open", bodies.opening(ins, **ATTESTED), as_=who)


def exceeded(trace: list[dict[str, Any]]) -> int:
    """How many refusals for want of quota a trace tells of."""
    return sum(e["agent"][0]["policy"][0].endswith("/quota-exceeded") for e in trace)


def test_a_caller_looks_up_so_many_people_an_hour_and_no_more(
    record: OpenRecord, healer: Requester, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    form = {"identifier": f"{INS_NIR_TEST}|{record.ins}"}
    used = [look_up(record.api, bodies.new_ins(), healer) for _ in range(MOST - 1)]
    used.append(record.api.search("/fhir/Patient", form, as_=healer))

    known, unknown = look_up(record.api, record.ins, healer), look_up(record.api, bodies.new_ins(), healer)
    by_form = record.api.search("/fhir/Patient", form, as_=healer)
    other = look_up(record.api, record.ins, requester_professional("10100000001"))
    clock.move_to("2026-03-02T13:00:00Z", tick=False)
    next_hour = look_up(record.api, record.ins, healer)

    assert [a.status for a in (*used, other, next_hour)] == [200] * (MOST + 2)
    assert {(a.status, a.code, a.headers["retry-after"]) for a in (known, unknown, by_form)} == {
        (429, "quota-exceeded", "3600")
    }
    assert known.json == unknown.json
    assert exceeded(record.trace()) == 2
    own = [e for e in traced_of(stack, healer) if e["reason"] == "quota-exceeded"]
    assert [(e["act"], e["outcome"], e["query"]) for e in own] == [("TD0.2", "8", "identifier=(INS)")]


def test_a_caller_opens_so_many_records_an_hour_and_no_more(
    record: OpenRecord, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    agent = requester_cpam_agent("agent-opening")
    used = [opens(record.api, bodies.new_ins(), agent) for _ in range(MOST)]
    before = everything_stored(stack)

    new, there = opens(record.api, bodies.new_ins(), agent), opens(record.api, record.ins, agent)
    after = everything_stored(stack)
    clock.move_to("2026-03-02T13:00:00Z", tick=False)

    assert [a.status for a in used] == [201] * MOST
    assert {(a.status, a.code) for a in (new, there)} == {(429, "quota-exceeded")}
    assert after == before
    assert exceeded(record.trace()) == 1
    assert [e["reason"] for e in traced_of(stack, agent)] == ["quota-exceeded"]
    assert opens(record.api, bodies.new_ins(), agent).status == 201


def test_who_may_open_nothing_uses_the_quota_up_too(record: OpenRecord) -> None:
    stranger = requester_patient(bodies.qualified(bodies.new_ins()))

    answers = [opens(record.api, record.ins, stranger) for _ in range(MOST + 1)]

    assert [a.status for a in answers] == [403] * MOST + [429]


def test_oppositions_count_as_openings(api: ApiClient, clock: TimeMachineFixture) -> None:
    agent = requester_cpam_agent("agent-opposing")
    identifiers = [{"valueIdentifier": {"system": INS_NIR_TEST, "value": bodies.new_ins()}} for _ in range(MOST + 1)]
    asked = [bodies.parameters(identifier=each, **ATTESTED) for each in identifiers]

    answers = [api.post("/fhir/Patient/$oppose", body, as_=agent) for body in asked]

    assert [a.status for a in answers] == [204] * MOST + [429]


@pytest.mark.parametrize("operation", ["$open", "$oppose", "$lift-opposition"])
def test_what_cannot_be_read_counts_too(
    record: OpenRecord, stack: dict[str, str], clock: TimeMachineFixture, operation: str
) -> None:
    agent, url = requester_cpam_agent(f"agent-{operation}"), f"/fhir/Patient/{operation}"
    known = {"valueIdentifier": {"system": INS_NIR_TEST, "value": record.ins}}
    readable = {**bodies.opening(record.ins, identifier=known, **ATTESTED)}

    answers = [record.api.post(url, b"{", content_type="application/fhir+json", as_=agent) for _ in range(MOST + 1)]
    in_record = record.api.post(url, readable, as_=agent)

    assert [a.status for a in answers] == [400] * MOST + [429]
    assert (in_record.status, exceeded(record.trace())) == (429, 1)
    assert [e["reason"] for e in traced_of(stack, agent)] == ["quota-exceeded"]


def test_the_people_and_servers_of_a_structure_count_together(record: OpenRecord, clock: TimeMachineFixture) -> None:
    ours, theirs = "1690000105", "1690000113"
    callers = [*(requester_employee(f"nobody-{n}", ours) for n in range(MOST)), requester_server(ours)]

    answers = [opens(record.api, bodies.new_ins(), who) for who in callers]
    other = opens(record.api, bodies.new_ins(), requester_employee("nobody-0", theirs))
    doctor = opens(record.api, bodies.new_ins(), requester_professional("10100000777", ours))

    assert [a.status for a in answers] == [201] * MOST + [429]
    assert (other.status, doctor.status) == (201, 201)
