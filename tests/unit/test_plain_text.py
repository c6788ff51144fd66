"""The text of plain texts and of RTF, whatever their software made of it."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.plain_text import text_of_plain, text_of_rtf


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_plain_text_is_read_in_its_encoding(encoding: str) -> None:
    assert text_of_plain("Œdème, 37 °C".encode(encoding)) == "Œdème, 37 °C"


def test_of_a_plain_text_the_first_megabytes_are_read() -> None:
    assert len(text_of_plain("é".encode() * 4_000_000)) == 2 * 1024 * 1024
    assert text_of_plain(b"x" + "é".encode() * 4_000_000)[-1] == "é"


@pytest.mark.parametrize(
    ("rtf", "text"),
    [
        (rb"{\rtf1\ansi Hospitalis\'e9 pour \b pneumonie\b0\par Fin}", "Hospitalisé pour pneumonie Fin"),
        (rb"{\rtf1\ansi c\u339?ur \u233\'e9t\'e9}", "cœur été"),
        (rb"{\rtf1\uc2\u339??x\uc0\u233 y}", "œxéy"),
        (rb"{\rtf1{\fonttbl{\f0 Times;}}{\colortbl;\red0;}{\*\generator Mot;}{\info{\title T}}x}", "x"),
        (rb"{\rtf1{\pict\pngblip 89504e47}x{\field{\*\fldinst HYPERLINK a}{\fldrslt lien}}}", "xlien"),
        (rb"{\rtf1\ansicpg1250 \'b3\'f3d\'9f}", "łódź"),
        (rb"{\rtf1\ansicpg99999 \'e9}", "é"),
        (b"{\\rtf1 hospi\r\ntalisation\\~longue \\{a\\}\\\\}", "hospitalisation longue {a}\\"),
        (rb"{\rtf1{\*\x {\y z}} dehors}", " dehors"),
        (rb"{\rtf1 a\u-10179?\u-8704?b}", "ab"),
        (rb"{\rtf1 sans fin", "sans fin"),
        (b"}}}{{{\\", ""),
    ],
)  # fmt: skip
def test_the_text_of_an_rtf_is_what_it_shows(rtf: bytes, text: str) -> None:
    assert text_of_rtf(rtf) == text


@given(st.binary(max_size=400) | st.text("{}\\u'*ab0129 \n", max_size=400).map(str.encode))
def test_whatever_bytes_there_are_something_is_read(content: bytes) -> None:
    assert isinstance(text_of_rtf(content), str)
    assert isinstance(text_of_plain(content), str)


@pytest.mark.parametrize("piece", [b"{", b"}", b"\\", b"\\'", b"\\u1?", b"{\\*", b"a\\par "])
def test_an_rtf_is_read_in_time_linear_in_its_size(piece: bytes) -> None:
    began = process_time()

    text_of_rtf(b"{\\rtf1 " + piece * (4_000_000 // len(piece)))

    assert process_time() - began < 5
