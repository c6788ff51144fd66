"""The medical record of the demonstration from outside: profile, summary, all of it, reimbursements, apps, archive."""

import io
import json
import time
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from infra.local.personas import PATIENT
from infra.local.process import LocalProcess
from tests.fhir_validity import assert_valid_r4
from tests.http_people import Caller

type Json = dict[str, Any]

ORIGIN = "https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-origin"
SOURCE = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-source"


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalProcess]:
    with LocalProcess(seed="demo", LOG_LEVEL="ERROR") as stack:
        yield stack


@pytest.fixture(scope="module")
def people(stack: LocalProcess) -> dict[str, Caller]:
    personas = httpx.get(f"{stack.url}/local/personas").json()
    return {one["id"]: Caller(stack, one["access_token"]) for one in personas}


@pytest.fixture(scope="module")
def record(people: dict[str, Caller]) -> str:
    found = people["patient"].get(f"Patient?identifier={PATIENT.ins_system}|{PATIENT.ins}")
    return str(found.json()["entry"][0]["resource"]["id"])


def allergy(record: str, code: str, display: str) -> Json:
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": {"coding": [{"system": system("allergyintolerance-clinical"), "code": "active"}]},
        "verificationStatus": {"coding": [{"system": system("allergyintolerance-verification"), "code": "confirmed"}]},
        "code": {"coding": [{"system": "http://www.whocc.no/atc", "code": code, "display": display}]},
        "patient": {"reference": f"Patient/{record}"},
    }


def system(name: str) -> str:
    return f"http://terminology.hl7.org/CodeSystem/{name}"


def entries(bundle: Json, kind: str) -> list[Json]:
    found = [entry["resource"] for entry in bundle.get("entry", [])]
    return [one for one in found if one["resourceType"] == kind]


def origin(resource: Json) -> str:
    return next(str(tag["code"]) for tag in resource["meta"]["tag"] if tag["system"] == ORIGIN)


def test_what_documents_say_stands_beside_what_is_entered_with_its_source(
    record: str, people: dict[str, Caller]
) -> None:
    own = people["patient"].post("AllergyIntolerance", allergy(record, "J01CA04", "Amoxicilline"))
    found = people["specialist"].get(f"MedicationStatement?patient={record}").json()

    candidates = entries(found, "MedicationStatement")
    listed = people["specialist"].get(f"AllergyIntolerance?patient={record}").json()

    assert own.status_code == 201, own.text
    assert origin(own.json()) == "patient"
    assert {"Ramipril 5 mg", "Metformine 1000 mg"} <= {text(one["medicationCodeableConcept"]) for one in candidates}
    for one in candidates:
        [source] = [each for each in one["extension"] if each["url"] == SOURCE]
        reference = next(
            each["valueReference"]["reference"] for each in source["extension"] if each["url"] == "document"
        )
        assert people["specialist"].get(reference).status_code == 200
    assert next(one["id"] for one in entries(listed, "AllergyIntolerance")) == own.json()["id"]


def text(concept: Json) -> str:
    return str(concept.get("text") or concept["coding"][0]["display"])


def test_nothing_of_a_masked_document_is_said(record: str, people: dict[str, Caller]) -> None:
    patient, specialist = people["patient"], people["specialist"]
    [document] = entries(
        patient.get(f"DocumentReference?patient={record}&status=current&type=SYNTH").json(), "DocumentReference"
    )
    mask = {
        "system": "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument",
        "code": "MASQUE_PS",
    }
    labels = [
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]},
        {"coding": [mask]},
    ]
    path = f"DocumentReference/{document['id']}"

    assert patient.patch(path, [{"op": "replace", "path": "/securityLabel", "value": labels}]).status_code == 200
    hidden = (
        specialist.get(f"Patient/{record}/$summary").text + specialist.get(f"MedicationStatement?patient={record}").text
    )
    found = specialist.get(f"DocumentReference?patient={record}&status=current&_content=metformine").json()
    shown = patient.get(f"Patient/{record}/$summary").text
    assert patient.patch(path, [{"op": "replace", "path": "/securityLabel", "value": labels[:1]}]).status_code == 200

    assert "etformine" not in hidden
    assert "entry" not in found
    assert "etformine" in shown
    assert "etformine" in specialist.get(f"Patient/{record}/$summary").text


