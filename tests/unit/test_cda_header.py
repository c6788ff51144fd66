"""The header of CDA R2 documents: what is read from it, and what bytes made to hurt do not do."""

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.cda.header import read_header
from dmp.cda.parsing import MAX_BYTES, MAX_DEPTH
from dmp.cda.timestamp import instant
from dmp.domain.clinical_document import ClinicalDocumentHeader, master_identifier_of, unique_id, unique_id_of
from dmp.domain.errors import DmpError, Invalid, TooLarge
from dmp.domain.identifiers import INS_NIR_TEST, Identifier

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "cda"
CPU_SECONDS = 2  # 0.2 at most without coverage
NAMESPACE = 'xmlns="urn:hl7-org:v3"'


def document(inner: str = "", declaration: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    return f"{declaration}<ClinicalDocument {NAMESPACE}>{inner}</ClinicalDocument>".encode()


def header_of(content: bytes) -> ClinicalDocumentHeader:
    header = read_header(content)
    assert header
    return header


def refusal_of(content: bytes) -> str:
    with pytest.raises(Invalid) as refusal:
        read_header(content)
    return refusal.value.code


def test_an_empty_clinical_document_has_an_empty_header() -> None:
    header = header_of(document())

    assert header.patient_ids == ()
    assert header.ins == frozenset()
    assert header.master_identifier is None
    assert (header.unique_id, header.title, header.type, header.body_media_type) == ("", "", None, None)


@pytest.mark.parametrize("content", [b"<letter/>", b'<ClinicalDocument xmlns="urn:other"/>', b"<ClinicalDocument/>"])
def test_xml_that_is_no_cda_has_no_header(content: bytes) -> None:
    assert read_header(content) is None


def test_a_document_inside_a_style_sheet_is_found() -> None:
    inner = document("<title>Biologie</title>", declaration="").decode()
    style_sheet = f'<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><x>{inner}</x></xsl:stylesheet>'

    header = header_of(style_sheet.encode())

    assert header.title == "Biologie"


def test_a_prefixed_document_is_read_like_another() -> None:
    content = b'<h:ClinicalDocument xmlns:h="urn:hl7-org:v3"><h:title>Lettre</h:title></h:ClinicalDocument>'

    assert header_of(content).title == "Lettre"


def test_elements_of_another_namespace_are_not_the_header() -> None:
    content = document('<f:title xmlns:f="urn:forged">Autre</f:title><title>Lettre</title>')

    assert header_of(content).title == "Lettre"


@pytest.mark.parametrize(
    "content",
    [
        b"<x>%s%s</x>" % (document(declaration=""), document(declaration="")),
        document(f"<component><ClinicalDocument {NAMESPACE}/></component>"),
    ],
)
def test_two_documents_in_one_file_are_refused(content: bytes) -> None:
    assert refusal_of(content) == "cda-ambiguous"


def test_every_patient_named_is_seen() -> None:
    role = '<recordTarget><patientRole><id root="1.2.250.1.213.1.4.10" extension="{}"/></patientRole></recordTarget>'

    header = header_of(document(role.format("279035121518989") + role.format(" 277076322082910 ")))

    assert {ins.value for ins in header.ins} == {"279035121518989", "277076322082910"}


def test_an_identifier_of_the_hospital_is_no_ins() -> None:
    ids = (
        '<id root="1.2.250.1.213.1.4.10" extension="279035121518989"/><id root="1.2.3" extension="42"/><id root="1.2"/>'
    )

    header = header_of(document(f"<recordTarget><patientRole>{ids}</patientRole></recordTarget>"))

    assert header.patient_ids == (Identifier(INS_NIR_TEST, "279035121518989"), Identifier("urn:oid:1.2.3", "42"))
    assert header.ins == {Identifier(INS_NIR_TEST, "279035121518989")}


@pytest.mark.parametrize(
    ("root", "extension", "unique"),
    [
        ("1.2.250.1.9", "", "urn:oid:1.2.250.1.9"),
        ("1.2.250.1.9", "10002-1", "urn:oid:1.2.250.1.9^10002-1"),
        ("90E1C8EC-F951-4B26-A305-A34848818DD6", "", "urn:uuid:90e1c8ec-f951-4b26-a305-a34848818dd6"),
    ],
)
def test_the_unique_id_and_its_master_identifier_agree(root: str, extension: str, unique: str) -> None:
    header = header_of(document(f'<id root={quoteattr(root)} extension="{extension}"/>'))

    assert header.unique_id == unique
    assert header.master_identifier
    assert unique_id_of(header.master_identifier) == unique


@pytest.mark.parametrize(
    "identifier",
    [
        Identifier("urn:ietf:rfc:3986", "urn:oid:1.2.9^A"),
        Identifier("", "1.2.9^A"),
        Identifier("urn:ietf:rfc:3986", " 1.2.9^A "),
        Identifier("urn:oid:1.2.9", "A"),
    ],
)
def test_every_way_to_write_a_unique_id_gives_one(identifier: Identifier) -> None:
    assert unique_id_of(identifier) == unique_id("1.2.9", "A")


def test_an_identifier_of_any_other_system_is_unique_within_it() -> None:
    assert unique_id_of(Identifier("https://lps.example/ids", "A")) == "https://lps.example/ids^A"


@given(root=st.from_regex(r"[0-2](\.[1-9][0-9]{0,3}){1,6}|[a-z]{1,5}", fullmatch=True), extension=st.text(max_size=20))
def test_a_unique_id_survives_the_way_through_a_master_identifier(root: str, extension: str) -> None:
    unique = unique_id(root, extension.strip())

    assert unique_id_of(master_identifier_of(unique)) == unique


def test_a_replacement_names_what_it_replaces_and_an_appendix_does_not() -> None:
    related = '<relatedDocument typeCode="{}"><parentDocument><id root="1.2.{}"/></parentDocument></relatedDocument>'

    header = header_of(document(related.format("RPLC", 1) + related.format("APND", 2)))

    assert header.replaced == ("urn:oid:1.2.1",)


def test_the_period_is_that_of_the_event_that_has_one() -> None:
    events = (
        '<documentationOf><serviceEvent><code code="A"/></serviceEvent></documentationOf>'
        '<documentationOf><serviceEvent><code code="B"/><effectiveTime><low value="20240104092200+0100"/>'
        '<high value="20240104"/></effectiveTime></serviceEvent></documentationOf>'
    )

    header = header_of(document(events))

    assert header.service_start == datetime(2024, 1, 4, 8, 22, tzinfo=UTC)
    assert header.service_end == datetime(2024, 1, 3, 23, tzinfo=UTC)
    assert [event.code for event in header.events] == ["A", "B"]


def test_an_author_that_is_a_device_has_the_name_of_its_software() -> None:
    device = "<assignedAuthoringDevice><softwareName>ALIM</softwareName></assignedAuthoringDevice>"

    header = header_of(document(f"<author><assignedAuthor>{device}</assignedAuthor></author>"))

    assert [(author.family, author.identifier) for author in header.authors] == [("ALIM", None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20240704153000+0200", datetime(2024, 7, 4, 13, 30, tzinfo=UTC)),
        ("20240704153000.123-0430", datetime(2024, 7, 4, 20, 0, tzinfo=UTC)),
        ("202407041530Z", datetime(2024, 7, 4, 15, 30, tzinfo=UTC)),
        ("20240704", datetime(2024, 7, 3, 22, 0, tzinfo=UTC)),
        ("202401", datetime(2023, 12, 31, 23, 0, tzinfo=UTC)),
        ("2024", datetime(2023, 12, 31, 23, 0, tzinfo=UTC)),
    ],
)
def test_a_time_stamp_is_read_as_far_as_it_goes(text: str, expected: datetime) -> None:
    assert instant(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "20241301", "20240230", "1899", "9999", "20240101250000", "202401011", "2024-01-01", "20240101+9999", "٢٠٢٤"],
)
def test_what_is_no_time_stamp_is_none(text: str) -> None:
    assert instant(text) is None


