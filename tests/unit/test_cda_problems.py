"""Problems and antecedents of documents as Conditions: their codes, words, states and dates."""

import pytest

from tests.cda_entries import (
    LOINC,
    SNOMED,
    act,
    comment,
    concept,
    concern,
    finding,
    interval,
    part,
    problem,
    state,
    value,
    words,
)
from tests.cda_factories import cda, structured
from tests.fhir_validity import assert_valid_r4
from tests.offered_resources import about_somebody, candidates_of, the_only

_TEXT = '<content ID="p1">Infarctus inférieur</content><content ID="c1">Suivi à Valmont</content>'


def offered(*entries: str, section: str = "11450-4") -> dict[str, object]:
    [candidate] = candidates_of(structured(part(section, "Problèmes", _TEXT, *entries)))
    assert_valid_r4(about_somebody(candidate))
    return dict(candidate.resource)


def statuses(resource: dict[str, object]) -> tuple[str, str]:
    return the_only(resource["clinicalStatus"]), the_only(resource["verificationStatus"])


def test_a_problem_tells_its_code_and_the_words_of_the_narrative() -> None:
    answer = value("I21.1", display="Infarctus transmural", inner=words("#p1"))
    inner = finding("SEV", value("24484000", SNOMED, "élevé"), "SUBJ") + comment("#c1")

    resource = offered(concern("39", "active", problem(answer, interval("20180114"), inner)))

    assert resource == {
        "resourceType": "Condition",
        "clinicalStatus": coded("condition-clinical", "active"),
        "verificationStatus": coded("condition-ver-status", "unconfirmed"),
        "category": [coded("condition-category", "problem-list-item")],
        "severity": {
            "coding": [{"system": "http://snomed.info/sct", "code": "24484000", "display": "élevé"}],
            "text": "élevé",
        },
        "code": {
            "coding": [
                {"system": "http://hl7.org/fhir/sid/icd-10", "code": "I21.1", "display": "Infarctus transmural"}
            ],
            "text": "Infarctus inférieur",
        },
        "onsetDateTime": "2018-01-14",
        "note": [{"text": "Suivi à Valmont"}],
    }


def coded(system: str, code: str) -> dict[str, object]:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def test_a_candidate_names_the_section_it_stands_in() -> None:
    [candidate] = candidates_of(
        structured(part("11450-4", "Pathologies", "", concern("39", "active", problem(value("I10")))))
    )

    assert candidate.section
    assert (candidate.section.system, candidate.section.code) == ("http://loinc.org", "11450-4")
    assert candidate.section_title == "Pathologies"


@pytest.mark.parametrize(
    ("section", "of_concern", "inner", "time", "expected"),
    [
        ("11450-4", "active", "", "", "active"),
        ("11450-4", "completed", "", "", "active"),
        ("11450-4", "suspended", "", "", "inactive"),
        ("11450-4", "completed", state("inactive"), "", "inactive"),
        ("11450-4", "active", state("413322009"), "", "resolved"),
        ("11450-4", "active", "", interval("2018", "2019"), "resolved"),
        ("11348-0", "completed", "", "", "inactive"),
        ("11348-0", "completed", "", interval("2018", "2019"), "resolved"),
        ("11348-0", "completed", state("active"), interval("2018", "2019"), "active"),
    ],
)
def test_the_state_of_a_problem(section: str, of_concern: str, inner: str, time: str, expected: str) -> None:
    resource = offered(concern("39", of_concern, problem(value("I10"), time, inner)), section=section)

    assert statuses(resource) == (expected, "unconfirmed")
    assert ("abatementDateTime" in resource) == (bool(time) and expected == "resolved")


def test_a_negated_problem_is_refuted() -> None:
    resource = offered(concern("39", "active", problem(value("I10"), attributes='negationInd="true"')))

    assert statuses(resource) == ("inactive", "refuted")


def test_a_problem_that_a_qualifier_says_is_known_absent_is_refuted() -> None:
    absent = '<qualifier><name code="408729009"/><value code="410516002" displayName="Known absent"/></qualifier>'

    resource = offered(concern("39", "active", problem(value("I21", inner=absent))))

    assert statuses(resource) == ("inactive", "refuted")


def test_a_negated_concern_refutes_its_problems() -> None:
    resource = offered(concern("39", "active", problem(value("I10"))).replace("<act ", '<act negationInd="true" ', 1))

    assert statuses(resource) == ("inactive", "refuted")


def test_a_problem_that_was_given_up_is_not_active() -> None:
    resource = offered(concern("39", "active", problem(value("I10"), inner='<statusCode code="cancelled"/>')))

    assert statuses(resource) == ("inactive", "unconfirmed")