def test_the_main_information_is_one_call_away(record: str, people: dict[str, Caller]) -> None:
    answer = people["specialist"].get(f"Patient/{record}/$summary")

    bundle = answer.json()
    composition = bundle["entry"][0]["resource"]
    codes = {section["code"]["coding"][0]["code"] for section in composition["section"]}

    assert answer.status_code == 200
    assert_valid_r4(bundle)
    assert (bundle["type"], composition["resourceType"]) == ("document", "Composition")
    assert {"11450-4", "48765-2", "10160-0", "8716-3"} <= codes
    assert "Hypertension artérielle" in answer.text
    assert "Ramipril" in answer.text
    assert people["nurse"].get(f"Patient/{record}/$summary").status_code == 403


def test_the_summary_is_there_in_an_emergency(record: str, people: dict[str, Caller]) -> None:
    declared = {
        "resourceType": "Parameters",
        "parameter": [{"name": "mode", "valueCode": "ETREAT"}, {"name": "reason", "valueString": "Régulation"}],
    }
    regulator = people["samu-physician"]

    before = regulator.get(f"Patient/{record}/$summary").status_code
    assert regulator.post(f"Patient/{record}/$emergency-access", declared).status_code == 201

    assert before == 403
    assert "Metformine" in regulator.get(f"Patient/{record}/$summary").text


def test_everything_comes_page_by_page(record: str, people: dict[str, Caller]) -> None:
    url, kinds, pages = f"Patient/{record}/$everything?_count=5", [], 0
    while url:
        answer = people["patient"].get(url)
        assert answer.status_code == 200, answer.text
        assert_valid_r4(answer.json())
        kinds += [entry["resource"]["resourceType"] for entry in answer.json().get("entry", [])]
        url = next((link["url"] for link in answer.json()["link"] if link["relation"] == "next"), "")
        pages += 1

    only = people["patient"].get(f"Patient/{record}/$everything?_type=Consent,List").json()

    assert pages > 2
    assert {"Patient", "DocumentReference", "List", "Consent", "MedicationStatement"} <= set(kinds)
    assert {entry["resource"]["resourceType"] for entry in only["entry"]} == {"Consent", "List"}


def line(identifier: str, day: datetime, act: str = "C") -> Json:
    coding = {"system": "urn:oid:1.2.250.1.215.500.1", "code": act, "display": "Consultation"}
    return {
        "resourceType": "ExplanationOfBenefit",
        "identifier": [{"system": "urn:oid:1.2.250.1.215.500.9", "value": identifier}],
        "status": "active",
        "type": {"coding": [{"system": system("claim-type"), "code": "professional"}]},
        "use": "claim",
        "patient": {
            "identifier": {"system": f"urn:oid:{PATIENT.ins_system.removeprefix('urn:oid:')}", "value": PATIENT.ins}
        },
        "created": day.date().isoformat(),
        "insurer": {"display": "Assurance maladie"},
        "provider": {"display": "Louis GARNIER"},
        "outcome": "complete",
        "insurance": [{"focal": True, "coverage": {"display": "Régime général"}}],
        "item": [
            {
                "sequence": 1,
                "productOrService": {"coding": [coding]},
                "servicedDate": day.date().isoformat(),
                "net": {"value": 30, "currency": "EUR"},
            }
        ],
    }


def test_reimbursements_come_by_the_thousand_and_one_by_one(record: str, people: dict[str, Caller]) -> None:
    feed, day = people["cnam-feed"], datetime.now(UTC) - timedelta(days=60)
    lines = [line(f"lot-{number}", day - timedelta(hours=number)) for number in range(300)]
    lines[7]["patient"]["identifier"]["value"] = "279035121518989"
    lines[9].pop("status")
    requests = [{"resource": one, "request": {"method": "POST", "url": "ExplanationOfBenefit"}} for one in lines]
    batch = {"resourceType": "Bundle", "type": "batch", "entry": requests}

    single = feed.post("ExplanationOfBenefit", line("seul-1", day))
    again = feed.post("ExplanationOfBenefit", line("seul-1", day))
    first, second = feed.post("", batch), feed.post("", batch)

    def statuses(answer: httpx.Response) -> list[str]:
        assert answer.status_code == 200, answer.text
        assert_valid_r4(answer.json())
        return [entry["response"]["status"][:3] for entry in answer.json()["entry"]]

    assert (single.status_code, again.status_code) == (201, 200)
    assert statuses(first).count("201") == 298
    assert statuses(second).count("200") == 298
    assert (statuses(first)[7], statuses(first)[9]) == ("404", "422")
    found = people["patient"].get(f"ExplanationOfBenefit?patient={record}&_count=100&_total=accurate").json()
    assert found["total"] == 299 + SEEDED
    assert feed.get(f"ExplanationOfBenefit?patient={record}").status_code == 403


