"""Allergies of documents that are refuted, given up or over, and what a negated statement does not deny."""

from typing import Any

import pytest

from tests.cda_entries import (
    ATC,
    CIM10,
    SNOMED,
    allergy,
    concept,
    concern,
    interval,
    part,
    value,
    words,
)
from tests.cda_factories import cda, structured
from tests.fhir_validity import assert_valid_r4
from tests.offered_resources import about_somebody, candidates_of, the_only

NEGATED = 'negationInd="true"'
_PARACETAMOL = concept("code", "N02BE01", ATC, "paracétamol", words("a1"))
_TEXT = '<content ID="a1">Doliprane</content><content ID="t1">Allergie au latex</content>'


def offered(*entries: str, text: str = _TEXT) -> dict[str, Any]:
    [candidate] = candidates_of(structured(part("48765-2", "Allergies", text, *entries)))
    assert_valid_r4(about_somebody(candidate))
    return dict(candidate.resource)


@pytest.mark.parametrize("words_of_kind", ["Allergie", "Allergies connues : non", "Intolérance médicamenteuse"])
def test_the_kind_of_allergy_is_no_word_for_its_absence(words_of_kind: str) -> None:
    kind = f"<text>{words_of_kind}</text>"

    resource = offered(concern("40", "active", allergy("", "609328004", inner=kind, attributes=NEGATED)))

    assert the_only(resource["code"]) == "no-known-allergies"
    assert resource["code"]["text"] in ("Pas d'allergie connue", words_of_kind)


@pytest.mark.parametrize(
    "inner",
    [
        '<text><reference value="#t1"/></text>',
        value("416098002", SNOMED, "Allergie médicamenteuse", "<originalText>Allergie au latex</originalText>"),
    ],
    ids=["text", "original text of a kind"],
)
def test_what_is_negated_in_words_is_refuted_and_no_absence_of_all(inner: str) -> None:
    resource = offered(concern("40", "active", allergy("", inner=inner, attributes=NEGATED)))

    assert resource["code"] == {"text": "Allergie au latex"}
    assert the_only(resource["verificationStatus"]) == "refuted"


def test_what_the_code_of_a_negated_statement_names_is_refuted() -> None:
    resource = offered(concern("40", "active", allergy("", "91936005", attributes=NEGATED)))

    assert the_only(resource["code"]) == "91936005"
    assert the_only(resource["verificationStatus"]) == "refuted"


def test_a_negated_concern_refutes_what_it_holds() -> None:
    resource = offered(concern("40", "active", allergy(_PARACETAMOL)).replace("<act ", f"<act {NEGATED} ", 1))

    assert the_only(resource["verificationStatus"]) == "refuted"


def test_a_qualifier_may_say_that_an_allergy_is_known_absent() -> None:
    absent = '<qualifier><name code="408729009"/><value code="410516002"/></qualifier>'

    resource = offered(concern("40", "active", allergy("", inner=value("Z88.2", CIM10, "Sulfamides", absent))))

    assert the_only(resource["verificationStatus"]) == "refuted"


def test_a_reaction_known_absent_beside_an_agent_refutes_no_allergy() -> None:
    absent = '<qualifier><name code="408729009"/><value code="410516002"/></qualifier>'

    resource = offered(concern("40", "active", allergy(_PARACETAMOL, inner=value("L50", CIM10, "Urticaire", absent))))

    assert the_only(resource["verificationStatus"]) == "unconfirmed"
    assert "reaction" not in resource


def test_what_the_kind_is_called_names_nothing() -> None:
    display = "Prédisposition à une réaction allergique"
    kind = value("609328004", SNOMED, display, f"<originalText>{display}</originalText>")

    resource = offered(concern("40", "active", allergy("", "609328004", inner=kind, attributes=NEGATED)))

    assert the_only(resource["code"]) == "no-known-allergies"


def test_an_uncertain_allergy_is_unconfirmed() -> None:
    resource = offered(concern("40", "active", allergy(_PARACETAMOL, inner='<uncertaintyCode code="U"/>')))

    assert the_only(resource["verificationStatus"]) == "unconfirmed"


@pytest.mark.parametrize("inner", ["", "agent"])
def test_that_no_allergy_is_known_negated_says_nothing(inner: str) -> None:
    none = concept("code", "716186003", SNOMED, "Pas d'allergie connue")
    entry = allergy(none if inner else "", inner=value("716186003", SNOMED, "Pas d'allergie"), attributes=NEGATED)

    assert candidates_of(structured(part("48765-2", "Allergies", "", concern("40", "active", entry)))) == ()


def test_every_agent_of_an_allergy_is_told_once() -> None:
    entity = "<participantRole><playingEntity><name>Iode</name></playingEntity></participantRole>"
    other = f'<participant typeCode="CSM">{entity}</participant>'
    entry = concern("40", "active", allergy("<name>Latex</name>", inner=2 * other))

    found = candidates_of(structured(part("48765-2", "Allergies", "", entry)))

    assert [one.resource["code"] for one in found] == [{"text": "Latex"}, {"text": "Iode"}]


@pytest.mark.parametrize("status", ["aborted", "cancelled"])
def test_an_allergy_that_was_given_up_is_not_active(status: str) -> None:
    resource = offered(concern("40", "active", allergy(_PARACETAMOL, inner=f'<statusCode code="{status}"/>')))

    assert the_only(resource["clinicalStatus"]) == "inactive"


def test_an_allergy_is_not_over_before_its_end() -> None:
    entry = concern("40", "active", allergy(_PARACETAMOL, time=interval("2001", "20300101")))
    body = f"<component><structuredBody>{part('48765-2', 'A', '', entry)}</structuredBody></component>"

    [candidate] = candidates_of(cda(f'<effectiveTime value="20240510"/>{body}'))

    assert the_only(candidate.resource["clinicalStatus"]) == "active"
