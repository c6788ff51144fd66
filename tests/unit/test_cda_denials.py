"""Sentences that deny all of a kind, and those that only begin as if they did."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.cda.denials import Denied, denies, names_something

_BEGINNINGS = st.sampled_from(["Pas d'allergie connue", "Aucune allergie", "Absence d'allergie", "Néant", "RAS"])
_ALIEN = st.sampled_from(["pénicilline", "sauf", "hors", "iode", "depuis", "nouvelle", "autre", "modification", "2019"])


@pytest.mark.parametrize(
    "text",
    [
        "Pas d'allergie connue",
        "PAS D’ALLERGIE",
        "Aucune allergie / intolérance identifiée pendant le séjour",
        "Aucune allergie médicamenteuse ou alimentaire connue à ce jour.",
        "Pas d'allergie ni d'intolérance connues",
        "Absence d'allergies et d'intolérances",
        "Pas d'allergie. Pas d'allergie alimentaire.",
        "Pas de notion d'allergie",
        "Pas d'antécédent allergique",
        "Pas d'intolérance ni d'allergie",
        "Allergies : aucune",
        "Allergies et intolérances".replace("et", "/") + " : néant",
        "Allergie connue : non",
        "Allergies : pas d'allergie connue",
        "Aucune hypersensibilité, aucune allergie",
        "néant", "NEANT", "RAS", "Aucune", "Rien à signaler",
    ],
)  # fmt: skip
def test_a_sentence_that_denies_all_allergies_is_a_denial(text: str) -> None:
    assert denies(text, Denied.ALLERGY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "Non",
        "Allergie connue",
        "Pas de modification de l'allergie à la pénicilline",
        "Pas d'allergie à la pénicilline",
        "Absence d'allergie à l'aspirine, allergie à la pénicilline",
        "Pas d'allergie connue à l'exception de la pénicilline",
        "Aucune allergie connue si ce n'est l'iode",
        "Aucune allergie hors pénicilline",
        "Aucune allergie alimentaire, allergie à la pénicilline",
        "Sans changement, allergie à l'iode",
        "Pas d'allergie connue (pénicilline à vérifier)",
        "Aucune nouvelle allergie depuis le choc à l'amoxicilline",
        "Pas d'interrogatoire possible",
        "Sans objet",
        "Aucun élément disponible",
        "Pas d'allergie médicamenteuse, allergie connue",
        "Pas d'intolérance, allergie connue",
        "Allergie connue. Aucune intolérance",
        "Allergie connue, pas d'intolérance",
        "Allergie connue : pas d'intolérance",
        "Pas d'allergie médicamenteuse allergie alimentaire connue",
        "Aucune intolérance",
        "Allergie pas connue",
        "Aucune allergie connue ?",
        "Pas d'allergie connue " * 100,
    ],
)
def test_a_sentence_that_says_anything_else_is_none(text: str) -> None:
    assert not denies(text, Denied.ALLERGY)


@given(begun=_BEGINNINGS, alien=_ALIEN, end=st.sampled_from(["", " connue", ".", " à ce jour"]))
def test_a_word_that_no_denial_has_spoils_it(begun: str, alien: str, end: str) -> None:
    assert denies(begun, Denied.ALLERGY)
    assert not denies(f"{begun} {alien}{end}", Denied.ALLERGY)
    assert not denies(f"{begun}, {alien}{end}", Denied.ALLERGY)


@given(text=st.text(max_size=80))
def test_no_text_of_chance_denies(text: str) -> None:
    assert not denies(f"{text} pénicilline", Denied.ALLERGY)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Pas de problème de santé connu", Denied.PROBLEM),
        ("Aucun antécédent notable", Denied.PROBLEM),
        ("Aucun traitement au long cours", Denied.TREATMENT),
        ("Pas de prise médicamenteuse actuellement", Denied.TREATMENT),
    ],
)
def test_other_kinds_are_denied_in_their_words(text: str, kind: Denied) -> None:
    assert denies(text, kind)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Pas d'évolution du diabète", Denied.PROBLEM),
        ("Absence de contrôle tensionnel", Denied.PROBLEM),
        ("Traitement habituel pas connu", Denied.TREATMENT),
        ("Pas de changement de traitement", Denied.TREATMENT),
        ("Aucun antécédent notable", Denied.ALLERGY),
    ],
)
def test_other_kinds_are_not_denied_by_other_words(text: str, kind: Denied) -> None:
    assert not denies(text, kind)


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("", Denied.ALLERGY, False),
        ("Allergie médicamenteuse : non", Denied.ALLERGY, False),
        ("Aucune allergie connue.", Denied.ALLERGY, False),
        ("Allergie à la pénicilline : non", Denied.ALLERGY, True),
        ("Aucune vaccination", Denied.VACCINATION, False),
        ("Grippe : refusé", Denied.VACCINATION, True),
    ],
)
def test_a_text_names_something_beyond_the_words_of_denials(text: str, kind: Denied, names: bool) -> None:
    assert names_something(text, kind) is names
