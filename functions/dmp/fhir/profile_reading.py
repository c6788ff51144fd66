"""An entry of the structured profile as a client sends it (FHIR R4)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dmp.domain.clinical_profile import ProfileKind
from dmp.domain.consent import PatientRef
from dmp.domain.errors import TooLarge
from dmp.domain.profile_request import ProfileRequest
from dmp.fhir import security_labels
from dmp.fhir.datatypes import Element
from dmp.fhir.measure_rules import check_measure
from dmp.fhir.observation_model import Observation
from dmp.fhir.profile_acts import FamilyMemberHistory, Immunization, Procedure
from dmp.fhir.profile_models import AllergyIntolerance, Condition, Medication, MedicationStatement
from dmp.fhir.profile_rendering import codings_of, labels_of, subject_element
from dmp.fhir.record_references import SERVERS, record_references
from dmp.fhir.references import Surroundings, patient_of
from dmp.fhir.systems import DMP_ORIGIN
from dmp.fhir.validation import validate, without_orphans

type Resource = Mapping[str, Any]

LARGEST = 20_000
"""Bytes of JSON that an entry may have: a whole profile is read at once, and no entry is to crowd out others."""
_MODELS: dict[ProfileKind, dict[str, type[Element]]] = {
    ProfileKind.ALLERGY: {"AllergyIntolerance": AllergyIntolerance},
    ProfileKind.CONDITION: {"Condition": Condition},
    ProfileKind.MEDICATION: {"MedicationStatement": MedicationStatement, "Medication": Medication},
    ProfileKind.IMMUNIZATION: {"Immunization": Immunization},
    ProfileKind.PROCEDURE: {"Procedure": Procedure},
    ProfileKind.FAMILY_HISTORY: {"FamilyMemberHistory": FamilyMemberHistory},
    ProfileKind.OBSERVATION: {"Observation": Observation},
}
_KEPT_OF_META = ("source", "tag")
_ERROR = "entered-in-error"


def read_entry(resource: Resource, kind: ProfileKind, *, base_url: str = "") -> ProfileRequest:
    """Read a parsed resource of the profile, which names its patient.

    Raises Invalid `invalid-resource`, `invalid-measure`, `unknown-reference`, `unknown-code` (a label that does not
    exist); TooLarge.
    """
    checked = validate(resource, kind, models=_MODELS[kind])
    subject = subject_element(kind)
    around = Surroundings(base_url=base_url).within(checked)
    patient = patient_of(checked[subject], around, f"{kind}.{subject}")
    if kind is ProfileKind.OBSERVATION:
        check_measure(checked, kind)
    named = record_references(checked, kind, patient=subject, base_url=base_url)
    meta = checked.pop("meta", {})
    request = replace(labelled(kind, patient, _kept(checked, subject, meta), meta), references=named)
    if len(json.dumps(request.resource, ensure_ascii=False).encode()) > LARGEST:
        raise TooLarge("too-large", kind, f"an entry has {LARGEST} bytes at most")
    return request


def labelled(kind: ProfileKind, patient: PatientRef, content: Resource, meta: Resource) -> ProfileRequest:
    """A request to say this, under the labels of `meta.security`; raises Invalid `unknown-code`."""
    resource, labels = dict(content), labels_of(meta)
    known = security_labels.normalised(labels, f"{kind}.meta.security")
    _, *others = codings_of(security_labels.relabelled({"securityLabel": known}, ())["securityLabel"])
    kept = {name: value for name, value in resource.pop("meta", {}).items() if name != "security"}
    kept |= {"security": others} if others else {}
    return ProfileRequest(
        kind=kind,
        patient=patient,
        visibility=security_labels.visibility_of(labels) if labels else None,
        resource=resource | ({"meta": kept} if kept else {}),
        is_in_error=_is_in_error(resource),
    )


def _kept(checked: Resource, subject: str, meta: Resource) -> dict[str, Any]:
    """What is stored of a resource: all that the client says, and nothing that this server says in its place."""
    content = {name: value for name, value in checked.items() if name not in ("id", subject)}
    extensions = [one for one in content.pop("extension", []) if one["url"] not in SERVERS]
    tags = [one for one in meta.get("tag", []) if one.get("system") != DMP_ORIGIN]
    told = {name: value for name, value in {**meta, "tag": tags}.items() if name in _KEPT_OF_META and value}
    content |= ({"extension": extensions} if extensions else {}) | ({"meta": told} if told else {})
    return without_orphans(content)


def _is_in_error(resource: Resource) -> bool:
    verification = resource.get("verificationStatus", {}).get("coding", [])
    return resource.get("status") == _ERROR or any(one.get("code") == _ERROR for one in verification)
