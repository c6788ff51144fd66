"""Every published CDA sample, deposited with nothing said of it but its status, its patient and its type of content."""

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dmp.adapters import aws, keys
from dmp.cda.timestamp import instant
from dmp.composition import foundation
from dmp.domain.clinical_document import unique_id_of
from dmp.domain.code_lists import document_type
from dmp.domain.identifiers import INS_SYSTEMS, Identifier
from dmp.fhir.systems import URI
from dmp.fhir.times import parse_datetime
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.fed_record import AUTHOR, FedRecord, open_record
from tests.requester_factories import requester_patient

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "cda"
VERSION = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-version"

type Json = dict[str, Any]


def published() -> list[Json]:
    index = SAMPLES / "_index.json"
    return json.loads(index.read_bytes()) if index.exists() else []


every_sample = pytest.mark.parametrize("sample", published(), ids=lambda sample: sample["file"])
pytestmark = pytest.mark.skipif(not published(), reason="the published samples are not here")


def deposited(record: FedRecord, sample: Json) -> Response:
    """Deposit a sample, leaving everything to the document."""
    content = (SAMPLES / sample["file"]).read_bytes()
    attachment = {"contentType": "text/xml", "data": base64.b64encode(content).decode()}
    body = {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": {"reference": f"Patient/{record.id}"},
        "content": [{"attachment": attachment}],
    }
    return record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)


@every_sample
def test_a_sample_about_somebody_else_is_refused(api: ApiClient, stack: dict[str, str], sample: Json) -> None:
    record = open_record(api, stack)

    answer = deposited(record, sample)

    assert (answer.status, answer.code) == (422, "ins-mismatch")
    assert record.objects() == {}


def test_every_sample_is_taken_into_the_record_of_its_person(api: ApiClient, stack: dict[str, str]) -> None:
    samples = [one for one in published() if one["ins"][0]["keyValid"]]
    records: dict[str, FedRecord] = {}

    for sample in samples:
        [ins] = sample["ins"]
        if ins["extension"] not in records:
            records[ins["extension"]] = opened_for(api, stack, ins, sample["birthTime"])

        answer = deposited(records[ins["extension"]], sample)

        assert answer.status == 201, (sample["file"], answer.body)
        assert told(answer.json) == expected(sample), sample["file"]
    for ins, record in records.items():
        assert len(record.found(AUTHOR, "status=current&_count=100")) == sum(
            one["ins"][0]["extension"] == ins for one in samples
        )


def opened_for(api: ApiClient, stack: dict[str, str], ins: Json, born: str) -> FedRecord:
    """A record of the person whom a sample is about, whatever another test opened for the same person."""
    value, system = ins["extension"], f"urn:oid:{ins['root']}"
    known = keys.ins(foundation().keyring.ins_digest(Identifier(system, value)))
    aws.client("dynamodb").delete_item(TableName=stack["RECORDS_TABLE"], Key=known)
    patient, birth_date = requester_patient(f"{system}|{value}"), f"{born[:4]}-{born[4:6]}-{born[6:]}"
    body = bodies.opening(value, patient={"resource": bodies.patient(value, system, birthDate=birth_date)})
    answer = api.post("/fhir/Patient/$open", body, as_=patient)
    assert answer.status == 201, answer.body
    return FedRecord(api, answer.id, value, patient, stack)


def told(resource: Json) -> Json:
    """What a stored DocumentReference says, in the words of the index."""
    context, attachment = resource["context"], resource["content"][0]["attachment"]
    author, source = named(resource, resource["author"][0]), named(resource, context["sourcePatientInfo"])
    authenticator = named(resource, resource["authenticator"])
    role = author.get("specialty", [author.get("type")])[0]
    employer = author.get("organization") or author.get("owner")
    structure = named(resource, employer) if employer else None
    type_ = document_type(*(resource["type"]["coding"][0][name] for name in ("system", "code")))
    assert type_
    return {
        "uniqueId": unique_id_of(Identifier(URI, value_of(resource["masterIdentifier"]))),
        "setId": [one["value"] for one in resource["identifier"] if one["type"] == {"text": "setId"}],
        "version": [one["valueString"] for one in resource["extension"] if one["url"] == VERSION],
        "typeCode": type_.code,
        "class": [one["coding"][0]["code"] for one in resource["category"]] == [type_.class_code],
        "title": attachment["title"],
        "effectiveTime": moment(attachment["creation"]),
        "serviceStart": moment(context["period"]["start"]),
        "confidentiality": resource["securityLabel"][0]["coding"][0]["code"],
        "language": attachment["language"],
        "ins": [one["value"] for one in source["identifier"] if one["system"] in INS_SYSTEMS],
        "birthTime": source["birthDate"].replace("-", ""),
        "gender": source["gender"],
        "birthName": source["name"][0]["family"],
        "author": value_of(author["identifier"][0]),
        "role": role["coding"][0]["code"] if role else None,
        "authorOrg": value_of(structure["identifier"][0]) if structure else None,
        "legalAuthenticator": value_of(authenticator["identifier"][0]),
        "custodian": bool(value_of(resource["custodian"]["identifier"])),
        "facilityType": context["facilityType"]["coding"][0]["code"],
        "practiceSetting": context["practiceSetting"]["coding"][0]["code"],
        "replaces": [one["code"] for one in resource.get("relatesTo", [])],
        "format": bool(resource["content"][0]["format"]["code"]),
    }


def expected(sample: Json) -> Json:
    """The same, as the index has it."""
    return {
        "uniqueId": f"urn:oid:{sample['uniqueId']}",
        "setId": [f"urn:oid:{sample['setId']}"],
        "version": [sample["version"]],
        "typeCode": sample["typeCode"],
        "class": True,
        "title": sample["title"].strip(),
        "effectiveTime": instant(sample["effectiveTime"]),
        "serviceStart": instant(sample["serviceStart"]),
        "confidentiality": sample["confidentiality"],
        "language": "fr-FR",
        "ins": [sample["ins"][0]["extension"]],
        "birthTime": sample["birthTime"],
        "gender": {"F": "female", "M": "male"}[sample["gender"]],
        "birthName": sample["patientName"]["family.BR"],
        "author": sample["author"]["extension"],
        "role": sample["author"]["role"],
        "authorOrg": sample["authorOrg"]["extension"] if sample["authorOrg"] else None,
        "legalAuthenticator": sample["legalAuthenticator"],
        "custodian": True,
        "facilityType": sample["facilityType"],
        "practiceSetting": sample["practiceSetting"],
        "replaces": ["replaces"] * len(sample["relatedDocuments"]),
        "format": True,
    }


def named(resource: Json, reference: Json) -> Json:
    """The contained resource at the end of a reference."""
    [found] = [one for one in resource["contained"] if f"#{one['id']}" == reference["reference"]]
    return dict(found)


def value_of(identifier: Json) -> str:
    return str(identifier["value"])


def moment(text: str) -> datetime:
    moments = parse_datetime(text)
    assert moments
    return moments[0]
