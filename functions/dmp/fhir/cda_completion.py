"""What the header of a CDA adds to a DocumentReference, and where the two must agree (CDA R2)."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from dmp.domain.clinical_document import (
    ClinicalDocumentHeader,
    RelatedDocument,
    Relation,
    master_identifier_of,
    unique_id_of,
)
from dmp.domain.code_lists import canonical_system
from dmp.domain.document import Coding
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import Identifier
from dmp.fhir.cda_actors import Actors, coding_json, concept, identifier_json
from dmp.fhir.references import identifier_of, identifiers_of
from dmp.fhir.systems import DMP_VERSION, MHD_IDENTIFIER_TYPE
from dmp.fhir.times import instant_text, parse_datetime

type Resource = Mapping[str, Any]
type Json = dict[str, Any]

_SAME_DAY = timedelta(days=1)
_SET_ID = "setId"


def completed(resource: Resource, header: ClinicalDocumentHeader, place: str) -> Json:
    """The DocumentReference with what its document says and it leaves out.

    Raises Invalid `metadata-mismatch` where they contradict each other on unique id, set, version, type or time of
    creation.
    """
    _check_agreement(resource, header, place)
    actors = Actors([str(one.get("id")) for one in resource.get("contained", [])])
    content = {**_from_header(header), **_people(resource, header, actors), **resource}
    entry = resource["content"][0]
    described = {"format": coding_json(header.format), **entry} if header.format else dict(entry)
    content["content"] = [{**described, "attachment": {**_attachment(header), **entry["attachment"]}}]
    context = {**_context(header), **_source(resource, header, actors), **resource.get("context", {})}
    lists = {
        "contained": actors.contained,
        "extension": _version(resource, header),
        "identifier": _set_identifier(resource, header),
        "relatesTo": _replacements(resource, header),
    }
    for name, added in lists.items():
        if added:
            content[name] = [*resource.get(name, []), *added]
    return content | ({"context": context} if context else {})


def with_relations(resource: Resource, header: ClinicalDocumentHeader) -> Json:
    """The DocumentReference with what its document says it appends to or transforms: kept, not looked for."""
    said = resource.get("relatesTo", [])
    known = {json.dumps(one, sort_keys=True) for one in said}
    others = [_relation(one) for one in header.related if one.relation is not Relation.REPLACES]
    added = [one for one in others if json.dumps(one, sort_keys=True) not in known]
    return {**resource, **({"relatesTo": [*said, *added]} if added else {})}


def predecessors(header: ClinicalDocumentHeader) -> tuple[Identifier, ...]:
    """The documents that this one says it replaces."""
    return tuple(map(master_identifier_of, header.replaced))


def _check_agreement(resource: Resource, header: ClinicalDocumentHeader, place: str) -> None:
    for path, agrees in _points(resource, header):
        if not agrees:
            raise Invalid("metadata-mismatch", f"{place}.{path}", "the document itself says otherwise")


def _points(resource: Resource, header: ClinicalDocumentHeader) -> Iterator[tuple[str, bool]]:
    master = identifier_of(resource.get("masterIdentifier"))
    if master and header.unique_id:
        yield "masterIdentifier", unique_id_of(master) == header.unique_id
    if header.type and "type" in resource:
        yield "type", _is_among(header.type, resource["type"])
    creation = resource["content"][0]["attachment"].get("creation")
    if creation and header.effective_time:
        yield "content[0].attachment.creation", _is_near(header.effective_time, creation)
    for said in resource.get("identifier", []):
        named = identifier_of(said) if said.get("type", {}).get("text") == _SET_ID else None
        if named and header.set_id:
            yield "identifier", unique_id_of(named) == header.set_id
    for said in resource.get("extension", []):
        if said["url"] == DMP_VERSION and header.version is not None:
            yield "extension", said.get("valueString") == str(header.version)


def _is_among(coding: Coding, said: Resource) -> bool:
    wanted = (canonical_system(coding.system), coding.code)
    sent = ((canonical_system(one.get("system", "")), one.get("code")) for one in said.get("coding", []))
    return wanted in sent


def _is_near(moment: datetime, text: str) -> bool:
    """Whether a time lies in what a dateTime stands for, or within a day of it: software often writes no zone."""
    moments = parse_datetime(text)
    return moments is not None and moments[0] - _SAME_DAY <= moment < moments[1] + _SAME_DAY


def _from_header(header: ClinicalDocumentHeader) -> Json:
    content: Json = {}
    if header.master_identifier:
        unique = {"coding": [{"system": MHD_IDENTIFIER_TYPE, "code": "uniqueId"}]}
        content["masterIdentifier"] = {"type": unique, **identifier_json(header.master_identifier)}
    if header.type:
        content["type"] = concept(header.type)
    if header.effective_time:
        content["date"] = instant_text(header.effective_time)
    if header.title:
        content["description"] = header.title
    if header.confidentiality:
        content["securityLabel"] = [concept(header.confidentiality)]
    return content


def _people(resource: Resource, header: ClinicalDocumentHeader, actors: Actors) -> Json:
    content: Json = {}
    if "author" not in resource and (authors := [one for one in map(actors.author, header.authors) if one]):
        content["author"] = authors
    if "authenticator" not in resource and header.legal_authenticator:
        content["authenticator"] = actors.authenticator(header.legal_authenticator)
    if header.custodian:
        named = {"display": header.custodian_name} if header.custodian_name else {}
        content["custodian"] = {"type": "Organization", "identifier": identifier_json(header.custodian), **named}
    return {name: value for name, value in content.items() if value}


def _source(resource: Resource, header: ClinicalDocumentHeader, actors: Actors) -> Json:
    if header.patient is None or "sourcePatientInfo" in resource.get("context", {}):
        return {}
    source = actors.patient(header.patient)
    return {"sourcePatientInfo": source} if source else {}


def _attachment(header: ClinicalDocumentHeader) -> dict[str, str]:
    creation = instant_text(header.effective_time) if header.effective_time else ""
    found = {"language": header.language, "title": header.title, "creation": creation}
    return {key: value for key, value in found.items() if value}


def _context(header: ClinicalDocumentHeader) -> Json:
    context: Json = {}
    if header.events:
        context["event"] = [concept(event) for event in header.events]
    if header.service_start:
        end = header.service_end if header.service_end and header.service_end >= header.service_start else None
        context["period"] = {"start": instant_text(header.service_start)}
        context["period"] |= {"end": instant_text(end)} if end else {}
    if header.facility:
        context["facilityType"] = concept(header.facility)
    if header.practice_setting:
        context["practiceSetting"] = concept(header.practice_setting)
    return context


def _version(resource: Resource, header: ClinicalDocumentHeader) -> list[Json]:
    is_said = any(one["url"] == DMP_VERSION for one in resource.get("extension", []))
    return [] if header.version is None or is_said else [{"url": DMP_VERSION, "valueString": str(header.version)}]


def _set_identifier(resource: Resource, header: ClinicalDocumentHeader) -> list[Json]:
    """What all versions of the document are found by, where it is not among its identifiers already."""
    if header.set_identifier is None or header.set_identifier in identifiers_of(resource):
        return []
    return [{"type": {"text": _SET_ID}, **identifier_json(header.set_identifier)}]


def _replacements(resource: Resource, header: ClinicalDocumentHeader) -> list[Json]:
    """What the document says it replaces, where the request does not say that itself."""
    if any(relation["code"] == Relation.REPLACES for relation in resource.get("relatesTo", [])):
        return []
    return [_relation(one) for one in header.related if one.relation is Relation.REPLACES]


def _relation(related: RelatedDocument) -> Json:
    identifier = identifier_json(master_identifier_of(related.unique_id))
    return {"code": related.relation.value, "target": {"type": "DocumentReference", "identifier": identifier}}
