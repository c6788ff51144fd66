"""From a normalised DocumentReference to what the domain knows of a document; used for new and for patched ones."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dmp.domain.document import Coding, DocumentStatus, Metadata, ReplacesTarget
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import STRUCT_IDNAT, Identifier
from dmp.fhir.references import (
    Surroundings,
    actors_of,
    identifier_of,
    identifiers_of,
    ins_of,
    parse_target,
)
from dmp.fhir.security_labels import visibility_of
from dmp.fhir.systems import PDSM_IS_ARCHIVED
from dmp.fhir.times import parse_datetime, parse_instant


def metadata_of(resource: Mapping[str, Any]) -> Metadata:
    """Read a DocumentReference that is valid and normalised; it replaces nothing any more once it is stored."""
    attachment = resource["content"][0]["attachment"]
    context = resource.get("context", {})
    around = Surroundings().within(resource)
    start, end = _period(context.get("period", {}))
    date = parse_instant(resource["date"])
    assert date is not None  # nosec B101 # noqa: S101 - the schema has made sure
    return Metadata(
        master_identifier=identifier_of(resource.get("masterIdentifier")),
        identifiers=identifiers_of(resource),
        type=_first_coding(resource.get("type", {})),
        visibility=visibility_of(resource.get("securityLabel", [])),
        date=date,
        authors=_people(actors_of(resource.get("author", []), around)),
        content_type=attachment["contentType"],
        size=attachment.get("size"),
        sha1=attachment.get("hash"),
        title=attachment.get("title", ""),
        language=attachment.get("language", ""),
        created=_start(attachment.get("creation")),
        period_start=start,
        period_end=end,
        status=DocumentStatus(resource["status"]),
        is_archived=is_archived(resource),
        source_patient=_source_patient(context.get("sourcePatientInfo", {}), around),
        replaces=(),
        resource=resource,
    )


def _people(actors: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
    """Without the structures in which authors work: to be named so opens the document to nobody else of theirs."""
    return tuple(actor for actor in actors if actor.system != STRUCT_IDNAT)


def is_archived(resource: Mapping[str, Any]) -> bool:
    """The value of pdsm-ext-is-archived."""
    found = (item for item in resource.get("extension", []) if item["url"] == PDSM_IS_ARCHIVED)
    return any(item.get("valueBoolean", False) for item in found)


def replaced_by(resource: Mapping[str, Any], base_url: str, place: str) -> tuple[ReplacesTarget, ...]:
    """The documents that `relatesTo.code = replaces` names.

    Raises Invalid `unknown-reference` where the target is no document of a record.
    """
    return tuple(
        document_target(relation["target"], base_url, f"{place}.relatesTo[{index}].target")
        for index, relation in enumerate(resource.get("relatesTo", []))
        if relation["code"] == "replaces"
    )


def document_target(reference: Mapping[str, Any], base_url: str, place: str) -> ReplacesTarget:
    """The document that a reference names, by its id or by an identifier."""
    target = parse_target(reference.get("reference", ""), base_url)
    logical = identifier_of(reference.get("identifier"))
    if target and target.resource_type == "DocumentReference":
        return ReplacesTarget(target.id, target.identifier or logical)
    if logical is None or "reference" in reference:
        raise Invalid("unknown-reference", place, "the reference leads to no document of a record")
    return ReplacesTarget(identifier=logical)


def _source_patient(reference: Mapping[str, Any], around: Surroundings) -> Identifier | None:
    logical = identifier_of(reference.get("identifier"))
    contained = around.resource(reference.get("reference", "")) or {}
    found = (*ins_of({"identifier": [reference["identifier"]]} if logical else {}), *ins_of(contained))
    return found[0] if found else None


def _first_coding(concept: Mapping[str, Any]) -> Coding | None:
    for coding in concept.get("coding", []):
        if "system" in coding and "code" in coding:
            return Coding(coding["system"], coding["code"], coding.get("display", ""))
    return None


def _period(period: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    end = parse_datetime(period["end"]) if "end" in period else None
    return _start(period.get("start")), end[1] if end else None


def _start(text: str | None) -> datetime | None:
    moments = parse_datetime(text) if text else None
    return moments[0] if moments else None
