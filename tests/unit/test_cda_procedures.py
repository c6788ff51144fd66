"""Procedures, family and habits that documents tell of."""

from typing import Any

import pytest

from tests.cda_entries import (
    CCAM,
    CIM10,
    IPS_ABSENT,
    ROLE,
    SNOMED,
    act,
    concept,
    concern,
    habit,
    illness,
    inside,
    interval,
    part,
    problem,
    procedure,
    relative,
    typed,
    value,
    words,
)
from tests.cda_factories import structured
from tests.fhir_validity import assert_valid_r4
from tests.offered_resources import about_somebody, candidates_of, the_only

_STENT = concept("code", "DDAF004", CCAM, "Dilatation de deux vaisseaux")
_TEXT = '<content ID="s1">Appendicectomie</content><content ID="m1">Infarctus inférieur</content>'


def offered(section: str, *entries: str) -> dict[str, Any]:
    [candidate] = candidates_of(structured(part(section, "Section", _TEXT, *entries)))
    assert_valid_r4(about_somebody(candidate))
    return dict(candidate.resource)


def test_a_procedure_tells_what_when_why_and_where() -> None:
    inner = (
        concept("targetSiteCode", "41801008", SNOMED, "artère coronaire")
        + inside(act("act", "36", concept("code", "I21.1", CIM10, "Infarctus", words("#m1"))), "RSON")
        + "<performer><assignedEntity><representedOrganization><name>Clinique</name></representedOrganization>"
        + "</assignedEntity></performer>"
    )

    resource = offered("47519-4", procedure(_STENT, '<effectiveTime value="20180114"/>', inner))

    assert resource["status"] == "completed"
    assert resource["code"] == {
        "coding": [{"system": f"urn:oid:{CCAM}", "code": "DDAF004", "display": "Dilatation de deux vaisseaux"}],
        "text": "Dilatation de deux vaisseaux",
    }
    assert resource["performedDateTime"] == "2018-01-14"
    assert [one["text"] for one in (*resource["reasonCode"], *resource["bodySite"])] == [
        "Infarctus inférieur",
        "artère coronaire",
    ]
    assert resource["performer"] == [{"actor": {"display": "Clinique"}}]


@pytest.mark.parametrize(
    ("status", "attributes", "expected"),
    [
        ("completed", "", "completed"),
        ("active", "", "in-progress"),
        ("aborted", "", "stopped"),
        ("cancelled", "", "not-done"),
        ("completed", 'negationInd="true"', "not-done"),
        ("something", "", "unknown"),
    ],
)
def test_the_state_of_a_procedure(status: str, attributes: str, expected: str) -> None:
    assert offered("47519-4", procedure(_STENT, status=status, attributes=attributes))["status"] == expected


def test_a_procedure_that_only_has_a_kind_is_called_as_its_text_says() -> None:
    kind = concept("code", "SURG", "2.16.840.1.113883.5.4")

    resource = offered("47519-4", procedure(kind, inner='<text><reference value="#s1"/></text>'))

    assert resource["code"]["text"] == "Appendicectomie"


def test_a_kind_of_procedure_made_precise_is_its_category() -> None:
    precision = f"<qualifier>{concept('value', 'C15313', '2.16.840.1.113883.3.26.1.1', 'Radiothérapie')}</qualifier>"
    kind = concept("code", "MED-568", "1.2.250.1.213.1.1.4.322", "Traitement", precision)

    resource = offered("18776-5", procedure(kind, interval("20190501", "20190701")))

    assert (resource["category"]["text"], resource["code"]["text"]) == ("Traitement", "Radiothérapie")
    assert resource["performedPeriod"] == {"start": "2019-05-01", "end": "2019-07-01"}


def test_that_no_procedure_is_known_is_stated() -> None:
    code = concept("code", "no-known-procedures", IPS_ABSENT, "Pas d'acte connu")

    resource = offered("47519-4", procedure(code))

    assert (resource["status"], the_only(resource["code"])) == ("not-done", "no-known-procedures")


