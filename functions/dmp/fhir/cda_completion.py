"""What the header of a CDA adds to a DocumentReference, and where the two must agree (CDA R2)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dmp.domain.clinical_document import (
    CdaAuthor,
    ClinicalDocumentHeader,
    master_identifier_of,
    unique_id_of,
)
from dmp.domain.code_lists import canonical_system
from dmp.domain.document import Coding
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import Identifier
from dmp.fhir.references import identifier_of
from dmp.fhir.systems import MHD_IDENTIFIER_TYPE
from dmp.fhir.times import instant_text, parse_datetime

type Resource = Mapping[str, Any]

_SAME_DAY = timedelta(days=1)


def completed(resource: Resource, header: ClinicalDocumentHeader, place: str) -> dict[str, Any]:
    """The DocumentReference with what its document says and it leaves out.

    Raises Invalid `metadata-mismatch` where they contradict each other on unique id, type or time of creation.
    """
    _check_agreement(resource, header, place)
    content = {**_from_header(header), **resource}
    entry = resource["content"][0]
    attachment = {**_attachment(header), **entry["attachment"]}
    described = {"format": _coding(header.format), **entry} if header.format else entry
    content["content"] = [{**described, "attachment": attachment}]
    context = {**_context(header), **resource.get("context", {})}
    if context:
        content["context"] = context
    if not any(relation["code"] == "replaces" for relation in resource.get("relatesTo", [])) and header.replaced:
        content["relatesTo"] = [*resource.get("relatesTo", []), *map(_replaces, predecessors(header))]
    return content


def predecessors(header: ClinicalDocumentHeader) -> tuple[Identifier, ...]:
    """The documents that this one says it replaces."""
    return tuple(map(master_identifier_of, header.replaced))


def _check_agreement(resource: Resource, header: ClinicalDocumentHeader, place: str) -> None:
    master = identifier_of(resource.get("masterIdentifier"))
    if master and header.unique_id and unique_id_of(master) != header.unique_id:
        raise Invalid("metadata-mismatch", f"{place}.masterIdentifier", "the document has another unique id")
    if header.type and "type" in resource and not _is_among(header.type, resource["type"]):
        raise Invalid("metadata-mismatch", f"{place}.type", "the document has another type")
    creation = resource["content"][0]["attachment"].get("creation")
    if creation and header.effective_time and not _is_near(header.effective_time, creation):
        path = f"{place}.content[0].attachment.creation"
        raise Invalid("metadata-mismatch", path, "the document has another date")


def _is_among(coding: Coding, concept: Mapping[str, Any]) -> bool:
    wanted = (canonical_system(coding.system), coding.code)
    sent = ((canonical_system(one.get("system", "")), one.get("code")) for one in concept.get("coding", []))
    return wanted in sent


def _is_near(moment: datetime, text: str) -> bool:
    """Whether a time lies in what a dateTime stands for, or within a day of it: software often writes no zone."""
    moments = parse_datetime(text)
    return moments is not None and moments[0] - _SAME_DAY <= moment < moments[1] + _SAME_DAY


def _from_header(header: ClinicalDocumentHeader) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if header.master_identifier:
        unique = {"coding": [{"system": MHD_IDENTIFIER_TYPE, "code": "uniqueId"}]}
        content["masterIdentifier"] = {"type": unique, **_identifier(header.master_identifier)}
    if header.type:
        content["type"] = {"coding": [_coding(header.type)]}
    if header.effective_time:
        content["date"] = instant_text(header.effective_time)
    authors = [_author(author) for author in header.authors if author.identifier or author.family]
    if authors:
        content["author"] = authors
    if header.custodian:
        content["custodian"] = _named("Organization", header.custodian, header.custodian_name)
    if header.title:
        content["description"] = header.title
    if header.confidentiality:
        content["securityLabel"] = [{"coding": [_coding(header.confidentiality)]}]
    return content


def _attachment(header: ClinicalDocumentHeader) -> dict[str, Any]:
    creation = instant_text(header.effective_time) if header.effective_time else ""
    found = {"language": header.language, "title": header.title, "creation": creation}
    return {key: value for key, value in found.items() if value}


def _context(header: ClinicalDocumentHeader) -> dict[str, Any]:
    context: dict[str, Any] = {}
    if header.events:
        context["event"] = [{"coding": [_coding(event)]} for event in header.events]
    if header.service_start:
        end = header.service_end if header.service_end and header.service_end >= header.service_start else None
        context["period"] = {"start": instant_text(header.service_start)}
        context["period"] |= {"end": instant_text(end)} if end else {}
    if header.facility:
        context["facilityType"] = {"coding": [_coding(header.facility)]}
    if header.practice_setting:
        context["practiceSetting"] = {"coding": [_coding(header.practice_setting)]}
    return context


def _author(author: CdaAuthor) -> dict[str, Any]:
    return _named("", author.identifier, " ".join(filter(None, (author.given, author.family))))


def _named(kind: str, identifier: Identifier | None, name: str) -> dict[str, Any]:
    reference: dict[str, Any] = {"type": kind} if kind else {}
    if identifier:
        reference["identifier"] = _identifier(identifier)
    return {**reference, "display": name} if name else reference


def _replaces(identifier: Identifier) -> dict[str, Any]:
    return {"code": "replaces", "target": {"type": "DocumentReference", "identifier": _identifier(identifier)}}


def _identifier(identifier: Identifier) -> dict[str, str]:
    return {"system": identifier.system, "value": identifier.value}


def _coding(coding: Coding) -> dict[str, str]:
    parts = {"system": coding.system, "code": coding.code, "display": coding.display}
    return {name: value for name, value in parts.items() if value}
