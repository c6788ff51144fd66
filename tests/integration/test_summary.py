"""$summary: the International Patient Summary of what the caller may see."""

from dataclasses import replace
from importlib import import_module

import pytest

from dmp.domain.document import Visibility
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import BASE, ApiClient
from tests.aws_calls import refused
from tests.fed_record import AUTHOR, HOSPITAL, SPECIALIST, STRANGER, FedRecord, open_record
from tests.health_record import (
    HealthRecord,
    allergy,
    condition,
    family,
    immunization,
    medication,
    observation,
    procedure,
)
from tests.ips_rules import Json, assert_summary, entries_of, resources, sections
from tests.minor_record import open_minor_record
from tests.requester_factories import requester_employee, requester_patient, requester_professional

SOURCE = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-source"
V2_ROLES = "http://terminology.hl7.org/CodeSystem/v2-0131"
PHYSICIAN = requester_professional("10105555555", "1310000003", name="Lou MOREAU")


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    return record


@pytest.fixture
def health(record: FedRecord) -> HealthRecord:
    return HealthRecord(record)


def summary(record: FedRecord, as_: Requester = SPECIALIST) -> Json:
    """The summary, valid."""
    answer = record.api.get(f"/fhir/Patient/{record.id}/$summary", as_=as_)
    assert answer.status == 200, answer.body
    assert_summary(answer.json)
    return answer.json


def names(bundle: Json, section: str) -> list[str]:
    found = entries_of(bundle, section)
    concepts = [one.get("code") or one.get("vaccineCode") or one.get("medicationCodeableConcept") for one in found]
    return [one["text"] if one else "" for one in concepts]


def test_a_record_of_which_nothing_is_known_says_so_in_the_sections_that_must_be_there(record: FedRecord) -> None:
    found = summary(record)

    assert set(sections(found)) == {"48765-2", "10160-0", "11450-4"}
    unknown = [one["code"]["coding"][0]["code"] for one in entries_of(found, "48765-2") + entries_of(found, "11450-4")]
    assert unknown == ["no-allergy-info", "no-problem-info"]
    [medicines] = entries_of(found, "10160-0")
    assert medicines["medicationCodeableConcept"]["coding"][0]["code"] == "no-medication-info"
    assert "Aucune information sur les allergies" in sections(found)["48765-2"]["text"]["div"]


def test_a_summary_is_a_new_document_of_this_service_about_the_patient(record: FedRecord) -> None:
    first, second = summary(record), summary(record)

    assert first["identifier"] != second["identifier"]
    assert resources(first, "Patient")[0]["id"] == record.id
    composition = first["entry"][0]["resource"]
    assert (composition["title"], composition["language"]) == ("Résumé du dossier médical partagé", "fr-FR")
    held = {one["fullUrl"]: one["resource"] for one in first["entry"]}
    assert held[composition["author"][0]["reference"]]["resourceType"] == "Device"
    assert held[composition["custodian"]["reference"]]["resourceType"] == "Organization"


def test_everything_stands_in_its_section(record: FedRecord, health: HealthRecord) -> None:
    health.enter(allergy())
    health.enter(condition())
    health.enter(condition("195967001", "Asthme de l'enfance", status="resolved"))
    health.enter(medication("C09AA05", "Ramipril", dosage=[{"text": "1 le matin"}]))
    health.enter(immunization())
    health.enter(procedure(performedDateTime="2001-04"))
    health.enter(family())
    health.enter(observation(82, "2026-02-01"))
    health.enter(observation(71, "2026-02-02", "29463-7", "Poids", "vital-signs"))
    health.enter(observation(1, "2026-02-02", "72166-2", "Tabac", "social-history"))

    found = summary(record)

    assert {code: names(found, code) for code in sections(found) if code not in ("104605-1", "10157-6")} == {
        "48765-2": ["Allergie aux pénicillines"],
        "10160-0": ["Ramipril"],
        "11450-4": ["Hypertension artérielle"],
        "11348-0": ["Asthme de l'enfance"],
        "47519-4": ["Appendicectomie"],
        "11369-6": ["Vaccin tétanique"],
        "30954-2": ["Créatinine"],
        "8716-3": ["Poids"],
        "29762-2": ["Tabac"],
    }
    assert entries_of(found, "10157-6")[0]["condition"][0]["code"]["text"] == "Cancer du sein"
    assert "1 le matin, en cours" in sections(found)["10160-0"]["text"]["div"]
    assert "<td>04/2001</td>" in sections(found)["47519-4"]["text"]["div"]


