"""Treatments, prescriptions and dispensations read out of CDA documents, as MedicationStatements."""

from typing import Any

import pytest

from dmp.domain.clinical_profile import Candidate, ProfileKind
from tests.cda_treatments import (
    ATC,
    PRESCRIPTION,
    dispensation,
    document,
    interval,
    linked,
    product,
    rhythm,
    section,
    stop,
    treatment,
)
from tests.fhir_validity import assert_valid_r4
from tests.offered_resources import about_somebody, candidates_of

CURRENT, AT_DISCHARGE, ADMINISTERED, PRESCRIBED, DISPENSED = "10160-0", "10183-2", "18610-6", "57828-6", "60590-7"
ABSENT_UNKNOWN = "2.16.840.1.113883.5.1150.1"

type Json = dict[str, Any]


def offered(*entries: str, code: str = CURRENT, narrative: str = "", title: str = "Traitements") -> list[Json]:
    """What a document with one section offers, each found valid."""
    candidates = candidates_of(document(section(code, *entries, narrative=narrative, title=title)))
    for one in candidates:
        assert_valid_r4(about_somebody(one))
    return [dict(one.resource) for one in candidates if one.kind is ProfileKind.MEDICATION]


def statement(*entries: str, **said: str) -> Json:
    """The only thing offered."""
    [found] = offered(*entries, **said)
    return found


def dosage(*parts: str, narrative: str = "", of: str | None = None) -> Json:
    [found] = statement(treatment(*parts, of=of), narrative=narrative)["dosage"]
    return dict(found)


def table(headings: tuple[str, ...], cells: tuple[str, ...]) -> str:
    head, line = "".join(f"<th>{one}</th>" for one in headings), "".join(f"<td>{one}</td>" for one in cells)
    return f"<table><thead><tr>{head}</tr></thead><tbody><tr>{line}</tr></tbody></table>"


def unnamed(null: str) -> str:
    material = f'<manufacturedMaterial><code nullFlavor="{null}"/><name nullFlavor="{null}"/></manufacturedMaterial>'
    return f"<manufacturedProduct>{material}</manufacturedProduct>"


def named(reference: str) -> str:
    return product(within=f'<originalText><reference value="{reference}"/></originalText>')


def test_a_candidate_names_its_section() -> None:
    [found] = candidates_of(document(section(CURRENT, treatment(), title="Traitements au long cours")))

    assert isinstance(found, Candidate)
    assert found.section
    assert (found.section.code, found.section_title) == (CURRENT, "Traitements au long cours")


def test_a_product_keeps_its_code_and_every_translation() -> None:
    translations = '<translation code="3400900000000" codeSystem="1.2.250.1.213.2.3.2" displayName="Boîte de 30"/>'
    classed = f'<translation code="C09AA05" codeSystem="{ATC}" displayName="ramipril"/>'

    found = statement(treatment(of=product(within=translations + classed)))

    assert found["medicationCodeableConcept"]["coding"] == [
        {"system": "urn:oid:1.2.250.1.213.2.3.1", "code": "60000001", "display": "EXEMPLE 5 mg, comprimé"},
        {"system": "urn:oid:1.2.250.1.213.2.3.2", "code": "3400900000000", "display": "Boîte de 30"},
        {"system": "http://www.whocc.no/atc", "code": "C09AA05", "display": "ramipril"},
    ]


def test_the_class_of_a_prescribed_product_is_among_its_codes() -> None:
    group = f'<pharm:code code="N02BE01" codeSystem="{ATC}" displayName="paracetamol"/>'
    kind = f"<pharm:generalizedMedicineClass>{group}</pharm:generalizedMedicineClass>"
    classed = f"<pharm:asSpecializedKind>{kind}</pharm:asSpecializedKind>"

    found = statement(treatment(template=PRESCRIPTION, mood="INT", of=product(beside=classed)), code=PRESCRIBED)

    assert found["medicationCodeableConcept"]["coding"][-1]["code"] == "N02BE01"


@pytest.mark.parametrize(
    ("code", "system"),
    [
        ("G03", "http://www.whocc.no/atc"),
        ("C10AA07", "http://www.whocc.no/atc"),
        ("W99", "urn:oid:1.2.250.1.215.200.1.2.1"),
    ],
)
def test_the_insurers_groups_are_atc_where_atc_has_them(code: str, system: str) -> None:
    group = f'<translation code="{code}" codeSystem="1.2.250.1.215.200.1.2.1"/>'

    found = statement(treatment(of=product(within=group)))

    assert found["medicationCodeableConcept"]["coding"][1] == {"system": system, "code": code}


