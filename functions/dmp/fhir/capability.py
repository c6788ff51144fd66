"""CapabilityStatement: exactly what this version does, resource by resource (FHIR R4 REST)."""

from dataclasses import dataclass
from typing import Any

from dmp.fhir import capability_texts as texts
from dmp.fhir.audit_search import AUDIT_PARAMETERS
from dmp.fhir.communication_search import COMMUNICATION_PARAMETERS
from dmp.fhir.consent_search import CONSENT_PARAMETERS
from dmp.fhir.document_search import DOCUMENT_PARAMETERS
from dmp.fhir.list_search import LIST_PARAMETERS
from dmp.fhir.related_person import PERSON_PARAMETERS
from dmp.fhir.search_parameters import Kind, Parameter
from dmp.fhir.systems import (
    MHD_DOCUMENT_COMPREHENSIVE,
    MHD_DOCUMENT_MINIMAL,
    MHD_DOCUMENT_UNCONTAINED,
    MHD_FOLDER_COMPREHENSIVE,
    MHD_FOLDER_MINIMAL,
    MHD_SIMPLIFIED_PUBLISH,
    MHD_SUBMISSION_COMPREHENSIVE,
    MHD_SUBMISSION_MINIMAL,
    MHD_SUBMISSION_UNCONTAINED,
    PCF_CONSENT_BASIC,
    PCF_CONSENT_INTERMEDIATE,
    PDSM_DOCUMENT,
    PDSM_FOLDER,
    PDSM_SIMPLIFIED_PUBLISH,
    PDSM_SUBMISSION,
)

VERSION = "0.1.0"
DATE = "2026-11-21"
IMPLEMENTATION_GUIDES = (
    "https://profiles.ihe.net/ITI/MHD/ImplementationGuide/ihe.iti.mhd|4.2.4",
    "https://profiles.ihe.net/ITI/PCF/ImplementationGuide/ihe.iti.pcf|1.1.1",
    "https://profiles.ihe.net/ITI/BALP/ImplementationGuide/ihe.iti.balp|1.1.5",
    "https://interop.esante.gouv.fr/ig/fhir/pdsm/ImplementationGuide/ans.fhir.fr.pdsm|3.1.1",
)
_SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_OPERATION = "https://interop.esante.gouv.fr/ig/fhir/dmp/OperationDefinition"
_VERSIONED = ("read", "vread", "history-instance")
_SEARCH_TYPES = {
    Kind.PATIENT: "reference",
    Kind.PATIENT_IDENTIFIER: "token",
    Kind.CHOICE: "string",
    Kind.TOKEN: "token",
    Kind.REFERENCE: "reference",
    Kind.DATE: "date",
    Kind.STRING: "string",
    Kind.URI: "uri",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """What works on one type; `operations` are names after the dollar sign."""

    type: str
    documentation: str
    interactions: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    operations: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    conditional_create: bool = False
    conditional_patch: bool = False
    """By criteria in place of an id; the statement of PDSm tells it by the flag of conditional updates."""


RESOURCE_TYPES = (
    ResourceType(
        type="Patient",
        documentation=texts.PATIENT,
        interactions=("read", "vread", "update", "patch", "search-type"),
        parameters=(Parameter("identifier", Kind.PATIENT_IDENTIFIER),),
        operations=(
            *("open", "oppose", "lift-opposition", "close", "reopen", "erase", "attestation"),
            *("emergency-access", "explain"),
        ),
    ),
    ResourceType(
        type="DocumentReference",
        documentation=texts.DOCUMENT,
        interactions=(*_VERSIONED, "create", "patch", "delete", "search-type"),
        parameters=DOCUMENT_PARAMETERS,
        operations=("generate-metadata",),
        profiles=(
            MHD_DOCUMENT_MINIMAL,
            MHD_DOCUMENT_UNCONTAINED,
            MHD_DOCUMENT_COMPREHENSIVE,
            MHD_SIMPLIFIED_PUBLISH,
            PDSM_DOCUMENT,
            PDSM_SIMPLIFIED_PUBLISH,
        ),
        conditional_create=True,
        conditional_patch=True,
    ),
    ResourceType(
        type="List",
        documentation=texts.LIST,
        interactions=(*_VERSIONED, "search-type"),
        parameters=LIST_PARAMETERS,
        profiles=(
            MHD_SUBMISSION_MINIMAL,
            MHD_SUBMISSION_UNCONTAINED,
            MHD_SUBMISSION_COMPREHENSIVE,
            MHD_FOLDER_MINIMAL,
            MHD_FOLDER_COMPREHENSIVE,
            PDSM_SUBMISSION,
            PDSM_FOLDER,
        ),
    ),
    ResourceType(type="Binary", documentation=texts.BINARY, interactions=("read",)),
    ResourceType(
        type="Consent",
        documentation=texts.CONSENT,
        interactions=(*_VERSIONED, "create", "update", "patch", "search-type"),
        parameters=CONSENT_PARAMETERS,
        profiles=(PCF_CONSENT_BASIC, PCF_CONSENT_INTERMEDIATE),
        conditional_create=True,
    ),
    ResourceType(
        type="RelatedPerson",
        documentation=texts.RELATED_PERSON,
        interactions=("read", "vread", "create", "update", "delete", "search-type"),
        parameters=PERSON_PARAMETERS,
    ),
    ResourceType(
        type="Communication",
        documentation=texts.COMMUNICATION,
        interactions=("read", "patch", "search-type"),
        parameters=COMMUNICATION_PARAMETERS,
    ),
    ResourceType(
        type="AuditEvent",
        documentation=texts.AUDIT_EVENT,
        interactions=("read", "search-type"),
        parameters=AUDIT_PARAMETERS,
    ),
    ResourceType(
        type="Subscription",
        documentation=texts.SUBSCRIPTION,
        interactions=("create", "read", "delete"),
    ),
)


def capability_statement(base_url: str) -> dict[str, Any]:
    """The statement of this instance."""
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{base_url}/metadata",
        "version": VERSION,
        "name": "DMP",
        "title": "Dossier médical partagé",
        "status": "active",
        "date": DATE,
        "publisher": "DMP",
        "description": texts.STATEMENT,
        "kind": "instance",
        "software": {"name": "DMP", "version": VERSION},
        "implementation": {"description": "Dossier médical partagé", "url": base_url},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json"],
        "implementationGuide": list(IMPLEMENTATION_GUIDES),
        "rest": [_rest()],
    }


