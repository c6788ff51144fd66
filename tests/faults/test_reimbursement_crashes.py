"""A feed of reimbursements that dies at any call to AWS leaves nothing broken; sent again, it is as if sent once."""

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from tests.api_client import ApiClient, Response
from tests.aws_calls import Killed, counted
from tests.faults.test_crashes import ERRORS, fault
from tests.fed_record import FedRecord, open_record
from tests.reimbursements import batch, by_ins, feed, feed_batch, line, statuses

type Json = dict[str, Any]
type Item = dict[str, Any]

MODES = ("before", "after", "answer lost", *(pytest.param(code, marks=pytest.mark.long) for code in ERRORS))
THOUSAND = 1_000
PEOPLE = 12
"""Whose lines a batch of a thousand are: 84 each, written in two parts."""


@dataclass(frozen=True)
class Fed:
    """A feed that may be sent again and again, the records that it is for, and the identifiers of its lines."""

    send: Callable[[], Response]
    records: Sequence[FedRecord]
    names: frozenset[str]
    calls: tuple[str, ...]

    def boundaries(self) -> Iterator[tuple[str, int]]:
        """Every call, and which of its name it is."""
        for place, call in enumerate(self.calls):
            yield call, self.calls[: place + 1].count(call)


@pytest.fixture(scope="module", autouse=True)
def secret_known(api: ApiClient, stack: dict[str, str]) -> None:
    """The first digest of a function fetches the secret."""
    one_line(api, stack).send()
    several_records(api, stack).send()


def feed_of(lines: Sequence[tuple[FedRecord, Json]], calls: tuple[str, ...], *, alone: bool = False) -> Fed:
    records = list({record.id: record for record, _ in lines}.values())
    names = frozenset(one["identifier"][0]["value"] for _, one in lines)
    api = records[0].api
    body = lines[0][1] if alone else batch(*(one for _, one in lines))
    return Fed(partial(feed if alone else feed_batch, api, body), records, names, calls)


def one_line(api: ApiClient, stack: dict[str, str]) -> Fed:
    """One line by the INS of its person."""
    record = open_record(api, stack)
    calls = ("GetItem", "BatchGetItem", "TransactWriteItems")
    return feed_of([(record, line(by_ins(record.ins)))], calls, alone=True)


def several_records(api: ApiClient, stack: dict[str, str]) -> Fed:
    """Of three people: so many lines that they are written in two parts, one line, and one beside another."""
    first, second, third = (open_record(api, stack) for _ in range(3))
    lines = [(first, line(by_ins(first.ins))) for _ in range(50)]
    lines += [(second, line(second.id)), (third, line(third.id)), (third, line(by_ins(third.ins)))]
    return feed_of(lines, ("BatchGetItem", "BatchGetItem", *["TransactWriteItems"] * 4))


def found_again(api: ApiClient, stack: dict[str, str]) -> Fed:
    """Of two people, one of whom has all of the lines already."""
    first, second = (open_record(api, stack) for _ in range(2))
    known = line(first.id)
    assert feed(api, known).status == 201
    return feed_of([(first, known), (second, line(second.id))], ("BatchGetItem", "PutItem", "TransactWriteItems"))


FEEDS = {"one line": one_line, "several records": several_records, "found again": found_again}
BOUNDARIES = {
    "one line": [("GetItem", 1), ("BatchGetItem", 1), ("TransactWriteItems", 1)],
    "several records": [("BatchGetItem", 1), ("BatchGetItem", 2), *(("TransactWriteItems", n) for n in range(1, 5))],
    "found again": [("BatchGetItem", 1), ("PutItem", 1), ("TransactWriteItems", 1)],
}


def problems(fed: Fed) -> list[str]:
    """Everything that is broken in the records."""
    return [problem for record in fed.records for problem in _problems(record)]


def _problems(record: FedRecord) -> Iterator[str]:
    """A line has all its names and is told of in the trace; no name leads nowhere, none is that of two lines."""
    items = lying(record, "RECORDS_TABLE")
    lines = {item["local"]["S"]: item for item in items if item["sk"]["S"].startswith("B#")}
    names = [item for item in items if item["sk"]["S"].startswith("BI#")]
    trace = [json.loads(item["entry"]["S"]) for item in lying(record, "AUDIT_TABLE")]
    told = {what for entry in trace if entry["outcome"] == "0" for what in entry["what"]}
    led_to = Counter(name["local"]["S"] for name in names)
    for name in names:
        if name["local"]["S"] not in lines:
            yield f"{name['sk']['S']} leads nowhere"
    for local in lines:
        if led_to[local] != 1:
            yield f"B#{local} has not its name"
        if f"ExplanationOfBenefit/{record.id}.{local}" not in told:
            yield f"B#{local} is not in the trace"


def held(fed: Fed) -> list[str]:
    """The identifiers of all lines that the records hold."""
    stores = (lying(record, "RECORDS_TABLE") for record in fed.records)
    items = [item for store in stores for item in store if item["sk"]["S"].startswith("B#")]
    return sorted(_resource(item)["identifier"][0]["value"] for item in items)