def test_the_substances_of_a_reimbursed_product_come_after_its_codes() -> None:
    inner = "".join(f'<translation code="{one}" codeSystem="1.2.250.1.215.200.1.3.1"/>' for one in ("1636", "1949"))

    found = statement(treatment(of=product(within=f"<translation>{inner}</translation>")))

    assert [one["code"] for one in found["medicationCodeableConcept"]["coding"]] == ["60000001", "1636", "1949"]


def test_a_product_is_called_as_the_narrative_calls_it() -> None:
    found = statement(treatment(of=named("#med1")), narrative='<content ID="med1">Exemple 5</content>')

    assert found["medicationCodeableConcept"]["text"] == "Exemple 5"


def test_a_product_without_words_is_called_as_its_code() -> None:
    found = statement(treatment(of=named("#nowhere")))

    assert found["medicationCodeableConcept"]["text"] == "EXEMPLE 5 mg, comprimé"


def test_a_preparation_of_no_code_is_what_the_narrative_says() -> None:
    coded = '<code nullFlavor="NA"><originalText><reference value="#p"/></originalText></code>'
    made = f"<manufacturedProduct><manufacturedMaterial>{coded}</manufacturedMaterial></manufacturedProduct>"

    found = statement(treatment(of=made), narrative='<content ID="p">Vaseline 30 g<br/>Urée 3 g</content>')

    assert found["medicationCodeableConcept"] == {"text": "Vaseline 30 g Urée 3 g"}


def test_a_treatment_of_no_product_is_none() -> None:
    drug = '<code code="DRUG" codeSystem="2.16.840.1.113883.5.4"/>'

    assert offered(treatment(drug, of=unnamed("UNK"))) == []


@pytest.mark.parametrize(
    ("code", "system", "url"),
    [
        ("no-known-medications", ABSENT_UNKNOWN, "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"),
        ("NONE", "1.2.3.4", "urn:oid:1.2.3.4"),
    ],
)
def test_that_there_is_no_treatment_is_told_as_such(code: str, system: str, url: str) -> None:
    absent = f'<code code="{code}" codeSystem="{system}" displayName="Aucun traitement"/>'
    found = statement(treatment(absent, interval(), of=unnamed("NA")))

    assert found == {
        "resourceType": "MedicationStatement",
        "status": "unknown",
        "medicationCodeableConcept": {
            "coding": [{"system": url, "code": code, "display": "Aucun traitement"}],
            "text": "Aucun traitement",
        },
        "dateAsserted": "2026-03-10",
    }


def test_that_there_is_no_treatment_negated_says_nothing() -> None:
    absent = f'<code code="no-known-medications" codeSystem="{ABSENT_UNKNOWN}"/>'

    assert offered(treatment(absent, of=unnamed("NA"), more='negationInd="true"')) == []


def test_a_treatment_of_some_days_is_over_after_them() -> None:
    time = '<effectiveTime><low value="20260101"/><width value="7" unit="d"/></effectiveTime>'
    found = statement(treatment(time))

    assert found["effectivePeriod"] == {"start": "2026-01-01", "end": "2026-01-08"}
    assert found["status"] == "completed"


def test_an_entry_of_no_product_in_a_section_that_denies_treatments_says_that_there_is_none() -> None:
    found = statement(treatment(of=unnamed("NA")), narrative="Aucun traitement au long cours")

    assert found["medicationCodeableConcept"]["text"] == "Aucun traitement au long cours"
    assert found["medicationCodeableConcept"]["coding"][0]["code"] == "no-known-medications"


@pytest.mark.parametrize(
    "narrative", ["Aucun traitement en cours.", "Pas de traitement médicamenteux", "<paragraph>NÉANT</paragraph>"]
)
def test_a_narrative_alone_may_say_that_there_is_no_treatment(narrative: str) -> None:
    found = statement(narrative=narrative)

    assert found["medicationCodeableConcept"]["coding"][0]["code"] == "no-known-medications"
    assert found["status"] == "unknown"


@pytest.mark.parametrize(
    "narrative", ["", "Pas de modification : ramipril", "Aucun autre que ramipril", "Traitement en cours"]
)
def test_a_narrative_that_says_anything_else_does_not_deny_treatments(narrative: str) -> None:
    assert offered(narrative=narrative) == []


def test_that_nothing_was_given_during_a_stay_does_not_say_that_nothing_is_taken() -> None:
    assert offered(treatment(of=unnamed("NA")), code=ADMINISTERED, narrative="Aucun traitement") == []


