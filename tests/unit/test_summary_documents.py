"""What a summary is made of: each statement once, in its section, told safely, of bounded size."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.clinical_profile import ProfileKind
from dmp.fhir.narrative import is_safe
from dmp.fhir.statement_rows import row_of
from dmp.fhir.statement_selection import MOST_IN_A_SECTION, each_once, in_series, singly
from dmp.fhir.statements import Statement, concept_of
from dmp.fhir.summary import SummaryContent, render_summary
from dmp.fhir.summary_narrative import narrative
from dmp.fhir.summary_texts import date_text, quantity_text, texts
from tests.health_record import ATC, SNOMED, allergy, concept, condition, family, immunization, medication, observation
from tests.ips_rules import assert_summary, entries_of, sections

type Json = dict[str, Any]

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
BASE = "https://dmp.example/fhir"
PATIENT = {"resourceType": "Patient", "id": "r", "name": [{"family": "DUVAL"}], "birthDate": "1979-03-28"}
CIP = "http://www.whocc.no/cip"
SOURCE = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-source"


def statement(resource: Json, number: int = 0, source: str = "Source") -> Statement:
    kind = ProfileKind(resource["resourceType"])
    subject = (
        "patient" if kind in (ProfileKind.ALLERGY, ProfileKind.IMMUNIZATION, ProfileKind.FAMILY_HISTORY) else "subject"
    )
    whole = {**resource, "id": f"r.{number}", subject: {"reference": "Patient/r"}}
    return Statement(kind=kind, resource=whole, source=source)


def rendered(*statements: Statement, patient: Json = PATIENT) -> Json:
    content = SummaryContent(
        patient=patient, statements=statements, documents=(), wishes=(), contacts=(), physicians=(), is_whole=True
    )
    return render_summary(content, base_url=BASE, identity=UUID(int=4 << 76 | 8 << 60), now=NOW)


@given(st.lists(st.tuples(st.text(), st.text(max_size=600), st.text()), max_size=5), st.lists(st.text(), max_size=3))
def test_a_narrative_is_safe_whatever_it_tells(rows: list[tuple[str, str, str]], paragraphs: list[str]) -> None:
    div = narrative(["Texte", *paragraphs], ("A", "B", "C"), rows)["div"]

    assert is_safe(div)


def test_a_narrative_that_would_be_too_long_says_how_much_is_missing() -> None:
    div = narrative([], ("A", "B"), [("&" * 400, "x")] * 200)["div"]

    shown = div.count("<td>x</td>")
    assert is_safe(div)
    assert 0 < shown < 200
    assert f"Et {200 - shown} autres lignes" in div


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-03-02T10:00:00+01:00", "02/03/2026"),
        ("2026-03", "03/2026"),
        ("2026", "2026"),
        ("enfance", "enfance"),
        ("", ""),
    ],
)
def test_dates_are_written_as_in_france(moment: str, text: str) -> None:
    assert date_text(moment) == text


def test_quantities_are_written_as_in_france() -> None:
    assert quantity_text({"value": 5.2, "unit": "mmol/L", "comparator": "<"}) == "< 5,2 mmol/L"


def test_statements_with_their_leading_code_and_their_words_in_common_are_one() -> None:
    first = statement(condition() | {"code": concept("I10", "HTA", "urn:icd", (SNOMED, "38341003"))}, 1, "A")
    second = statement(condition() | {"code": concept("I10", "HTA", "urn:icd")}, 2, "B")

    [kept] = each_once([first, second], NOW)

    assert (kept.resource["id"], kept.confirmed_by) == ("r.1", ("B",))


def test_what_has_no_code_is_one_with_what_has_the_same_words() -> None:
    words = [statement(condition() | {"code": {"text": text}}, number) for number, text in enumerate(["Toux", "toux"])]

    assert len(each_once([*words, statement(condition() | {"code": {"text": "Fièvre"}}, 9)], NOW)) == 2


def test_two_products_of_one_substance_and_the_substance_by_itself_stay_three() -> None:
    brands = [medication() | {"medicationCodeableConcept": concept(code, "P", CIP, (ATC, "J01CA04"))} for code in "12"]

    kept = each_once([statement(one, number) for number, one in enumerate([*brands, medication()])], NOW)

    assert [one.resource["id"] for one in kept] == ["r.0", "r.1", "r.2"]


def test_doses_of_a_vaccine_and_values_of_a_day_stay_apart() -> None:
    doses = [statement(immunization(date=date), n) for n, date in enumerate(["2024-05-02", "2024-06-02", "2024-06-02"])]
    values = [statement(observation(value, "2026-01-01T08:00:00Z"), 10 + n) for n, value in enumerate([1, 2, 2])]
    relatives = [statement(family(disease=disease), 20 + n) for n, disease in enumerate(["Cancer", "Asthme", "Asthme"])]

    assert [len(each_once(each, NOW)) for each in (doses, values, relatives)] == [2, 2, 2]


def test_a_section_tells_the_newest_and_how_many_it_leaves_out() -> None:
    known = [statement(condition(f"{n}", onsetDateTime=f"{2000 + n % 20}-01-01"), n) for n in range(200)]

    found = singly(known, NOW)

    assert (len(found.shown), found.left_out) == (MOST_IN_A_SECTION, 50)
    assert found.shown[0][0].moment == "2019-01-01"


def test_treatments_that_go_on_come_before_those_that_are_over() -> None:
    over = statement(medication("A10BA02", "Metformine", "stopped", effectiveDateTime="2026-01-01"), 1)
    goes_on = statement(medication("C09AA05", "Ramipril", effectiveDateTime="2020-01-01"), 2)

    assert [one.resource["id"] for one in singly([over, goes_on], NOW).statements] == ["r.2", "r.1"]


def test_series_of_observations_are_of_five_and_in_order() -> None:
    known = [statement(observation(n, f"2026-01-{n:02d}"), n) for n in range(1, 8)]
    other = statement(observation(1, "2025-01-01", "2345-7", "Glycémie"), 9)

    found = in_series([*known, other])

    assert [[one.resource["valueQuantity"]["value"] for one in group] for group in found.shown] == [
        [7, 6, 5, 4, 3],
        [1],
    ]
    assert found.left_out == 0


def test_a_medication_is_named_by_the_resource_it_contains() -> None:
    contained = {"resourceType": "Medication", "id": "m", "code": concept("J01CA04", "Amoxicilline", ATC)}
    resource = {"contained": [contained], "medicationReference": {"reference": "#m"}}

    assert concept_of(ProfileKind.MEDICATION, resource)["text"] == "Amoxicilline"
    assert concept_of(ProfileKind.MEDICATION, {"medicationReference": {"display": "Sirop"}}) == {"text": "Sirop"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"valueRange": {"low": {"value": 2}, "high": {"value": 3, "unit": "g/L"}}}, "2 à 3 g/L"),
        ({"valueRange": {"low": {"value": 2.5, "unit": "g/L"}}}, "au moins 2,5 g/L"),
        ({"valueRange": {"high": {"value": 3}}}, "au plus 3"),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 320}}}, "1 / 320"),
        ({"valuePeriod": {"start": "2026-01-01", "end": "2026-01-03"}}, "01/01/2026 - 03/01/2026"),
        ({"valueInteger": 0}, "0"),
        ({"valueBoolean": False}, "non"),
        ({"valueString": "positif"}, "positif"),
        ({"valueTime": "08:00:00"}, "08:00:00"),
        ({"valueDateTime": "2026-01"}, "01/2026"),
        ({"dataAbsentReason": {"text": "échantillon coagulé"}}, "échantillon coagulé"),
        ({"valueInteger": 1, "bodySite": {"text": "bras gauche"}}, "1, bras gauche"),
    ],
)
def test_every_sort_of_value_is_told(value: Json, text: str) -> None:
    bare = {name: one for name, one in observation(1, "2026-01-01").items() if name != "valueQuantity"}

    assert row_of([statement(bare | value)], NOW)[2] == text


@pytest.mark.parametrize(
    ("resource", "detail"),
    [
        (
            allergy(criticality="high", reaction=[{"manifestation": [{"text": "Urticaire"}]}]),
            "en cours, non confirmé, risque élevé, réaction : Urticaire",
        ),
        (
            condition(status="resolved", abatementDateTime="2020-02", severity={"text": "Modérée"}),
            "résolu, non confirmé, gravité : Modérée, jusqu'au 02/2020",
        ),
        (
            medication(dosage=[{"text": "1 matin"}], effectivePeriod={"end": "2026-04-01"}),
            "1 matin, en cours, jusqu'au 01/04/2026",
        ),
        (immunization() | {"lotNumber": "A1", "protocolApplied": [{"doseNumberPositiveInt": 2}]}, "dose n° 2, lot A1"),
        (family(), "Cancer du sein"),
        (observation(5.5, "2026-01-01") | {"interpretation": [{"coding": [{"code": "H"}]}]}, "5,5 µmol/L, élevé"),
        (
            observation(1, "2026-01-01") | {"valueQuantity": None, "component": [
                {"code": {"text": "Systolique"}, "valueQuantity": {"value": 128, "unit": "mmHg"}},
                {"code": {"text": "Diastolique"}, "valueQuantity": {"value": 82, "unit": "mmHg"}}]},
            "Systolique 128 mmHg / Diastolique 82 mmHg",
        ),
    ],
)  # fmt: skip
def test_the_details_are_told_in_french(resource: Json, detail: str) -> None:
    resource = {name: value for name, value in resource.items() if value is not None}

    assert row_of([statement(resource)], NOW)[2] == detail


def test_what_is_too_large_is_left_out_and_said_so_and_the_rest_is_told() -> None:
    huge = [statement(condition(f"{n}", note=[{"text": "é" * 900_000}]), n) for n in range(6)]

    found = rendered(*huge, statement(condition("small", "Petit"), 9))

    assert_summary(found)
    assert len(json.dumps(json.dumps(found, ensure_ascii=False), ensure_ascii=False).encode()) < 6_000_000
    assert "Petit" in [one["code"]["text"] for one in entries_of(found, "11450-4")]
    assert "4 éléments n'ont pas été repris ici" in sections(found)["11450-4"]["text"]["div"]


def test_a_patient_without_name_and_birth_date_has_reasons_in_their_place() -> None:
    found = rendered(patient={"resourceType": "Patient", "id": "r"})

    assert_summary(found)
    assert found["entry"][1]["resource"]["_birthDate"]["extension"][0]["valueCode"] == "unknown"


def test_every_section_has_its_title_and_its_code() -> None:
    codes = [one["code"] for one in texts()["sections"].values()]

    assert len(codes) == len(set(codes))
    assert all(one["title"] and one["display"] for one in texts()["sections"].values())


def test_that_there_is_nothing_is_told_only_where_there_is_nothing_else() -> None:
    absent = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
    none = statement(allergy() | {"code": concept("no-known-allergies", "Aucune allergie connue", absent)}, 1)

    alone, beside = rendered(none), rendered(none, statement(allergy(), 2))

    assert [one["id"] for one in entries_of(alone, "48765-2")] == ["r.1"]
    assert [one["id"] for one in entries_of(beside, "48765-2")] == ["r.2"]


def test_what_is_denied_is_told_beside_what_it_contradicts_and_takes_nothing_away() -> None:
    found = {"extension": [{"url": SOURCE, "extension": [{"url": "section", "valueCodeableConcept": {"text": "S"}}]}]}
    stated = statement(condition() | found, 1)
    denied = statement(condition(status="inactive") | refuted("condition-ver-status") | found, 2)
    refuted_ = statement(condition(status="inactive") | refuted("condition-ver-status"), 3)
    no_allergy = statement(allergy() | refuted("allergyintolerance-verification"), 4)

    told = [rendered(denied, stated), rendered(refuted_, stated), rendered(no_allergy), rendered(denied, refuted_)]

    assert [{one.get("id") for one in entries_of(bundle, "11450-4")} for bundle in told[:2]] == [
        {"r.1", "r.2"},
        {"r.1", "r.3"},
    ]
    assert all("infirmé" in sections(told[n])["11450-4"]["text"]["div"] for n in (0, 1))
    assert "infirmé" in sections(told[2])["48765-2"]["text"]["div"]
    assert entries_of(told[3], "11450-4")[0]["code"]["coding"][0]["code"] == "no-problem-info"


def refuted(system: str) -> Json:
    coding = {"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": "refuted"}
    return {"verificationStatus": {"coding": [coding]}}


def test_germs_of_one_sample_are_told_each() -> None:
    def germ(number: int) -> Json:
        part = {"code": {"text": "Amoxicilline"}, "valueQuantity": {"value": number}}
        found = observation(1, "2026-01-01", "41852-5", "Germe") | {"component": [part]}
        return {name: value for name, value in found.items() if name != "valueQuantity"} | {
            "valueCodeableConcept": {"text": "Escherichia coli"}
        }

    found = in_series([statement(germ(number), number) for number in range(7)])

    assert len(found.shown) == 7


def test_an_antibiogram_says_what_a_germ_resists() -> None:
    resists = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "R"}]
    }
    part = {"code": {"text": "Amoxicilline"}, "valueString": ">= 0,5", "interpretation": [resists]}
    germ = observation(1, "2026-01-01", "41852-5", "Germe") | {"component": [part]}

    assert "Amoxicilline >= 0,5 (résistant)" in row_of([statement(germ)], NOW)[2]


def test_an_observation_that_was_called_off_is_not_told() -> None:
    called_off = observation(1, "2026-01-02", "718-7", "Hémoglobine") | {"status": "cancelled"}

    assert each_once([statement(called_off)], NOW) == []


def test_of_very_many_warnings_the_most_severe_are_told() -> None:
    allergies = [statement(allergy(f"{n}") | {"code": {"text": f"Pénicilline {'x' * 300} {n}"}}, n) for n in range(70)]
    medicines = [
        statement(
            medication() | {"medicationCodeableConcept": concept(f"{n}", f"Produit {n}", CIP, (ATC, "J01CA04"))},
            100 + n,
        )
        for n in range(20)
    ]

    found = rendered(*allergies, *medicines)

    assert_summary(found)
    issues = [one["resource"] for one in found["entry"] if one["resource"]["resourceType"] == "DetectedIssue"]
    assert len(issues) == 50
    assert {one["severity"] for one in issues} == {"high"}
    assert "et 15 autres" in issues[0]["detail"]
    assert "21 autres alertes" in sections(found)["104605-1"]["text"]["div"]
