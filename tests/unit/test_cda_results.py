"""Results of biology, imaging, examinations, scores and vital signs read out of CDA documents, as Observations."""

from typing import Any

import pytest

from dmp.domain.clinical_profile import ProfileKind
from tests.cda_results import AT, ISOLATE, SIGNS, SIMPLE, chapter, observed, organizer, pq, specimen
from tests.cda_treatments import document, linked, section
from tests.fhir_validity import assert_valid_r4
from tests.offered_resources import about_somebody, candidates_of

BIOLOGY, EXAMS, SIGNS_SECTION, GLASGOW, RESPIRATORY = "18719-5", "30954-2", "8716-3", "35088-4", "11412-4"
CCAM = "1.2.250.1.215.300.1"
JUDGED_HIGH = '<interpretationCode code="H" codeSystem="2.16.840.1.113883.5.83" displayName="Haut"/>'

type Json = dict[str, Any]


def offered(*entries: str, code: str = BIOLOGY, narrative: str = "", title: str = "Résultats") -> list[Json]:
    """What a document with one section offers, each found valid."""
    candidates = candidates_of(document(section(code, *entries, narrative=narrative, title=title)))
    for one in candidates:
        assert_valid_r4(about_somebody(one))
    return [dict(one.resource) for one in candidates if one.kind is ProfileKind.OBSERVATION]


def one_of(*entries: str, **said: str) -> Json:
    """The only thing offered."""
    [found] = offered(*entries, **said)
    return found


def result(*parts: str, narrative: str = "") -> Json:
    """A result of biology with these parts."""
    return one_of(chapter(observed("718-7", *parts)), narrative=narrative)


def category(told: Json) -> str:
    return str(told["category"][0]["coding"][0]["code"])


def codes(found: list[Json]) -> list[str]:
    return [one["code"]["coding"][0]["code"] for one in found]


def test_a_result_of_biology_tells_all_that_is_said_of_it() -> None:
    bounds = '<value xsi:type="IVL_PQ"><low value="12" unit="g/dL"/><high value="16" unit="g/dL"/></value>'
    normal = (
        f'<referenceRange><observationRange>{bounds}<interpretationCode code="N"/></observationRange></referenceRange>'
    )

    found = result('<statusCode code="completed"/>', AT, pq("17.2", "g/dL"), JUDGED_HIGH, normal)

    def grams(value: float) -> Json:
        return {"value": value, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"}

    assert found == {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}
        ],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Mesure 718-7"}],
            "text": "Mesure 718-7",
        },
        "effectiveDateTime": "2026-03-02T08:30:00+01:00",
        "valueQuantity": grams(17.2),
        "interpretation": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
                        "code": "H",
                        "display": "Haut",
                    }
                ],
                "text": "Haut",
            }
        ],
        "referenceRange": [{"low": grams(12), "high": grams(16)}],
    }


def test_batteries_are_told_result_by_result_in_their_order() -> None:
    battery = organizer(observed("789-8", pq("4.6", "10*12/L")), organizer(observed("718-7", pq("13", "g/dL"))))

    assert codes(offered(chapter(battery, observed("777-3", pq("250", "10*9/L"))))) == ["789-8", "718-7", "777-3"]


@pytest.mark.parametrize(
    ("bounds", "value"),
    [
        ('<low value="5" unit="mg"/>', {"value": 5, "comparator": ">="}),
        ('<low value="5" unit="mg" inclusive="false"/>', {"value": 5, "comparator": ">"}),
        ('<high value="5" unit="mg" inclusive="true"/>', {"value": 5, "comparator": "<="}),
        ('<low nullFlavor="NINF"/><high value="5" unit="mg" inclusive="false"/>', {"value": 5, "comparator": "<"}),
    ],
)
def test_a_value_of_one_bound_is_above_or_below_it(bounds: str, value: Json) -> None:
    found = result(f'<value xsi:type="IVL_PQ">{bounds}</value>')

    assert found["valueQuantity"] == {"unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"} | value


def test_a_value_of_two_bounds_is_a_range() -> None:
    found = result('<value xsi:type="IVL_PQ"><low value="5" unit="mg"/><high value="7" unit="mg"/></value>')

    assert (found["valueRange"]["low"]["value"], found["valueRange"]["high"]["value"]) == (5, 7)


def test_a_value_without_a_code_is_what_the_results_column_says() -> None:
    row = '<td><content ID="hb">Hémoglobine</content></td><td>environ 13</td>'
    table = f"<table><thead><tr><th>Objet</th><th>Résultat</th></tr></thead><tbody><tr>{row}</tr></tbody></table>"

    found = result('<text><reference value="#hb"/></text>', '<value xsi:type="ST"/>', narrative=table)

    assert found["valueString"] == "environ 13"


