"""CapabilityStatement: exactly what this version does, resource by resource (FHIR R4 REST)."""

from typing import Any

from dmp.domain.authorization_server import AuthorizationServer
from dmp.fhir import capability_texts as texts
from dmp.fhir.capability_resources import RESOURCE_TYPES, ResourceType
from dmp.fhir.search_parameters import Kind, Parameter

VERSION = "0.1.0"
DATE = "2026-11-21"
IMPLEMENTATION_GUIDES = (
    "https://profiles.ihe.net/ITI/MHD/ImplementationGuide/ihe.iti.mhd|4.2.4",
    "https://profiles.ihe.net/ITI/PCF/ImplementationGuide/ihe.iti.pcf|1.1.1",
    "https://profiles.ihe.net/ITI/BALP/ImplementationGuide/ihe.iti.balp|1.1.5",
    "https://interop.esante.gouv.fr/ig/fhir/pdsm/ImplementationGuide/ans.fhir.fr.pdsm|3.1.1",
)
_SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_OPERATION = "https://interop.esante.gouv.fr/ig/fhir/dmp/OperationDefinition"
_SEARCH_TYPES = {
    Kind.PATIENT: "reference",
    Kind.PATIENT_IDENTIFIER: "token",
    Kind.CHOICE: "string",
    Kind.TOKEN: "token",
    Kind.REFERENCE: "reference",
    Kind.DATE: "date",
    Kind.STRING: "string",
    Kind.URI: "uri",
    Kind.WORDS: "string",
}


def capability_statement(base_url: str, server: AuthorizationServer | None = None) -> dict[str, Any]:
    """The statement of this instance; `server` is where apps get their tokens, if that is known."""
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
        "rest": [_rest(server)],
    }


def _rest(server: AuthorizationServer | None) -> dict[str, Any]:
    return {
        "mode": "server",
        "documentation": texts.REST,
        "security": _security(server),
        "resource": [_resource(one) for one in RESOURCE_TYPES],
        "interaction": [
            {"code": "transaction", "documentation": texts.TRANSACTION},
            {"code": "batch", "documentation": texts.BATCH},
        ],
    }


def _security(server: AuthorizationServer | None) -> dict[str, Any]:
    codes = ("OAuth", "SMART-on-FHIR") if server else ("OAuth",)
    services = [{"coding": [{"system": _SECURITY_SERVICE, "code": code, "display": code}]} for code in codes]
    security: dict[str, Any] = {"service": services, "description": texts.SECURITY}
    if server:
        addresses = {"authorize": server.authorization_endpoint, "token": server.token_endpoint}
        told = [{"url": name, "valueUri": address} for name, address in addresses.items()]
        security["extension"] = [{"url": _OAUTH_URIS, "extension": told}]
    return security


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
