"""What is embedded in a CDA, and its sections as data."""

import time

import pytest

from dmp.cda.admission import examined
from dmp.cda.body import MAX_FILES, check_embedded, embedded, embedded_files
from dmp.cda.sections import MAX_NARRATIVE_CHARS, MAX_SECTIONS, sections_of
from dmp.domain.errors import DmpError, Invalid
from tests.bodies import PDF
from tests.cda_factories import carrying, cda, embedding, section, structured

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + bytes(17)
CPU_SECONDS = 1.0


def refusal_of(content: bytes) -> str:
    with pytest.raises(DmpError) as refusal:
        check_embedded(content)
    return refusal.value.code


def test_the_file_of_a_level_1_document_comes_out() -> None:
    assert embedded(embedding(PDF)) == ("application/pdf", PDF)


def test_its_type_is_that_of_its_bytes() -> None:
    assert embedded(embedding(PDF, "text/plain")) == ("application/pdf", PDF)


def test_a_text_may_stand_as_it_is() -> None:
    content = cda('<component><nonXMLBody><text mediaType="text/plain">Été &amp; hiver</text></nonXMLBody></component>')

    assert embedded(content) == ("text/plain", "Été & hiver".encode())


def test_line_breaks_in_base64_are_no_matter() -> None:
    content = embedding(PDF)
    start = content.index(b"JVBER") + 8
    broken = content[:start] + b"\r\n \t" + content[start:]

    assert embedded(broken) == ("application/pdf", PDF)


@pytest.mark.parametrize(
    "content",
    [
        b"<letter/>",
        cda(),
        cda()[:-5],
        embedding(PDF, compression="DF"),
        structured(section("<text>Bonjour</text>")),
        carrying(PNG),
        cda(
            "<component><nonXMLBody><text><reference value='https://x.example/a.pdf'/></text></nonXMLBody></component>"
        ),
    ],
    ids=["no CDA", "no body", "broken", "compressed", "level 3", "in an entry", "a reference"],
)
def test_there_may_be_no_such_file(content: bytes) -> None:
    assert embedded(content) is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (embedding(b"Bonjour"), "content-mismatch"),
        (embedding(PDF, "text/plain"), "content-mismatch"),
        (embedding(PDF, "application/zip"), "unsupported-content"),
        (embedding(PDF, "text/html"), "unsupported-content"),
        (embedding(b"<a/>", "text/xml"), "unsupported-content"),
        (embedding(PDF, compression="DF"), "unsupported-content"),
        (embedding(b"MZ\x90\x00"), "content-mismatch"),
        (embedding(PDF + b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>"), "unsafe-content"),
        (carrying(PDF.replace(b"/Catalog", b"/Catalog/OpenAction<</S/Launch>>"), "application/pdf"), "unsafe-content"),
        (carrying(b"PK\x03\x04PK\x01\x02PK\x05\x06" + bytes(18), "application/zip"), "unsafe-content"),
        (carrying(b"<html><script>alert(1)</script>", "text/html"), "unsafe-content"),
        (embedding(PDF).replace(b"JVBER", b"JVB!R"), "content-mismatch"),
        (cda('<x representation="B64">QUJD</x>' * (MAX_FILES + 1)), "xml-too-complex"),
    ],
)
def test_every_embedded_file_is_looked_at(content: bytes, code: str) -> None:
    assert refusal_of(content) == code


def test_a_sound_document_is_taken_in_with_its_files() -> None:
    header = examined(embedding(PDF))

    assert header
    assert header.title == "Lettre"
    assert [one.content for one in embedded_files(carrying(PNG))] == [PNG]


def test_what_is_no_cda_has_nothing_to_be_examined() -> None:
    assert examined(b'<letter representation="B64">!</letter>') is None


def test_a_large_file_is_taken_out_at_once() -> None:
    content = embedding(PDF + b"%" * 2_000_000)
    before = time.process_time()

    found = embedded(content)

    assert found
    assert len(found[1]) > 2_000_000
    assert time.process_time() - before < CPU_SECONDS


SECTIONS = structured(
    section(
        '<templateId root="1.2.3"/><templateId/><code code="10160-0" codeSystem="2.16.840.1.113883.6.1"/>'
        "<title>Traitements</title><text>Ramipril</text><entry><act><id root='1'/></act></entry><entry/>"
        + section("<title>Dedans</title>")
    ),
    section("<text/>"),
)


def test_sections_are_data() -> None:
    treatments, other = sections_of(SECTIONS)

    assert treatments.template_ids == ("1.2.3",)
    assert treatments.code
    assert (treatments.code.system, treatments.code.code) == ("http://loinc.org", "10160-0")
    assert (treatments.title, other.title) == ("Traitements", "")
    assert treatments.narrative
    assert treatments.narrative.content == "Ramipril"
    assert [one.title for one in treatments.sections] == ["Dedans"]
    assert [entry.name for entry in treatments.entries] == ["entry", "entry"]
    [act] = treatments.entries[0].elements("act")
    identifier = act.first("id")
    assert identifier
    assert identifier.get("root") == "1"


def test_entries_may_be_left_out() -> None:
    treatments, _ = sections_of(SECTIONS, with_entries=False)

    assert treatments.entries == ()
    assert [one.title for one in treatments.sections] == ["Dedans"]


@pytest.mark.parametrize("content", [b"<letter/>", cda(), embedding(PDF)])
def test_a_document_may_have_no_sections(content: bytes) -> None:
    assert sections_of(content) == ()


@pytest.mark.parametrize(
    "content",
    [
        structured(section("") * (MAX_SECTIONS + 1)),
        structured(section(f"<text>{'x' * (MAX_NARRATIVE_CHARS + 1)}</text>")),
        structured(section("<text><content>" * 60)),
    ],
    ids=["sections", "text", "broken"],
)
def test_sections_have_bounds(content: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        sections_of(content)

    assert refusal.value.code.startswith("xml-")