@pytest.mark.parametrize("value", ["", '<value xsi:type="PQ" nullFlavor="NASK"/>', '<value xsi:type="PQ" value="a"/>'])
def test_a_result_that_says_nothing_is_none(value: str) -> None:
    assert offered(chapter(observed("718-7", AT, value))) == []


def test_a_result_that_is_only_judged_is_told() -> None:
    assert "valueQuantity" not in result(JUDGED_HIGH)


@pytest.mark.parametrize(
    ("status", "told"), [("completed", "final"), ("active", "preliminary"), ("aborted", "cancelled"), ("", "final")]
)
def test_the_status_of_a_result_follows_that_of_its_act(status: str, told: str) -> None:
    assert result(f'<statusCode code="{status}"/>', pq("1", "g"))["status"] == told


def test_what_is_withdrawn_planned_denied_or_said_of_another_is_no_result() -> None:
    value = pq("1", "g")
    child = '<subject><relatedSubject><code code="CHILD"/></relatedSubject></subject>'
    denied = observed("718-7", value).replace("<observation ", '<observation negationInd="true" ')

    assert (
        offered(
            observed("718-7", '<statusCode code="nullified"/>', value),
            observed("718-7", value, mood="INT"),
            observed("718-7", child, value),
            denied,
        )
        == []
    )


def test_the_time_of_a_result_may_be_a_period() -> None:
    found = result('<effectiveTime><low value="20260301"/><high value="20260302"/></effectiveTime>', pq("1", "g"))

    assert found["effectivePeriod"] == {"start": "2026-03-01", "end": "2026-03-02"}


def test_a_range_that_is_not_of_normal_values_says_what_it_is_of() -> None:
    critical = "<text>au-dessus de 20</text>" + JUDGED_HIGH
    found = result(pq("1", "g"), f"<referenceRange><observationRange>{critical}</observationRange></referenceRange>")

    assert found["referenceRange"][0]["text"] == "au-dessus de 20"
    assert found["referenceRange"][0]["type"]["coding"][0]["code"] == "H"


def test_an_isolate_is_the_organism_with_its_count_and_its_antibiogram() -> None:
    sensible = '<interpretationCode code="S" codeSystem="2.16.840.1.113883.5.83"/>'
    antibiogram = organizer(observed("28-1", sensible))
    counted = observed("51480-2", pq("120000", "/mL"))

    found = one_of(chapter(organizer(counted, antibiogram, template=ISOLATE, head=AT + specimen("Escherichia coli"))))

    assert found["code"]["coding"] == [{"system": "http://loinc.org", "code": "41852-5"}]
    assert found["valueCodeableConcept"]["text"] == "Escherichia coli"
    assert codes(found["component"]) == ["51480-2", "28-1"]
    assert found["component"][1]["interpretation"][0]["coding"][0]["code"] == "S"


def test_an_isolate_with_a_value_of_its_own_is_the_organism() -> None:
    isolate = organizer(template=ISOLATE, head=specimen("Escherichia coli") + pq("5", "/mL"))

    assert "valueQuantity" not in one_of(chapter(isolate))


def test_the_results_of_an_isolate_of_no_name_stand_by_themselves() -> None:
    isolate = organizer(observed("51480-2", pq("5", "/mL")), template=ISOLATE)

    assert codes(offered(chapter(isolate))) == ["51480-2"]


@pytest.mark.parametrize(
    ("code", "told"), [("ZBQK002", "imaging"), ("EAQM004", "imaging"), ("ACQN001", "imaging"), ("DEQP003", "exam")]
)
def test_an_examination_is_imaging_by_the_technique_of_its_act(code: str, told: str) -> None:
    entry = observed(code, AT, '<value xsi:type="ST">Normal</value>', template=SIMPLE, system=CCAM)

    found = one_of(entry, code=EXAMS)

    assert (category(found), found["valueString"]) == (told, "Normal")


def test_an_examination_with_a_range_of_reference_is_biology() -> None:
    bounds = "<referenceRange><observationRange><text>2 - 3</text></observationRange></referenceRange>"

    found = one_of(observed("3289-6", '<value xsi:type="REAL" value="2.5"/>', bounds, template=SIMPLE), code=EXAMS)

    assert (category(found), found["valueQuantity"]) == ("laboratory", {"value": 2.5})


def test_a_quantity_of_a_code_of_loinc_is_biology() -> None:
    assert category(one_of(observed("1988-5", pq("18", "mg/L"), template=SIMPLE), code=EXAMS)) == "laboratory"


