"""Texts that hide something: refused in JSON, left out of what is read from a CDA."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.errors import Invalid, Malformed
from dmp.domain.visible_text import is_visible, made_visible
from dmp.fhir.parsing import check_values, parse_json

HIDING = {
    "a control": "a\x01b",
    "a null": "a\x00",
    "a delete": "a\x7f",
    "a control of ISO 8859": "a\x9bb",
    "a line turned round": "ordonnance\u202efdp.exe",
    "an isolated line": "a\u2066b\u2069",
    "a byte order mark": "\ufeffa",
    "half a pair": "a\ud800",
    "no character": "a\ufffe",
    "letters of tags": "a\U000e0041",
    "nothing that shows": "\u200b\u200d",
}


@pytest.mark.parametrize("text", HIDING.values(), ids=HIDING)
def test_a_text_that_hides_something_is_refused(text: str) -> None:
    assert not is_visible(text)
    with pytest.raises(Invalid) as refusal:
        check_values({"content": [{"attachment": {"title": text}}]}, "DocumentReference")
    assert refusal.value.expression == "DocumentReference.content[0].attachment.title"


@pytest.mark.parametrize(
    "text",
    [
        "Lettre\tde\r\nliaison",
        "Élodie Nguyễn",
        "\u0645\u062d\u200f",
        "\u0645\u06cc\u200c\u062e",
        "👩\u200d⚕️",
        "\u00ad-",
        " ",
    ],
)
def test_a_text_of_any_language_is_taken(text: str) -> None:
    assert is_visible(text)
    assert made_visible(text) == text


def test_a_key_that_hides_something_is_refused() -> None:
    with pytest.raises(Malformed):
        parse_json('{"ti\u202etle": 1}'.encode())


@given(st.text())
def test_what_is_made_visible_is(text: str) -> None:
    assert is_visible(made_visible(text))
