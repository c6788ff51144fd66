"""How far the objects of a PDF are followed, and that this takes time in proportion to the file."""

import time
import zlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.pdf_content import pdf_reason
from tests.hostile.harmless_files import HARMLESS_FILES
from tests.hostile.pdf_writer import HEADER, object_stream, pdf, stream, written

SIZE = 3 * 1024 * 1024
SLOW = 1.0
REPEATED = (
    b"obj ", b"1 0 obj ", b"1 0 obj /A#41 ", b"(", b"((a)", b"(\\", b"<", b"<<", b">>%\n", b"% /JS\n", b"trailer/URI(",
    b"/URI(a)", b"/#", b"/First ", b"1 0 obj<</N/First 1 >>stream\n", b"1 0 obj<</ObjStm 1/First 1>>stream\n",
    b"/URI<41", b"1%\n0%\nobj ", b"1 0 obj/A#41(", b"1 0 obj(", b"1 0 obj/A#41(\\(", b"(\\", b"/A#41(\\(", b"robj",
    b"1 0 obj()", b"1 0 obj()%\n", b"1 0 obj<<>>%(\n", b" " * 300 + b"obj", b"0" * 300 + b" obj",
    b">>%\n" * 99 + b"obj",
)  # fmt: skip


@pytest.mark.parametrize("piece", REPEATED, ids=repr)
def test_no_file_takes_long(piece: bytes) -> None:
    content = HEADER + b"1 0 obj /A#41 " + piece * (SIZE // len(piece))
    began = time.process_time()

    pdf_reason(content)

    assert time.process_time() - began < SLOW


def test_names_without_end_in_a_small_file_are_refused() -> None:
    names = bytes(Random(1).choices(b"ABCDEFGH", k=400_000)).replace(b"A", b"/#4a").replace(b"B", b"/#4b")
    data = zlib.compress(b"7 0 " + names * 8, 1)
    began = time.process_time()

    reason = pdf_reason(pdf({6: stream(data, b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode")}))

    assert reason == "the PDF has too many objects for its size"
    assert time.process_time() - began < SLOW


def test_an_image_of_noise_is_no_object() -> None:
    noise = Random(7).randbytes(SIZE)

    assert pdf_reason(pdf({6: stream(noise, b"/Type /XObject /Subtype /Image")})) is None


@pytest.mark.parametrize("numbers", [b"7 0 obj", b"7\r\n0\tobj", b"7 %\n0 % a\n obj", b"7\x000\x0cobj", b"7 0obj"])
def test_an_object_begins_behind_its_two_numbers(numbers: bytes) -> None:
    assert pdf_reason(pdf() + numbers + b"<</S/JavaScript>>")


@pytest.mark.parametrize("words", [b"an obj", b"0 obj", b"xobj", b"endobj"])
def test_a_word_alone_begins_no_object(words: bytes) -> None:
    assert pdf_reason(HEADER + words + b" /JavaScript %%EOF") is None


def test_an_object_stream_that_is_cut_short_is_refused() -> None:
    whole = object_stream([(7, b"<< /A 1 >>")])
    cut = whole[: whole.rindex(b"\nendstream") - 4]

    assert pdf_reason(written(HEADER, {6: cut})) == "an object stream of the PDF cannot be inflated"


@given(st.binary(max_size=400))
def test_any_bytes_behind_the_header_are_read(data: bytes) -> None:
    pdf_reason(HEADER + b"1 0 obj" + data)


def test_a_script_is_found_wherever_an_update_puts_it() -> None:
    plain = [
        file.content for file in HARMLESS_FILES if file.name.startswith("a PDF") or file.name.startswith("a modern")
    ]

    for content in plain:
        assert pdf_reason(content) is None
        assert pdf_reason(written(content, {9: b"<< /S /J#61vaScript /JS (a) >>"})) == "the PDF holds a script"
