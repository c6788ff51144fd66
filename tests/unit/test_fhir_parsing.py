"""Bytes become one FHIR JSON object, or a clear refusal and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.errors import DmpError, Invalid, Malformed, TooLarge
from dmp.fhir.parsing import MAX_DEPTH, check_values, parse_json, parse_resource

JSON_TEXT = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
).map(lambda value: json.dumps(value).encode())


@given(st.binary() | JSON_TEXT | JSON_TEXT.map(lambda text: b'{"resourceType":"Consent","x":' + text + b"}"))
def test_any_bytes_give_a_resource_or_an_error_of_ours(body: bytes) -> None:
    try:
        resource = parse_resource(body, "Consent")
    except DmpError:
        return

    assert json.loads(body) == resource


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[1,]",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 5_000,
        b'{"\\ud800": 1}',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" + b"1," * 200_000 + b"1]",
    ],
)
def test_what_is_not_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        parse_json(body)

    assert refused.value.code == "malformed-json"


@pytest.mark.parametrize(
    "body", [b"[]", b'"x"', b"null", b"{}", b'{"resourceType": "Patient"}', b'{"resourceType": ["Consent"]}']
)
def test_another_resource_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        parse_resource(body, "Consent")

    assert refused.value.code == "malformed-request"


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("", "Consent.note.text"),
        ([], "Consent.note.text"),
        ({}, "Consent.note.text"),
        (None, "Consent.note.text"),
        ([None], "Consent.note.text"),
        (["a", ""], "Consent.note.text[1]"),
        ("a\u0000b", "Consent.note.text"),
        ("a\u001fb", "Consent.note.text"),
        ("\ud800", "Consent.note.text"),
    ],
)
def test_values_that_fhir_never_holds_are_refused_with_their_place(value: Any, place: str) -> None:
    body = json.dumps({"resourceType": "Consent", "note": {"text": value}}).encode()

    with pytest.raises(Invalid) as refused:
        parse_resource(body, "Consent")

    assert (refused.value.code, refused.value.expression) == ("invalid-resource", place)


def test_a_refusal_repeats_nothing_of_the_body() -> None:
    body = json.dumps({"resourceType": "Consent", "279035121518989 é": ""}).encode()

    with pytest.raises(Invalid) as refused:
        parse_resource(body, "Consent")

    assert "279035121518989" not in f"{refused.value.expression} {refused.value.detail}"


def test_a_large_body_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLarge):
        parse_json(b" " * 101, max_bytes=100)


def test_tabs_accents_and_line_breaks_are_text() -> None:
    body = json.dumps({"resourceType": "Consent", "note": "é\t\r\n 漢"}).encode()

    assert parse_resource(body, "Consent")["note"] == "é\t\r\n 漢"


def test_an_element_is_more_than_its_id() -> None:
    with pytest.raises(Invalid) as refusal:
        check_values({"author": [{"id": "a"}]}, "DocumentReference")

    assert refusal.value.expression == "DocumentReference.author[0]"


def test_a_primitive_may_have_an_id_alone_beside_it() -> None:
    check_values({"date": "2026-01-01", "_date": {"id": "a"}, "given": ["a"], "_given": [{"id": "b"}]}, "Patient")
