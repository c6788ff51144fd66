"""Which statements of a summary are one, and which are two: in doubt both are shown."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.clinical_profile import ProfileKind
from dmp.fhir.statement_selection import each_once, in_series
from dmp.fhir.statements import Statement
from dmp.fhir.summary_sections import sections_of
from tests.health_record import ATC, SNOMED, allergy, concept, condition, family, immunization, medication, observation
from tests.health_record import procedure as procedure_

type Json = dict[str, Any]

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SOURCE = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-source"
ALLERGY_STATUS = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
CIP, ICD = "http://www.whocc.no/cip", "http://hl7.org/fhir/sid/icd-10"
KIND, CLASS = "416098002", "764146007"
TREATMENT, AT_ADMISSION, AT_DISCHARGE, DISPENSED = "10160-0", "42346-7", "10183-2", "60590-7"


def entered(resource: Json, identity: str = "entered", source: str = "Saisi") -> Statement:
    return Statement(kind=ProfileKind(resource["resourceType"]), resource={**resource, "id": identity}, source=source)


def found(resource: Json, document: str = "d1", section: str = "11450-4", identity: str = "") -> Statement:
    parts = [
        {"url": "document", "valueReference": {"reference": f"DocumentReference/{document}"}},
        {"url": "section", "valueCodeableConcept": {"coding": [{"code": section}]}},
    ]
    told = {**resource, "extension": [{"url": SOURCE, "extension": parts}]}
    return entered(told, identity or document, document)


def once(*statements: Statement) -> list[tuple[str, tuple[str, ...]]]:
    """The ids of what is kept, with what else says the same."""
    return [(one.resource["id"], one.confirmed_by) for one in each_once(statements, NOW)]


def lines(*resources: Json) -> int:
    """As how many these are told, each by a document of its own; and the other way round as many."""
    statements = [found(one, f"d{n}") for n, one in enumerate(resources)]
    kept = len(each_once(statements, NOW))
    assert len(each_once(statements[::-1], NOW)) == kept
    return kept


def coded(resource: Json, text: str, *codes: tuple[str, str]) -> Json:
    """The resource, about something that has these words and these codes."""
    element = {"MedicationStatement": "medicationCodeableConcept", "Immunization": "vaccineCode"}
    codings = [{"system": system, "code": code} for system, code in codes]
    return resource | {element.get(resource["resourceType"], "code"): {"coding": codings, "text": text}}


def product(text: str = "PREVISCAN", dose: str = "1 cp", **elements: Any) -> Json:
    dosage = {"dosage": [{"text": dose}]} if dose else {}
    return coded(medication() | dosage | elements, text, (CIP, text), (ATC, "B01AA12"))


@pytest.mark.parametrize(
    "codes", [[(SNOMED, KIND)], [(ICD, "T78.4")], [(SNOMED, CLASS)], []], ids=["kind", "unspecified", "class", "none"]
)
def test_allergies_to_different_things_stay_two_whatever_code_they_share(codes: list[tuple[str, str]]) -> None:
    assert lines(*(coded(allergy(), text, *codes) for text in ("Pénicilline", "Iode"))) == 2


def test_allergies_that_share_but_the_class_among_their_codes_stay_two() -> None:
    amoxicillin = coded(allergy(), "Amoxicilline", (ATC, "J01CA04"), (SNOMED, CLASS))
    piperacillin = coded(allergy(), "Pipéracilline", (ATC, "J01CA12"), (SNOMED, CLASS))
    unnamed = [one | {"code": one["code"] | {"text": "Allergie"}} for one in (amoxicillin, piperacillin)]

    assert lines(amoxicillin, piperacillin) == 2
    assert lines(*unnamed) == 2


def test_the_same_allergy_in_other_letters_is_one_with_both_sources() -> None:
    first, second = (coded(allergy(), text, (SNOMED, CLASS)) for text in ("Pénicilline", "PENICILLINE "))

    assert once(found(first, "d1"), found(second, "d2")) == [("d1", ("d2",))]


def test_a_code_that_only_one_has_is_never_lost_for_warnings_go_by_it() -> None:
    both = coded(allergy(), "Pénicilline", (SNOMED, CLASS), (ATC, "J01C"))
    alone = coded(allergy(), "Pénicilline", (SNOMED, CLASS))

    assert once(found(both, "d1"), found(alone, "d2")) == [("d1", ("d2",))]
    assert len(once(found(alone, "d2"), found(both, "d1"))) == 2


def test_a_reaction_that_only_one_tells_of_is_never_lost() -> None:
    shock = allergy(reaction=[{"manifestation": [{"text": "Choc"}]}], criticality="high")

    assert once(found(shock, "d1"), found(allergy(), "d2")) == [("d1", ("d2",))]
    assert [one for one, _ in once(entered(allergy()), found(shock, "d1"))] == ["entered", "d1"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"onsetDateTime": "2009"}, {"onsetDateTime": "2023"}),
        ({"onsetDateTime": "2009"}, {}),
        ({"bodySite": [{"text": "droit"}]}, {"bodySite": [{"text": "gauche"}]}),
        ({"code": concept("I21.9", "IDM antérieur", ICD)}, {"code": concept("I21.9", "IDM inférieur", ICD)}),
        ({"code": concept("I21.9", "IDM", ICD)}, {"code": concept("I21.9", "IDM", "urn:other")}),
        (condition(status="resolved"), {}),
        ({"note": [{"text": "stent IVA"}]}, {"note": [{"text": "stent CD"}]}),
    ],
)
def test_problems_of_another_time_place_name_or_course_stay_two(one: Json, other: Json) -> None:
    assert lines(condition() | one, condition() | other) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"bodySite": [{"text": "droite"}]}, {"bodySite": [{"text": "gauche"}]}),
        ({"performedDateTime": "2020"}, {"performedDateTime": "2021"}),
        ({"performedString": "enfance"}, {}),
        ({"note": [{"text": "PTH droite"}]}, {"note": [{"text": "PTH gauche"}]}),
    ],
)
def test_procedures_of_another_side_or_time_stay_two(one: Json, other: Json) -> None:
    assert lines(procedure_(**one), procedure_(**other)) == 2


def test_two_undated_events_of_one_document_are_two_and_told_again_still_two() -> None:
    births = [found(procedure_(), document, identity=f"{document}{n}") for document in ("a", "b") for n in (1, 2)]

    assert once(*births) == [("a1", ("b",)), ("a2", ("b",))]
    assert len(each_once([found(family(), "a", identity=str(n)) for n in (1, 2)], NOW)) == 2


def test_vaccines_of_one_class_given_on_one_day_stay_two() -> None:
    assert lines(*(coded(immunization(), text, (ATC, "J07")) for text in ("ROR", "Hépatite B"))) == 2
    assert lines(immunization(), immunization()) == 1
    assert lines(immunization() | {"lotNumber": "A"}, immunization() | {"lotNumber": "B"}) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"valueRange": {"low": {"value": 2}, "high": {"value": 3}}}, {"valueRange": {"low": {"value": 7}}}),
        ({"valueRatio": {"numerator": {"value": 1}}}, {"valueRatio": {"numerator": {"value": 2}}}),
        ({"valueDateTime": "2025"}, {"valueDateTime": "2026"}),
        ({"valueInteger": 0}, {"valueBoolean": False}),
        ({"valueInteger": 0}, {}),
        ({"interpretation": [{"text": "haut"}]}, {"interpretation": [{"text": "bas"}]}),
        ({"status": "preliminary"}, {"status": "final"}),
    ],
)
def test_values_that_differ_in_whatever_element_stay_two(one: Json, other: Json) -> None:
    bare = {name: value for name, value in observation(1, "2026-01-01").items() if name != "valueQuantity"}

    assert lines(bare | one, bare | other) == 2


def test_values_of_different_tests_never_stand_in_one_series() -> None:
    shared = [("urn:class", "hemostase")]
    values = [coded(observation(n, "2026-01-01"), text, *shared) for n, text in enumerate(("INR", "TCA"))]

    assert [len(group) for group in in_series(map(found, values)).shown] == [1, 1]


def test_the_newest_value_is_the_last_instant_not_the_last_text() -> None:
    evening, night = (
        entered(observation(n, moment), str(n))
        for n, moment in enumerate(("2026-01-01T23:30:00-05:00", "2026-01-02T01:00:00+01:00"))
    )

    [series] = in_series([night, evening]).shown

    assert [one.resource["id"] for one in series] == ["0", "1"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"dose": "10 UI le matin"}, {"dose": "22 UI le soir"}),
        ({"dose": "1 cp"}, {"dose": ""}),
        ({"status": "stopped"}, {"status": "active"}),
        ({"status": "intended"}, {"status": "stopped"}),
        ({"effectivePeriod": {"start": "2020"}}, {"effectivePeriod": {"start": "2024"}}),
        ({"text": "DEPAKINE"}, {"text": "DEPAKOTE"}),
    ],
)
def test_treatments_of_another_product_dose_time_or_status_stay_two(one: Json, other: Json) -> None:
    assert lines(product(**one), product(**other)) == 2


def test_two_products_coded_with_their_substance_alone_stay_two() -> None:
    assert lines(*(coded(medication(), text, (ATC, "N03AG01")) for text in ("DEPAKINE", "DEPAKOTE"))) == 2


@pytest.mark.parametrize("is_newest", [True, False])
def test_what_was_handed_over_adds_a_source_to_the_treatment_and_hides_nothing_of_it(is_newest: bool) -> None:
    treatment = found(product(), "treatment", TREATMENT)
    handed_over = found(product(dose="", status="unknown", effectiveDateTime="2026-02-01"), "handed over", DISPENSED)
    order = (handed_over, treatment) if is_newest else (treatment, handed_over)

    assert once(*order) == [("treatment", ("handed over",))]


@pytest.mark.parametrize(
    "course",
    [{"status": "stopped"}, {"effectivePeriod": {"end": "2020"}}, {"status": "intended", "dateAsserted": "2019-01-01"}],
    ids=["stopped", "ended", "a prescription of long ago"],
)
def test_what_is_handed_over_of_a_treatment_that_is_over_is_told_by_itself(course: Json) -> None:
    handed_over = found(product(dose="", status="unknown", effectiveDateTime="2026-02-01"), "new", DISPENSED)

    assert len(once(handed_over, found(product(**course), "old", TREATMENT))) == 2


def test_what_is_handed_over_again_and_again_is_one_line_with_the_last_time() -> None:
    times = [found(product(dose="", status="unknown", effectiveDateTime=f"2026-0{n}-01"), f"d{n}") for n in (2, 1)]

    assert once(*times) == [("d2", ("d1",))]
    assert lines(*(product(dose=dose, status="unknown", effectiveDateTime="2026") for dose in ("1 cp", "2 cp"))) == 2


@pytest.mark.parametrize("verification", ["refuted", "confirmed"])
@pytest.mark.parametrize("clinical", ["resolved", "inactive"])
def test_an_allergy_that_is_said_to_be_over_or_refuted_takes_no_active_one_away(
    verification: str, clinical: str
) -> None:
    denied = allergy(
        clinicalStatus={"coding": [{"system": ALLERGY_STATUS, "code": clinical}]},
        verificationStatus={"coding": [{"system": VERIFICATION, "code": verification}]},
    )

    assert once(entered(denied), found(allergy())) == [("entered", ()), ("d1", ())]
    assert len(once(found(denied, "new"), found(allergy(), "old"))) == 2


def test_what_one_document_confirms_is_told_beside_what_another_has_not_confirmed() -> None:
    confirmed = allergy(verificationStatus={"coding": [{"system": VERIFICATION, "code": "confirmed"}]})

    assert once(found(confirmed, "a"), found(allergy(), "b")) == [("a", ("b",))]
    assert len(once(found(allergy(), "b"), found(confirmed, "a"))) == 2


def test_a_denial_is_told_only_beside_what_it_contradicts() -> None:
    refuted = {"verificationStatus": {"coding": [{"code": "refuted"}]}}
    denied = found(condition(status="inactive") | refuted, "denied")
    other = found(condition("73211009", "Diabète"), "other")

    def told(*statements: Statement) -> list[str]:
        selected = dict(sections_of(statements, NOW))
        return [one.resource["id"] for one in selected["problems"].statements]

    assert told(denied) == []
    assert told(denied, other) == ["other"]
    assert set(told(denied, found(condition(), "stated"))) == {"denied", "stated"}
    assert set(told(entered(condition(status="resolved") | refuted), found(condition(), "stated"))) == {
        "entered",
        "stated",
    }


STATUSES = st.sampled_from(["active", "intended", "stopped", "unknown", "completed"])
PRODUCTS = st.builds(
    lambda text, dose, status, times: product(text, dose, status=status, **times),
    st.sampled_from(["A", "B", "a"]),
    st.sampled_from(["", "1 cp", "2 cp"]),
    STATUSES,
    st.sampled_from([{}, {"effectivePeriod": {"start": "2024"}}, {"effectivePeriod": {"end": "2025"}}]),
)


@given(st.lists(PRODUCTS, max_size=8), st.randoms(use_true_random=False))
def test_every_dose_status_and_time_of_every_product_is_told_in_whatever_order(
    products: list[Json], chance: Any
) -> None:
    statements = [found(one, f"d{n}") for n, one in enumerate(products)]
    shuffled = chance.sample(statements, len(statements))

    kept = each_once(shuffled, NOW)

    def said(one: Statement) -> tuple[str, ...]:
        return one.words, str(one.resource.get("dosage")), one.resource["status"], str(one.moment)

    def told(some: list[Statement]) -> set[tuple[str, ...]]:
        return {said(one) for one in some if one.resource["status"] != "unknown"}

    assert told(kept) == told(statements)
    assert {one.words for one in kept} == {one.words for one in statements}
    sources = [source for one in kept for source in (one.source, *one.confirmed_by)]
    assert sorted(sources) == sorted(one.source for one in statements)
