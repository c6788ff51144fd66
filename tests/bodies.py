"""Bodies that clients send: openings, Consents, documents and submissions, each with defaults a test may change."""

import base64
import hashlib
import itertools
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from dmp.domain.identifiers import INS_NIR_TEST, PS_IDNAT, STRUCT_IDNAT

type Json = dict[str, Any]

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
LOINC = "http://loinc.org"
DISCHARGE_LETTER = "11490-0"
CONSULTATION = "11488-4"
KIND = "https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-consent-kind"
MASK = [
    {
        "op": "add",
        "path": "/securityLabel/-",
        "value": {
            "coding": [
                {
                    "system": "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/"
                    "TRE-A07-StatutVisibiliteDocument",
                    "code": "MASQUE_PS",
                }
            ]
        },
    }
]
_births = itertools.count(1)


def new_ins() -> str:
    """An INS of the TEST system that no other test has, with its right key."""
    number = f"2790351{next(_births):06d}"
    return f"{number}{97 - int(number) % 97:02d}"


def qualified(ins: str) -> str:
    """An INS with its system, as a patient's token carries it."""
    return f"{INS_NIR_TEST}|{ins}"


def opening(ins: str, **parameters: Any) -> Json:
    """The Parameters of `$open`; a parameter given as None is left out."""
    values: Json = {
        "patient": {"resource": patient(ins)},
        "method": {"valueCode": "electronic"},
        "date": {"valueDateTime": "2026-03-01"},
        **parameters,
    }
    listed = [{"name": name, **value} for name, value in values.items() if value is not None]
    return {"resourceType": "Parameters", "parameter": listed}


def parameters(**values: Json) -> Json:
    """The Parameters of an operation, by their names."""
    return {"resourceType": "Parameters", "parameter": [{"name": name, **value} for name, value in values.items()]}


def guardian(ins: str, **elements: Any) -> Json:
    """A RelatedPerson who opens for a minor."""
    relationship = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}
    return {
        "resourceType": "RelatedPerson",
        "identifier": [{"system": INS_NIR_TEST, "value": ins}],
        "patient": {"display": "Patient"},
        "relationship": [{"coding": [relationship]}],
        "name": [{"family": "PAT-TEST", "given": ["CAMILLE"]}],
        **elements,
    }


def attested(text: str = "Consentement recueilli au guichet") -> Json:
    """The parameter by which somebody else than the person opens."""
    return {"valueString": text}


def patient(ins: str, system: str = INS_NIR_TEST, **elements: Any) -> Json:
    """A Patient with the INS and its five traits."""
    insee = {"system": "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM", "code": "51215"}
    address = {"extension": [{"url": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code",
                              "valueCoding": insee}]}  # fmt: skip
    return {
        "resourceType": "Patient",
        "identifier": [{"use": "official", "system": system, "value": ins}],
        "name": [{"use": "official", "family": "PAT-TEST", "given": ["DOMINIQUE"]}],
        "gender": "female",
        "birthDate": "1979-03-28",
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace", "valueAddress": address}],
        **elements,
    }


def authorisation(record: str, actor: str = "810101234567", system: str = PS_IDNAT, **provision: Any) -> Json:
    """A Consent that authorises a professional or a structure."""
    return consent(record, "authorisation", "permit", actor, system, **provision)


def authorisation_of_structure(record: str, actor: str, **provision: Any) -> Json:
    """A Consent that authorises a structure."""
    return authorisation(record, actor, STRUCT_IDNAT, **provision)


def block(record: str, actor: str = "810101234567", system: str = PS_IDNAT) -> Json:
    """A Consent that blocks a professional or a structure."""
    return consent(record, "block", "deny", actor, system)


def attending_physician(record: str, actor: str = "810101234567", **provision: Any) -> Json:
    """A Consent that names the médecin traitant."""
    return consent(record, "attending-physician", "permit", actor, PS_IDNAT, **provision)


