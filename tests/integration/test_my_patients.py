"""The records that authorised a professional or the own structure: `Consent?actor=me` (TD0.4)."""

from collections import Counter
from itertools import count
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import counted, meanwhile, refused
from tests.open_record import OpenRecord, kind_of, open_record
from tests.requester_factories import (
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)
from tests.token_factory import TokenFactory

_numbers = count(1)
MINE = "/fhir/Consent?actor=me&status=active"


@pytest.fixture
def healer(clock: TimeMachineFixture) -> Requester:
    """A professional, in a structure, whom no other test knows, while time stands still."""
    number = next(_numbers)
    return requester_professional(f"2{number:010d}", f"3{number:09d}")


def rpps(healer: Requester) -> str:
    return healer.identifier.value


def structure(healer: Requester) -> str:
    assert healer.structure
    return healer.structure.value


def mine(api: ApiClient, healer: Requester, query: str = "") -> Response:
    response = api.get(f"{MINE}{query}", as_=healer)
    assert response.status == 200, response.body
    return response


def patients(response: Response) -> list[str]:
    return [consent["patient"]["reference"].removeprefix("Patient/") for consent in response.resources]


def all_pages(api: ApiClient, healer: Requester, query: str = "") -> list[Response]:
    pages, url = [], f"{MINE}{query}"
    while url:
        page = api.get(url, as_=healer)
        assert page.status == 200, page.body
        pages.append(page)
        url = page.links.get("next", "")
    return pages


def test_a_professional_finds_who_authorised_them_or_their_structure(
    api: ApiClient, tokens: TokenFactory, healer: Requester
) -> None:
    personal, structural, marked, foreign = (open_record(api) for _ in range(4))
    personal.authorise(rpps(healer))
    structural.consent(bodies.authorisation_of_structure(structural.id, structure(healer)))
    marked.consent(bodies.attending_physician(marked.id, rpps(healer)))
    foreign.authorise()
    token = tokens.professional(rpps=rpps(healer)[1:], structure=structure(healer))

    found = api.get(MINE, as_=token)

    assert sorted(patients(found)) == sorted([personal.id, structural.id, marked.id])
    assert found.json["total"] == 3
    assert found.links["self"] == "https://dmp.example/fhir/Consent?actor=me&status=active"
    assert {kind_of(c) for c in found.resources} == {"authorisation", "attending-physician"}


def test_with_nobody_the_list_is_empty(api: ApiClient, healer: Requester) -> None:
    found = mine(api, healer)

    assert (found.json["total"], found.resources) == (0, [])


def test_what_ended_in_whatever_way_is_not_listed(api: ApiClient, healer: Requester, clock: TimeMachineFixture) -> None:
    revoked, expired, blocked, closed, to_come, still = (open_record(api) for _ in range(6))
    consent = revoked.authorise(rpps(healer)).id
    expired.authorise(rpps(healer), period={"end": "2026-03-04"})
    for record in (blocked, closed, still):
        record.authorise(rpps(healer))
    to_come.authorise(rpps(healer), period={"start": "2026-04-01"})
    before = mine(api, healer)

    revoked.revoke(consent)
    blocked.consent(bodies.block(blocked.id, rpps(healer)))
    closed.close()
    clock.move_to("2026-03-05T12:00:00Z", tick=False)

    assert len(before.resources) == 5
    assert patients(mine(api, healer)) == [still.id]


def test_an_index_that_lags_behind_a_revocation_misleads_nobody(api: ApiClient, healer: Requester) -> None:
    record = open_record(api)
    consent = record.authorise(rpps(healer)).id

    with meanwhile("BatchGetItem", lambda: record.revoke(consent)):
        found = mine(api, healer)

    assert found.resources == []


def test_pages_hold_everybody_once_over_all_shards(api: ApiClient, healer: Requester) -> None:
    records = [open_record(api) for _ in range(9)]
    for record in records[:6]:
        record.authorise(rpps(healer))
    for record in records[4:]:
        record.consent(bodies.authorisation_of_structure(record.id, structure(healer)))

    for size, numbers in ((8, [8, 3]), (3, [3, 3, 3, 2]), (1, [1] * 11)):
        pages = all_pages(api, healer, f"&_count={size}")

        found = Counter(patient for page in pages for patient in patients(page))
        assert found == Counter(r.id for r in records[:6]) + Counter(r.id for r in records[4:])
        assert [len(p.resources) for p in pages] == numbers
        assert not [page for page in pages if "total" in page.json]


def test_a_page_never_holds_more_than_twenty_five(api: ApiClient, healer: Requester) -> None:
    for _ in range(26):
        open_record(api).authorise(rpps(healer))

    page = mine(api, healer, "&_count=100")

    assert len(page.resources) == 25
    assert "_count=25" in page.links["self"]


