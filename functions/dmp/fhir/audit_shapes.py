"""Which AuditEvent each interaction becomes: type, subtypes, kinds of agents and profile (BALP 1.1.5, MHD 4.2.4)."""

import json
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from dmp.domain.audit import AuditAction, AuditEntry, AuditOutcome, Interaction

DICOM = "http://dicom.nema.org/resources/ontology/DCM"
REST = "http://terminology.hl7.org/CodeSystem/audit-event-type"
RESTFUL = "http://hl7.org/fhir/restful-interaction"
IHE_EVENT = "urn:ihe:event-type-code"
AUTHORISATION_SUBTYPE = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"
DMP_INTERACTION = "https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-interaction"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
ROLE_CLASS = "http://terminology.hl7.org/CodeSystem/v3-RoleClass"
SECURITY_ROLE = "http://terminology.hl7.org/CodeSystem/extra-security-role-type"

_BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit"
_MHD = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD"
_TEXTS = Path(__file__).parent.parent / "data" / "trace_fr.json"

type Coding = dict[str, str]


class Touched(Enum):
    """How the things touched are told: as data, as the query that found them, or as a submission set."""

    DATA = "data"
    QUERY = "query"
    SUBMISSION = "submission"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The form of an event. `profile` is empty where none is claimed; a BALP one is named without `Patient`."""

    type: Coding
    subtypes: tuple[Coding, ...]
    action: AuditAction
    client: Coding
    server: Coding
    user: Coding
    touched: Touched
    mhd_profile: str = ""
    balp_profile: str = ""


@dataclass(frozen=True, slots=True)
class _Family:
    """What the interactions of one action share; `restful` is the code that the profile asks for."""

    action: AuditAction
    restful: str
    client: Coding
    server: Coding
    user: Coding
    touched: Touched
    profile: str


def coding(system: str, code: str, display: str = "") -> Coding:
    """A Coding, with its display where there is one."""
    return {"system": system, "code": code} | ({"display": display} if display else {})


_SOURCE = coding(DICOM, "110153", "Source Role ID")
_DESTINATION = coding(DICOM, "110152", "Destination Role ID")
_APPLICATION = coding(DICOM, "110150", "Application")
_CUSTODIAN = coding(PARTICIPANT, "custodian", "Custodian")
_AUTHOR = coding(PARTICIPATION, "AUT", "author (originator)")
_RECIPIENT = coding(PARTICIPATION, "IRCP", "information recipient")
_OVERRIDE = coding(DICOM, "110127", "Emergency Override Started")
ORGANISATION = coding(ROLE_CLASS, "PROV", "healthcare provider")

_CREATE = _Family(AuditAction.CREATE, "create", _SOURCE, _DESTINATION, _AUTHOR, Touched.DATA, "Create")
_READ = _Family(AuditAction.READ, "read", _DESTINATION, _SOURCE, _RECIPIENT, Touched.DATA, "Read")
_UPDATE = _Family(AuditAction.UPDATE, "update", _SOURCE, _DESTINATION, _AUTHOR, Touched.DATA, "Update")
_DELETE = _Family(AuditAction.DELETE, "delete", _APPLICATION, _CUSTODIAN, _AUTHOR, Touched.DATA, "Delete")
_QUERY = _Family(AuditAction.EXECUTE, "search", _SOURCE, _DESTINATION, _RECIPIENT, Touched.QUERY, "Query")
_REFUSED_CLIENT, _AUTHORIZER = _APPLICATION, coding(SECURITY_ROLE, "authserver", "authorization server")

_FAMILIES: dict[Interaction, _Family] = {
    Interaction.OPEN: _CREATE,
    Interaction.CLOSE: _UPDATE,
    Interaction.REOPEN: _UPDATE,
    Interaction.STATUS: _QUERY,
    Interaction.PROVIDE_BUNDLE: _CREATE,
    Interaction.SIMPLIFIED_PUBLISH: _CREATE,
    Interaction.FIND_LISTS: _QUERY,
    Interaction.FIND_DOCUMENTS: _QUERY,
    Interaction.RETRIEVE: _READ,
    Interaction.CREATE: _CREATE,
    Interaction.READ: _READ,
    Interaction.VREAD: _READ,
    Interaction.HISTORY: _READ,
    Interaction.SEARCH: _QUERY,
    Interaction.UPDATE: _UPDATE,
    Interaction.PATCH: _UPDATE,
    Interaction.DELETE: _DELETE,
    Interaction.EXPIRE: _UPDATE,
    Interaction.WARN: _UPDATE,
    Interaction.OPPOSE: _CREATE,
    Interaction.LIFT_OPPOSITION: _UPDATE,
    Interaction.EMERGENCY: _CREATE,
    Interaction.ERASE: _UPDATE,
    Interaction.ERASED: _DELETE,
    Interaction.SUSPEND: _UPDATE,
    Interaction.RESUME: _UPDATE,
    Interaction.EXPLAIN: _READ,
    Interaction.EVERYTHING: _QUERY,
    Interaction.EXPORT: _READ,
    Interaction.EXPORTED: _READ,
    Interaction.EXPORT_FETCHED: _READ,
    Interaction.EXPORT_REMOVED: _DELETE,
    Interaction.PROOF: _READ,
    Interaction.RELEASE: _UPDATE,
    Interaction.SUBSCRIBE: _CREATE,
    Interaction.GENERATE_METADATA: _CREATE,
    Interaction.UPLOAD_VERIFIED: _UPDATE,
    Interaction.SCANNED: _UPDATE,
    Interaction.UPLOAD_FAILED: _UPDATE,
    Interaction.OPERATE: _UPDATE,
}
_RESTFUL = {
    Interaction.VREAD: ("vread",),
    Interaction.HISTORY: ("read", "history-instance"),
    Interaction.PATCH: ("patch",),
}
_TRANSACTIONS = {
    Interaction.PROVIDE_BUNDLE: ("Provide Document Bundle", "ProvideBundle.Audit.Recipient"),
    Interaction.SIMPLIFIED_PUBLISH: ("Simplified Publish", "SimplifiedPublish.Audit.Recipient"),
    Interaction.FIND_LISTS: ("Find Document Lists", "FindDocumentLists.Audit.Responder"),
    Interaction.FIND_DOCUMENTS: ("Find Document References", "FindDocumentReferences.Audit.Responder"),
    Interaction.RETRIEVE: ("Retrieve Document", "RetrieveDocument.Audit.Responder"),
    Interaction.GENERATE_METADATA: ("Generate Metadata", "GenerateMetadata.Audit.Recipient"),
}


def shape_of(entry: AuditEntry) -> Shape:
    """The form of the event that tells of an entry."""
    family, own = _FAMILIES[entry.interaction], _own_subtypes(entry.interaction)
    if entry.outcome is AuditOutcome.REFUSED:
        authorisation = coding(AUTHORISATION_SUBTYPE, "AuthZ-Consent")
        return Shape(
            type=coding(DICOM, "110113", "Security Alert"),
            subtypes=(authorisation, *own, *_restful(entry.interaction, family)),
            action=AuditAction.EXECUTE,
            client=_REFUSED_CLIENT,
            server=_AUTHORIZER,
            user=_RECIPIENT,
            touched=Touched.DATA,
        )
    is_submission = entry.interaction is Interaction.PROVIDE_BUNDLE
    mhd = _TRANSACTIONS.get(entry.interaction, ("", ""))[1]
    return Shape(
        type=coding(DICOM, "110107", "Import") if is_submission else coding(REST, "rest", "Restful Operation"),
        subtypes=own if is_submission else (*own, *_restful(entry.interaction, family)),
        action=family.action,
        client=family.client,
        server=family.server,
        user=family.user,
        touched=Touched.SUBMISSION if is_submission else family.touched,
        mhd_profile=f"{_MHD}.{mhd}" if mhd else "",
        balp_profile="" if is_submission else family.profile,
    )


def profile_of(entry: AuditEntry, shape: Shape) -> str:
    """The profile that the event of an entry conforms to, or an empty text.

    A refusal names none: AuthZconsent closes `entity` to what the caller touched and to the request's id, and wants a
    Consent even where the refusal rests on there being none.
    """
    if entry.action is not shape.action or not _tells_enough(entry, shape):
        return ""
    if shape.mhd_profile and entry.record:
        return shape.mhd_profile
    if not shape.balp_profile:
        return ""
    return f"{_BALP}.Patient{shape.balp_profile}" if entry.record else f"{_BALP}.{shape.balp_profile}"


def _tells_enough(entry: AuditEntry, shape: Shape) -> bool:
    match shape.touched:
        case Touched.SUBMISSION:
            return sum(what.startswith("List/") for what in entry.what) == 1 and not entry.query
        case Touched.QUERY:
            return bool(entry.query)
        case Touched.DATA:
            return bool(entry.what) and not entry.query


def outcome_text(entry: AuditEntry) -> str:
    """What a person reads of the rule that decided; the rule's code where it has no text."""
    return reason_text(entry.reason)


def reason_text(reason: str) -> str:
    """What a person reads of a rule of the decision, by its code."""
    return str(_texts()["reasons"].get(reason, reason))


def interaction_text(code: str) -> str:
    """What a person reads of an interaction of the DMP's own; its code where it has no text."""
    return str(_texts()["interactions"].get(code, code))


def _own_subtypes(interaction: Interaction) -> tuple[Coding, ...]:
    """The transaction, where it is one of IHE's or the DMP's rather than plain REST."""
    if interaction in _TRANSACTIONS:
        return (coding(IHE_EVENT, interaction.value, _TRANSACTIONS[interaction][0]),)
    text = _texts()["interactions"].get(interaction.value)
    own = (coding(DMP_INTERACTION, interaction.value, text),) if text else ()
    return (_OVERRIDE, *own) if interaction is Interaction.EMERGENCY else own


def _restful(interaction: Interaction, family: _Family) -> tuple[Coding, ...]:
    return tuple(coding(RESTFUL, code) for code in _RESTFUL.get(interaction, (family.restful,)))


@cache
def _texts() -> dict[str, Any]:
    return dict(json.loads(_TEXTS.read_bytes()))