@pytest.mark.parametrize(
    "entry",
    [
        procedure(_STENT, attributes='moodCode="INT"'),
        procedure(_STENT, status="nullified"),
        procedure(concept("code", "30954-2", "2.16.840.1.113883.6.1", "Résultats")),
        procedure('<code nullFlavor="UNK"/>'),
    ],
    ids=["planned", "withdrawn", "the section itself", "nothing"],
)
def test_what_is_no_procedure_is_left_out(entry: str) -> None:
    assert candidates_of(structured(part("30954-2", "Résultats", "", entry))) == ()


def test_a_relative_is_told_with_what_they_had() -> None:
    mother = concept("code", "MTH", ROLE, "Mère")
    asthma = illness(value("J45", display="Asthme"), 'negationInd="true"')

    resource = offered("10157-6", relative(mother, "F", illness(value("D57.1", display="Drépanocytose")), asthma))

    assert resource["relationship"]["text"] == "Mère"
    assert resource["relationship"]["coding"][0]["system"] == "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
    assert the_only(resource["sex"]) == "female"
    assert [one["code"]["text"] for one in resource["condition"]] == ["Drépanocytose"]


def test_a_relative_whom_nobody_names_is_one_of_the_family() -> None:
    resource = offered("10157-6", relative('<code nullFlavor="UNK"/>', "UNK", illness(value("D57.1"))))

    assert the_only(resource["relationship"]) == "FAMMEMB"
    assert resource["relationship"]["text"] == "Membre de la famille"
    assert "sex" not in resource


def test_a_relative_who_had_nothing_is_left_out() -> None:
    entry = relative(concept("code", "MTH", ROLE), "F", illness(value("J45"), 'negationInd="true"'), illness(value()))

    assert candidates_of(structured(part("10157-6", "Famille", "", entry))) == ()


def test_a_problem_in_the_history_of_the_family_is_not_the_person_s() -> None:
    resource = offered("10157-6", concern("39", "active", problem(value("D57.1", display="Drépanocytose"))))

    assert resource["resourceType"] == "FamilyMemberHistory"
    assert the_only(resource["relationship"]) == "FAMMEMB"
    assert [one["code"]["text"] for one in resource["condition"]] == ["Drépanocytose"]


def test_a_habit_is_an_observation_of_social_history() -> None:
    resource = offered("29762-2", habit("74011-8", typed("PQ", value="25", unit="{pack}/a"), interval("2019")))

    assert (the_only(resource["category"][0]), the_only(resource["code"])) == ("social-history", "74011-8")
    assert (resource["valueQuantity"]["value"], resource["valueQuantity"]["unit"]) == (25, "{pack}/a")
    assert resource["effectiveDateTime"] == "2019"


def test_a_habit_of_no_value_says_nothing() -> None:
    assert candidates_of(structured(part("29762-2", "Mode de vie", "", habit("74011-8", value())))) == ()


def test_an_answer_that_only_the_narrative_gives_is_read_beside_its_question() -> None:
    rows = "<thead><tr><th>Type</th><th>Description</th></tr></thead><tbody>{}</tbody>"
    row = '<tr><td><content ID="q1">Voyages récents</content></td><td>Guyane</td></tr>'
    asked = '<text><reference value="#q1"/></text>' + value(inner=words("#q1"))

    [told] = candidates_of(
        structured(part("29762-2", "Vie", f"<table>{rows.format(row)}</table>", habit("11345-6", asked)))
    )
    untold = candidates_of(
        structured(part("29762-2", "Vie", '<content ID="q1">Voyages</content>', habit("11345-6", asked)))
    )

    assert told.resource["valueString"] == "Guyane"
    assert untold == ()


def test_a_value_in_the_words_of_its_question_is_called_by_its_code() -> None:
    asked = '<text><reference value="#s1"/></text>'
    entry = habit("11343-1", asked + value("398705004", SNOMED, "Cannabis", words("#s1")))

    assert offered("29762-2", entry)["valueCodeableConcept"]["text"] == "Cannabis"
