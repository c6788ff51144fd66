"""A CDA as a page for a person: readable, and nothing in it that a browser would run or fetch."""

import time
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.cda.narrative import ATTRIBUTES, ELEMENTS
from dmp.cda.rendering import html_of
from infra.local import demo_documents
from infra.local.demo_documents import DemoPatient
from tests.bodies import PDF
from tests.cda_factories import cda, embedding, narrated, section, structured
from tests.xss_payloads import PAYLOADS

PAGE = ELEMENTS | {
    *("html", "head", "meta", "title", "body", "header", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "dt", "dd"),
    *("main", "section", "pre"),
}
PAGE_ATTRIBUTES = ATTRIBUTES | {"lang", "charset"}
CPU_SECONDS = 1.5
AT = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)


class Reader(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.others: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


def page(content: bytes) -> str:
    found = html_of(content)
    assert found
    return found


def read(content: bytes) -> Reader:
    reader = Reader()
    reader.feed(page(content))
    reader.close()
    return reader


def assert_safe(content: bytes) -> None:
    html, reader = page(content), read(content)
    low = html.lower()

    assert set(reader.elements) <= PAGE
    assert {name for name, _ in reader.attributes} <= PAGE_ATTRIBUTES
    assert all((value is not None and value.isalnum()) or value == "utf-8" for _, value in reader.attributes)
    assert reader.others == []
    assert not any(sign in low for sign in ("<script", "javascript:", "vbscript:", "data:", "<style", "<iframe"))


def test_there_are_a_hundred_payloads() -> None:
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 100


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_comes_through(payload: str) -> None:
    text, attribute = escape(payload), quoteattr(payload)

    assert_safe(narrated(text))
    assert_safe(cda(title=text))
    assert_safe(structured(section(f"<title>{text}</title><code code='x' displayName={attribute}/>")))
    assert_safe(narrated(f"<linkHtml href={attribute}/><content styleCode={attribute} ID={attribute}>a</content>"))
    assert_safe(
        narrated(f"<table border={attribute}><tr><td colspan={attribute} style={attribute}>a</td></tr></table>")
    )
    assert_safe(
        cda(f"<author><assignedAuthor><assignedPerson><name>{text}</name></assignedPerson></assignedAuthor></author>")
    )
    assert_safe(embedding(payload.encode(), "text/plain"))


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        "<script xmlns='http://www.w3.org/1999/xhtml'>alert(1)</script>",
        "<img src='x' onerror='alert(1)'/>",
        "<iframe src='https://x.example'/>",
        "<svg onload='alert(1)'/>",
        "<h:a xmlns:h='http://www.w3.org/1999/xhtml' href='javascript:alert(1)'>x</h:a>",
        "<p style='background:url(https://x.example)'>x</p>",
        "<object data='data:text/html;base64,PHNjcmlwdD4='/>",
        "<form action='https://x.example'><input onfocus='alert(1)' autofocus='1'/></form>",
        "<style>body{background:url(https://x.example)}</style>",
        "<base href='https://x.example'/><meta http-equiv='refresh' content='0;url=https://x.example'/>",
        "<paragraph onclick='alert(1)' class='x' id='y'>x</paragraph>",
    ],
)
def test_no_element_or_attribute_that_is_not_allowed_comes_through(markup: str) -> None:
    assert_safe(narrated(markup))


NAMES = st.sampled_from(
    [
        *(
            "paragraph",
            "list",
            "item",
            "caption",
            "table",
            "thead",
            "tbody",
            "tfoot",
            "tr",
            "th",
            "td",
            "content",
            "br",
        ),
        *("sub", "sup", "footnote", "footnoteRef", "linkHtml", "renderMultiMedia", "col", "colgroup"),
        *("script", "style", "img", "a", "svg", "form", "title", "math", "template", "noscript", "plaintext"),
    ]
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12) | st.sampled_from(PAYLOADS)
ATTRIBUTE_NAMES = st.sampled_from(
    ["styleCode", "href", "src", "onclick", "style", "colspan", "rowspan", "ID", "listType", "border", "align"]
)


def element(name: str, attributes: dict[str, str], children: list[str]) -> str:
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{written}>{''.join(children)}</{name}>"


