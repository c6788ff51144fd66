"""The documents of the demonstration are what they claim to be."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from dmp.cda.header import read_header
from dmp.domain.clinical_document import ClinicalDocumentHeader
from dmp.domain.code_lists import document_type
from dmp.domain.content import INLINE_LIMIT, check
from dmp.domain.identifiers import INS_NIR_TEST, PS_IDNAT, STRUCT_IDNAT, Identifier
from infra.local import demo_documents as demo
from infra.local.demo_documents import DemoPatient

AT = datetime(2026, 3, 2, 17, 30, tzinfo=timezone(timedelta(hours=1)))
UNIQUE_ID = "2.25.1234.1"
PATIENT = DemoPatient(
    "279035121518989", "1.2.250.1.213.1.4.10", "D'ARC & <fils>", "Zoé (dite \\Zo)", date(1979, 3, 28), "F"
)

Cda = Callable[[DemoPatient, str, datetime], bytes]
File = Callable[[DemoPatient, datetime], bytes]


def header_of(content: bytes) -> ClinicalDocumentHeader:
    header = read_header(content)
    assert header
    return header


@pytest.mark.parametrize(
    ("write", "type_code", "body", "model"),
    [
        (demo.discharge_letter, "11490-0", "structured", "urn:asip:ci-sis:ldl-ses:2017"),
        (demo.medical_synthesis, "SYNTH", "structured", "urn:asip:ci-sis:vsm:2012"),
        (demo.biology_report, "11502-2", "structured", "urn:ihe:lab:xd-lab:2008"),
        (demo.wrapped_consultation, "11488-4", "application/pdf", "urn:ihe:iti:xds-sd:pdf:2008"),
    ],
)
def test_a_cda_of_the_demonstration_has_the_header_of_the_field(
    write: Cda, type_code: str, body: str, model: str
) -> None:
    header = header_of(write(PATIENT, UNIQUE_ID, AT))

    assert header.type
    assert document_type(header.type.system, header.type.code)
    assert header.type.code == type_code
    assert header.format
    assert header.format.code == model
    assert header.body_media_type == body
    assert header.template_ids[:2] == ("2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1")
    assert header.ins == {Identifier(INS_NIR_TEST, PATIENT.ins)}
    assert header.unique_id == f"urn:oid:{UNIQUE_ID}"
    assert (header.set_id, header.version, header.replaced) == ("urn:oid:2.25.1234", 1, ())
    assert header.effective_time == AT.astimezone(UTC)
    assert header.service_start
    assert header.facility
    assert header.practice_setting
    assert header.events
    assert header.custodian
    assert header.legal_authenticator
    [author] = header.authors
    assert author.identifier
    assert author.identifier.system == PS_IDNAT
    assert author.organization
    assert author.organization.system == STRUCT_IDNAT


def test_names_with_characters_of_markup_stay_whole() -> None:
    content = demo.discharge_letter(PATIENT, UNIQUE_ID, AT)

    assert b"D&#x27;ARC &amp; &lt;fils&gt;" in content
    assert b"<section>" in content
    assert content.count(b"<entry>") >= 4


def test_a_second_version_replaces_the_first() -> None:
    header = header_of(demo.discharge_letter(PATIENT, "2.25.1234.2", AT, version=2, replaces=UNIQUE_ID))

    assert (header.version, header.replaced) == (2, (f"urn:oid:{UNIQUE_ID}",))
    assert header.set_id == "urn:oid:2.25.1234"


@pytest.mark.parametrize(
    ("write", "content_type"),
    [
        (demo.consultation_pdf, "application/pdf"),
        (demo.consultation_rtf, "text/rtf"),
        (demo.consultation_text, "text/plain"),
    ],
)
def test_a_file_of_the_demonstration_is_what_its_type_says(write: File, content_type: str) -> None:
    content = write(PATIENT, AT)

    check(content_type, content, by_patient=True)
    assert len(content) < INLINE_LIMIT


def test_the_pdf_has_every_object_where_its_table_says() -> None:
    content = demo.consultation_pdf(PATIENT, AT)

    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n\Z", content)[0])
    offsets = [int(offset) for offset in re.findall(rb"(\d{10}) 00000 n \n", content[start:])]
    [length] = re.findall(rb"/Length (\d+) >>\nstream\n", content)
    assert content[start:].startswith(b"xref\n0 6\n")
    assert [content[offset:].split(b" ", 1)[0] for offset in offsets] == [b"1", b"2", b"3", b"4", b"5"]
    assert content.partition(b"stream\n")[2][int(length) :].startswith(b"endstream")
    assert b"Zo\xe9 \\(dite \\\\Zo\\)" in content


def test_the_rtf_is_ascii_and_its_braces_close() -> None:
    content = demo.consultation_rtf(PATIENT, AT)

    assert content.isascii()
    assert content.count(b"{") == content.count(b"}")
    assert b"Zo\\u233? (dite \\\\Zo)" in content


def test_the_same_request_gives_the_same_bytes() -> None:
    assert demo.biology_report(PATIENT, UNIQUE_ID, AT) == demo.biology_report(PATIENT, UNIQUE_ID, AT)