@pytest.mark.parametrize(
    ("code", "title", "parts", "status"),
    [
        (CURRENT, "Traitements", (), "active"),
        (CURRENT, "Traitements", (interval("20260101"),), "active"),
        (CURRENT, "Traitements", (interval("20260101", "20260310"),), "active"),
        (CURRENT, "Traitements", (interval("20260101", "20260309"),), "completed"),
        (CURRENT, "Traitements", (interval("2025", "2025"),), "completed"),
        (CURRENT, "Traitements", (interval("2025", "2026"),), "active"),
        (CURRENT, "Traitements", (stop("20260201"),), "stopped"),
        (CURRENT, "Traitements", (stop("20260401"),), "active"),
        (AT_DISCHARGE, "Traitements à la sortie", (), "active"),
        (ADMINISTERED, "Traitements administrés", (), "completed"),
        (ADMINISTERED, "Traitements arrêtés durant le séjour", (), "stopped"),
        (CURRENT, "Traitements", ('<statusCode code="completed"/>',), "active"),
        (CURRENT, "Traitements", ('<statusCode code="suspended"/>',), "on-hold"),
        (CURRENT, "Traitements", ('<statusCode code="aborted"/>',), "stopped"),
    ],
)
def test_the_status_is_that_of_the_date_of_the_document(
    code: str, title: str, parts: tuple[str, ...], status: str
) -> None:
    assert statement(treatment(*parts), code=code, title=title)["status"] == status


def test_what_is_prescribed_or_planned_is_intended() -> None:
    assert statement(treatment(mood="INT"), code=PRESCRIBED)["status"] == "intended"


def test_what_is_denied_is_not_taken() -> None:
    assert statement(treatment(more='negationInd="true"'))["status"] == "not-taken"


def test_a_withdrawn_statement_is_none() -> None:
    assert offered(treatment('<statusCode code="nullified"/>')) == []


def test_the_treatment_of_somebody_else_is_none() -> None:
    child = (
        '<subject><relatedSubject><code code="CHILD" codeSystem="2.16.840.1.113883.5.111"/></relatedSubject></subject>'
    )

    assert offered(treatment(child), code=ADMINISTERED) == []


def test_a_treatment_tells_why_it_is_taken_and_why_it_was_stopped() -> None:
    cause = '<act><code code="I10" codeSystem="2.16.840.1.113883.6.3" displayName="Hypertension"/></act>'

    found = statement(treatment(linked(cause, "RSON"), stop("20260201", "Toux")))

    assert found["reasonCode"] == [
        {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10", "display": "Hypertension"}],
            "text": "Hypertension",
        }
    ]
    assert found["statusReason"] == [{"text": "Toux"}]


def test_a_section_is_read_by_its_code_where_an_entry_names_no_model() -> None:
    assert statement(treatment(template="1.2.3.4"), code=AT_DISCHARGE)["status"] == "active"


def test_what_a_reimbursed_line_tells_is_the_day_it_was_handed_over() -> None:
    performer = '<performer><time value="20190526"/></performer>'
    handed = linked(f'<supply moodCode="EVN"><quantity value="1"/>{performer}</supply>', "REFR")

    found = statement(treatment(interval(), handed))

    assert (found["status"], found["effectiveDateTime"]) == ("unknown", "2019-05-26")


def test_a_dispensation_tells_when_and_how_it_is_to_be_taken() -> None:
    posology = linked(treatment(rhythm("12", "h"), '<doseQuantity value="1" unit="{tablet}"/>'))

    found = statement(dispensation('<effectiveTime value="20260305"/>', posology), code=DISPENSED)

    assert (found["status"], found["effectiveDateTime"]) == ("unknown", "2026-03-05")
    assert found["dosage"][0]["timing"]["repeat"] == {"frequency": 1, "period": 12, "periodUnit": "h"}


def test_a_dispensation_of_no_date_is_of_the_day_its_pharmacist_signed_it() -> None:
    found = statement(dispensation('<author><time value="20260306"/></author>'), code=DISPENSED)

    assert found["effectiveDateTime"] == "2026-03-06"


def test_a_dispensed_device_is_no_treatment() -> None:
    device = '<participant typeCode="DEV"><participantRole><playingDevice/></participantRole></participant>'

    assert offered(f'<supply moodCode="EVN">{device}</supply>', code=DISPENSED) == []


def test_a_dose_of_one_bound_is_a_quantity_and_of_two_a_range() -> None:
    same = '<doseQuantity><low value="2" unit="mg"/><high value="2" unit="mg"/></doseQuantity>'
    other = '<rateQuantity><low value="1" unit="mg/d"/><high value="3" unit="mg/d"/></rateQuantity>'

    [found] = dosage(same, other)["doseAndRate"]

    assert (found["doseQuantity"]["value"], found["rateRange"]["high"]["value"]) == (2, 3)


@pytest.mark.parametrize(
    "dose",
    [
        '<doseQuantity nullFlavor="UNK"/>',
        '<doseQuantity value="1,5" unit="mg"/>',
        "<doseQuantity><low/></doseQuantity>",
    ],
)
def test_a_dose_that_is_none_is_left_out(dose: str) -> None:
    assert "dosage" not in statement(treatment(dose))


