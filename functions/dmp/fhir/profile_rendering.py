"""Entries of the structured profile as they are answered: those entered, and those found in documents (FHIR R4)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from dmp.domain.clinical_profile import Candidate, Origin, ProfileEntry, ProfileKind
from dmp.domain.document import Coding, DocumentEntry, Visibility
from dmp.domain.identifiers import resource_id
from dmp.fhir import security_labels
from dmp.fhir.recorder import recorder_of, with_recorder
from dmp.fhir.systems import DMP_ORIGIN, DMP_SOURCE
from dmp.fhir.times import instant_text

type Resource = Mapping[str, Any]

_OF_PATIENT = frozenset({ProfileKind.ALLERGY, ProfileKind.IMMUNIZATION, ProfileKind.FAMILY_HISTORY})
_RECORDED = frozenset({ProfileKind.ALLERGY, ProfileKind.CONDITION, ProfileKind.PROCEDURE})
_DERIVED = frozenset({ProfileKind.MEDICATION, ProfileKind.OBSERVATION})
_ORIGINS = {
    Origin.PATIENT: "Saisi par le patient ou son représentant",
    Origin.PROFESSIONAL: "Saisi par un professionnel",
    Origin.DOCUMENT: "Extrait d'un document",
}
_FIRST = ("language", "text", "contained")


def subject_element(kind: ProfileKind) -> str:
    """The element that names the patient in resources of a kind."""
    return "patient" if kind in _OF_PATIENT else "subject"


def labels_of(meta: Resource) -> list[dict[str, Any]]:
    """The labels of `meta.security` in the form of a DocumentReference's."""
    return [{"coding": [coding]} for coding in meta.get("security", [])]


def codings_of(labels: Iterable[Resource]) -> list[dict[str, Any]]:
    """Labels in the form of `meta.security`."""
    return [coding for label in labels for coding in label.get("coding", [])]


def render_entry(entry: ProfileEntry) -> dict[str, Any]:
    """An entry with this server's id, version, patient, labels and origin, and with who entered it.

    One entered in a connexion secrète names nobody, to whomever.
    """
    sent: dict[str, Any] = dict(entry.resource)
    meta = _meta(entry.version, entry.updated, entry.origin, entry.visibility, sent.get("meta", {}))
    return _whole(entry.kind, entry.record, entry.id, meta, _recorded(entry, sent, recorder_of(entry)))


def render_candidate(record: str, local: str, candidate: Candidate, document: DocumentEntry) -> dict[str, Any]:
    """A candidate with the id, version and labels that follow from its document, and with where it was found."""
    meta = _meta(document.version, document.updated, Origin.DOCUMENT, document.visibility, {})
    source = {"reference": f"DocumentReference/{document.id}"}
    found: dict[str, Any] = dict(candidate.resource)
    found["extension"] = [*found.get("extension", []), _source(candidate, source)]
    if candidate.kind in _DERIVED:
        found["derivedFrom"] = [source]
    return _whole(candidate.kind, record, resource_id(record, local), meta, found)


def without_given(entry: ProfileEntry, content: Resource) -> dict[str, Any]:
    """What a client sends back of an entry, without what only its rendering filled in."""
    rendered = _recorded(entry, entry.resource, recorder_of(entry))
    given = rendered.keys() - entry.resource.keys()
    return {name: value for name, value in content.items() if name not in given or value != rendered[name]}


def _whole(kind: ProfileKind, record: str, identity: str, meta: Resource, content: Resource) -> dict[str, Any]:
    subject = subject_element(kind)
    own = {"resourceType": kind.value, "id": identity, "meta": dict(meta)}
    first = {name: content[name] for name in _FIRST if name in content}
    rest = {name: value for name, value in content.items() if name not in (*own, *_FIRST, subject)}
    return {**own, **first, **rest, subject: {"reference": f"Patient/{record}"}}


def _meta(
    version: int, updated: datetime, origin: Origin, visibility: Iterable[Visibility], sent: Resource
) -> dict[str, Any]:
    labels = security_labels.relabelled({"securityLabel": labels_of(sent)}, visibility)["securityLabel"]
    tag = {"system": DMP_ORIGIN, "code": origin.value, "display": _ORIGINS[origin]}
    return {
        "versionId": str(version),
        "lastUpdated": instant_text(updated),
        **({"source": sent["source"]} if "source" in sent else {}),
        "security": codings_of(labels),
        "tag": [*sent.get("tag", []), tag],
    }


def _recorded(entry: ProfileEntry, sent: Resource, by: dict[str, Any]) -> dict[str, Any]:
    """What was sent, with who entered it in our extension, and in FHIR's own element where that is not filled."""
    if not by:
        return dict(sent)
    told = {**sent, "extension": with_recorder(sent.get("extension", []), by)}
    if entry.kind in _RECORDED and by.get("type") != "Organization":
        told.setdefault("recorder", by)
    elif entry.kind is ProfileKind.MEDICATION:
        told.setdefault("informationSource", by)
    elif entry.kind is ProfileKind.OBSERVATION:
        told.setdefault("performer", [by])
    return told


def _source(candidate: Candidate, document: Resource) -> dict[str, Any]:
    section = _section(candidate.section, candidate.section_title)
    parts = [{"url": "document", "valueReference": document}]
    if section:
        parts.append({"url": "section", "valueCodeableConcept": section})
    return {"url": DMP_SOURCE, "extension": parts}


def _section(coding: Coding | None, title: str) -> dict[str, Any]:
    concept: dict[str, Any] = {"text": title} if title else {}
    if coding:
        display = {"display": coding.display} if coding.display else {}
        concept["coding"] = [{"system": coding.system, "code": coding.code, **display}]
    return concept
