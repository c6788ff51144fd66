"""Documents whose bytes come by themselves: as they are announced, and once the bytes are there (ITI-105)."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dmp.domain.content import KIND_OF_TYPE, XML, media_type
from dmp.domain.document import DocumentStatus
from dmp.domain.errors import Invalid, TooLarge
from dmp.domain.submission import SubmittedDocument
from dmp.domain.upload import LARGEST_UPLOAD
from dmp.fhir import attachments
from dmp.fhir.document_metadata import metadata_of, replaced_by
from dmp.fhir.document_reference import Intake, attachment_of, finished, normalised, submitted, with_custodian
from dmp.fhir.document_remarks import remarks_on
from dmp.fhir.named_documents import NamedDocuments
from dmp.fhir.primitives import decode_base64
from dmp.fhir.reference_targets import check_targets
from dmp.fhir.references import Surroundings, parse_target

type Resource = Mapping[str, Any]

_PLACE = "DocumentReference"
_ATTACHMENT = f"{_PLACE}.content[0].attachment"
_SHA1_BYTES = 20


def is_announced(resource: Resource) -> bool:
    """Whether a DocumentReference tells the size or the hash of bytes that it does not bring."""
    attachment = attachment_of(resource)
    return "data" not in attachment and ("size" in attachment or "hash" in attachment)


def without_doc_status(resource: Resource) -> dict[str, Any]:
    """The resource without the docStatus that is always answered; any other is for the profile to judge."""
    return {name: value for name, value in resource.items() if (name, value) != ("docStatus", "preliminary")}


def announced(resource: Resource, intake: Intake, around: Surroundings) -> SubmittedDocument:
    """A validated DocumentReference without bytes, made ready to be stored.

    A CDA is still to complete it: its unique id, its custodian. Raises Invalid for what an announcement lacks,
    TooLarge for what is larger than an upload may be.
    """
    if resource["status"] != DocumentStatus.CURRENT:
        raise Invalid("invalid-resource", f"{_PLACE}.status", "a new document is current")
    check_targets(resource, around, _PLACE)
    is_xml = KIND_OF_TYPE.get(media_type(attachment_of(resource)["contentType"])) == XML
    completed = dict(resource) if is_xml else with_custodian(resource, intake)
    completed = _with_relative_targets(completed, intake.base_url)
    described = {**completed["content"][0], "attachment": _described(attachment_of(completed))}
    named = NamedDocuments(around)
    linked = named.found_in({**completed, "content": [described]}, _PLACE)
    stored = finished(normalised({k: v for k, v in linked.items() if k != "meta"}, _PLACE), intake, around)
    metadata = metadata_of(stored)
    if metadata.master_identifier is None and not is_xml:
        raise Invalid("invalid-resource", f"{_PLACE}.masterIdentifier", "the document has no unique id")
    return SubmittedDocument(
        metadata=replace(metadata, replaces=replaced_by(resource, intake.base_url, _PLACE)),
        content=b"",
        relations=tuple(named.relations),
        remarks=(*named.remarks, *remarks_on(resource, stored, _PLACE)),
        is_upload=True,
    )


def arrived(body: str, content: bytes, intake: Intake) -> SubmittedDocument:
    """The document that was announced, by its resource as it is stored, with its bytes.

    Raises Invalid or TooLarge for what an inline document would be refused for.
    """
    resource = json.loads(body)
    document = submitted(resource, content, intake, Surroundings().within(resource), place=_PLACE)
    if document.metadata.master_identifier is None:
        raise Invalid("invalid-resource", f"{_PLACE}.masterIdentifier", "the document has no unique id")
    return document


def _described(attachment: Resource) -> dict[str, Any]:
    """The attachment with the canonical form of its hash; Invalid or TooLarge where it cannot be uploaded."""
    attachments.check_type(attachment["contentType"], _ATTACHMENT)
    for name in ("size", "hash"):
        if name not in attachment:
            raise Invalid("invalid-resource", f"{_ATTACHMENT}.{name}", f"an upload is announced with its {name}")
    if attachment["size"] == 0:
        raise Invalid("content-missing", f"{_ATTACHMENT}.size", "the content is empty")
    if attachment["size"] > LARGEST_UPLOAD:
        raise TooLarge("too-large", f"{_ATTACHMENT}.size", f"an upload is limited to {LARGEST_UPLOAD} bytes")
    digest = decode_base64(attachment["hash"])
    if digest is None or len(digest) != _SHA1_BYTES:
        raise Invalid("invalid-resource", f"{_ATTACHMENT}.hash", "the hash is the SHA-1 of the content, in base64")
    kept = {name: value for name, value in attachment.items() if name not in ("data", "url", "_data", "_url")}
    return {**kept, "hash": b64encode(digest).decode()}


def _with_relative_targets(resource: Resource, base_url: str) -> dict[str, Any]:
    """The resource whose relations to documents of this server need no address of it to be understood."""
    content = dict(resource)
    if "relatesTo" in content:
        content["relatesTo"] = [{**one, "target": _relative(one["target"], base_url)} for one in content["relatesTo"]]
    return content


def _relative(reference: Resource, base_url: str) -> dict[str, Any]:
    literal = reference.get("reference", "")
    is_here = literal.startswith(f"{base_url}/") and parse_target(literal, base_url) is not None
    return {**reference, "reference": literal.removeprefix(f"{base_url}/")} if is_here else dict(reference)