@pytest.mark.parametrize(
    ("end", "expected"),
    [("20300101", "active"), ("2025", "active"), ("2024", "resolved"), ("20240510", "resolved"), ("2023", "resolved")],
)
def test_a_problem_is_over_when_it_ended_before_the_document(end: str, expected: str) -> None:
    entry = concern("39", "active", problem(value("N18.5"), interval("2000", end)))
    body = f"<component><structuredBody>{part('11450-4', 'P', '', entry)}</structuredBody></component>"

    [candidate] = candidates_of(cda(f'<effectiveTime value="20240510"/>{body}'))

    assert the_only(candidate.resource["clinicalStatus"]) == expected
    assert ("abatementDateTime" in candidate.resource) == (expected == "resolved")


@pytest.mark.parametrize("narrative", ["Pas d'évolution du diabète", "Sans complication du diabète"])
def test_a_narrative_that_does_not_only_deny_says_nothing_of_a_problem(narrative: str) -> None:
    entry = concern("39", "active", problem(value()))

    assert candidates_of(structured(part("11450-4", "Problèmes", narrative, entry))) == ()


def test_a_section_that_is_none_of_problems_denies_none() -> None:
    entry = concern("39", "active", problem(value()))

    assert candidates_of(structured(part("55109-3", "Complications", "Néant", entry))) == ()


def test_a_problem_of_no_code_is_told_in_its_words() -> None:
    resource = offered(concern("39", "active", problem(value(inner=words("#p1")))))

    assert resource["code"] == {"text": "Infarctus inférieur"}


def test_an_answer_is_no_name_of_a_problem() -> None:
    answer = value("842009", SNOMED, "consanguinité", "<originalText>Non</originalText>")

    resource = offered(concern("39", "active", problem(answer)))

    assert resource["code"]["text"] == "consanguinité"  # type: ignore[index]


def test_the_place_of_a_problem_is_kept() -> None:
    site = concept("targetSiteCode", "C50.2", display="Sein")

    resource = offered(concern("39", "active", problem(value("8000/3"), inner=site)))

    assert [one["text"] for one in resource["bodySite"]] == ["Sein"]  # type: ignore[attr-defined]


def test_that_no_problem_is_known_is_stated() -> None:
    resource = offered(concern("39", "active", problem(value("160245001", SNOMED, "Pas de problème"))))

    codings = resource["code"]["coding"]  # type: ignore[index]
    assert [one["code"] for one in codings] == ["160245001", "no-known-problems"]


def test_a_narrative_that_denies_stands_for_a_problem_that_is_not_named() -> None:
    entry = concern("39", "active", problem(value()))

    [candidate] = candidates_of(structured(part("11348-0", "Antécédents", "Aucun antécédent notable", entry)))

    assert candidate.resource["code"]["text"] == "Aucun antécédent notable"  # type: ignore[index]
    assert the_only(candidate.resource["code"]) == "no-known-problems"


@pytest.mark.parametrize(
    "entry",
    [
        concern("39", "active", problem(value())),
        concern("39", "active", problem(value("42349-1", LOINC, "Raison de la recommandation"))),
        concern("39", "active", problem(value("I10"), attributes='moodCode="GOL"')),
        act("act", "39", "<subject><relatedSubject/></subject>" + f"<component>{problem(value('P05.0'))}</component>"),
        concern("39", "active", problem(value("P05.0"), inner="<subject/>")),
        concern("39", "active"),
        concern("39", "nullified", problem(value("I10"))),
        concern("39", "active", problem(value("active")).replace("55607006", "33999-4")),
    ],
    ids=[
        "nothing said",
        "a section's code",
        "a goal",
        "another's concern",
        "another's problem",
        "an empty concern",
        "withdrawn",
        "a state",
    ],
)
def test_what_is_no_problem_of_the_person_is_left_out(entry: str) -> None:
    assert candidates_of(structured(part("11450-4", "Problèmes", "Texte", entry))) == ()


def test_a_problem_is_read_in_its_section_whatever_model_it_names() -> None:
    bare = act("observation", "", concept("code", "75326-9", LOINC) + value("J18.1"))

    resource = offered(bare, section="11535-2")

    assert the_only(resource["category"][0]) == "encounter-diagnosis"  # type: ignore[index]


def test_a_request_for_imaging_tells_of_illness_surgery_and_risk() -> None:
    past = [
        act("observation", "150", concept("code", code, LOINC) + value(inner="<originalText>Écrit</originalText>"))
        for code in ("11348-0", "47519-4", "64100-1")
    ]

    found = candidates_of(structured(part("11329-0", "Historique", "", *past)))

    assert [one.kind for one in found] == ["Condition", "Procedure", "Condition"]
    assert [the_only(one.resource["clinicalStatus"]) for one in found[::2]] == ["inactive", "active"]