@given(st.text(alphabet="0123456789+-.Z ", max_size=24))
def test_any_time_stamp_can_be_compared_with_now(text: str) -> None:
    found = instant(text)

    assert found is None or found.astimezone(UTC).date() > date(1899, 1, 1)


BILLION_LAUGHS = b"<!DOCTYPE l [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;'>]><l>&b;</l>"


@pytest.mark.parametrize(
    "content",
    [
        BILLION_LAUGHS,
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1/p.dtd">%p;]><a/>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>',
        b"<!DOCTYPE ClinicalDocument>" + document(declaration=""),
    ],
)
def test_a_doctype_is_refused(content: bytes) -> None:
    assert refusal_of(content) == "xml-doctype-forbidden"


@pytest.mark.parametrize(
    "content",
    [
        document(declaration='<?xml version="1.0" encoding="UTF-7"?>'),
        document(declaration='<?xml version="1.0" encoding="windows-1252"?>'),
        document(declaration='<?xml version="1.0" encoding="UTF-16"?>'),
        document(declaration='<?xml version="1.0" encoding="nonsense"?>'),
        document(declaration="").decode().encode("utf-16"),
        document(declaration="").decode().encode("utf-16-le"),
    ],
)
def test_an_encoding_that_hides_markup_is_refused(content: bytes) -> None:
    assert refusal_of(content) == "xml-encoding-unsupported"