def test_what_a_document_says_is_told_with_where_it_says_it(record: FedRecord, health: HealthRecord) -> None:
    document = health.offer(allergy(), section="48765-2")

    found = summary(record)

    [stated] = entries_of(found, "48765-2")
    [extension] = [one for one in stated["extension"] if one["url"] == SOURCE]
    parts = {one["url"]: one for one in extension["extension"]}
    assert parts["document"]["valueReference"]["reference"] == f"{BASE}/DocumentReference/{document}"
    assert parts["section"]["valueCodeableConcept"]["coding"][0]["code"] == "48765-2"
    [source] = resources(found, "DocumentReference")
    assert source["id"] == document
    assert source["content"][0]["attachment"]["url"] == f"{BASE}/Binary/{document}"
    assert source["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "Lettre de liaison, 27/02/2026" in sections(found)["48765-2"]["text"]["div"]


def test_the_same_thing_is_told_once_as_it_was_entered_with_all_its_sources(
    record: FedRecord, health: HealthRecord
) -> None:
    documents = {health.offer(condition()), health.offer(condition())}
    entered = health.enter(condition())

    found = summary(record)

    [stated] = entries_of(found, "11450-4")
    sources = [one for one in stated["extension"] if one["url"] == SOURCE]
    told = {one["extension"][0]["valueReference"]["reference"].rpartition("/")[2] for one in sources}
    assert stated["id"] == entered
    assert told == documents
    div = sections(found)["11450-4"]["text"]["div"]
    assert "Saisi par un professionnel (Alix MARTIN) ; Lettre de liaison, 27/02/2026" in div


def test_of_each_test_the_last_five_results_are_told_the_newest_first(record: FedRecord, health: HealthRecord) -> None:
    health.offer(*(observation(80 + day, f"2026-01-0{day}") for day in range(1, 8)), section="30954-2")

    found = summary(record)

    assert [one["valueQuantity"]["value"] for one in entries_of(found, "30954-2")] == [87, 86, 85, 84, 83]
    assert "87 µmol/L (07/01/2026) ; 86 µmol/L (06/01/2026)" in sections(found)["30954-2"]["text"]["div"]


def test_what_was_entered_in_error_is_not_told(record: FedRecord, health: HealthRecord) -> None:
    health.enter(observation(1, "2026-01-01") | {"status": "entered-in-error"})
    health.enter(condition(), is_deleted=True)

    found = summary(record)

    assert "30954-2" not in sections(found)
    assert names(found, "11450-4") == ["Aucune information sur les problèmes de santé"]


def test_what_is_masked_is_told_to_the_patient_and_the_medecin_traitant_alone(
    record: FedRecord, health: HealthRecord
) -> None:
    record.name_attending_physician(PHYSICIAN)
    record.mask(health.offer(condition("38341003", "Offert")))
    health.enter(condition("73211009", "Saisi"), by=STRANGER, visibility=[Visibility.MASQUE_PS])

    told = {who: set(names(summary(record, who), "11450-4")) for who in (SPECIALIST, record.patient, PHYSICIAN)}

    assert told == {
        SPECIALIST: {"Aucune information sur les problèmes de santé"},
        record.patient: {"Offert", "Saisi"},
        PHYSICIAN: {"Offert", "Saisi"},
    }


def test_a_document_that_was_replaced_or_deleted_offers_nothing(record: FedRecord, health: HealthRecord) -> None:
    document = health.offer(condition())
    assert names(summary(record), "11450-4") == ["Hypertension artérielle"]

    assert record.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR).status == 204

    assert names(summary(record), "11450-4") == ["Aucune information sur les problèmes de santé"]