def test_a_result_of_no_model_is_biology_in_a_chapter_of_biology() -> None:
    assert category(one_of(observed("718-7", pq("13", "g/dL"), template="1.2.3"), code="18723-7")) == "laboratory"


def test_a_planned_score_is_none() -> None:
    assert offered(observed("9269-2", pq("15", "1"), template=SIMPLE, mood="INT"), code=GLASGOW) == []


def test_a_score_is_told_with_what_it_is_made_of() -> None:
    item = observed("9267-6", '<value xsi:type="INT" value="4"/>', template=SIMPLE)

    found = one_of(
        observed("9269-2", '<value xsi:type="INT" value="15"/>', linked(item), template=SIMPLE), code=GLASGOW
    )

    assert (category(found), found["valueInteger"]) == ("survey", 15)
    assert found["component"][0]["valueInteger"] == 4


def test_a_score_that_names_but_its_answer_is_that_of_its_section() -> None:
    answered = observed("LA6111-4", '<value xsi:type="INT" value="0"/>', template=SIMPLE)

    found = one_of(answered, code="75859-9", title="Score de Rankin")

    assert found["code"] == {"coding": [{"system": "http://loinc.org", "code": "75859-9"}], "text": "Score de Rankin"}
    assert found["interpretation"][0]["coding"][0]["code"] == "LA6111-4"


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("1.3.6.1.4.1.19376.1.5.3.1.4.13.6", "laboratory"),
        ("1.3.6.1.4.1.19376.1.5.3.1.1.12.3.6", "survey"),
        ("1.2.250.1.213.1.1.3.209", "exam"),
    ],
)
def test_blood_groups_evaluations_and_results_are_read_in_whatever_section(template: str, told: str) -> None:
    found = one_of(observed("882-1", '<value xsi:type="ST">A+</value>', template=template), code="99999-9")

    assert (category(found), found["valueString"]) == (told, "A+")


def test_what_makes_a_question_precise_comes_first() -> None:
    qualifier = (
        '<qualifier><name code="MED-597" codeSystem="1.2.250.1.213.1.1.4.322" displayName="Chute ?"/></qualifier>'
    )
    entry = observed("95023-8", '<value xsi:type="BL" value="true"/>', template=SIMPLE)
    asked = entry.replace('displayName="Mesure 95023-8"/>', f'displayName="Mobilité">{qualifier}</code>')

    found = one_of(asked, code="46006-3")

    assert ([one["code"] for one in found["code"]["coding"]], found["code"]["text"]) == (
        ["MED-597", "95023-8"],
        "Chute ?",
    )


def test_what_was_seen_of_the_body_is_an_examination() -> None:
    found = one_of(observed("MED-639", pq("5", "mm"), template=SIMPLE), code=RESPIRATORY)

    assert category(found) == "exam"


def test_measures_taken_together_share_their_time() -> None:
    signs = organizer(observed("29463-7", pq("59", "kg")), observed("8302-2", pq("176", "cm")), template=SIGNS, head=AT)

    found = offered(signs, code=SIGNS_SECTION)

    assert [category(one) for one in found] == ["vital-signs", "vital-signs"]
    assert {one["effectiveDateTime"] for one in found} == {"2026-03-02T08:30:00+01:00"}


def test_the_blood_pressure_is_one_measure_of_both_its_values() -> None:
    pressure = (observed("8480-6", pq("120", "mm[Hg]")), observed("8462-4", pq("80", "mm[Hg]")))

    found = one_of(organizer(*pressure, template=SIGNS, head=AT), code=SIGNS_SECTION)

    assert found["code"] == {
        "coding": [{"system": "http://loinc.org", "code": "85354-9"}],
        "text": "Pression artérielle",
    }
    assert [one["valueQuantity"]["value"] for one in found["component"]] == [120, 80]


def test_half_a_blood_pressure_stands_by_itself() -> None:
    alone = organizer(observed("8480-6", pq("120", "mm[Hg]")), template=SIGNS)

    assert codes(offered(alone, code=SIGNS_SECTION)) == ["8480-6"]


def test_pressures_of_two_times_are_no_pair() -> None:
    systolic, diastolic = observed("8480-6", AT, pq("120", "mm[Hg]")), observed("8462-4", pq("80", "mm[Hg]"))

    assert codes(offered(organizer(systolic, diastolic, template=SIGNS), code=SIGNS_SECTION)) == ["8480-6", "8462-4"]


def test_a_measure_without_a_value_is_none() -> None:
    assert offered(organizer(observed("8302-2", AT), template=SIGNS), code=SIGNS_SECTION) == []


def test_a_measure_may_stand_by_itself() -> None:
    assert codes(offered(observed("8302-2", pq("176", "cm"), template="1.2.3"), code=SIGNS_SECTION)) == ["8302-2"]