@pytest.mark.parametrize(("value", "unit"), [("0", "h"), ("-1", "h"), ("8", "heures"), ("", "h"), ("1", "")])
def test_a_rhythm_that_fhir_cannot_tell_is_left_out(value: str, unit: str) -> None:
    assert "dosage" not in statement(treatment(rhythm(value, unit)))


def test_a_dosage_says_what_stands_in_the_column_of_posology() -> None:
    beside = table(("Médicament", "Posologie", "Motif"), ('<content ID="m">Exemple</content>', "1 le soir", "HTA"))

    assert dosage(narrative=beside, of=named("#m"))["text"] == "1 le soir"


def test_a_dosage_of_several_columns_names_them() -> None:
    beside = table(("Médicament", "Dose", "Fréquence", "Voie"), ('<content ID="m">E</content>', "1 cp", "1/j", "-"))

    assert dosage(narrative=beside, of=named("m"))["text"] == "Dose : 1 cp ; Fréquence : 1/j"


def test_a_dosage_is_what_else_a_treatment_says() -> None:
    assert dosage("<text>1 g trois fois par jour</text>")["text"] == "1 g trois fois par jour"


def test_the_words_of_a_product_are_no_dosage() -> None:
    reference = '<text><reference value="#m"/></text>'

    found = statement(treatment(reference, of=named("#m")), narrative='<content ID="m">Exemple</content>')

    assert "dosage" not in found


def test_the_way_is_not_said_twice() -> None:
    beside = table(("Produit", "Dose", "Voie"), ('<content ID="m">E</content>', "1 cp", "orale"))
    route = '<routeCode code="20053000" codeSystem="0.4.0.127.0.16.1.1.2.1" displayName="Voie orale"/>'

    found = dosage(route, narrative=beside, of=named("#m"))

    assert (found["text"], found["route"]["coding"][0]["system"]) == ("1 cp", "http://standardterms.edqm.eu")


def test_a_cell_that_stands_under_no_heading_is_not_taken_for_a_dose() -> None:
    beside = table(("Médicament", "Posologie"), ('<content ID="m">Exemple</content>', "HTA", "1 le soir"))

    assert "dosage" not in statement(treatment(of=named("#m")), narrative=beside)


def test_a_heading_over_several_columns_is_that_of_each() -> None:
    head = '<thead><tr><th colspan="2">Date</th><th>Posologie</th></tr></thead>'
    line = '<tbody><tr><td/><td>1er mars</td><td><content ID="m">1 le soir</content></td></tr></tbody>'

    assert dosage(narrative=f"<table>{head}{line}</table>", of=named("#m"))["text"] == "1 le soir"


def test_a_stepwise_dosage_is_told_step_by_step() -> None:
    words = '<translation><originalText><reference value="#a"/></originalText></translation>'
    first = linked(treatment(f'<doseQuantity><low value="1" unit="{{tablet}}">{words}</low></doseQuantity>'))
    second = linked(treatment(rhythm("1", "d")))

    found = statement(treatment(first, second, mood="INT"), narrative='<content ID="a">1 cp</content>')["dosage"]

    assert [(one["sequence"], one.get("text")) for one in found] == [(1, "1 cp"), (2, None)]


def test_what_is_said_of_the_whole_holds_for_each_step() -> None:
    most = '<maxDoseQuantity><numerator value="4"/><denominator value="1" unit="d"/></maxDoseQuantity>'
    orally = '<routeCode code="20053000" codeSystem="0.4.0.127.0.16.1.1.2.1" displayName="Voie orale"/>'

    found = statement(treatment(most, linked(treatment(orally)), linked(treatment(rhythm("1", "d")))))["dosage"]

    assert ["maxDosePerPeriod" in one for one in found] == [True, True]
    assert ["route" in one for one in found] == [True, False]


def test_conditions_and_what_the_patient_is_told_go_with_the_dosage() -> None:
    told = '<act><code code="PINSTRUCT"/><text>Au repas</text></act>'
    condition = "<precondition><criterion><text>Si douleur</text></criterion></precondition>"

    found = dosage(linked(told, "SUBJ"), condition)

    assert found == {"additionalInstruction": [{"text": "Si douleur"}], "patientInstruction": "Au repas"}


def test_a_comment_is_a_note() -> None:
    comment = '<act><code code="48767-8"/><text>À réévaluer</text></act>'

    assert statement(treatment(linked(comment, "SUBJ")))["note"] == [{"text": "À réévaluer"}]


def test_the_most_of_a_dose_is_a_ratio() -> None:
    most = '<numerator value="4" unit="g"/><denominator value="1" unit="d"/>'

    assert dosage(f"<maxDoseQuantity>{most}</maxDoseQuantity>")["maxDosePerPeriod"]["numerator"]["value"] == 4
    assert offered(treatment("<maxDoseQuantity><numerator/></maxDoseQuantity>"))[0].keys().isdisjoint({"dosage"})
