"""The kind of content told by its bytes, whatever its producer says."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain import content
from dmp.domain.content import agrees, check, detect, is_accepted
from dmp.domain.errors import Invalid

PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
XML = b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>'


def _zip() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("letter.txt", "Bonjour")
    return archive.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PDF, "pdf"),
        (JPEG, "jpeg"),
        (PNG, "png"),
        (b"II*\x00\x08\x00\x00\x00", "tiff"),
        (b"MM\x00*\x00\x00\x00\x08", "tiff"),
        (b"{\\rtf1\\ansi Bonjour}", "rtf"),
        (b"\x00" * 128 + b"DICM\x02\x00", "dicom"),
        (XML, "xml"),
        (b"\xef\xbb\xbf" + XML, "xml"),
        (b"\r\n  <!-- a > b --><?pi x?><a:letter xmlns:a='x'/>", "xml"),
        (b"<!DOCTYPE letter [<!ENTITY a 'b'>]><letter/>", "xml"),
        ("Température 38° – œdème".encode(), "txt"),
        ("Température 38°".encode("latin-1"), "txt"),
        ("Patient décrit une gêne – œdème".encode("cp1252"), "txt"),
        (b"Hello World", "txt"),
        (b"<3 mois", "txt"),
    ],
)
def test_the_bytes_tell_the_kind(data: bytes, kind: str) -> None:
    assert detect(data) == kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" \r\n",
        _zip(),
        b"MZ\x90\x00\x03",
        b"\x7fELF\x02\x01\x01",
        b"#!/bin/sh\nrm -rf /\n",
        b"GIF89a\x01\x00\x01\x00",
        b"<!DOCTYPE html><html><body>x</body></html>",
        b"<!-- a --><HTML lang='fr'>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
        b"<s:svg xmlns:s='http://www.w3.org/2000/svg'/>",
        b"<!-- never closed",
        b"<?xml version='1.0'?>",
        "Bonjour".encode("utf-16"),
        b"text with a \x00 in it",
        b"text with a \x1b[31m in it",
        b"\x81\x8d\x8f",
    ],
)
def test_what_is_never_accepted_has_no_kind(data: bytes) -> None:
    assert detect(data) is None


@given(st.binary())
def test_any_bytes_are_told_without_an_error(data: bytes) -> None:
    assert detect(data) in {None, *content.KIND_OF_TYPE.values()}


@given(st.text(alphabet="<>!?-/ab :'\"", max_size=60))
def test_any_markup_is_told_without_an_error(text: str) -> None:
    assert detect(text.encode()) in {None, "xml", "txt"}


@pytest.mark.parametrize(
    ("declared", "data"),
    [
        ("application/pdf", PDF),
        ("Application/PDF; version=1.4", PDF),
        ("text/xml; charset=utf-8", XML),
        ("application/xml", XML),
        ("text/plain", b"Bonjour"),
        ("application/rtf", b"{\\rtf1}"),
        ("image/jpeg", JPEG),
    ],
)
def test_a_type_that_says_what_the_bytes_are_agrees(declared: str, data: bytes) -> None:
    assert agrees(declared, data)
    check(declared, data)


@pytest.mark.parametrize(
    ("declared", "data"),
    [
        ("application/pdf", b"no PDF at all"),
        ("application/pdf", XML),
        ("application/pdf", b"junk " + PDF),
        ("text/plain", PDF),
        ("text/plain", XML),
        ("text/plain", b"<html><script>alert(1)</script></html>"),
        ("text/xml", b"plain text"),
        ("image/jpeg", PNG),
        ("image/tiff", JPEG),
        ("application/pdf", _zip()),
    ],
)
def test_a_type_that_says_something_else_is_refused(declared: str, data: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        check(declared, data)

    assert refusal.value.code == "content-mismatch"


@pytest.mark.parametrize(
    "declared",
    ["", "text/html", "image/svg+xml", "application/zip", "application/x-msdownload", "application/fhir+json", "pdf"],
)
def test_a_type_that_no_document_has_is_refused(declared: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check(declared, PDF)

    assert refusal.value.code == "unsupported-content"


@pytest.mark.parametrize("declared", ["text/xml", "application/dicom", "image/png"])
def test_a_patient_deposits_fewer_types_than_a_professional(declared: str) -> None:
    assert is_accepted(declared)
    assert not is_accepted(declared, by_patient=True)
    assert is_accepted("image/tiff", by_patient=True)


@pytest.mark.parametrize("words", [b"Hello", b"Hello World"])
def test_the_words_that_official_examples_send_as_a_pdf_are_accepted(words: bytes) -> None:
    assert agrees("application/pdf", words)
    assert not agrees("application/pdf", words + b"!")


@pytest.mark.parametrize(
    "declared",
    ["application/pdf", "Text/XML", "text/plain; charset=utf-8", 'text/plain;charset="a \\" b" ; c=d', "text/plain;"],
)
def test_a_media_type_may_have_parameters(declared: str) -> None:
    assert content.is_media_type(declared)


@pytest.mark.parametrize(
    "declared",
    [
        "",
        "pdf",
        "application/",
        "application/pdf; a",
        "application/pdf;a=é",
        'text/xml;a="\n"',
        'a/b;c="',
        "a/b\n",
        "a b/c",
    ],
)
def test_what_no_header_may_say_is_no_media_type(declared: str) -> None:
    assert not content.is_media_type(declared)
