"""What works on each type of resource, as the CapabilityStatement says it: every route, every search parameter."""

from dataclasses import dataclass

from dmp.fhir import capability_texts as texts
from dmp.fhir.audit_search import AUDIT_PARAMETERS
from dmp.fhir.care_team import CARE_TEAM_PARAMETERS
from dmp.fhir.communication_search import COMMUNICATION_PARAMETERS
from dmp.fhir.consent_search import CONSENT_PARAMETERS
from dmp.fhir.document_search import DOCUMENT_PARAMETERS
from dmp.fhir.explanation_of_benefit import REIMBURSEMENT_PARAMETERS
from dmp.fhir.list_search import LIST_PARAMETERS
from dmp.fhir.profile_search import PROFILE_PARAMETERS
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

_VERSIONED = ("read", "vread", "history-instance")


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
            *("open", "oppose", "lift-opposition", "close", "reopen", "erase", "attestation", "summary"),
            *("emergency-access", "explain", "everything", "export"),
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
        type="CareTeam",
        documentation=texts.CARE_TEAM,
        interactions=("read", "search-type"),
        parameters=CARE_TEAM_PARAMETERS,
    ),
    *(
        ResourceType(
            type=kind.value,
            documentation=texts.PROFILE,
            interactions=(*_VERSIONED, "create", "update", "patch", "delete", "search-type"),
            parameters=parameters,
            conditional_create=True,
        )
        for kind, parameters in PROFILE_PARAMETERS.items()
    ),
    ResourceType(
        type="ExplanationOfBenefit",
        documentation=texts.REIMBURSEMENT,
        interactions=("read", "vread", "create", "search-type"),
        parameters=REIMBURSEMENT_PARAMETERS,
        conditional_create=True,
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
        operations=("proof",),
    ),
    ResourceType(
        type="Subscription",
        documentation=texts.SUBSCRIPTION,
        interactions=("create", "read", "delete"),
    ),
)
