"""What a producer sends beside the metadata proper is kept; small liberties of the field mean what they mean."""

from typing import Any

import pytest

from tests import bodies
from tests.api_client import ApiClient
from tests.fed_record import AUTHOR, FedRecord, open_record

SECURITY = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
TAG = {"system": "https://editor.example/flags", "code": "migrated"}
NAMELESS_CDA = b"""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.250.99.1" extension="nobody"/>
<code code="11490-0" codeSystem="2.16.840.1.113883.6.1"/><title>Lettre</title><effectiveTime value="20260227"/>
<recordTarget><patientRole><id root="1.2.250.99.7" extension="local-42"/></patientRole></recordTarget>
<component><structuredBody/></component></ClinicalDocument>"""


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def stored(record: FedRecord, identity: str) -> dict[str, Any]:
    resource: dict[str, Any] = record.api.get(f"/fhir/DocumentReference/{identity}", as_=AUTHOR).json
    return resource


def test_security_and_tags_of_meta_are_kept_through_changes(record: FedRecord) -> None:
    identity = record.publish(meta={"versionId": "7", "security": [SECURITY], "tag": [TAG]})

    record.mask(identity)

    meta = record.api.get(f"/fhir/DocumentReference/{identity}", as_=AUTHOR).json["meta"]
    assert (meta["security"], meta["tag"], meta["versionId"]) == ([SECURITY], [TAG], "2")


def test_a_profile_may_be_named_with_its_version(record: FedRecord) -> None:
    bundle = bodies.submission(record.id)
    bundle["meta"]["profile"] = [f"{url}|4.2.4" for url in bundle["meta"]["profile"]]

    answer = record.api.post("/fhir", bundle, as_=AUTHOR)

    assert answer.status == 200, answer.body


def test_whom_a_document_contains_without_a_reference_is_kept_but_no_patient(record: FedRecord) -> None:
    organisation = {"resourceType": "Organization", "id": "o", "name": "Cabinet du Port"}
    patient = {"resourceType": "Patient", "id": "somebody"}

    template = bodies.document(record.id)
    identity = record.publish(contained=[*template.get("contained", []), organisation, patient])

    contained = [one["id"] for one in stored(record, identity)["contained"]]
    assert "o" in contained
    assert "somebody" not in contained


def test_what_was_there_already_is_told_with_its_place(record: FedRecord) -> None:
    body = bodies.document(record.id)
    made = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)

    again = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)

    assert (made.status, again.status) == (201, 200)
    assert again.headers["location"] == made.headers["location"]


@pytest.mark.parametrize(("method", "path"), [("GET", "Binary"), ("POST", "Binary"), ("POST", "List"), ("PUT", "List")])
def test_what_a_known_resource_does_not_do_is_not_allowed(record: FedRecord, method: str, path: str) -> None:
    answer = record.api.request(method, f"/fhir/{path}", as_=AUTHOR)

    assert (answer.status, answer.code) == (405, "method-not-allowed")


def test_a_cda_of_somebody_without_an_ins_goes_into_no_record(record: FedRecord) -> None:
    body = bodies.document(record.id, NAMELESS_CDA, content_type="application/xml", masterIdentifier=None)

    answer = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)

    assert (answer.status, answer.code) == (422, "ins-mismatch")
    assert record.find(AUTHOR, "status=current").status == 403
