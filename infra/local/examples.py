"""Bodies for trying the API, of invented people: `python -m infra.local.examples submission [record id]` prints one."""

import base64
import hashlib
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from dmp.domain.identifiers import PS_IDNAT
from dmp.fhir import systems
from infra.local import demo_documents
from infra.local.personas import PATIENT, PERSONAS

BIRTH_PLACE = "75056"
_BY_ID = {persona.id: persona for persona in PERSONAS}

type Resource = dict[str, Any]


def main(name: str, *arguments: str) -> None:
    """Print the body of that name as JSON."""
    now = datetime.now(UTC)
    bodies: dict[str, Callable[..., Resource]] = {
        "opening": lambda: opening(now),
        "submission": lambda record: submission(record, now),
        "biology": lambda record: biology(record, now),
        "synthesis": lambda record: synthesis(record, now),
        "consultation": lambda record: consultation(record, now),
        "authorisation": lambda record, persona: consent(record, "authorisation", persona),
        "revocation": revocation,
    }
    print(json.dumps(bodies[name](*arguments), ensure_ascii=False))


def revocation() -> Resource:
    """The FHIRPath Patch that ends a Consent."""
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Consent.status"},
        {"name": "value", "valueCode": "inactive"},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


def opening(now: datetime) -> Resource:
    """The Parameters of `$open`."""
    place = {"extension": [{"url": systems.FR_INSEE_CODE, "valueCoding": _coding(systems.COMMUNE, BIRTH_PLACE)}]}
    patient = {
        "resourceType": "Patient",
        "extension": [{"url": systems.BIRTH_PLACE, "valueAddress": place}],
        "identifier": [{"use": "official", "system": PATIENT.ins_system, "value": PATIENT.ins}],
        "name": [{"use": "official", "family": PATIENT.birth_name, "given": [PATIENT.given]}],
        "gender": "female",
        "birthDate": PATIENT.birth_date.isoformat(),
        "telecom": [{"system": "email", "value": "camille.roussel@example.org"}],
    }
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "resource": patient},
            {"name": "method", "valueCode": "electronic"},
            {"name": "date", "valueDateTime": now.isoformat(timespec="seconds")},
        ],
    }


def consent(record: str, kind: str, actor: str) -> Resource:
    """A Consent of a kind that permits, for a professional among the personas."""
    who = {"system": PS_IDNAT, "value": _BY_ID[actor].claims["SubjectNameID"]}
    role = {"coding": [_coding(systems.PARTICIPATION_TYPE, "IRCP")]}
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [_coding(systems.CONSENT_SCOPE, "patient-privacy")]},
        "category": [
            {"coding": [_coding(systems.LOINC, systems.CONSENT_DOCUMENT)]},
            {"coding": [_coding(systems.DMP_CONSENT_KIND, kind)]},
        ],
        "patient": {"reference": f"Patient/{record}"},
        "provision": {"type": "permit", "actor": [{"role": role, "reference": {"identifier": who}}]},
    }


def submission(record: str, at: datetime) -> Resource:
    """ITI-65: a discharge letter whose CDA says what the minimal metadata leave out."""
    unique_id = _oid()
    letter = demo_documents.discharge_letter(PATIENT, unique_id, at)
    document = _document(record, unique_id, letter, "application/xml")
    attachment = document["content"][0]["attachment"]
    url, binary = _urn(), _urn()
    del attachment["data"]
    attachment["url"] = binary
    submission_set = {
        "resourceType": "List",
        "extension": [
            {"url": systems.MHD_SOURCE_ID, "valueIdentifier": {"system": systems.URI, "value": f"urn:oid:{_oid()}"}}
        ],
        "identifier": [{**_unique(_oid()), "use": "usual"}],
        "status": "current",
        "mode": "working",
        "code": {"coding": [_coding(systems.MHD_LIST_TYPES, "submissionset")]},
        "subject": {"reference": f"Patient/{record}"},
        "date": at.isoformat(timespec="seconds"),
        "entry": [{"item": {"reference": url}}],
    }
    content = {"resourceType": "Binary", "contentType": "application/xml", "data": _base64(letter)}
    return {
        "resourceType": "Bundle",
        "meta": {"profile": [systems.MHD_PROVIDE_MINIMAL]},
        "type": "transaction",
        "entry": [
            {"fullUrl": _urn(), "resource": submission_set, "request": {"method": "POST", "url": "List"}},
            {"fullUrl": url, "resource": document, "request": {"method": "POST", "url": "DocumentReference"}},
            {"fullUrl": binary, "resource": content, "request": {"method": "POST", "url": "Binary"}},
        ],
    }


def biology(record: str, at: datetime) -> Resource:
    """ITI-105: a biology report, a structured CDA."""
    unique_id = _oid()
    return _document(record, unique_id, demo_documents.biology_report(PATIENT, unique_id, at), "application/xml")


def synthesis(record: str, at: datetime) -> Resource:
    """ITI-105: a medical synthesis (VSM), a structured CDA."""
    unique_id = _oid()
    return _document(record, unique_id, demo_documents.medical_synthesis(PATIENT, unique_id, at), "application/xml")


def consultation(record: str, at: datetime) -> Resource:
    """ITI-105: a consultation report, a PDF."""
    document = _document(record, _oid(), demo_documents.consultation_pdf(PATIENT, at), "application/pdf")
    document["type"] = {"coding": [_coding(systems.LOINC, "11488-4")]}
    document["date"] = at.isoformat(timespec="seconds")
    document["content"][0]["attachment"]["title"] = "Compte rendu de consultation"
    return document


def _document(record: str, unique_id: str, content: bytes, content_type: str) -> Resource:
    """The metadata that a sender knows without reading the document."""
    attachment = {
        "contentType": content_type,
        "language": "fr-FR",
        "data": _base64(content),
        "size": len(content),
        "hash": _base64(hashlib.sha1(content).digest()),  # nosec B324 # noqa: S324 - the hash that FHIR asks for
    }
    return {
        "resourceType": "DocumentReference",
        "masterIdentifier": _unique(unique_id),
        "status": "current",
        "subject": {"reference": f"Patient/{record}"},
        "content": [{"attachment": attachment}],
    }


def _unique(oid: str) -> Resource:
    kind = {"coding": [_coding(systems.MHD_IDENTIFIER_TYPE, "uniqueId")]}
    return {"type": kind, "system": systems.URI, "value": f"urn:oid:{oid}"}


def _coding(system: str, code: str) -> dict[str, str]:
    return {"system": system, "code": code}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _urn() -> str:
    return uuid4().urn


def _oid() -> str:
    return f"2.25.{uuid4().int}"


if __name__ == "__main__":
    main(*sys.argv[1:])
