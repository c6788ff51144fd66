"""Good and bad ITI-65 bundles through the API: each is answered as it should be, and a bad one leaves nothing."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests import bodies
from tests.api_client import ApiClient, Response
from tests.faults import fsck
from tests.fed_record import AUTHOR, HOSPITAL, SPECIALIST, open_record
from tests.integration.test_submissions import documents_of, replacing, submit, with_folder
from tests.provided_bundles import BAD, GOOD, World

type Json = dict[str, Any]


@pytest.fixture
def world(api: ApiClient, stack: dict[str, str]) -> World:
    return fed_world(api, stack)


def fed_world(api: ApiClient, stack: dict[str, str]) -> World:
    """A record with a document and a Folder."""
    record, unique, name = open_record(api, stack), bodies.unique_id(), bodies.unique_id()
    body = with_folder(record, name, "POST")
    body["entry"][1]["resource"]["masterIdentifier"] = unique
    answer = submit(record, body)
    folder = answer.json["entry"][-1]["response"]["location"].split("/")[1]
    (own,) = documents_of(answer)
    return World(record=record, own=own, own_identifier=unique, folder=folder, folder_identifier=name)


type Untouched = tuple[World, tuple[list[Json], dict[str, int]]]


@pytest.fixture(scope="module")
def untouched(api: ApiClient, stack: dict[str, str]) -> Iterator[Untouched]:
    """One record for every bad bundle, for none of them changes it, with much that may not be named; and its state."""
    made = fed_world(api, stack)
    record, other = made.record, open_record(api, stack)
    superseded, hidden = record.publish(HOSPITAL, b"%PDF-1.4 first"), record.publish(AUTHOR, b"%PDF-1.4 hidden")
    record.publish(HOSPITAL, b"%PDF-1.4 second", **replacing(superseded))
    record.mask(hidden)
    theirs, elsewhere = record.publish(SPECIALIST, b"%PDF-1.4 theirs"), other.publish(HOSPITAL)
    yield replace(made, superseded=superseded, hidden=hidden, theirs=theirs, elsewhere=elsewhere), record.state()
    assert fsck.problems(record) == []
    assert fsck.orphans(record) == set()


def statuses(answer: Response) -> list[str]:
    return [entry["response"]["status"][:3] for entry in answer.json["entry"]]


def expected(entry: Json) -> str:
    return "201" if entry["request"]["method"] == "POST" and entry["resource"]["resourceType"] != "Patient" else "200"


def test_there_are_sixty_five_at_least() -> None:
    assert len(GOOD) + len(BAD) >= 65


@pytest.mark.parametrize("name", GOOD)
def test_a_good_bundle_is_taken_in_once(world: World, name: str) -> None:
    body = GOOD[name].build(world)

    answer = submit(world.record, body)
    before = world.record.state()
    again = submit(world.record, body)

    assert answer.status == 200, answer.body
    assert statuses(answer) == [expected(entry) for entry in body["entry"]]
    assert set(statuses(again)) == {"200"}, again.body
    assert documents_of(again) == documents_of(answer)
    assert world.record.state() == before
    assert_conformant(answer)
    assert_conformant(again)
    assert fsck.problems(world.record) == []
    assert fsck.orphans(world.record) == set()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_bundle_leaves_nothing(untouched: Untouched, name: str) -> None:
    case, (world, before) = BAD[name], untouched

    answer = submit(world.record, case.build(world))

    assert (answer.status, answer.code) == (case.status, case.code), answer.body
    assert answer.json["issue"][0].get("expression", [""]) == [case.expression]
    assert world.record.state() == before


def assert_conformant(answer: Response) -> None:
    """The answer keeps IHE.MHD.ProvideDocumentBundleResponse."""
    assert answer.json["type"] == "transaction-response"
    assert answer.json["meta"]["profile"][0].endswith("IHE.MHD.ProvideDocumentBundleResponse")
    for entry in answer.json["entry"]:
        kind, _, rest = entry["response"]["location"].partition("/")
        assert rest, entry
        if kind in {"DocumentReference", "List"}:
            version = rest.partition("/_history/")[2]
            assert entry["response"]["etag"] == f'W/"{version}"'
        if kind != "Patient":
            assert entry["response"]["lastModified"]