TREES = st.recursive(
    TEXTS.map(lambda text: escape("".join(one for one in text if one.isprintable()))),
    lambda inner: st.builds(
        element,
        NAMES,
        st.dictionaries(ATTRIBUTE_NAMES, TEXTS.map(lambda text: "".join(filter(str.isprintable, text))), max_size=3),
        st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)


@given(st.lists(TREES, max_size=5))
def test_any_narrative_becomes_a_safe_page(trees: list[str]) -> None:
    assert_safe(narrated("".join(trees)))


def test_a_narrative_keeps_its_text_and_its_form() -> None:
    narrative = (
        '<paragraph>Un <content styleCode="Bold Underline">mot</content><br/>H<sub>2</sub>O x<sup>2</sup></paragraph>'
        '<list listType="ordered"><caption>Suites</caption><item>un</item></list><list><item>deux</item></list>'
        "<table><caption>Mesures</caption><thead><tr><th>A</th></tr></thead>"
        '<tbody><tr><td colspan="2" rowspan="1000">b</td></tr></tbody></table>'
        '<footnote>note</footnote><linkHtml href="https://x.example">site</linkHtml>'
    )

    html = page(narrated(narrative))

    for expected in (
        "<p>Un <strong><u>mot</u></strong><br>H<sub>2</sub>O x<sup>2</sup></p>",
        "<ol><p>Suites</p><li>un</li></ol><ul><li>deux</li></ul>",
        '<table border="1"><caption>Mesures</caption><thead><tr><th scope="col">A</th></tr></thead>',
        '<tbody><tr><td colspan="2">b</td></tr></tbody></table>',
        "<small>note</small>site",
    ):
        assert expected in html


def test_text_in_no_known_element_is_kept() -> None:
    assert "gras caché fin" in read(narrated("<unknown>gras <x:y xmlns:x='urn:x'>caché</x:y></unknown> fin")).text


def test_a_row_outside_of_a_table_is_text() -> None:
    reader = read(narrated("<tr><td>seul</td></tr><item>puce</item>"))

    assert "seul" in reader.text
    assert not {"tr", "td", "li"} & set(reader.elements)


def test_an_image_leaves_a_word_in_its_place() -> None:
    assert "à consulter dans le document d'origine" in read(narrated("<renderMultiMedia referencedObject='i'/>")).text


def test_a_link_without_text_shows_where_it_leads() -> None:
    assert "https://x.example/a" in read(narrated('<linkHtml href="https://x.example/a"/>')).text


@pytest.mark.parametrize("content", [b"<letter/>", b'<ClinicalDocument xmlns="urn:other"/>', cda()[:-5], b"%PDF-1.4"])
def test_what_is_no_cda_has_no_page(content: bytes) -> None:
    assert html_of(content) is None


def test_the_page_of_a_letter_says_what_a_reader_needs() -> None:
    patient = DemoPatient("279035121518989", "1.2.250.1.213.1.4.10", "PAT-TEST", "DOMINIQUE", date(1979, 3, 28), "F")

    reader = read(demo_documents.discharge_letter(patient, "2.25.1.1", AT, version=2))

    for expected in (
        "Lettre de liaison à la sortie du service de médecine interne",
        "DOMINIQUE PAT-TEST, date de naissance : 28/03/1979",
        "02/03/2026 18:30",
        "Agathe MOREL, Médecin - Médecine interne (SM), Centre hospitalier de Valmont",
        "Amoxicilline 1 g",
        "Motif d'hospitalisation",
    ):
        assert expected in reader.text
    assert "279035121518989" not in reader.text


def test_a_level_1_page_says_how_to_get_the_file() -> None:
    assert "en-tête « Accept: application/pdf »" in read(embedding(PDF)).text


def test_a_text_is_shown() -> None:
    assert "Bonjour <Madame>" in read(embedding(b"Bonjour <Madame>", "text/plain")).text


def test_nested_sections_have_headings_of_their_own() -> None:
    inner = section("<title>Dedans</title><text>oui</text>")

    html = page(structured(section(f"<title>Dehors</title>{inner}")))

    assert "<h2>Dehors</h2><section><h3>Dedans</h3><div>oui</div></section></section>" in html


def test_a_text_that_is_too_long_is_not_shown() -> None:
    assert "trop long pour être affiché" in read(narrated("x" * 2_000_001)).text


@pytest.mark.parametrize(
    "narrative",
    [
        "<paragraph styleCode='Bold'>texte on= data</paragraph>" * 30_000,
        ("<content>" * 88 + "x" + "</content>" * 88) * 1_000,
        "on" * 900_000,
        "data " * 390_000,
        "<linkHtml>" * 80 + "x" * 1_900_000 + "</linkHtml>" * 80,
        "<linkHtml>" * 80 + "x " * 900_000 + "</linkHtml>" * 80,
        "'" * 1_900_000,
    ],
    ids=["wide", "deep", "handlers", "addresses", "links", "words", "apostrophes"],
)
def test_two_megabytes_are_rendered_in_a_second(narrative: str) -> None:
    content = narrated(narrative)
    before = time.process_time()

    assert html_of(content)
    assert time.process_time() - before < CPU_SECONDS


@pytest.mark.parametrize(
    "content",
    [
        narrated("&lt;" * 1_900_000),
        narrated("<renderMultiMedia/>" * 60_000),
        structured(*(section(f"<text>{'&amp;' * 480_000}</text>") for _ in range(4))),
        embedding(b"'" * (5 * 2**20), "text/plain"),
        embedding("é".encode() * (2**21 + 1), "text/plain"),
    ],
    ids=["signs", "images", "sections", "text", "bytes"],
)
def test_what_would_be_larger_than_an_answer_is_no_page(content: bytes) -> None:
    before = time.process_time()

    assert html_of(content) is None
    assert time.process_time() - before < CPU_SECONDS


def test_quotes_and_apostrophes_are_themselves() -> None:
    text = 'L\'enfant a dit "oui" & < non'

    assert escape(text) in page(narrated(escape(text)))
