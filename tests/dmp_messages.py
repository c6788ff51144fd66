"""Messages of the shapes that the DMP's draft shows, for any person and document: TD2.1, TD2.2, ITI-105, TD3.3."""

import base64
from typing import Any
from uuid import uuid4

from tests import bodies

type Json = dict[str, Any]

PDSM = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition"
MHD = "https://profiles.ihe.net/ITI/MHD/StructureDefinition"
NOS = "https://mos.esante.gouv.fr/NOS"
VISIBILITY = f"{NOS}/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
MISSPELT = f"{NOS}/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument"
IS_ARCHIVED = f"{PDSM}/pdsm-ext-is-archived"


def subject(ins: str) -> Json:
    """The record's person, as the draft names them: by a conditional reference."""
    return {"reference": f"Patient?identifier={bodies.qualified(ins)}"}


def published(ins: str, author: str, content: bytes, content_type: str, **elements: Any) -> Json:
    """ITI-105 as the draft shows it: no custodian, no type of the masterIdentifier, no format, no language."""
    data = base64.b64encode(content).decode()
    return {
        "resourceType": "DocumentReference",
        "meta": {"profile": [f"{PDSM}/pdsm-simplified-publish"]},
        "contained": [_practitioner(author)],
        "masterIdentifier": unique_id(),
        "status": "current",
        "type": concept("http://loinc.org", "11488-4", "Consult note"),
        "subject": subject(ins),
        "date": "2026-02-12T10:00:00+01:00",
        "author": [{"reference": "#practitioner-author"}],
        "content": [{"attachment": {"contentType": content_type, "data": data, "title": "Compte rendu"}}],
        **elements,
    }


def submitted(ins: str, author: str, content: bytes, replaced: str = "") -> Json:
    """TD2.1, or TD2.2 where a document is replaced: submission set, document, its PATCH, content."""
    document, binary = f"urn:uuid:{uuid4()}", f"urn:uuid:{uuid4()}"
    entries = [
        _entry(_submission_set(ins, author, document)),
        _entry(_comprehensive(ins, author, content, binary, replaced), document),
    ]
    if replaced:
        patch = fhirpath({"type": "replace", "path": "DocumentReference.status"}, {"valueCode": "superseded"})
        request = {"method": "PATCH", "url": f"DocumentReference/{replaced}"}
        entries.append({"fullUrl": f"urn:uuid:{uuid4()}", "resource": patch, "request": request})
    data = base64.b64encode(content).decode()
    entries.append(_entry({"resourceType": "Binary", "contentType": "application/pdf", "data": data}, binary))
    profile = f"{PDSM}/pdsm-comprehensive-provide-document-bundle"
    return {"resourceType": "Bundle", "meta": {"profile": [profile]}, "type": "transaction", "entry": entries}


def fhirpath(codes: dict[str, str], value: Json | None = None) -> Json:
    """The Parameters of a FHIRPath Patch of one operation."""
    kinds = {"type": "valueCode", "path": "valueString", "name": "valueString"}
    part: list[Json] = [{"name": name, kinds[name]: text} for name, text in codes.items()]
    part += [{"name": "value", **value}] if value else []
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}


def label(code: str, system: str = VISIBILITY) -> Json:
    """A label that hides, under the code system's own name or the draft's misspelt one."""
    return {"coding": [{"system": system, "code": code}]}


def normal() -> Json:
    return concept("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "N", "normal")


def concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def unique_id() -> Json:
    return {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:2.25.{uuid4().int}"}


def _submission_set(ins: str, author: str, document: str) -> Json:
    return {
        "resourceType": "List",
        "meta": {"profile": [f"{PDSM}/pdsm-submissionset-comprehensive"]},
        "contained": [_source_patient(ins), _practitioner(author)],
        "extension": [
            {"url": f"{MHD}/ihe-designationType", "valueCodeableConcept": _category()},
            {
                "url": f"{MHD}/ihe-sourceId",
                "valueIdentifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3.4.5.6.7.8"},
            },
            {"url": f"{MHD}/ihe-sourcePatientId", "valueReference": {"reference": "#patient-source"}},
        ],
        "status": "current",
        "mode": "working",
        "code": {
            "coding": [{"system": "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes", "code": "submissionset"}]
        },
        "subject": subject(ins),
        "date": "2026-02-12T11:00:00+01:00",
        "source": {"reference": "#practitioner-author"},
        "entry": [{"item": {"reference": document}}],
    }


def _comprehensive(ins: str, author: str, content: bytes, binary: str, replaced: str) -> Json:
    created = "2026-02-12T11:00:00+01:00"
    format_codes = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"
    related = {"relatesTo": [{"code": "replaces", "target": {"reference": f"DocumentReference/{replaced}"}}]}
    return {
        "resourceType": "DocumentReference",
        "meta": {"profile": [f"{PDSM}/pdsm-comprehensive-document-reference"]},
        "contained": [_source_patient(ins), _practitioner(author)],
        "masterIdentifier": unique_id(),
        "status": "current",
        **(related if replaced else {}),
        "type": concept("http://loinc.org", "11488-4", "Consult note"),
        "category": [_category()],
        "subject": subject(ins),
        "date": created,
        "author": [{"reference": "#practitioner-author"}],
        "authenticator": {"reference": "#practitioner-author"},
        "securityLabel": [normal()],
        "content": [
            {
                "attachment": {
                    "contentType": "application/pdf",
                    "language": "fr-FR",
                    "url": binary,
                    "size": len(content),
                    "hash": bodies.sha1(content),
                    "title": "Compte rendu de consultation",
                    "creation": created,
                },
                "format": {"system": format_codes, "code": "urn:ihe:iti:xds-sd:pdf:2008"},
            }
        ],
        "context": {
            "period": {"start": created},
            "sourcePatientInfo": {"reference": "#patient-source"},
            "facilityType": concept("http://snomed.info/sct", "22232009", "Hospital"),
            "practiceSetting": concept("http://snomed.info/sct", "394802001", "General medicine"),
        },
    }


def _category() -> Json:
    """The class that the draft tells, with a display that is not its own."""
    return concept(f"{NOS}/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument", "11", "Synthèse")


def _source_patient(ins: str) -> Json:
    system, _, value = bodies.qualified(ins).partition("|")
    return {"resourceType": "Patient", "id": "patient-source", "identifier": [{"system": system, "value": value}]}


def _practitioner(author: str) -> Json:
    identifier = {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": author}
    return {"resourceType": "Practitioner", "id": "practitioner-author", "identifier": [identifier]}


def _entry(resource: Json, url: str = "") -> Json:
    request = {"method": "POST", "url": resource["resourceType"]}
    return {"fullUrl": url or f"urn:uuid:{uuid4()}", "resource": resource, "request": request}
