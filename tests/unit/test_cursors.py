"""Cursors: opaque, tied to their caller and query, refused when anything of them was altered."""

import base64
import secrets
import string
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.adapters.cursors import Cursors
from dmp.domain.errors import Malformed

if TYPE_CHECKING:
    from dmp.adapters.keyring import Keyring

CONTEXT = "urn:oid:1.2.250.1.71.4.2.1|810101234567&patient=abc&status=current"
URL_SAFE = string.ascii_letters + string.digits + "-_"


class FixedKey:
    """What a cursor asks of a keyring."""

    def __init__(self, key: bytes = bytes(32)) -> None:
        self._key = key

    def derive(self, purpose: str) -> bytes:
        assert purpose == "cursor"
        return self._key


def cursors(key: bytes = bytes(32)) -> Cursors:
    return Cursors(cast("Keyring", FixedKey(key)), lambda: secrets.token_bytes(16))


def is_refused(token: str, context: str = CONTEXT, key: bytes = bytes(32)) -> bool:
    with pytest.raises(Malformed) as failure:
        cursors(key).open(token, context)
    return (failure.value.code, failure.value.detail) == ("invalid-cursor", None)


@given(st.text(), st.text())
def test_a_cursor_opens_in_the_context_it_was_sealed_in(text: str, context: str) -> None:
    assert cursors().open(cursors().seal(text, context), context) == text


def test_a_cursor_tells_nothing_and_is_never_the_same() -> None:
    tokens = {cursors().seal("0123456789abcdef", CONTEXT) for _ in range(50)}

    assert len(tokens) == 50
    assert all(set(token) <= set(URL_SAFE) for token in tokens)
    assert not any(b"0123456789abcdef" in base64.urlsafe_b64decode(token + "==") for token in tokens)


@pytest.mark.parametrize(
    "context",
    ["", CONTEXT + "&_count=5", CONTEXT.replace("810101234567", "899900000000"), CONTEXT.replace("abc", "abd")],
)
def test_another_caller_or_query_does_not_open_a_cursor(context: str) -> None:
    assert is_refused(cursors().seal("here", CONTEXT), context)


def test_another_installation_does_not_open_a_cursor() -> None:
    assert is_refused(cursors().seal("here", CONTEXT), key=bytes([1] * 32))


def test_a_cursor_with_any_character_altered_is_refused() -> None:
    token = cursors().seal("0123456789abcdefgh", CONTEXT)

    for place, original in enumerate(token):
        for character in set(URL_SAFE) - {original}:
            assert is_refused(token[:place] + character + token[place + 1 :])


@given(st.text())
def test_no_other_text_is_a_cursor(token: str) -> None:
    assert is_refused(token)


@pytest.mark.parametrize("end", ["=", "==", " ", "\n", "A", "."])
def test_a_cursor_has_one_spelling(end: str) -> None:
    token = cursors().seal("0123456789ab", CONTEXT)

    assert is_refused(token + end)
    assert is_refused(token[:-1])
    assert is_refused(token + token)
