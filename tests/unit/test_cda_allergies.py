"""Allergies of documents as AllergyIntolerances, and that there is none where a document says so."""

from typing import Any

import pytest

from tests.cda_entries import (
    ATC,
    CIM10,
    CIS,
    SNOMED,
    act,
    allergy,
    concept,
    concern,
    finding,
    inside,
    interval,
    part,
    state,
    value,
    words,
)
from tests.cda_factories import structured
from tests.fhir_validity import assert_valid_r4
from tests.offered_resources import about_somebody, candidates_of, the_only

NEGATED = 'negationInd="true"'
_PARACETAMOL = concept("code", "N02BE01", ATC, "paracétamol", words("a1"))
_TEXT = '<content ID="a1">Doliprane</content><content ID="t1">Allergie au latex</content>'


def offered(*entries: str, text: str = _TEXT) -> dict[str, Any]:
    [candidate] = candidates_of(structured(part("48765-2", "Allergies", text, *entries)))
    assert_valid_r4(about_somebody(candidate))
    return dict(candidate.resource)


def test_an_allergy_tells_its_agent_and_what_was_seen() -> None:
    rash = act(
        "observation", "37", concept("code", "55607006", SNOMED) + interval("2010") + value("L50", CIM10, "Urticaire")
    )
    inner = inside(rash, "MFST") + finding("SEV", value("6736007", SNOMED, "modéré"), "SUBJ")

    resource = offered(concern("40", "active", allergy(_PARACETAMOL, time=interval("200003"), inner=inner)))

    manifestation = {
        "coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "L50", "display": "Urticaire"}],
        "text": "Urticaire",
    }
    assert the_only(resource["clinicalStatus"]) == "active"
    assert the_only(resource["verificationStatus"]) == "unconfirmed"
    assert (resource["type"], resource["category"]) == ("allergy", ["medication"])
    assert resource["code"] == {
        "coding": [{"system": "http://www.whocc.no/atc", "code": "N02BE01", "display": "paracétamol"}],
        "text": "Doliprane",
    }
    assert resource["onsetDateTime"] == "2000-03"
    assert resource["reaction"] == [{"manifestation": [manifestation], "onset": "2010", "severity": "moderate"}]


def test_the_codes_of_a_translation_are_kept_beside() -> None:
    code = concept("code", "60234100", CIS, "PARACETAMOL", f'<translation code="N02BE01" codeSystem="{ATC}"/>')

    resource = offered(concern("40", "active", allergy(code)))

    assert [(one["system"], one["code"]) for one in resource["code"]["coding"]] == [
        (f"urn:oid:{CIS}", "60234100"),
        ("http://www.whocc.no/atc", "N02BE01"),
    ]


def test_a_reaction_that_was_not_seen_is_none() -> None:
    unseen = act("observation", "37", value("L50"), NEGATED)

    resource = offered(concern("40", "active", allergy(_PARACETAMOL, inner=inside(unseen, "MFST"))))

    assert "reaction" not in resource


def test_the_value_beside_an_agent_is_what_it_did() -> None:
    resource = offered(concern("40", "active", allergy(_PARACETAMOL, inner=value("L50.0", CIM10, "Urticaire"))))

    assert [one["manifestation"][0]["text"] for one in resource["reaction"]] == ["Urticaire"]


@pytest.mark.parametrize(
    ("of_concern", "inner", "time", "expected"),
    [
        ("active", "", "", "active"),
        ("completed", "", "", "inactive"),
        ("completed", state("active"), "", "active"),
        ("active", state("inactive"), "", "inactive"),
        ("active", state("remission"), "", "inactive"),
        ("active", "", interval("2001", "2004"), "resolved"),
    ],
)
def test_the_state_of_an_allergy(of_concern: str, inner: str, time: str, expected: str) -> None:
    resource = offered(concern("40", of_concern, allergy(_PARACETAMOL, time=time, inner=inner)))

    assert the_only(resource["clinicalStatus"]) == expected


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("414285001", ("allergy", ["food"])),
        ("426232007", ("allergy", ["environment"])),
        ("609398007", ("intolerance", ["medication"])),
        ("609328004", ("allergy", None)),
        ("999", (None, None)),
    ],
)
def test_the_type_of_an_allergy(type_: str, expected: tuple[str | None, list[str] | None]) -> None:
    resource = offered(concern("40", "active", allergy(_PARACETAMOL, type_)))

    assert (resource.get("type"), resource.get("category")) == expected


def test_how_grave_it_may_become_is_kept() -> None:
    inner = finding("82606-5", value("CRITH", "2.16.840.1.113883.5.1063", "haut risque"))

    assert offered(concern("40", "active", allergy(_PARACETAMOL, inner=inner)))["criticality"] == "high"