def _resource(item: Item) -> Json:
    resource: Json = json.loads(zlib.decompress(item["body"]["B"]))["resource"]
    return resource


def stored(fed: Fed) -> list[list[Item]]:
    return [lying(record, "RECORDS_TABLE") for record in fed.records]


def lying(record: FedRecord, table: str) -> list[Item]:
    """What a table holds of a record, read where moto keeps it, for its queries look at every item of the table."""
    stored: Any = dynamodb_backends["123456789012"]["eu-west-3"].tables[record.stores[table]]
    items = stored.items.get(DynamoType({"S": f"R#{record.id}"}), {}).values()
    return [item.to_json()["Attributes"] for item in items]


def is_done(answer: Response) -> bool:
    """Whether every line of a feed is there."""
    if answer.json["resourceType"] == "Bundle":
        return {status[:3] for status in statuses(answer)} <= {"200", "201"}
    return answer.status in {200, 201}


def struck(fed: Fed, call: str, nth: int, mode: str) -> None:
    """Send a feed whose process dies, or is refused, at this call; what it tells then is true."""
    try:
        with fault(mode, call, nth):
            answer = fed.send()
    except Killed:
        return
    if answer.json["resourceType"] == "Bundle":
        told = statuses(answer)
        assert set(told) <= {"200", "201", "503 service-unavailable"}
        assert len(held(fed)) >= len([one for one in told if one.startswith("20")])
    else:
        assert answer.status == 503


def converges(fed: Fed) -> None:
    """Sent again, all is there once; sent once more, nothing changes."""
    assert problems(fed) == []
    assert is_done(fed.send())
    assert held(fed) == sorted(fed.names)
    before = stored(fed)
    again = fed.send()
    assert again.status == 200
    assert again.json["resourceType"] != "Bundle" or set(statuses(again)) == {"200"}
    assert stored(fed) == before
    assert problems(fed) == []


@pytest.mark.parametrize("name", FEEDS)
def test_an_undisturbed_feed_makes_the_calls_that_are_swept(api: ApiClient, stack: dict[str, str], name: str) -> None:
    fed = FEEDS[name](api, stack)
    with counted() as calls:
        answer = fed.send()

    assert is_done(answer)
    assert sorted(calls) == sorted(fed.calls)
    assert list(fed.boundaries()) == BOUNDARIES[name]
    converges(fed)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("name", "call", "nth"), [(name, *boundary) for name, found in BOUNDARIES.items() for boundary in found]
)
def test_a_feed_that_dies_anywhere_is_whole_once_it_is_sent_again(
    api: ApiClient, stack: dict[str, str], name: str, call: str, nth: int, mode: str
) -> None:
    fed = FEEDS[name](api, stack)

    struck(fed, call, nth, mode)

    converges(fed)


def a_thousand(api: ApiClient, stack: dict[str, str]) -> Fed:
    """A thousand lines of a dozen people."""
    people = [open_record(api, stack) for _ in range(PEOPLE)]
    lines = [(people[n % PEOPLE], line(by_ins(people[n % PEOPLE].ins))) for n in range(THOUSAND)]
    reads = 1 + -(-(THOUSAND + PEOPLE) // 100)
    return feed_of(lines, ("BatchGetItem",) * reads + ("TransactWriteItems",) * (2 * PEOPLE))


THOUSANDS = [("BatchGetItem", n) for n in range(1, 13)] + [("TransactWriteItems", n) for n in range(1, 25)]


def test_a_thousand_lines_make_the_calls_that_are_swept(api: ApiClient, stack: dict[str, str]) -> None:
    fed = a_thousand(api, stack)

    with counted() as calls:
        answer = fed.send()

    assert set(statuses(answer)) == {"201"}
    assert sorted(calls) == sorted(fed.calls)
    assert list(fed.boundaries()) == THOUSANDS


@pytest.mark.parametrize(
    ("call", "nth", "mode"),
    [("BatchGetItem", 7, "after"), ("TransactWriteItems", 17, "answer lost")],
)
def test_a_thousand_lines_that_are_cut_are_whole_once_they_are_sent_again(
    api: ApiClient, stack: dict[str, str], call: str, nth: int, mode: str
) -> None:
    fed = a_thousand(api, stack)

    struck(fed, call, nth, mode)

    converges(fed)


@pytest.mark.long
@pytest.mark.parametrize("mode", ["before", "after", "answer lost"])
@pytest.mark.parametrize(("call", "nth"), THOUSANDS)
def test_a_thousand_lines_that_are_cut_anywhere_are_whole_once_they_are_sent_again(
    api: ApiClient, stack: dict[str, str], call: str, nth: int, mode: str
) -> None:
    fed = a_thousand(api, stack)

    struck(fed, call, nth, mode)

    converges(fed)


@pytest.mark.long
def test_a_thousand_lines_get_through_although_every_attempt_dies(api: ApiClient, stack: dict[str, str]) -> None:
    """Each time when it has written a little more."""
    fed = a_thousand(api, stack)
    already = -1

    while len(held(fed)) < THOUSAND:
        assert len(held(fed)) > already
        already = len(held(fed))
        struck(fed, "TransactWriteItems", 1, "after")
        assert problems(fed) == []

    converges(fed)
