"""Vaccinations of documents as Immunizations: done, not done, and dispensed by a pharmacy."""

from typing import Any

import pytest

from tests.cda_entries import (
    ATC,
    CIM10,
    CIS,
    EDQM,
    IPS_ABSENT,
    SNOMED,
    act,
    comment,
    concept,
    finding,
    inside,
    interval,
    part,
    typed,
    vaccination,
    value,
    words,
)
from tests.cda_factories import structured
from tests.fhir_validity import assert_valid_r4
from tests.offered_resources import about_somebody, candidates_of, the_only

NEGATED = 'negationInd="true"'
_UNKNOWN = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
_TEXT = '<content ID="v1">Vaccin tétanique</content><content ID="c1">Bien supporté</content>'
_TETANUS = concept(
    "code",
    "68747507",
    CIS,
    "VACCIN TETANIQUE PASTEUR",
    words("#v1") + f'<translation code="J07AM01" codeSystem="{ATC}" displayName="anatoxine tétanique"/>',
)
_LOT = "<lotNumberText>4456668</lotNumberText>"


def offered(*entries: str, text: str = _TEXT) -> dict[str, Any]:
    [candidate] = candidates_of(structured(part("11369-6", "Vaccinations", text, *entries)))
    assert_valid_r4(about_somebody(candidate))
    return dict(candidate.resource)


def test_a_vaccination_tells_vaccine_day_lot_dose_and_who_gave_it() -> None:
    nurse = "<name><given>Charles</given><family>MULLER</family></name>"
    inner = (
        concept("routeCode", "20035000", EDQM, "voie intramusculaire")
        + concept("approachSiteCode", "368208006", SNOMED, "bras gauche")
        + '<doseQuantity value="0.5" unit="mL"/>'
        + '<performer><assignedEntity><id root="1.2.250.1.71.4.2.1" extension="801234567897"/>'
        + f"<assignedPerson>{nurse}</assignedPerson></assignedEntity></performer>"
        + finding("30973-2", typed("INT", value="2"), "SUBJ")
        + comment("#c1")
    )

    resource = offered(vaccination(_TETANUS + _LOT, '<effectiveTime value="20090928"/>', inner, kind="BOOSTER"))

    assert resource["status"] == "completed"
    assert [one["code"] for one in resource["vaccineCode"]["coding"]] == ["68747507", "J07AM01"]
    assert resource["vaccineCode"]["text"] == "Vaccin tétanique"
    assert (resource["occurrenceDateTime"], resource["lotNumber"]) == ("2009-09-28", "4456668")
    assert resource["protocolApplied"] == [{"series": "Rappel", "doseNumberPositiveInt": 2}]
    assert (resource["route"]["text"], resource["site"]["text"]) == ("voie intramusculaire", "bras gauche")
    assert (resource["doseQuantity"]["value"], resource["doseQuantity"]["unit"]) == (0.5, "mL")
    assert resource["performer"] == [
        {
            "actor": {
                "identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "801234567897"},
                "display": "Charles MULLER",
            }
        }
    ]
    assert resource["note"] == [{"text": "Bien supporté"}]


@pytest.mark.parametrize(
    ("written", "told"), [("1975", "1975"), ("197503", "1975-03"), ("20090928094914+0100", "2009-09-28T09:49:14+01:00")]
)
def test_a_date_stays_as_precise_as_it_is(written: str, told: str) -> None:
    resource = offered(vaccination(_TETANUS, f'<effectiveTime value="{written}"/>'))

    assert resource["occurrenceDateTime"] == told


def test_what_a_vaccine_caused_is_a_reaction() -> None:
    fever = act("observation", "37", interval("20090929") + value("R50.2", CIM10, "Fièvre"))

    resource = offered(vaccination(_TETANUS, interval("20090928"), inside(fever, "CAUS")))

    [reaction], [cause] = resource["reaction"], resource["contained"]
    assert (reaction["date"], reaction["detail"]["reference"]) == ("2009-09-29", f"#{cause['id']}")
    assert the_only(cause["code"]) == "R50.2"