def test_a_profession_sees_what_its_documents_show(record: FedRecord, health: HealthRecord) -> None:
    podiatrist = requester_professional("10109999999", "1690000009", profession="99")
    record.authorise(podiatrist)
    health.offer(condition())

    found = summary(record, podiatrist)

    assert names(found, "11450-4") == ["Aucune information sur les problèmes de santé"]


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [
        (STRANGER, 403, "not-authorised"),
        (AUTHOR, 403, "not-authorised"),
        (HOSPITAL, 403, "not-authorised"),
        (requester_employee(), 403, "not-authorised"),
        (requester_patient(), 404, "no-record"),
    ],
    ids=["stranger", "depositor", "server", "secretary", "somebody else"],
)
def test_whoever_may_not_read_the_record_gets_no_summary(
    record: FedRecord, health: HealthRecord, who: Requester, status: int, code: str
) -> None:
    health.offer(condition())

    answer = record.api.get(f"/fhir/Patient/{record.id}/$summary", as_=who)

    assert (answer.status, answer.code) == (status, code)
    assert record.trace()[-1]["outcome"] == "8"


def test_a_blocked_professional_and_a_closed_record_give_no_summary(record: FedRecord) -> None:
    url = f"/fhir/Patient/{record.id}/$summary"
    record.block(SPECIALIST)
    blocked = record.api.get(url, as_=SPECIALIST)
    body = bodies.parameters(motive={"valueCode": "patient-demande"})
    assert record.api.post(f"/fhir/Patient/{record.id}/$close", body, as_=record.patient).status == 200

    closed = record.api.get(url, as_=record.patient)

    assert (blocked.status, blocked.code) == (403, "blocked")
    assert (closed.status, closed.code) == (409, "record-closed"), "as of every operation"


def test_a_record_that_is_not_there_has_no_summary(record: FedRecord) -> None:
    for identity in ("0" * len(record.id), "nonsense", "a.b"):
        answer = record.api.get(f"/fhir/Patient/{identity}/$summary", as_=record.patient)

        assert (answer.status, answer.code) == (404, "no-record")


def test_an_emergency_shows_the_summary_with_what_is_masked_only_where_the_patient_wants_that(
    record: FedRecord, health: HealthRecord
) -> None:
    health.offer(allergy())
    record.mask(health.offer(condition()))
    reason = bodies.parameters(mode={"valueCode": "BTG"}, reason={"valueString": "Inconscient"})
    declared = record.api.post(f"/fhir/Patient/{record.id}/$emergency-access", reason, as_=STRANGER)
    assert declared.status == 201, declared.body

    before = summary(record, STRANGER)
    shown = bodies.consent(record.id, "masked-in-emergency", "permit", None, "", purpose=[_purpose("BTG")])
    assert record.api.post("/fhir/Consent", shown, as_=record.patient).status == 201
    after = summary(record, STRANGER)

    assert names(before, "48765-2") == ["Allergie aux pénicillines"]
    assert names(before, "11450-4") == ["Aucune information sur les problèmes de santé"]
    assert names(after, "11450-4") == ["Hypertension artérielle"]
    assert record.trace()[-1]["purpose"] == "BTG"


def _purpose(code: str) -> Json:
    return {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code}


def test_a_summary_is_one_entry_of_the_trace(record: FedRecord) -> None:
    before = len(record.trace())

    summary(record)

    [entry] = record.trace()[before:]
    assert entry["what"] == [f"Patient/{record.id}/$summary"]
    assert entry["reason"] == "authorised"
    assert not any(record.ins in str(one) for one in entry.values())


def test_advance_directives_are_told_to_whoever_may_see_their_document(record: FedRecord, health: HealthRecord) -> None:
    kind = {"system": "urn:oid:1.2.250.1.213.1.1.4.12", "code": "EXPPAT_3"}
    document = record.publish(record.patient, type={"coding": [kind]})
    health.offer(document=document)
    pharmacist = requester_professional("10108888888", "1690000008", profession="21")
    record.authorise(pharmacist)

    found, hidden = summary(record), summary(record, pharmacist)

    assert [one["id"] for one in entries_of(found, "42348-3")] == [document]
    assert "Directives anticipées" in sections(found)["42348-3"]["text"]["div"]
    assert "42348-3" not in sections(hidden)