def _rest() -> dict[str, Any]:
    service = {"system": _SECURITY_SERVICE, "code": "OAuth", "display": "OAuth"}
    return {
        "mode": "server",
        "documentation": texts.REST,
        "security": {"service": [{"coding": [service]}], "description": texts.SECURITY},
        "resource": [_resource(one) for one in RESOURCE_TYPES],
        "interaction": [{"code": "transaction", "documentation": texts.TRANSACTION}],
    }


def _resource(one: ResourceType) -> dict[str, Any]:
    content: dict[str, Any] = {"type": one.type}
    if one.profiles:
        content["supportedProfile"] = list(one.profiles)
    content |= {
        "documentation": one.documentation,
        "interaction": [{"code": code} for code in one.interactions],
        "versioning": "versioned" if "vread" in one.interactions else "no-version",
        "readHistory": "vread" in one.interactions,
        "updateCreate": False,
        "conditionalCreate": one.conditional_create,
        "conditionalRead": "full-support",
        "conditionalUpdate": one.conditional_patch,
        "conditionalDelete": "not-supported",
    }
    if includes := [word for parameter in one.parameters if parameter.name == _INCLUDE for word in parameter.choices]:
        content["searchInclude"] = includes
    if one.parameters:
        told = [_search_parameter(parameter) for parameter in one.parameters if parameter.name != _INCLUDE]
        content["searchParam"] = [*told, _COUNT]
    if one.operations:
        content["operation"] = [
            {"name": name, "definition": f"{_OPERATION}/{one.type}-{name}"} for name in one.operations
        ]
    return content


_INCLUDE = "_include"
_COUNT = {"name": "_count", "type": "number", "documentation": texts.COUNT}


def _search_parameter(parameter: Parameter) -> dict[str, str]:
    content = {"name": parameter.name, "type": _SEARCH_TYPES[parameter.kind]}
    documentation = texts.PARAMETERS.get(parameter.name)
    return content | ({"documentation": documentation} if documentation else {})
