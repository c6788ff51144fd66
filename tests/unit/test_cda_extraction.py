"""What is read of a document as a whole: what is found, how much at most, and that nothing of it raises."""

import re
from datetime import UTC, date, datetime

import pytest

from dmp.cda.entry import Entry
from dmp.cda.extraction import extract
from dmp.cda.markup import Node
from dmp.cda.passages import LONGEST, Passages
from dmp.cda.readers import READERS
from dmp.cda.sections import Section, body_of
from dmp.cda.text import text_of
from dmp.domain.clinical_profile import MOST_CANDIDATES
from dmp.domain.errors import Invalid
from infra.local.demo_cda import DemoPatient
from infra.local.demo_documents import medical_synthesis
from tests.cda_entries import (
    LOINC,
    act,
    concept,
    concern,
    habit,
    interval,
    part,
    problem,
    typed,
    value,
    words,
)
from tests.cda_factories import cda, narrated, section, structured
from tests.fhir_validity import problems as faults
from tests.offered_resources import about_somebody, candidates_of

_HABIT = habit("74011-8", typed("PQ", value="25", unit="{pack}/a"), interval("2019"))
_HTA = concern("39", "active", problem(value("I10")))


def test_a_synthesis_offers_problems_allergies_and_treatments() -> None:
    patient = DemoPatient("279035121518989", "1.2.250.1.213.1.4.10", "PAT-TEST", "DOMINIQUE", date(1979, 3, 28), "F")

    found = candidates_of(medical_synthesis(patient, "2.25.2.1", datetime(2026, 3, 2, 17, 30, tzinfo=UTC)))

    told = [(one.kind, one.resource["code"]["text"]) for one in found if "code" in one.resource]  # type: ignore[index]
    assert told[:4] == [
        ("Condition", "Hypertension artérielle"),
        ("Condition", "Diabète de type 2"),
        ("Condition", "Appendicectomie"),
        ("AllergyIntolerance", "Allergie aux sulfamides"),
    ]
    assert [fault for one in found for fault in faults(about_somebody(one))] == []


@pytest.mark.parametrize("document", [cda(), narrated("Texte"), structured(), structured(section("<code/>"))])
def test_a_document_that_states_nothing_offers_nothing(document: bytes) -> None:
    assert candidates_of(document) == ()


def test_what_is_no_xml_is_refused() -> None:
    with pytest.raises(Invalid):
        candidates_of(b"Bonjour")


@pytest.mark.parametrize("code", ['code=""', 'code="a b  c"', 'code="1-8" codeSystem="a b"', 'nullFlavor="UNK"'])
def test_the_code_of_a_section_is_told_only_where_it_is_one(code: str) -> None:
    head = f"<code {code}/><title>T\u202e</title>"

    [candidate] = candidates_of(structured(section(f"{head}<entry>{_HTA}</entry>")))

    assert (candidate.section, candidate.section_title) == (None, "T")


def test_sections_within_sections_are_read_in_their_order() -> None:
    inner = part("11348-0", "Antécédents", "", concern("39", "active", problem(value("N10"))))
    outer = section(f'<code code="46612-8"/><title>Synthèse</title>{inner}')

    found = candidates_of(structured(part("11450-4", "Problèmes", "", _HTA), outer))

    assert [one.section_title for one in found] == ["Problèmes", "Antécédents"]


def test_a_section_about_the_child_tells_nothing_of_the_person() -> None:
    inner = part("11450-4", "Problèmes", "", concern("39", "active", problem(value("P05.0"))))
    outer = section(f'<code code="57075-4"/><title>Nouveau-né</title><subject><relatedSubject/></subject>{inner}')

    assert candidates_of(structured(outer)) == ()


def test_a_known_statement_is_found_within_one_that_is_not_known() -> None:
    wrapped = act("organizer", "", f"<component>{_HTA}</component>")

    assert len(candidates_of(structured(part("57207-3", "Facteurs", "", wrapped)))) == 1


def test_a_passage_of_another_section_is_found() -> None:
    entry = concern("39", "active", problem(value("I10", inner=words("#far"))))

    [candidate] = candidates_of(
        structured(part("11450-4", "Problèmes", "", entry), part("1-8", "Autre", '<content ID="far">Tension</content>'))
    )

    assert candidate.resource["code"]["text"] == "Tension"  # type: ignore[index]


def test_of_passages_of_one_id_that_of_the_section_counts() -> None:
    entry = concern("39", "active", problem(value("I10", inner=words("#p"))))
    parts = [part("11450-4", "P", f'<paragraph ID="p">{text}</paragraph>', entry) for text in ("Tension", "Asthme")]

    found = candidates_of(structured(*parts))

    assert [one.resource["code"]["text"] for one in found] == ["Tension", "Asthme"]  # type: ignore[index]