def test_the_people_around_the_patient_and_the_medecin_traitant_are_named(record: FedRecord) -> None:
    person = {
        "resourceType": "RelatedPerson",
        "patient": {"reference": f"Patient/{record.id}"},
        "relationship": [{"text": "Personne de confiance"}, {"coding": [{"system": V2_ROLES, "code": "C"}]}],
        "name": [{"family": "DUVAL", "given": ["Noé"]}],
        "telecom": [{"system": "phone", "value": "0601020304"}],
    }
    assert record.api.post("/fhir/RelatedPerson", person, as_=record.patient).status == 201
    record.name_attending_physician(PHYSICIAN)

    found = summary(record)

    assert [one["name"][0]["family"] for one in entries_of(found, "contacts")] == ["DUVAL"]
    div = sections(found)["contacts"]["text"]["div"]
    assert all(word in div for word in ("Noé DUVAL", "Personne de confiance, personne à prévenir en cas", "0601020304"))
    [physician] = resources(found, "Practitioner")
    assert physician["identifier"][0]["value"] == PHYSICIAN.identifier.value
    [patient] = resources(found, "Patient")
    assert len(patient["generalPractitioner"]) == 1


def test_treatments_that_do_not_go_together_are_warned_of(record: FedRecord, health: HealthRecord) -> None:
    health.enter(allergy())
    health.offer(medication())
    health.offer(medication("C09AA05", "Ramipril"), medication("C09AA04", "Périndopril"))
    health.offer(medication("1234567", "Sirop sans code ATC") | {"medicationCodeableConcept": {"text": "Sirop"}})

    found = summary(record)

    issues = {one["severity"]: one for one in resources(found, "DetectedIssue")}
    assert set(issues) == {"high", "low"}
    assert issues["high"]["code"]["coding"][0]["code"] == "ALGY"
    assert len(issues["high"]["implicated"]) == 2
    assert issues["low"]["code"]["coding"][0]["code"] == "DUPTHPY"
    assert len(entries_of(found, "104605-1")) == 2
    div = sections(found)["104605-1"]["text"]["div"]
    assert "Allergie déclarée (Allergie aux pénicillines) ; traitement concerné (pénicillines) : Amoxicilline" in div
    assert "Traitements en cours contrôlés : 3." in div
    assert "sans code ATC, non contrôlés : 1." in div


@pytest.mark.parametrize("status", ["completed", "stopped", "on-hold", "not-taken"])
def test_a_treatment_that_is_over_is_not_warned_of(record: FedRecord, health: HealthRecord, status: str) -> None:
    health.enter(allergy())
    health.enter(medication(status=status))
    health.enter(medication("J01CR02", "Ancien", effectivePeriod={"end": "2020-01-01"}))

    found = summary(record)

    assert not resources(found, "DetectedIssue")


def test_words_that_a_client_sent_stay_words(record: FedRecord, health: HealthRecord) -> None:
    health.enter(condition(display="<script>alert(1)</script> & 'x' \"y\" ]]>" + "é" * 5000))
    health.enter(allergy(note=[{"text": "<img src=x onerror=y>"}]))

    found = summary(record)

    div = sections(found)["11450-4"]["text"]["div"]
    assert "&lt;script&gt;" in div
    assert "<script" not in div


def test_a_reference_that_leads_out_of_the_document_becomes_words(record: FedRecord, health: HealthRecord) -> None:
    elsewhere = {"reference": "https://ailleurs.example/fhir/Practitioner/1"}
    health.enter(condition(asserter=elsewhere, encounter={"reference": "Encounter/7", "display": "Séjour"}))

    [stated] = entries_of(summary(record), "11450-4")

    assert stated["asserter"] == {"display": "https://ailleurs.example/fhir/Practitioner/1"}
    assert stated["encounter"] == {"display": "Séjour"}


def test_wishes_are_told_without_the_document_that_the_caller_may_not_see(
    record: FedRecord, health: HealthRecord
) -> None:
    kind = {"system": "urn:oid:1.2.250.1.213.1.1.4.12", "code": "EXPPAT_3"}
    document = record.publish(record.patient, type={"coding": [kind]})
    written = bodies.consent(record.id, "advance-directives", "permit", None, "")
    written["sourceReference"] = {"reference": f"DocumentReference/{document}"}
    for body in (written, bodies.consent(record.id, "organ-donation", "deny", None, "")):
        answer = record.api.post("/fhir/Consent", body, as_=record.patient)
        assert answer.status == 201, answer.body
    before = entries_of(summary(record), "42348-3")
    record.mask(document)

    after = summary(record)

    assert [one["resourceType"] for one in before] == ["Consent", "Consent", "DocumentReference"]
    assert before[0]["sourceReference"]["reference"] == f"{BASE}/DocumentReference/{document}"
    assert [one["resourceType"] for one in entries_of(after, "42348-3")] == ["Consent", "Consent"]
    assert document not in str(after)
    div = sections(after)["42348-3"]["text"]["div"]
    assert "opposition exprimée" in div
    assert "rédigées" in div