def test_a_vaccination_that_was_not_done_says_why() -> None:
    reason = act("act", "36", concept("code", "Z28.2", CIM10, "Refus"))

    resource = offered(vaccination(_TETANUS, interval("2020"), inside(reason, "RSON"), attributes=NEGATED))

    assert resource["status"] == "not-done"
    assert resource["statusReason"]["text"] == "Refus"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Grippe : refusé", {"text": "Grippe : refusé"}),
        ("Aucune vaccination", "no-known-immunizations"),
        ("", "no-known-immunizations"),
    ],
)
def test_one_vaccine_refused_does_not_say_that_none_was_given(text: str, expected: object) -> None:
    resource = offered(vaccination("", inner=f"<text>{text}</text>", attributes=NEGATED))

    code = resource["vaccineCode"]
    assert (code["coding"][0]["code"] if "coding" in code else code) == expected
    assert resource["status"] == "not-done"


def test_that_no_vaccination_is_known_negated_says_nothing() -> None:
    entry = vaccination("", attributes=NEGATED).replace('code="IMMUNIZ"', 'code="no-known-immunizations"')
    entry = entry.replace("2.16.840.1.113883.5.4", IPS_ABSENT)

    assert candidates_of(structured(part("11369-6", "Vaccinations", "Texte", entry))) == ()


def test_a_day_that_nobody_knows_is_said_to_be_unknown() -> None:
    assert offered(vaccination(_TETANUS))["_occurrenceDateTime"] == {"extension": [_UNKNOWN]}


def test_a_vaccine_that_a_pharmacy_sold_tells_when() -> None:
    sold = act("supply", "44", '<performer><time value="20190711"/></performer>')

    resource = offered(vaccination(_TETANUS, inner=inside(sold, "REFR")))

    assert resource["note"] == [{"text": "Délivré le 11/07/2019"}]
    assert "occurrenceDateTime" not in resource


def test_that_no_vaccination_is_known_is_stated_in_the_words_of_the_narrative() -> None:
    entry = act(
        "substanceAdministration",
        "45",
        concept("code", "no-known-immunizations", IPS_ABSENT, "Pas de vaccin connu")
        + '<text><reference value="#none"/></text><consumable><manufacturedProduct><manufacturedMaterial>'
        + '<code nullFlavor="NA"/><name nullFlavor="NA"/></manufacturedMaterial></manufacturedProduct></consumable>',
    )

    resource = offered(entry, text='<content ID="none">Aucune vaccination depuis deux ans</content>')

    assert resource["status"] == "not-done"
    assert the_only(resource["vaccineCode"]) == "no-known-immunizations"
    assert resource["vaccineCode"]["text"] == "Aucune vaccination depuis deux ans"


@pytest.mark.parametrize("rank", ["0", "-1", "12345", "1.5", "deux", ""])
def test_a_dose_of_no_number_is_not_told(rank: str) -> None:
    inner = finding("30973-2", typed("INT", value=rank), "SUBJ")

    assert "protocolApplied" not in offered(vaccination(_TETANUS, inner=inner))


def test_a_vaccine_may_have_but_a_name() -> None:
    assert offered(vaccination('<code nullFlavor="UNK"/><name>BCG</name>'))["vaccineCode"] == {"text": "BCG"}


@pytest.mark.parametrize(
    "entry",
    [
        vaccination(_TETANUS, attributes='moodCode="INT"'),
        vaccination(""),
        vaccination(_TETANUS).replace('code="completed"', 'code="nullified"'),
    ],
    ids=["planned", "of nothing", "withdrawn"],
)
def test_what_is_no_vaccination_is_left_out(entry: str) -> None:
    assert candidates_of(structured(part("11369-6", "Vaccinations", "Texte", entry))) == ()


def test_a_treatment_in_the_section_of_vaccinations_is_a_vaccination() -> None:
    bare = vaccination(_TETANUS).replace("1.2.250.1.213.1.1.3.45", "1.2.250.1.213.1.1.3.42")

    assert offered(bare)["resourceType"] == "Immunization"