@pytest.mark.parametrize(("other", "told"), [("Asthme", "HTA"), ("Tension", "Tension")])
def test_passages_of_one_id_elsewhere_tell_something_only_where_they_are_alike(other: str, told: str) -> None:
    entry = concern("39", "active", problem(value("I10", display="HTA", inner=words("#p"))))
    elsewhere = [part("1-8", "A", f'<paragraph ID="p">{text}</paragraph>') for text in ("Tension", other)]

    [candidate] = candidates_of(structured(part("11450-4", "P", "", entry), *elsewhere))

    assert candidate.resource["code"]["text"] == told  # type: ignore[index]


def test_the_row_beside_a_passage_is_that_of_the_section_too() -> None:
    lines = "<table><thead><tr><th>Vie</th><th>Réponse</th></tr></thead><tbody>{}</tbody></table>"
    row = '<tr><td ID="q">Voyages</td><td>{}</td></tr>'
    asked = '<text><reference value="#q"/></text>' + value(inner=words("#q"))
    parts = [part("29762-2", "V", lines.format(row.format(one)), habit("11345-6", asked)) for one in ("Mali", "Pérou")]

    found = candidates_of(structured(*parts))

    assert [one.resource["valueString"] for one in found] == ["Mali", "Pérou"]


def test_the_file_in_an_entry_is_no_text_of_the_document() -> None:
    content = f'<value mediaType="image/png" representation="B64">{"QUJD" * 2_500_000}</value>'
    file = f"<observationMedia>{content}</observationMedia>"

    offer = extract(structured(part("55108-5", "Images", "", file), part("11450-4", "P", "", _HTA)))

    assert [one.kind for one in offer.candidates] == ["Condition"]


def test_of_a_document_that_states_too_much_the_results_are_cut() -> None:
    result = act("observation", "80", concept("code", "2160-0", LOINC, "Créatinine") + typed("INT", value="1"))
    results = part("18719-5", "Biologie", "", *[result] * MOST_CANDIDATES)
    problems = part("11450-4", "P", "", _HTA)

    offer = extract(structured(results, problems))
    whole = extract(structured(results))

    assert [one.kind for one in offer.candidates] == ["Observation"] * (MOST_CANDIDATES - 1) + ["Condition"]
    assert (offer.is_cut, whole.is_cut, len(whole.candidates)) == (True, False, MOST_CANDIDATES)


def test_a_section_within_results_is_one_of_results() -> None:
    result = act("observation", "80", concept("code", "2160-0", LOINC, "Créatinine") + typed("INT", value="1"))
    inner = part("18725-2x", "Chapitre", "", *[result] * MOST_CANDIDATES)
    outer = section(f'<code code="18725-2"/><title>Biologie</title>{inner}')

    offer = extract(structured(outer, part("29762-2", "Vie", "", _HABIT)))

    assert "social-history" in str(offer.candidates[-1].resource)


def test_a_long_passage_is_cut() -> None:
    entry = concern("39", "active", problem(value("I10", inner=words("#long"))))

    [candidate] = candidates_of(
        structured(part("11450-4", "P", f'<content ID="long">{"mot " * 5000}</content>', entry))
    )

    text = candidate.resource["code"]["text"]  # type: ignore[index]
    assert len(text) <= LONGEST
    assert text.endswith("mot…")


def test_every_reader_is_found_by_a_template_or_an_element() -> None:
    for code, what in READERS:
        assert re.fullmatch(r"([0-9A-Z-]+)?", code)
        assert re.fullmatch(r"[0-9.]+|[a-zA-Z]+", what)


def test_a_statement_that_says_nothing_of_itself_is_an_event_of_the_person() -> None:
    section_of_nothing = Section((), None, "", None, ())
    outer = Entry(Node("act", children=[Node("component", children=[Node("act")])]), section_of_nothing, Passages())

    [inner] = outer.inner()

    assert (inner.code, inner.template_ids, inner.section_code) == ("", (), "")
    assert (inner.is_event, inner.is_negated, inner.is_of_another) == (True, False, False)


def test_the_words_of_a_document_are_its_titles_and_narratives() -> None:
    inner = part("11348-0", "Antécédents", "<list><item>Asthme</item><item>Angine</item></list>")
    outer = section(f"<title>Synthèse</title><text>Vu<br/>ce jour</text>{inner}")

    found = text_of(structured(outer, part("11450-4", "Problèmes", "", _HTA)))

    assert found == "Synthèse Vu ce jour Antécédents Asthme Angine Problèmes"


@pytest.mark.parametrize(
    ("header", "year"),
    [('<effectiveTime value="2020"/>', 2020), ("", None), ('<author><effectiveTime value="2020"/></author>', None)],
)
def test_a_document_is_dated_by_its_header_alone(header: str, year: int | None) -> None:
    body = f"<component><structuredBody>{part('1-8', 'S', '', _HABIT)}</structuredBody></component>"

    written = body_of(cda(f"{header}{body}")).written

    assert (written and written.year) == year


def test_a_document_without_sections_has_no_words() -> None:
    assert text_of(cda()) == ""
