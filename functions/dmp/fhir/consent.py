"""A Consent as it is answered: complete after IHE PCF, Basic for care, Intermediate for the emergency modes."""

import json
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

from dmp.domain.consent import WISHES, Consent, ConsentKind, EmergencyPurpose, Grantor
from dmp.domain.consent_request import TREATMENT
from dmp.domain.identifiers import STRUCT_IDNAT, Identifier, resource_id
from dmp.fhir import systems as s
from dmp.fhir.times import instant_text

type Json = dict[str, Any]

_TEXTS = Path(__file__).parent.parent / "data" / "consents_fr.json"
_TREATED = frozenset({ConsentKind.AUTHORISATION, ConsentKind.ATTENDING_PHYSICIAN, ConsentKind.OPENING})
"""The kinds that are for treatment, whether or not they say so."""


def render_consent(consent: Consent) -> Json:
    """The Consent, with every element that PCF requires."""
    rendered: Json = {
        "resourceType": "Consent",
        "id": consent.id,
        "meta": {
            "versionId": str(consent.version),
            "lastUpdated": instant_text(consent.updated),
            **({} if _is_wish(consent) else {"profile": [_profile(consent)]}),
        },
        "extension": _extensions(consent),
        "status": consent.status.value,
        "scope": _concept(s.CONSENT_SCOPE, "adr" if _is_wish(consent) else "patient-privacy"),
        "category": [_concept(system, code) for system, code in categories_of(consent)],
        "patient": _patient(consent),
        "dateTime": instant_text(consent.date_time),
        "performer": [_performer(consent)],
        "organization": [_organization(consent.organization)],
        **_source(consent),
        "policy": [{"uri": consent.policy_uri or s.DMP_POLICY}],
        "provision": _provision(consent),
    }
    return {key: value for key, value in rendered.items() if value}


def categories_of(consent: Consent) -> list[tuple[str, str]]:
    """System and code of each category."""
    kind = consent.directive.kind
    further = [(s.LOINC, s.ADVANCE_DIRECTIVES)] if kind is ConsentKind.ADVANCE_DIRECTIVES else []
    return [(s.LOINC, s.CONSENT_DOCUMENT), (s.DMP_CONSENT_KIND, kind.value), *further]


def delegate_of(consent: Consent) -> str | None:
    """The reference of the RelatedPerson that a delegation names, whose INS stays there."""
    return f"RelatedPerson/{resource_id(consent.record, consent.delegate)}" if consent.delegate else None


def purposes_of(consent: Consent) -> tuple[str, ...]:
    """The purposes that a Consent tells, treatment too where its kind is for nothing else."""
    directive = consent.directive
    return directive.purposes or ((TREATMENT,) if directive.kind in _TREATED else ())


def _profile(consent: Consent) -> str:
    """Basic knows treatment, payment and operations alone."""
    is_basic = set(EmergencyPurpose).isdisjoint(consent.directive.purposes)
    return s.PCF_CONSENT_BASIC if is_basic else s.PCF_CONSENT_INTERMEDIATE


def _is_wish(consent: Consent) -> bool:
    """A wish is no decision about privacy, which is all that PCF is for."""
    return consent.directive.kind in WISHES


def _is_emergency(consent: Consent) -> bool:
    return consent.directive.kind is ConsentKind.EMERGENCY


def _extensions(consent: Consent) -> list[Json]:
    extensions: list[Json] = []
    if consent.method:
        extensions.append({"url": s.DMP_OPENING_METHOD, "valueCode": consent.method})
    if consent.attested_by and not _is_emergency(consent):
        witness = _reference(consent.attested_by, consent.attested_by_name)
        extensions.append({"url": s.DMP_ATTESTED_BY, "valueReference": witness})
    return extensions


def _patient(consent: Consent) -> Json:
    return {"reference": f"Patient/{consent.record}"}


def _performer(consent: Consent) -> Json:
    """Who consents; an emergency is declared by the professional, without the patient."""
    directive = consent.directive
    if _is_emergency(consent) and directive.actor:
        return _reference(directive.actor, consent.actor_display or consent.attested_by_name)
    if directive.granted_by is Grantor.REPRESENTATIVE:
        return {"type": "RelatedPerson", "display": _texts()["representative"]}
    return _patient(consent)


def _organization(identifier: Identifier | None) -> Json:
    if identifier:
        return _reference(identifier, "")
    return {"type": "Organization", "display": _texts()["organization"]}


def _source(consent: Consent) -> Json:
    """How the choice was expressed, or the document that says it."""
    if document := consent.directive.document:
        return {"sourceReference": {"reference": f"DocumentReference/{resource_id(consent.record, document)}"}}
    return {"sourceAttachment": _attachment(consent)}


def _attachment(consent: Consent) -> Json:
    sources = _texts()["sources"]
    title = {"title": sources["emergency" if _is_emergency(consent) else consent.method or "electronic"]}
    if not consent.attestation:
        return title
    data = b64encode(consent.attestation.encode()).decode()
    return {"contentType": "text/plain; charset=utf-8", "language": "fr", "data": data, **title}


def _provision(consent: Consent) -> Json:
    directive = consent.directive
    period = {"start": instant_text(directive.start)}
    if directive.end:
        period["end"] = instant_text(directive.end)
    provision: Json = {"type": "permit" if directive.permit else "deny", "period": period}
    if actor := _actor(consent):
        provision["actor"] = [{"role": _concept(s.PARTICIPATION_TYPE, "IRCP"), "reference": actor}]
    if purposes := purposes_of(consent):
        provision["purpose"] = [{"system": s.ACT_REASON, "code": purpose} for purpose in purposes]
    return provision


def _actor(consent: Consent) -> Json:
    """Whom the Consent is about: a delegate by the RelatedPerson alone."""
    display = {"display": consent.actor_display} if consent.actor_display else {}
    if delegate := delegate_of(consent):
        return {"reference": delegate, "type": "RelatedPerson", **display}
    actor = consent.directive.actor
    return _reference(actor, consent.actor_display) if actor else {}


def _reference(identifier: Identifier, display: str) -> Json:
    reference: Json = {
        "type": "Organization" if identifier.system == STRUCT_IDNAT else "Practitioner",
        "identifier": {"system": identifier.system, "value": identifier.value},
    }
    return {**reference, "display": display} if display else reference


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


@cache
def _texts() -> Json:
    return dict(json.loads(_TEXTS.read_bytes()))