def test_each_record_is_traced_once_a_page(api: ApiClient, healer: Requester) -> None:
    both, one = open_record(api), open_record(api)
    for record in (both, one):
        record.authorise(rpps(healer))
    both.consent(bodies.attending_physician(both.id, rpps(healer)))

    with counted() as calls:
        found = mine(api, healer)

    assert len(found.resources) == 3
    assert calls.count("PutItem") == 2
    for record in (both, one):
        searches = [e for e in record.trace() if e["subtype"][0]["code"] == "search"]
        assert [e["agent"][0]["who"]["identifier"]["value"] for e in searches if e["outcome"] == "0"]


def test_without_a_trace_nothing_is_disclosed(api: ApiClient, healer: Requester) -> None:
    open_record(api).authorise(rpps(healer))

    with refused("PutItem"):
        answer = api.get(MINE, as_=healer)

    assert (answer.status, b"Patient/" in answer.body) == (503, False)


def test_a_listed_consent_is_not_lengthened_by_its_professional(api: ApiClient, healer: Requester) -> None:
    open_record(api).authorise(rpps(healer), period={"end": "2026-06-30"})
    [consent] = mine(api, healer).resources
    change = [{"op": "replace", "path": "/provision/period/end", "value": "2026-12-31"}]

    refusal = api.patch(f"/fhir/Consent/{consent['id']}", change, as_=healer)
    by_put = api.put(
        f"/fhir/Consent/{consent['id']}",
        {**consent, "provision": {**consent["provision"], "period": {"end": "2026-12-31"}}},
        as_=healer,
    )

    assert {(r.status, r.code) for r in (refusal, by_put)} == {(403, "not-authorised")}


def test_the_other_parameters_narrow_the_list(api: ApiClient, healer: Requester, clock: TimeMachineFixture) -> None:
    authorised, marked = open_record(api), open_record(api)
    authorised.authorise(rpps(healer), period={"end": "2026-06-30"})
    clock.shift(86_400)
    marked.consent(bodies.attending_physician(marked.id, rpps(healer)))

    cases = {
        "actor=me": {authorised.id, marked.id},
        "actor=me&category=authorisation": {authorised.id},
        "actor=me&category=attending-physician": {marked.id},
        "actor=me&status=inactive": set(),
        "actor=me&period=eb2026-08-01": {authorised.id},
        "actor=me&_lastUpdated=ge2026-03-03": {marked.id},
    }
    found = {query: set(patients(api.get(f"/fhir/Consent?{query}", as_=healer))) for query in cases}
    by_form = api.search("/fhir/Consent", {"actor": "me", "category": "authorisation"}, as_=healer)
    within = api.get(f"/fhir/Consent?patient={marked.id}&actor=me", as_=healer)

    assert found == cases
    assert (patients(by_form), patients(within)) == ([authorised.id], [marked.id])


@pytest.mark.parametrize("who", [requester_patient(), requester_employee(), requester_server(), requester_cpam_agent()])
def test_only_professionals_have_patients(api: ApiClient, who: Any) -> None:
    refusal = api.get(MINE, as_=who)

    assert (refusal.status, refusal.code) == (403, "not-authorised")


def test_a_cursor_is_the_callers_own(api: ApiClient, healer: Requester) -> None:
    for _ in range(2):
        open_record(api).authorise(rpps(healer))
    following = mine(api, healer, "&_count=1").links["next"]

    refusals = [
        api.get(following, as_=requester_professional()),
        api.get(following.replace("status=active", "status=inactive"), as_=healer),
        api.get(following[:-3], as_=healer),
    ]

    assert {(r.status, r.code) for r in refusals} == {(400, "invalid-cursor")}
    assert api.get(following, as_=healer).status == 200


def test_a_page_reads_each_candidate_once_and_stops_early(api: ApiClient, healer: Requester) -> None:
    ended = [open_record(api) for _ in range(3)]
    for record in ended:
        record.authorise(rpps(healer), period={"start": "2026-04-01"})
    open_record(api).authorise(rpps(healer))

    with counted() as calls:
        found = mine(api, healer)

    assert len(found.resources) == 1
    assert calls.count("BatchGetItem") == 4
    assert calls.count("Query") == 16


def test_a_page_may_be_short_where_much_is_past(
    api: ApiClient, healer: Requester, clock: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dmp.services.my_patients._MOST_LOOKED_AT", 3)
    records: list[OpenRecord] = [open_record(api) for _ in range(8)]
    for number, record in enumerate(records):
        record.authorise(rpps(healer), period={"end": "2026-03-04" if number % 2 else "2026-06-30"})
    clock.move_to("2026-03-05T12:00:00Z", tick=False)

    pages = all_pages(api, healer)

    found = [patient for page in pages for patient in patients(page)]
    assert sorted(found) == sorted(r.id for r in records[::2])
    assert len(pages) == 3
