"""What an id of the logs may be, and how it is carried on."""

import json
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.adapters.correlations import followed_attribute, followed_key, id_of_change, id_of_item, id_of_message
from dmp.domain.correlation import correlation_id, follow, followed, take_up

OWN = "JKJaXmPLvHcESHA="
GIVEN = "5f0c1c7e-0000-4000-8000-0123456789ab"


@pytest.mark.parametrize("version", ["4", "7"])
@pytest.mark.parametrize("variant", ["8", "9", "a", "b"])
def test_a_random_uuid_of_a_client_is_followed(version: str, variant: str) -> None:
    given_id = GIVEN.replace("-4000-8000-", f"-{version}000-{variant}000-")

    assert correlation_id(given_id, OWN) == given_id
    assert correlation_id(given_id.upper(), OWN) == given_id.upper()


@pytest.mark.parametrize(
    "given_id",
    [
        "",
        "visit-42",
        "279035121518989",
        "camille.duval",
        GIVEN.replace("-", ""),
        GIVEN + "\n",
        "\u0660" * 36,
        "27903510-0001-6190-0000-000000000000",
        *(GIVEN.replace("-4000-", f"-{version}000-") for version in "0123568f"),
        *(GIVEN.replace("-8000-", f"-{variant}000-") for variant in "07cf"),
    ],
)
def test_whatever_else_a_client_chose_is_not(given_id: str) -> None:
    assert correlation_id(given_id, OWN) == OWN


@given(st.text())
def test_no_text_of_a_client_but_a_uuid_gets_into_the_logs(text: str) -> None:
    assert correlation_id(text, OWN) in {OWN, text if len(text) == 36 and text.count("-") == 4 else OWN}


def test_what_is_followed_belongs_to_its_thread() -> None:
    follow("a")
    seen: list[str] = []
    thread = Thread(target=lambda: seen.append(followed()))
    thread.start()
    thread.join()

    assert (seen, followed()) == ([""], "a")


def test_an_item_that_carries_nothing_changes_nothing() -> None:
    follow("run")
    take_up("")
    before = followed()
    take_up(GIVEN)

    assert (before, followed()) == ("run", GIVEN)


@pytest.mark.parametrize(
    ("followed_id", "traced", "attribute"),
    [
        ("", "", {}),
        (GIVEN, "", {"cid": {"S": GIVEN}}),
        (GIVEN, GIVEN, {}),
        (OWN, "visit-42", {"cid": {"S": OWN}}),
        (OWN, OWN, {"cid": {"S": OWN}}),
        (GIVEN, GIVEN.replace("5", "6"), {"cid": {"S": GIVEN}}),
    ],
)
def test_an_item_carries_what_its_entry_of_the_trace_does_not_tell(
    followed_id: str, traced: str, attribute: dict[str, dict[str, str]]
) -> None:
    follow(followed_id)

    assert followed_attribute(traced) == attribute
    assert followed_key() == ({"cid": followed_id} if followed_id else {})


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ({"cid": {"S": OWN}}, OWN),
        ({"entry": {"S": json.dumps({"req": GIVEN})}}, GIVEN),
        ({"entry": {"S": json.dumps({"req": "279035121518989"})}}, ""),
        ({"entry": {"S": json.dumps({"req": "visit-42"})}, "cid": {"S": OWN}}, OWN),
        ({"entry": {"S": "{}"}}, ""),
        ({"entry": {"S": "nothing"}}, ""),
        ({"entry": {}}, ""),
        ({}, ""),
    ],
)
def test_the_id_of_an_item_is_found(item: dict[str, dict[str, str]], found: str) -> None:
    assert id_of_item(item) == found
    assert id_of_change({"dynamodb": {"NewImage": item}}) == found
    assert id_of_change({"dynamodb": {"OldImage": item}}) == found


@pytest.mark.parametrize(
    ("body", "found"), [('{"cid": "a"}', "a"), ('{"Records": []}', ""), ("[]", ""), ("text", ""), ("null", "")]
)
def test_the_id_of_a_message_is_found(body: str, found: str) -> None:
    assert id_of_message({"body": body}) == found
    assert id_of_message({}) == ""