def test_a_negated_allergy_is_refuted() -> None:
    resource = offered(concern("40", "active", allergy(_PARACETAMOL, attributes=NEGATED)))

    assert the_only(resource["verificationStatus"]) == "refuted"
    assert the_only(resource["clinicalStatus"]) == "inactive"


def test_an_agent_may_have_but_a_name() -> None:
    assert offered(concern("40", "active", allergy("<name>Latex</name>")))["code"] == {"text": "Latex"}


def test_an_allergy_without_agent_is_told_by_its_value_or_its_words() -> None:
    named = offered(concern("40", "active", allergy("", inner=value("Z88.2", CIM10, "Allergie aux sulfamides"))))
    told = offered(concern("40", "active", allergy("", inner='<text><reference value="#t1"/></text>')))

    assert named["code"]["text"] == "Allergie aux sulfamides"
    assert told["code"]["text"] == "Allergie au latex"
    assert the_only(told["code"]) == "416098002"


@pytest.mark.parametrize(
    ("entry", "codes"),
    [
        (allergy("", inner=value("716186003", SNOMED, "Pas d'allergie connue")), ["716186003", "no-known-allergies"]),
        (allergy("", "609328004", attributes=NEGATED), ["no-known-allergies"]),
        (allergy("", "ALG", inner=value("419199007", SNOMED), attributes=NEGATED), ["no-known-allergies"]),
        (allergy("", "416098002", attributes=NEGATED), ["no-known-medication-allergies"]),
        (allergy("", "414285001", attributes=NEGATED), ["no-known-food-allergies"]),
    ],
)
def test_that_no_allergy_is_known_is_stated(entry: str, codes: list[str]) -> None:
    resource = offered(concern("40", "active", entry))

    assert [one["code"] for one in resource["code"]["coding"]] == codes
    assert the_only(resource["verificationStatus"]) == "unconfirmed"
    assert not resource.keys() & {"type", "category", "reaction"}


@pytest.mark.parametrize(
    "narrative", ["Aucune allergie identifiée", "Pas d'allergie connue", "NÉANT", "Absence d’allergie"]
)
def test_a_narrative_that_denies_stands_for_an_allergy_that_is_not_named(narrative: str) -> None:
    resource = offered(concern("40", "completed", allergy("")), text=narrative)

    assert (the_only(resource["code"]), resource["code"]["text"]) == ("no-known-allergies", narrative)


def test_a_statement_about_an_allergy_is_none() -> None:
    status = act("observation", "30", concept("code", "33999-4") + value("active", display="Actif"))

    assert candidates_of(structured(part("48765-2", "Allergies", "", concern("40", "active", status)))) == ()


def test_a_participant_who_is_no_agent_names_nothing() -> None:
    entry = allergy(_PARACETAMOL, inner=value("Z88.2", CIM10, "Sulfamides")).replace('typeCode="CSM"', 'typeCode="LOC"')

    assert offered(concern("40", "active", entry))["code"]["text"] == "Sulfamides"


def test_a_section_without_entries_may_still_deny() -> None:
    resource = offered(text="Aucune allergie médicamenteuse connue.")

    assert the_only(resource["code"]) == "no-known-medication-allergies"
    assert resource["code"]["text"] == "Aucune allergie médicamenteuse connue."


@pytest.mark.parametrize("entries", [[concern("40", "active", allergy(""))], []], ids=["an empty entry", "no entry"])
@pytest.mark.parametrize(
    "narrative",
    [
        "",
        "Voir ci-dessous",
        "Aucunement",
        "Aucune information disponible",
        "Pas de donnée",
        "Aucune allergie sauf au latex",
        "Aucune allergie médicamenteuse. Allergie au pollen",
        "Aucune autre allergie",
        "Pas d'allergie notée depuis 2019",
        f"Aucune allergie {'a ' * 60}",
        "Pas de modification de l'allergie à la pénicilline",
        "Absence d'allergie à l'aspirine, allergie à la pénicilline",
        "Sans objet",
    ],
)
def test_what_does_not_only_deny_denies_nothing(narrative: str, entries: list[str]) -> None:
    assert candidates_of(structured(part("48765-2", "Allergies", narrative, *entries))) == ()


def test_an_allergy_is_read_in_its_section_whatever_model_it_names() -> None:
    bare = act("observation", "37", concept("code", "75326-9") + value("Z88.2", CIM10, "Allergie aux sulfamides"))

    resource = offered(bare)

    assert resource["resourceType"] == "AllergyIntolerance"