def consent(record: str, kind: str, permit: str, actor: str | None, system: str, **provision: Any) -> Json:
    """A Consent of any kind."""
    named = [{"reference": {"identifier": {"system": system, "value": actor}}}] if actor else []
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [
            {"coding": [{"system": LOINC, "code": "59284-0"}]},
            {"coding": [{"system": KIND, "code": kind}]},
        ],
        "patient": {"reference": f"Patient/{record}"},
        "provision": {"type": permit, **({"actor": named} if named else {}), **provision},
    }


def unique_id() -> Json:
    """A new unique id, marked as one as MHD wants."""
    system = "https://profiles.ihe.net/ITI/MHD/CodeSystem/IHE.MHD.MHDIdentifierType"
    marked = {"coding": [{"system": system, "code": "uniqueId"}]}
    return {"type": marked, "system": "urn:ietf:rfc:3986", "value": f"urn:oid:2.25.{uuid4().int}"}


def sha1(content: bytes) -> str:
    """The hash that an Attachment carries."""
    return base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


def document(
    record: str,
    content: bytes = PDF,
    *,
    type_code: str = DISCHARGE_LETTER,
    content_type: str = "application/pdf",
    attachment: Mapping[str, Any] | None = None,
    **elements: Any,
) -> Json:
    """A DocumentReference as ITI-105 takes it."""
    described = {
        "contentType": content_type,
        "language": "fr-FR",
        "data": base64.b64encode(content).decode(),
        "title": "Lettre de liaison",
        **(attachment or {}),
    }
    resource: Json = {
        "resourceType": "DocumentReference",
        "contained": [
            {"resourceType": "Practitioner", "id": "a", "identifier": [{"system": PS_IDNAT, "value": "810101234567"}]}
        ],
        "masterIdentifier": unique_id(),
        "status": "current",
        "type": {"coding": [{"system": LOINC, "code": type_code}]},
        "subject": {"reference": f"Patient/{record}"},
        "date": "2026-02-27T10:00:00+01:00",
        "author": [{"reference": "#a"}],
        "content": [{"attachment": {key: value for key, value in described.items() if value is not None}}],
        **elements,
    }
    return {key: value for key, value in resource.items() if value is not None}


def submission(record: str, *contents: bytes, level: str = "Minimal", **elements: Any) -> Json:
    """An ITI-65 Bundle of level Minimal with one DocumentReference for each content."""
    documents, binaries = [], []
    for content in contents or (PDF,):
        url = f"urn:uuid:{uuid4()}"
        attachment = {"data": None, "url": url, "size": len(content), "hash": sha1(content)}
        documents.append(_entry(document(record, content, attachment=attachment, **elements)))
        binaries.append(_entry(_binary(content), url))
    items = [{"item": {"reference": entry["fullUrl"]}} for entry in documents]
    mhd = "https://profiles.ihe.net/ITI/MHD/StructureDefinition"
    submission_set = {
        "resourceType": "List",
        "extension": [{"url": f"{mhd}/ihe-sourceId", "valueIdentifier": {"value": "urn:oid:1.2.3.4"}}],
        "identifier": [{"use": "usual", **unique_id()}],
        "status": "current",
        "mode": "working",
        "code": {
            "coding": [{"system": "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes", "code": "submissionset"}]
        },
        "subject": {"reference": f"Patient/{record}"},
        "date": "2026-02-27T10:00:00+01:00",
        "entry": items,
    }
    return {
        "resourceType": "Bundle",
        "meta": {"profile": [f"{mhd}/IHE.MHD.{level}.ProvideBundle"]},
        "type": "transaction",
        "entry": [_entry(submission_set), *documents, *binaries],
    }


def _binary(content: bytes) -> Json:
    return {
        "resourceType": "Binary",
        "contentType": "application/pdf",
        "data": base64.b64encode(content).decode(),
    }


def _entry(resource: Json, url: str = "") -> Json:
    return {
        "fullUrl": url or f"urn:uuid:{uuid4()}",
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"]},
    }
