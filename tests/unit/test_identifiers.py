"""Identifiers: INS and its key, and the ids of resources, which sort as time does."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.identifiers import (
    Identifier,
    encode_base32,
    ins_has_form,
    ins_key_is_valid,
    is_record_id,
    local_id,
    professional,
    record_id,
    resource_id,
    split_resource_id,
    structure,
    time_prefix,
)

IDENTITIES = Path(__file__).parents[3] / "shared" / "data" / "test_identities.json"
CORSICA = {"2A": "19", "2B": "18"}
DEPARTMENTS = [f"{n:02d}" for n in range(1, 20)] + ["2A", "2B"] + [f"{n:02d}" for n in range(21, 100)]

entropy = st.binary(min_size=16, max_size=16)
moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """The 13 characters of an INS before its key."""
    sex, department = draw(st.sampled_from("123478")), draw(st.sampled_from(DEPARTMENTS))
    year, month = draw(st.integers(0, 99)), draw(st.integers(1, 99))
    return f"{sex}{year:02d}{month:02d}{department}{draw(st.integers(0, 999_999)):06d}"


def key_of(number: str) -> int:
    """The key by the other way to count it: A and B as 0, less one or two millions."""
    as_zero = int(number.replace("A", "0").replace("B", "0"))
    return 97 - (as_zero - {"A": 1_000_000, "B": 2_000_000}.get(number[6], 0)) % 97


@given(numbers())
def test_exactly_one_key_is_right_in_corsica_too(number: str) -> None:
    right = [key for key in range(100) if ins_key_is_valid(f"{number}{key:02d}")]

    assert right == [key_of(number)]


@given(numbers(), st.integers(0, 12), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_found(number: str, place: int, digit: str) -> None:
    ins = f"{number}{key_of(number):02d}"
    wrong = ins[:place] + digit + ins[place + 1 :]

    assert ins_key_is_valid(wrong) is (wrong == ins)


@given(st.text(max_size=20))
def test_no_text_breaks_the_check(text: str) -> None:
    assert not ins_key_is_valid(text) or ins_has_form(text)


@pytest.mark.parametrize(
    ("ins", "right"),
    [
        ("279035121518989", True),
        ("277076322082910", True),
        ("124018852493334", True),
        ("185032A00402129", True),
        ("292072B03301725", True),
        ("185032a00402129", False),
        ("185032C00402129", False),
        ("279035121518988", False),
        ("223042545611404", False),
        ("27903512151898", False),
        ("2790351215189890", False),
        ("579035121518989", False),
        ("\N{FULLWIDTH DIGIT TWO}79035121518989", False),
        (" 279035121518989", False),
        ("279035121518989\n", False),
        ("", False),
    ],
)
def test_known_identities(ins: str, right: bool) -> None:
    assert ins_key_is_valid(ins) is right


@pytest.mark.skipif(not IDENTITIES.is_file(), reason="the shared test identities are not here")
def test_the_shared_test_identities() -> None:
    for person in json.loads(IDENTITIES.read_text())["patients"]:
        assert ins_key_is_valid(person["ins"]) is person["keyValid"]


@given(entropy)
def test_a_record_id_is_known_by_its_form(random: bytes) -> None:
    assert is_record_id(record_id(random))
    assert len(record_id(random)) == 26


@given(entropy, entropy)
def test_different_entropy_names_different_records(one: bytes, other: bytes) -> None:
    assert (record_id(one) == record_id(other)) is (one == other)


@given(entropy, moments, entropy)
def test_an_id_tells_its_record_and_its_local_part(record: bytes, instant: datetime, random: bytes) -> None:
    parts = record_id(record), local_id(instant, random)

    joined = resource_id(*parts)

    assert split_resource_id(joined) == parts
    assert len(joined) <= 64


@given(moments, moments, entropy, entropy)
def test_ids_sort_as_time_does(one: datetime, other: datetime, first: bytes, second: bytes) -> None:
    earlier, later = sorted((one, other))

    assert time_prefix(earlier) <= time_prefix(later)
    if time_prefix(earlier) != time_prefix(later):
        assert local_id(earlier, first) < local_id(later, second)


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1))
def test_the_order_of_numbers_is_the_order_of_texts(one: int, other: int) -> None:
    assert (encode_base32(one, 26) < encode_base32(other, 26)) is (one < other)


@given(st.text())
def test_any_text_is_an_id_of_ours_or_none(text: str) -> None:
    parts = split_resource_id(text)

    assert parts is None or resource_id(*parts) == text


@pytest.mark.parametrize("text", ["", ".", "a.b", "0" * 26, f"{'0' * 26}.{'0' * 25}", f"{'0' * 26}.{'0' * 26}.x"])
def test_other_texts_are_no_ids(text: str) -> None:
    assert split_resource_id(text) is None


@given(st.text().filter(lambda system: "|" not in system), st.text())
def test_an_identifier_survives_its_text(system: str, value: str) -> None:
    identifier = Identifier(system, value)

    assert Identifier.parse(str(identifier)) == identifier


def test_a_text_without_a_bar_has_no_system() -> None:
    assert Identifier.parse("810101234567") == Identifier("", "810101234567")
    assert str(professional("8101")).startswith("urn:oid:1.2.250.1.71.4.2.1|")
    assert str(structure("1750")).startswith("urn:oid:1.2.250.1.71.4.2.2|")
