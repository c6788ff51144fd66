"""What documents offer, as the resources that clients get of it: with the person whom they are about."""

from typing import Any

from dmp.cda.extraction import extract
from dmp.domain.clinical_profile import Candidate, ProfileKind

_OF_A_PATIENT = {ProfileKind.ALLERGY, ProfileKind.IMMUNIZATION, ProfileKind.FAMILY_HISTORY}


def candidates_of(content: bytes) -> tuple[Candidate, ...]:
    """What a document offers of which nothing is cut."""
    return extract(content).candidates


def about_somebody(candidate: Candidate) -> dict[str, Any]:
    """The resource of a candidate with its subject."""
    name = "patient" if candidate.kind in _OF_A_PATIENT else "subject"
    return {**candidate.resource, name: {"reference": "Patient/abc"}}


def the_only(concept: Any) -> str:
    """The code of a concept that has one."""
    [coding] = concept["coding"]
    return str(coding["code"])