SEEDED = 3
"""Lines that the demonstration has from the start."""


def test_the_content_of_documents_is_found(record: str, people: dict[str, Caller]) -> None:
    def found(words: str) -> list[str]:
        answer = people["specialist"].get(f"DocumentReference?patient={record}&status=current&_content={words}")
        assert answer.status_code == 200, answer.text
        return [one["type"]["coding"][0]["code"] for one in entries(answer.json(), "DocumentReference")]

    deadline = time.monotonic() + 10
    while "11488-4" not in found("consultation") and time.monotonic() < deadline:
        time.sleep(0.2)

    assert found("metformine") == ["SYNTH"]
    assert "11488-4" in found("consultation")
    assert found("introuvable") == []


def test_an_app_gets_a_token_and_reads_what_its_scopes_and_its_user_may(stack: LocalProcess, record: str) -> None:
    discovery = httpx.get(f"{stack.url}/fhir/.well-known/smart-configuration").json()
    verifier = "a-verifier-of-more-than-forty-three-characters-0123"
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    app = {"client_id": "carnet-de-sante", "redirect_uri": "http://127.0.0.1:9/back"}
    asked = {"response_type": "code", "scope": "openid patient/DocumentReference.rs", "state": "s-1"}
    asked |= {**app, "code_challenge": challenge, "code_challenge_method": "S256", "login_hint": "patient"}

    back = httpx.get(discovery["authorization_endpoint"], params=asked).headers["location"]
    [code] = parse_qs(urlsplit(back).query)["code"]
    exchange = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, **app}
    told = httpx.post(discovery["token_endpoint"], data=exchange).json()
    again = httpx.post(discovery["token_endpoint"], data=exchange)
    holder = Caller(stack, told["access_token"])

    assert "patient/DocumentReference.rs" in told["scope"]
    assert again.status_code == 400
    assert holder.get(f"DocumentReference?patient={record}&status=current").status_code == 200
    assert holder.get(f"Consent?patient={record}").status_code == 403
    assert holder.get(f"AllergyIntolerance?patient={record}").status_code == 403
    assert holder.post(f"Patient/{record}/$export").status_code == 403


def test_the_person_takes_everything_away(stack: LocalProcess, record: str, people: dict[str, Caller]) -> None:
    patient = people["patient"]
    asked = patient.post(f"Patient/{record}/$export")
    place = asked.headers["content-location"]
    httpx.post(f"{stack.url}/local/jobs/audit_sealer", json={})

    deadline = time.monotonic() + 20
    while (answer := patient.get(place, accept="application/zip")).status_code == 202 and time.monotonic() < deadline:
        time.sleep(0.2)
    if answer.status_code == 302:
        answer = httpx.get(answer.headers["location"])
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    names = archive.namelist()

    assert asked.status_code == 202
    assert archive.testzip() is None
    assert "index.html" in names
    assert any(name.endswith(".pdf") for name in names)
    assert any("proof" in name or "preuve" in name for name in names)
    assert people["attending-physician"].post(f"Patient/{record}/$export").status_code == 403
    assert people["attending-physician"].get(place).status_code in (403, 404)


def test_the_trace_proves_itself(stack: LocalProcess, record: str, people: dict[str, Caller]) -> None:
    from infra.verify_trace import verify

    people["patient"].get(f"Patient/{record}")
    proof: Json = {}
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not proof.get("seal"):
        time.sleep(0.3)
        httpx.post(f"{stack.url}/local/jobs/audit_sealer", json={})
        proof = json.loads(people["patient"].get(f"AuditEvent/$proof?patient={record}").content)

    assert len(proof["entries"]) > 10
    assert verify(proof) == []


def test_the_care_team_names_who_cares(record: str, people: dict[str, Caller]) -> None:
    found = people["patient"].get(f"CareTeam?patient={record}").json()

    [team] = entries(found, "CareTeam")
    assert len(team["participant"]) >= 2
    assert people["patient"].get(f"CareTeam/{team['id']}").status_code == 200
    assert people["nurse"].get(f"CareTeam?patient={record}").status_code == 403