def test_latin_1_is_read() -> None:
    content = document("<title>Été</title>", '<?xml version="1.0" encoding="ISO-8859-1"?>').decode().encode("latin-1")

    assert header_of(content).title == "Été"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.4",
        b"<a>",
        b"<a></b>",
        document("&unknown;"),
        document("<title>\udcff</title>".encode("utf-8", "surrogateescape").decode("latin-1")) + b"<a/>",
        document("<title>x</title>").replace(b"x", b"\xff"),
        b"<a b='1' b='2'/>",
        b"<p:a/>",
    ],
)
def test_what_is_not_well_formed_is_refused(content: bytes) -> None:
    assert refusal_of(content) == "xml-malformed"


@pytest.mark.parametrize(
    "content",
    [
        b"<a>" * (MAX_DEPTH + 1),
        b"<a>" * 200_000,
        document("<author/>" * 20_001),
        document("<a/>" * 100_001),
        document(f"<title>{'x' * 1_000_001}</title>"),
        document(f'<id root="{"1" * 65_537}"/>'),
        document(f"<!--{'x' * 5_000_000}-->"),
        document("<a " + " ".join(f'a{n}=""' for n in range(65)) + "/>"),
        document("<a " + " ".join(f'a{n}=""' for n in range(300_000)) + "/>"),
    ],
    ids=["deep", "deeper", "authors", "elements", "title", "value", "comment", "attributes", "many attributes"],
)
def test_what_is_too_complex_is_refused_at_once(content: bytes) -> None:
    before = time.process_time()

    assert refusal_of(content) == "xml-too-complex"
    assert time.process_time() - before < CPU_SECONDS


def test_a_large_embedded_file_is_passed_over_at_once() -> None:
    text = f'<text mediaType="application/PDF" representation="B64">{"QUJD" * 2_000_000}</text>'
    content = document(f"<component><nonXMLBody>{text}</nonXMLBody></component>")
    before = time.process_time()

    header = header_of(content)

    assert header.body_media_type == "application/pdf"
    assert time.process_time() - before < CPU_SECONDS


def test_more_bytes_than_any_document_has_are_not_even_looked_at() -> None:
    with pytest.raises(TooLarge):
        read_header(bytes(MAX_BYTES + 1))


def outcome_of(content: bytes) -> str:
    try:
        read_header(content)
    except DmpError as refusal:
        return refusal.code
    return "read"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    assert outcome_of(content).startswith(("read", "xml-"))


@given(st.data())
def test_a_damaged_document_is_read_or_refused(data: st.DataObject) -> None:
    whole = document(
        '<id root="1.2.3" extension="é"/><code code="11490-0" codeSystem="2.16.840.1.113883.6.1"/><versionNumber'
        ' value="1"/><effectiveTime value="20240101"/><author><assignedAuthor><id root="1" extension="2"/>'
        "</assignedAuthor></author><component><structuredBody/></component>"
    )
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 12)))

    damaged = whole[:start] + data.draw(st.binary(max_size=12)) + whole[end:]

    assert outcome_of(damaged).startswith(("read", "xml-", "cda-"))


def published() -> list[dict[str, Any]]:
    index = SAMPLES / "_index.json"
    return json.loads(index.read_bytes()) if index.exists() else []


@pytest.mark.skipif(not published(), reason="the published samples are not at hand")
@pytest.mark.parametrize("sample", published(), ids=lambda sample: sample["file"])
def test_a_published_sample_is_read_as_its_index_says(sample: dict[str, Any]) -> None:
    header = header_of((SAMPLES / sample["file"]).read_bytes())

    author, [expected_ins] = header.authors[0], sample["ins"]
    assert header.unique_id == f"urn:oid:{sample['uniqueId']}"
    assert header.set_id == f"urn:oid:{sample['setId']}"
    assert header.version == int(sample["version"])
    assert list(header.template_ids) == sample["templateIds"]
    assert header.type
    assert header.type.code == sample["typeCode"]
    assert header.title == sample["title"].strip()
    assert header.effective_time == instant(sample["effectiveTime"])
    assert header.service_start == instant(sample["serviceStart"])
    assert header.ins == {Identifier(f"urn:oid:{expected_ins['root']}", expected_ins["extension"])}
    assert len(header.replaced) == len(sample["relatedDocuments"])
    assert author.identifier == Identifier(f"urn:oid:{sample['author']['root']}", sample["author"]["extension"])
    assert (author.specialty.code if author.specialty else None) == sample["author"]["role"]
    assert bool(author.organization) == bool(sample["authorOrg"])
    assert header.legal_authenticator
    assert header.legal_authenticator.identifier
    assert header.legal_authenticator.identifier.value == sample["legalAuthenticator"]
    assert header.custodian
    assert header.facility
    assert header.facility.code == sample["facilityType"]
    assert header.practice_setting
    assert header.practice_setting.code == sample["practiceSetting"]
    assert header.confidentiality
    assert header.confidentiality.code == sample["confidentiality"]
    assert header.format
    body = sample["nonXMLBody"]["mediaType"] if sample["nonXMLBody"] else "structured"
    assert header.body_media_type == body
