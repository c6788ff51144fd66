"""FHIR bodies as clients send them: each complete and right, any element replaced by a keyword or left out by None."""

import base64
import copy
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from dmp.fhir import systems as s

type Json = dict[str, Any]

NOW = datetime(2026, 6, 15, 9, 30, tzinfo=UTC)
RECORD = "0123456789abcdefghjkmnpqrs"
INS = "279035121518989"
INS_SYSTEM = "urn:oid:1.2.250.1.213.1.4.10"
RPPS = "801234567897"
PS = "urn:oid:1.2.250.1.71.4.2.1"
STRUCTURE = "urn:oid:1.2.250.1.71.4.2.2"
FORMATS = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"
TEXT = b"Compte rendu de consultation\n"
SET_URL, DOCUMENT_URL, BINARY_URL = (f"urn:uuid:00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def as_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def merged(resource: Json, changes: Json) -> Json:
    """The resource with these elements instead; None leaves an element out."""
    return {key: value for key, value in {**resource, **changes}.items() if value is not None}


def spoilt(value: Any, junk: Any) -> Iterator[Any]:
    """Copies of a JSON value, each with junk at another place."""
    places = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
    for place in places:
        for item in (junk, *spoilt(value[place], junk)):
            broken = copy.copy(value)
            broken[place] = item
            yield broken


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def patient_reference(ins: str = INS) -> Json:
    return {"reference": f"Patient?identifier={INS_SYSTEM}|{ins}"}


def practitioner(**changes: Any) -> Json:
    identifiers = [{"system": PS, "value": RPPS}]
    return merged({"resourceType": "Practitioner", "id": "author", "identifier": identifiers}, changes)


def contained_patient(ins: str = INS, **changes: Any) -> Json:
    identifiers = [{"system": INS_SYSTEM, "value": ins}]
    return merged({"resourceType": "Patient", "id": "patient", "identifier": identifiers}, changes)


def sha1(content: bytes) -> str:
    return base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


def attachment(content: bytes = TEXT, **changes: Any) -> Json:
    complete = {
        "contentType": "text/plain",
        "language": "fr-FR",
        "url": BINARY_URL,
        "size": len(content),
        "hash": sha1(content),
        "title": "Compte rendu",
        "creation": "2026-06-12T10:00:00+02:00",
    }
    return merged(complete, changes)


def document_reference(content: bytes = TEXT, /, *, file: Json | None = None, **changes: Any) -> Json:
    """A DocumentReference at the PDSm level and at every level of MHD."""
    unique = {"type": concept(s.MHD_IDENTIFIER_TYPE, "uniqueId"), "system": s.URI, "value": "urn:oid:1.2.3.4.5"}
    form = {"system": FORMATS, "code": "urn:ihe:iti:xds-sd:text:2008"}
    complete = {
        "resourceType": "DocumentReference",
        "meta": {"profile": [s.PDSM_DOCUMENT]},
        "contained": [practitioner(), contained_patient()],
        "masterIdentifier": unique,
        "status": "current",
        "type": concept(s.LOINC, "11488-4"),
        "category": [concept(s.DOCUMENT_CLASS, "10")],
        "subject": patient_reference(),
        "date": "2026-06-12T10:00:00+02:00",
        "author": [{"reference": "#author"}],
        "custodian": {"identifier": {"system": STRUCTURE, "value": "1750100125"}},
        "securityLabel": [concept(s.CONFIDENTIALITY, "N")],
        "content": [{"attachment": file or attachment(content), "format": form}],
        "context": {
            "period": {"start": "2026-06-12T09:30:00+02:00"},
            "facilityType": concept("http://snomed.info/sct", "22232009"),
            "practiceSetting": concept("http://snomed.info/sct", "394802001"),
            "sourcePatientInfo": {"reference": "#patient"},
        },
    }
    return merged(complete, changes)


def submission_set(*urls: str, **changes: Any) -> Json:
    designation = {"url": s.MHD_DESIGNATION_TYPE, "valueCodeableConcept": concept(s.DOCUMENT_CLASS, "10")}
    source_id = {"url": s.MHD_SOURCE_ID, "valueIdentifier": {"system": s.URI, "value": "urn:oid:1.2.3"}}
    complete = {
        "resourceType": "List",
        "meta": {"profile": [s.PDSM_SUBMISSION]},
        "contained": [practitioner()],
        "extension": [designation, source_id],
        "identifier": [{"system": s.URI, "value": "urn:oid:1.2.3.4.6"}],
        "status": "current",
        "mode": "working",
        "code": concept(s.MHD_LIST_TYPES, "submissionset"),
        "subject": patient_reference(),
        "date": "2026-06-12T10:00:00+02:00",
        "source": {"reference": "#author"},
        "entry": [{"item": {"reference": url}} for url in urls or (DOCUMENT_URL,)],
    }
    return merged(complete, changes)


def folder(*urls: str, **changes: Any) -> Json:
    designation = {"url": s.MHD_DESIGNATION_TYPE, "valueCodeableConcept": concept(s.DOCUMENT_CLASS, "10")}
    complete = {
        "resourceType": "List",
        "extension": [designation],
        "status": "current",
        "mode": "working",
        "title": "Suivi du diabète",
        "code": concept(s.MHD_LIST_TYPES, "folder"),
        "subject": patient_reference(),
        "date": "2026-06-12T10:00:00+02:00",
        "entry": [{"item": {"reference": url}} for url in urls or (DOCUMENT_URL,)],
    }
    return merged(complete, changes)


def binary(content: bytes = TEXT, **changes: Any) -> Json:
    data = base64.b64encode(content).decode()
    return merged({"resourceType": "Binary", "contentType": "text/plain", "data": data}, changes)


def superseding(target: str, **changes: Any) -> Json:
    parts = [
        {"name": "path", "valueString": "DocumentReference.status"},
        {"name": "type", "valueCode": "replace"},
        {"name": "value", "valueCode": "superseded"},
    ]
    resource = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    return merged(entry("", resource, method="PATCH", url=target), changes)


def entry(full_url: str, resource: Json, *, method: str = "POST", url: str = "") -> Json:
    request = {"method": method, "url": url or resource["resourceType"]}
    return {**({"fullUrl": full_url} if full_url else {}), "resource": resource, "request": request}


def bundle(*entries: Json, profile: str | None = s.PDSM_PROVIDE, **changes: Any) -> Json:
    """An ITI-65 Bundle: a SubmissionSet, a document and its Binary, unless other entries are given."""
    usual = (
        entry(SET_URL, submission_set()),
        entry(DOCUMENT_URL, document_reference()),
        entry(BINARY_URL, binary()),
    )
    meta = {"profile": [profile]} if profile else None
    complete = {"resourceType": "Bundle", "meta": meta, "type": "transaction", "entry": list(entries or usual)}
    return merged(complete, changes)


def publication(content: bytes = TEXT, /, **changes: Any) -> Json:
    """A DocumentReference as ITI-105 takes it."""
    data = base64.b64encode(content).decode()
    file = {"contentType": "text/plain", "data": data, "title": "Compte rendu"}
    simple = document_reference(file=file, meta={"profile": [s.PDSM_SIMPLIFIED_PUBLISH]})
    return merged(simple, changes)


def patient(**changes: Any) -> Json:
    """A Patient as `$open` takes it."""
    insee = {"url": s.FR_INSEE_CODE, "valueCoding": {"system": s.COMMUNE, "code": "51215"}}
    given = {"url": s.FR_BIRTH_GIVEN_NAMES, "valueString": "DOMINIQUE MARIE-LOUISE"}
    complete = {
        "resourceType": "Patient",
        "extension": [{"url": s.BIRTH_PLACE, "valueAddress": {"extension": [insee]}}],
        "identifier": [{"system": INS_SYSTEM, "value": INS}],
        "name": [{"extension": [given], "use": "official", "family": "PAT-TROIS", "given": ["DOMINIQUE"]}],
        "telecom": [{"system": "email", "value": "dominique@example.org"}],
        "gender": "female",
        "birthDate": "1979-03-28",
    }
    return merged(complete, changes)


def guardian(**changes: Any) -> Json:
    complete = {
        "resourceType": "RelatedPerson",
        "identifier": [{"system": INS_SYSTEM, "value": "185032A00402129"}],
        "relationship": [concept("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "FTH")],
        "name": [{"family": "COLONNA-TEST", "given": ["Lisandru"]}],
    }
    return merged(complete, changes)


def parameters(**given: Any) -> Json:
    """Parameters by name; each value is (value[x], value), or a resource."""
    listed = []
    for name, value in given.items():
        if isinstance(value, tuple):
            listed.append({"name": name, value[0]: value[1]})
        elif value is not None:
            listed.append({"name": name, "resource": value})
    return {"resourceType": "Parameters", "parameter": listed}


def opening(**given: Any) -> Json:
    usual = {
        "patient": patient(),
        "method": ("valueCode", "electronic"),
        "date": ("valueDateTime", "2026-06-15T09:00:00Z"),
        "attestation": ("valueString", "Consentement recueilli au guichet"),
    }
    return parameters(**{**usual, **given})


def consent(kind: str = "authorisation", *, provision: Json | None = None, **changes: Any) -> Json:
    """A Consent as a client creates it: an authorisation of a professional for a year."""
    usual = {
        "type": "permit",
        "period": {"start": "2026-06-15T09:30:00Z", "end": "2027-06-14"},
        "actor": [{"reference": {"identifier": {"system": PS, "value": RPPS}, "display": "Dr Durand"}}],
    }
    complete = {
        "resourceType": "Consent",
        "scope": concept(s.CONSENT_SCOPE, "patient-privacy"),
        "category": [concept(s.LOINC, s.CONSENT_DOCUMENT), concept(s.DMP_CONSENT_KIND, kind)],
        "patient": {"reference": f"Patient/{RECORD}"},
        "provision": merged(usual, provision or {}),
    }
    return merged(complete, changes)
