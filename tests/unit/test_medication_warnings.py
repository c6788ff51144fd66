"""Warnings about treatments: the stated rules on ATC codes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.allergy_groups import groups, named_by
from dmp.domain.medication_warnings import KnownAllergy, Severity, Treatment, WarningKind, atc_code, warnings
from dmp.fhir.summary_texts import texts

CODES = st.from_regex(r"[JMNC]0[1-2][A-C][A-C]0[1-3]", fullmatch=True) | st.sampled_from(
    ["J01CA04", "J01DD04", "N02BE01", "B01AC06", "M01AE01", "V08AB02", "R05DA04", "N02AA59", "J01C", "J01CA"]
)
WORDS = st.sampled_from(["", "Pénicilline", "allergie aux céphalosporines", "Pas d'allergie connue à l'iode", "pollen"])
TREATMENTS = st.lists(
    st.builds(Treatment, st.text("abcdef", min_size=1, max_size=3), st.frozensets(CODES, max_size=2)),
    max_size=6,
    unique_by=lambda one: one.key,
)
ALLERGIES = st.lists(
    st.builds(
        KnownAllergy,
        st.text("xyz", min_size=1, max_size=3),
        st.frozensets(CODES, max_size=1),
        st.frozensets(st.sampled_from(["91936005", "387458008", "256259004"]), max_size=1),
        WORDS,
    ),
    max_size=3,
    unique_by=lambda one: one.key,
)


def treatment(key: str, *atc: str) -> Treatment:
    return Treatment(key, frozenset(atc))


def allergy(words: str = "", *, atc: tuple[str, ...] = (), snomed: tuple[str, ...] = ()) -> KnownAllergy:
    return KnownAllergy("allergy", frozenset(atc), frozenset(snomed), words)


@given(TREATMENTS, ALLERGIES, st.randoms(use_true_random=False))
def test_the_order_of_what_is_known_changes_nothing(
    treatments: list[Treatment], allergies: list[KnownAllergy], chance: random.Random
) -> None:
    shuffled = chance.sample(treatments, len(treatments)), chance.sample(allergies, len(allergies))

    assert warnings(treatments, allergies) == warnings(*shuffled)


@given(TREATMENTS, ALLERGIES, TREATMENTS)
def test_more_treatments_take_no_conflict_with_an_allergy_away(
    treatments: list[Treatment], allergies: list[KnownAllergy], further: list[Treatment]
) -> None:
    known = {one.key for one in treatments}
    more = [*treatments, *(one for one in further if one.key not in known)]

    before = {(w.allergy, key) for w in warnings(treatments, allergies) if w.allergy for key in w.treatments}

    assert before <= {(w.allergy, key) for w in warnings(more, allergies) if w.allergy for key in w.treatments}


@given(TREATMENTS, ALLERGIES)
def test_a_warning_names_what_is_known_and_a_reason_that_holds(
    treatments: list[Treatment], allergies: list[KnownAllergy]
) -> None:
    codes = {one.key: one.atc for one in treatments}

    for warning in warnings(treatments, allergies):
        table = groups().get(warning.about)
        prefixes = table.atc if table else (warning.about,)
        assert all(any(code.startswith(prefixes) for code in codes[key]) for key in warning.treatments)
        assert len(set(warning.treatments)) == len(warning.treatments)
        assert (warning.kind is WarningKind.ALLERGY) == (warning.allergy in {one.key for one in allergies})
        assert warning.kind is WarningKind.ALLERGY or len(warning.treatments) > 1


@given(TREATMENTS)
def test_two_treatments_of_one_subgroup_are_always_warned_of_and_others_never(treatments: list[Treatment]) -> None:
    found = {key for warning in warnings(treatments, []) for key in warning.treatments}

    subgroups = {one.key: {code[:5] for code in one.atc if len(code) >= 5} for one in treatments}
    alike = {
        key
        for key, held in subgroups.items()
        if any(held & others for other, others in subgroups.items() if other != key)
    }
    assert found == alike


def test_the_same_substance_twice_is_more_than_the_same_subgroup() -> None:
    same = warnings([treatment("a", "N02BE01"), treatment("b", "N02BE01")], [])
    alike = warnings([treatment("a", "C09AA05"), treatment("b", "C09AA04")], [])

    assert [(one.severity, one.about, one.treatments) for one in same] == [(Severity.MODERATE, "N02BE01", ("a", "b"))]
    assert [(one.severity, one.about, one.treatments) for one in alike] == [(Severity.LOW, "C09AA", ("a", "b"))]


@pytest.mark.parametrize(("first", "second"), [(("5",), ("5",)), (("5",), ()), ((), ())])
def test_a_product_that_two_documents_tell_with_one_dose_is_one_treatment(
    first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    told = [Treatment(key, frozenset({"C09AA05"}), "ramipril", doses) for key, doses in (("a", first), ("b", second))]

    assert warnings(told, ()) == ()


@pytest.mark.parametrize(
    "second",
    [Treatment("b", frozenset({"C09AA05"}), "ramipril", ("20",)), Treatment("b", frozenset({"C09AA05"}), "triatec")],
)
def test_another_dose_or_another_product_of_a_substance_is_a_second_treatment(second: Treatment) -> None:
    first = Treatment("a", frozenset({"C09AA05"}), "ramipril", ("5",))

    assert [one.severity for one in warnings([first, second], ())] == [Severity.MODERATE]


def test_a_third_of_the_subgroup_is_told_beside_the_same_substance_twice() -> None:
    held = [treatment("a", "C09AA05"), treatment("b", "C09AA05"), treatment("c", "C09AA04")]

    found = warnings(held, [])

    assert [(one.severity, one.treatments) for one in found] == [
        (Severity.MODERATE, ("a", "b")),
        (Severity.LOW, ("a", "b", "c")),
    ]


@pytest.mark.parametrize(
    ("known", "code", "severity", "about"),
    [
        (allergy(snomed=("91936005",)), "J01CA04", Severity.HIGH, "penicillins"),
        (allergy("Pénicilline"), "J01CR02", Severity.HIGH, "penicillins"),
        (allergy("Allergie aux Pénicillines G"), "J01DD04", Severity.MODERATE, "cephalosporins"),
        (allergy("Céphalosporines"), "J01CA04", Severity.MODERATE, "penicillins"),
        (allergy("Aspirine"), "M01AE01", Severity.MODERATE, "nsaids"),
        (allergy("AINS"), "M01AE01", Severity.HIGH, "nsaids"),
        (allergy("Ibuprofène"), "B01AC06", Severity.MODERATE, "aspirin"),
        (allergy("codéine"), "N02AA59", Severity.HIGH, "codeine"),
        (allergy("codéine"), "R05DA04", Severity.HIGH, "codeine"),
        (allergy("morphine"), "N02AX02", Severity.HIGH, "opioids"),
        (allergy("Produits de contraste iodés"), "V08AB02", Severity.HIGH, "iodinated-contrast"),
        (allergy("Sulfamides"), "J01EE01", Severity.HIGH, "sulfonamides"),
        (allergy("Paracétamol"), "N02BE01", Severity.HIGH, "paracetamol"),
        (allergy(atc=("J01CA04",)), "J01CA04", Severity.HIGH, "J01CA04"),
        (allergy(atc=("J01CA04",)), "J01CF04", Severity.HIGH, "penicillins"),
        (allergy(atc=("C03",)), "C03CA01", Severity.HIGH, "C03"),
    ],
)
def test_a_treatment_with_what_somebody_is_allergic_to_is_warned_of(
    known: KnownAllergy, code: str, severity: Severity, about: str
) -> None:
    found = warnings([treatment("a", code)], [known])

    assert [(one.kind, one.severity, one.about) for one in found] == [(WarningKind.ALLERGY, severity, about)]


@pytest.mark.parametrize(
    ("known", "code"),
    [
        (allergy("Pas d'allergie à la pénicilline"), "J01CA04"),
        (allergy("Absence d'allergie à l\u2019aspirine"), "B01AC06"),
        (allergy("Pollens de graminées"), "J01CA04"),
        (allergy("Pénicilline"), "J01FA09"),
        (allergy("ainsi que"), "M01AE01"),
        (allergy("Aucune allergie connue à la pénicilline"), "J01CA04"),
        (allergy("Pas de notion d'allergie à la pénicilline"), "J01CA04"),
        (allergy("Non allergique à la pénicilline"), "J01CA04"),
        (allergy("N'est pas allergique à la pénicilline"), "J01CA04"),
        (allergy("Allergie à la pénicilline écartée"), "J01CA04"),
        (allergy("Allergie à la pénicilline infirmée par le bilan de 2020"), "J01CA04"),
        (allergy("Tolère la pénicilline"), "J01CA04"),
        (allergy(atc=("J",)), "J01CA04"),
        (allergy("Triméthoprime"), "J01EA01"),
    ],
)
def test_what_no_rule_speaks_of_is_not_warned_of(known: KnownAllergy, code: str) -> None:
    assert warnings([treatment("a", code)], [known]) == ()


def test_a_treatment_is_told_once_for_an_allergy_by_the_surest_rule() -> None:
    known = allergy("Codéine, morphine", atc=("N02AA59",))

    found = warnings([treatment("a", "N02AA59")], [known])

    assert [(one.severity, one.about) for one in found] == [(Severity.HIGH, "N02AA59")]


def test_treatments_without_an_atc_code_of_level_four_cannot_be_checked() -> None:
    assert not treatment("a").is_checkable
    assert not treatment("a", "J01C").is_checkable
    assert treatment("a", "J01CA").is_checkable


@pytest.mark.parametrize(
    ("text", "code"), [(" j01ca04 ", "J01CA04"), ("J01", "J01"), ("J01C", "J01C"), ("3400935955838", None), ("J", None)]
)
def test_only_codes_of_the_atc_are_taken_for_such(text: str, code: str | None) -> None:
    assert atc_code(text) == code


def test_every_group_has_its_french_name_and_leads_to_groups_that_are_there() -> None:
    assert set(groups()) == set(texts()["groups"])
    assert all(set(group.related) <= set(groups()) for group in groups().values())
    assert named_by(["J01CA04"], [], "") == {"penicillins"}


@pytest.mark.parametrize(
    "words",
    [
        "Pénicilline (éruption sans gravité)",
        "Amoxicilline : choc, pas de réintroduction",
        "Pénicilline - pas d'adrénaline nécessaire",
        "Pas de modification de l'allergie à la pénicilline",
        "Absence d'allergie à l'aspirine, allergie à la pénicilline",
        "Pas d'allergie à l'aspirine et allergie à la pénicilline",
        "Pas d'allergie connue à l'exception de la pénicilline",
        "Aucune allergie connue si ce n'est la pénicilline",
        "Aucune allergie hors pénicilline",
        "Aucune allergie autre que la pénicilline",
        "Aucune nouvelle allergie depuis le choc à la pénicilline",
        "Pas d'allergie connue (pénicilline à vérifier)",
        "Pas de pénicilline",
        "Allergie à la pénicilline non écartée",
        "Allergie à la pénicilline qui ne peut être écartée",
        "Tolère mal la pénicilline",
        "Ne tolère pas la pénicilline",
        "Absence de tolérance à la pénicilline",
        "Pas d'allergie à l'iode\nPénicilline",
    ],
)
def test_words_that_deny_something_else_than_the_allergy_take_no_warning_away(words: str) -> None:
    found = warnings([treatment("a", "J01CA04")], [allergy(words)])

    assert [(one.severity, one.about) for one in found] == [(Severity.HIGH, "penicillins")]


@pytest.mark.parametrize("codes", [{"snomed": ("764146007",)}, {"atc": ("J01CA04",)}])
def test_a_code_counts_whatever_the_words_say(codes: dict[str, tuple[str, ...]]) -> None:
    known = allergy("Pas d'allergie à la pénicilline", **codes)

    assert warnings([treatment("a", "J01CA04")], [known])
    assert known.is_judged


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Bêta-lactamines", "J01CA04"),
        ("Bêta lactamines", "J01CA04"),
        ("bêtalactamine", "J01CA04"),
        ("BETA-LACTAMINES", "J01DD04"),
        ("Béta\u2011lactamines", "J01DH02"),
        ("anti inflammatoires non stéroïdiens", "M01AE01"),
        ("Anti-inflammatoires (non stéroïdiens)", "M01AE01"),
        ("antiinflammatoires", "M01AE01"),
        ("anti-inflammatoire", "M01AE01"),
        ("AINS", "M01AE01"),
        ("A.I.N.S.", "M01AE01"),
        ("Céfalosporines", "J01DD04"),
        ("cefalosporine", "J01DD04"),
        ("IEC", "C09AA05"),
        ("inhibiteurs de l\u2019enzyme de conversion", "C09AA05"),
        ("Pyostacine", "J01FG01"),
        ("pristinamycine", "J01FG01"),
        ("acide-acétylsalicylique", "B01AC06"),
        ("Produits de contraste (iodés)", "V08AB02"),
    ],
)
def test_groups_are_known_by_their_names_with_and_without_hyphens_and_accents(words: str, code: str) -> None:
    found = warnings([treatment("a", code)], [allergy(words)])

    assert [one.severity for one in found] == [Severity.HIGH]


@pytest.mark.parametrize(
    ("known", "is_judged"),
    [
        (allergy("Pénicilline"), True),
        (allergy("Pas d'allergie connue"), True),
        (allergy("Pas d'allergie connue\nAucune allergie"), True),
        (allergy("Pas d'allergie au latex sauf contact prolongé"), False),
        (allergy("Arachide"), False),
        (allergy(), False),
        (allergy(atc=("J01",)), True),
    ],
)
def test_an_allergy_that_no_rule_understands_is_known_as_such(known: KnownAllergy, is_judged: bool) -> None:
    assert known.is_judged == is_judged
