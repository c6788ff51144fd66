"""A Consent as it is answered: complete after IHE PCF's Basic profile (IHE PCF)."""

from base64 import b64encode
from typing import Any

from dmp.domain.consent import Consent, ConsentKind, Directive, Grantor
from dmp.domain.identifiers import INS_SYSTEMS, STRUCT_IDNAT, Identifier
from dmp.fhir import systems as s
from dmp.fhir.times import instant_text

_OPERATOR = "Dossier Médical Partagé"
_SOURCES = {
    "electronic": "Choix exprimé par voie électronique",
    "verbal": "Choix exprimé oralement",
    "written": "Choix exprimé par écrit",
}
_TREATED = frozenset({ConsentKind.AUTHORISATION, ConsentKind.ATTENDING_PHYSICIAN, ConsentKind.OPENING})


def render_consent(consent: Consent) -> dict[str, Any]:
    """The Consent, with every element that PCF requires."""
    patient = {"reference": f"Patient/{consent.record}"}
    rendered: dict[str, Any] = {
        "resourceType": "Consent",
        "id": consent.id,
        "meta": {
            "versionId": str(consent.version),
            "lastUpdated": instant_text(consent.updated),
            "profile": [s.PCF_CONSENT_BASIC],
        },
        "extension": _extensions(consent),
        "status": consent.status.value,
        "scope": _concept(s.CONSENT_SCOPE, "patient-privacy"),
        "category": [
            _concept(s.LOINC, s.CONSENT_DOCUMENT),
            _concept(s.DMP_CONSENT_KIND, consent.directive.kind.value),
        ],
        "patient": patient,
        "dateTime": instant_text(consent.date_time),
        "performer": [_performer(consent.directive.granted_by, patient)],
        "organization": [_organization(consent.organization)],
        "sourceAttachment": _source(consent),
        "policy": [{"uri": consent.policy_uri or s.DMP_POLICY}],
        "provision": _provision(consent.directive, consent.actor_display),
    }
    return {key: value for key, value in rendered.items() if value}


def _extensions(consent: Consent) -> list[dict[str, Any]]:
    extensions: list[dict[str, Any]] = []
    if consent.method:
        extensions.append({"url": s.DMP_OPENING_METHOD, "valueCode": consent.method})
    if consent.attested_by:
        witness = _reference(consent.attested_by, consent.attested_by_name)
        extensions.append({"url": s.DMP_ATTESTED_BY, "valueReference": witness})
    return extensions


def _performer(granted_by: Grantor, patient: dict[str, str]) -> dict[str, str]:
    if granted_by is Grantor.REPRESENTATIVE:
        return {"type": "RelatedPerson", "display": "Représentant légal"}
    return patient


def _organization(identifier: Identifier | None) -> dict[str, Any]:
    return _reference(identifier, "") if identifier else {"type": "Organization", "display": _OPERATOR}


def _source(consent: Consent) -> dict[str, Any]:
    title = {"title": _SOURCES.get(consent.method, _SOURCES["electronic"])}
    if not consent.attestation:
        return title
    data = b64encode(consent.attestation.encode()).decode()
    return {"contentType": "text/plain; charset=utf-8", "language": "fr", "data": data, **title}


def _provision(directive: Directive, actor_display: str) -> dict[str, Any]:
    period = {"start": instant_text(directive.start)}
    if directive.end:
        period["end"] = instant_text(directive.end)
    provision: dict[str, Any] = {"type": "permit" if directive.permit else "deny", "period": period}
    if directive.actor:
        reference = _reference(directive.actor, actor_display)
        provision["actor"] = [{"role": _concept(s.PARTICIPATION_TYPE, "IRCP"), "reference": reference}]
    purposes = directive.purposes or (("TREAT",) if directive.kind in _TREATED else ())
    if purposes:
        provision["purpose"] = [{"system": s.ACT_REASON, "code": purpose} for purpose in purposes]
    return provision


def _reference(identifier: Identifier, display: str) -> dict[str, Any]:
    reference: dict[str, Any] = {
        "type": _type_of(identifier),
        "identifier": {"system": identifier.system, "value": identifier.value},
    }
    return {**reference, "display": display} if display else reference


def _type_of(identifier: Identifier) -> str:
    if identifier.system in INS_SYSTEMS:
        return "RelatedPerson"
    return "Organization" if identifier.system == STRUCT_IDNAT else "Practitioner"


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