def test_a_representative_sees_neither_what_is_hidden_from_them_nor_who_entered_in_secret(
    api: ApiClient, stack: dict[str, str]
) -> None:
    minor = open_minor_record(api, stack)
    health = HealthRecord(minor)
    health.enter(condition("1", "Montré"), is_secret=True)
    health.enter(condition("2", "Caché"), visibility=[Visibility.INVISIBLE_REPRESENTANTS_LEGAUX])
    hidden = {"coding": [{"code": "INVISIBLE_REPRESENTANTS_LEGAUX"}]}
    health.offer(condition("3", "Offert"), securityLabel=[hidden])

    told = {who: summary(minor, who) for who in (minor.guardian, minor.patient)}

    assert names(told[minor.guardian], "11450-4") == ["Montré"]
    assert set(names(told[minor.patient], "11450-4")) == {"Montré", "Caché", "Offert"}
    assert "Alix MARTIN" not in sections(told[minor.guardian])["11450-4"]["text"]["div"]


def test_a_caregiver_reads_the_summary(record: FedRecord) -> None:
    caregiver = requester_patient(bodies.qualified(bodies.new_ins()), name="Claude AIDE")
    person = bodies.guardian(caregiver.ins.value if caregiver.ins else "", relationship=[{"text": "Voisine"}])
    body = bodies.consent(record.id, "delegation", "permit", None, "")
    body["contained"] = [{**person, "id": "p", "patient": {"reference": f"Patient/{record.id}"}}]
    body["provision"]["actor"] = [{"reference": {"reference": "#p"}}]
    answer = record.api.post("/fhir/Consent", body, as_=record.patient)
    assert answer.status == 201, answer.body

    found = summary(record, caregiver)

    assert "Voisine, aidant" in sections(found)["contacts"]["text"]["div"]


def test_an_app_is_told_what_its_scopes_name(record: FedRecord, health: HealthRecord) -> None:
    health.offer(allergy(), condition())
    scopes = ("patient/AllergyIntolerance.rs", "patient/Patient.r")

    found = summary(record, replace(record.patient, scopes=scopes))
    refused = record.api.get(f"/fhir/Patient/{record.id}/$summary", as_=replace(record.patient, scopes=scopes[:1]))

    assert names(found, "48765-2") == ["Allergie aux pénicillines"]
    assert names(found, "11450-4") == ["Aucune information sur les problèmes de santé"]
    assert not resources(found, "DocumentReference")
    assert "Lettre" not in str(found)
    assert refused.status == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_summary_is_only_read(record: FedRecord, method: str) -> None:
    answer = record.api.request(method, f"/fhir/Patient/{record.id}/$summary", {}, as_=record.patient)

    assert (answer.status, answer.code) == (405, "method-not-allowed")


def test_operations_that_change_something_are_not_asked_by_get(record: FedRecord) -> None:
    records = import_module("handlers.records")
    posted = [route.pattern.replace("{id}", record.id) for route in records.ROUTES if "{id}/$" in route.pattern]

    answers = [record.api.get(f"/fhir/{url}", as_=record.patient) for url in posted]

    assert len(posted) > 4
    assert {(one.status, one.code) for one in answers} == {(405, "method-not-allowed")}


def test_a_summary_can_be_asked_for_by_head_and_with_an_encoded_dollar(record: FedRecord) -> None:
    head = record.api.head(f"/fhir/Patient/{record.id}/$summary", as_=SPECIALIST)
    encoded = record.api.get(f"/fhir/Patient/{record.id}/%24summary", as_=SPECIALIST)

    assert (head.status, head.body) == (200, b"")
    assert encoded.status == 200
    assert encoded.headers["cache-control"] == "no-store"


def test_what_cannot_be_traced_is_not_told(record: FedRecord, health: HealthRecord) -> None:
    health.offer(allergy())

    with refused("PutItem"):
        answer = record.api.get(f"/fhir/Patient/{record.id}/$summary", as_=SPECIALIST)

    assert (answer.status, answer.code) == (503, "service-unavailable")
    assert b"penicilline" not in answer.body.lower()
