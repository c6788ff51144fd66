"""The literal references of what is entered into a record: contained, or of a form that this server gives (FHIR R4)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dmp.domain.clinical_profile import ProfileKind, candidate_of
from dmp.domain.identifiers import is_local_id, is_record_id
from dmp.domain.record_references import RecordReference
from dmp.domain.smart_scopes import TYPES
from dmp.fhir.references import parse_target
from dmp.fhir.systems import DMP_RECORDED_BY, DMP_SOURCE
from dmp.fhir.validation import references

type Resource = Mapping[str, Any]

SERVERS = frozenset({DMP_RECORDED_BY, DMP_SOURCE})
"""Extensions that only this server gives, whatever a client sends."""
_OF_RECORDS = frozenset({"Patient", "CareTeam"})
"""Types of which a record has one, by its own id."""
_ADDRESS = re.compile(r"Immunization\.education\[\d+\]\.reference")
"""What has the name of a reference, and is none: where to read something."""
_VERSION = re.compile(r"(?:/_history/[1-9][0-9]{0,8})?", re.ASCII)


def record_references(
    resource: Resource, place: str, *, patient: str, base_url: str = ""
) -> tuple[RecordReference, ...]:
    """The references of a validated resource to records, but for that of the element `patient`, read elsewhere.

    Contained ones are left out. Raises Invalid `unknown-reference`, with the place, for all that can lead to nothing of
    a record: other servers' addresses, conditional ones, `urn:uuid:`, ids of a form that this server never gives.
    """
    return tuple(_found(resource, place, patient, base_url))


def _found(resource: Resource, place: str, patient: str, base_url: str) -> Iterator[RecordReference]:
    contained = {f"#{one['id']}" for one in resource.get("contained", [])}
    extensions = [{} if one["url"] in SERVERS else one for one in resource.get("extension", [])]
    content = {name: value for name, value in resource.items() if name != patient} | {"extension": extensions}
    for where, literal in references(content, place):
        if literal in {"#", *contained} or _ADDRESS.fullmatch(where):
            continue
        record = _record_of(literal, base_url)
        if not record:
            raise RecordReference.unknown(where)
        yield RecordReference(where, record)


def _record_of(literal: str, base_url: str) -> str:
    """The record that a reference is to something of; "" for one that cannot be."""
    target = parse_target(literal, base_url)
    _, at, version = literal.partition("/_history/")
    if target is None or target.id is None or not _VERSION.fullmatch(at + version):
        return ""
    record, dot, local = target.id.partition(".")
    is_whole = target.resource_type in _OF_RECORDS
    is_of_it = not dot if is_whole else target.resource_type in TYPES and _is_local(target.resource_type, local)
    return record if is_record_id(record) and is_of_it else ""


def _is_local(resource_type: str, local: str) -> bool:
    return is_local_id(local) or (resource_type in ProfileKind and candidate_of(local) is not None)
