"""A RelatedPerson as a client sends it, alone or contained in a Consent (FHIR R4 RelatedPerson)."""

import json
from collections.abc import Mapping
from typing import Any

from dmp.domain.consent import PatientRef
from dmp.domain.errors import Invalid, TooLarge
from dmp.domain.related_person import PersonRequest
from dmp.fhir import security_labels
from dmp.fhir.record_references import record_references
from dmp.fhir.references import Surroundings, ins_of, patient_of
from dmp.fhir.systems import DMP_RECORDED_BY
from dmp.fhir.validation import validate, without_orphans

type Resource = Mapping[str, Any]

LARGEST = 100_000
"""Bytes of JSON that a person may have: it is one item of a table, beside its record."""
_SERVERS = frozenset({"id", "meta", "patient"})
"""What this server says of a resource, whatever a client sends."""


def read_person(resource: Resource, *, base_url: str = "") -> PersonRequest:
    """Read a parsed RelatedPerson, which names its patient.

    Raises Invalid `invalid-resource`, `unknown-reference`, `ins-invalid` (two different INS), `label-not-permitted`;
    TooLarge.
    """
    checked = validate(resource, "RelatedPerson")
    around = Surroundings(base_url=base_url).within(checked)
    patient = patient_of(checked["patient"], around, "RelatedPerson.patient")
    return person_of(checked, patient, "RelatedPerson", base_url=base_url)


def contained_person(checked: Resource, around: Surroundings, place: str) -> PersonRequest:
    """A validated RelatedPerson that came within a Consent: its patient is the Consent's, and need not be named."""
    reference = checked["patient"]
    is_named = reference.keys() & {"reference", "identifier"}
    patient = patient_of(reference, around, f"{place}.patient") if is_named else None
    return person_of(checked, patient, place, base_url=around.base_url)


def person_of(checked: Resource, patient: PatientRef | None, place: str, *, base_url: str = "") -> PersonRequest:
    """A validated RelatedPerson of this patient.

    Raises Invalid `ins-invalid` (two different INS), `unknown-reference`, `label-not-permitted`, `unknown-code`;
    TooLarge.
    """
    _check_labels(checked.get("meta", {}), place)
    references = record_references(checked, place, patient="patient", base_url=base_url)
    content = without_orphans({name: value for name, value in _sent(checked).items() if name not in _SERVERS})
    if len(json.dumps(content, ensure_ascii=False).encode()) > LARGEST:
        raise TooLarge("too-large", place, f"a person is described in {LARGEST} bytes at most")
    found = set(ins_of(checked))
    if len(found) > 1:
        raise Invalid("ins-invalid", f"{place}.identifier", "two different INS")
    codings = [coding for concept in checked.get("relationship", []) for coding in concept.get("coding", [])]
    return PersonRequest(
        patient=patient,
        identifier=found.pop() if found else None,
        relationships=tuple(coding["code"] for coding in codings if "code" in coding),
        resource=content,
        references=references,
    )


def _check_labels(meta: Resource, place: str) -> None:
    """Refuse what would hide a person, or is misspelt to: a mask that does nothing must not look like one."""
    labels = [{"coding": [coding]} for coding in meta.get("security", [])]
    security_labels.normalised(labels, f"{place}.meta.security")
    for index, label in enumerate(labels):
        if security_labels.visibility_of([label]):
            raise Invalid("label-not-permitted", f"{place}.meta.security[{index}]", "nobody can be masked")


def _sent(checked: Resource) -> dict[str, Any]:
    """What a client says: who told of a person, this server does."""
    sent = dict(checked)
    extensions = [one for one in sent.pop("extension", []) if one.get("url") != DMP_RECORDED_BY]
    return {**sent, **({"extension": extensions} if extensions else {})}
