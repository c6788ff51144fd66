"""The DocumentReference that a CDA gives rise to by itself (ITI-106, MHD Generate Metadata)."""

from collections.abc import Callable, Mapping
from typing import Any

from dmp.domain.clinical_document import ClinicalDocumentHeader
from dmp.domain.content import XML, detect
from dmp.domain.document import DocumentStatus
from dmp.domain.errors import Invalid
from dmp.fhir import attachments, cda_completion
from dmp.fhir.cda_actors import identifier_json
from dmp.fhir.document_reference import normalised
from dmp.fhir.operation import OperationInput, place_of
from dmp.fhir.validation import validate

_DOCUMENT = "document"


def generated(
    parameters: Mapping[str, Any], read_header: Callable[[bytes], ClinicalDocumentHeader | None]
) -> dict[str, Any]:
    """The metadata of the Binary in the parameter `document`, without an address: the document is nowhere.

    Raises Invalid: `missing-parameter`, `invalid-parameter`, `unsupported-content` for what is no CDA, and as a deposit
    for what would not be taken in.
    """
    place = f"{place_of(_DOCUMENT)}.resource"
    binary = _binary(OperationInput(parameters).resource(_DOCUMENT), place)
    content = attachments.decode(binary.get("data"), f"{place}.data")
    attachment = {"contentType": binary["contentType"]}
    attachments.verify(attachment, content, place)
    header = read_header(content) if detect(content) == XML else None
    if header is None:
        raise Invalid("unsupported-content", f"{place}.contentType", "the document is no CDA")
    return _described({**attachment, **attachments.described({}, content)}, header)


def _binary(resource: Mapping[str, Any] | None, place: str) -> Mapping[str, Any]:
    if resource is None:
        raise Invalid("missing-parameter", place_of(_DOCUMENT), "the document is missing")
    if resource.get("resourceType") == "Bundle":
        raise Invalid("unsupported-content", place, "a document in FHIR is not read")
    if resource.get("resourceType") != "Binary":
        raise Invalid("invalid-parameter", place, "the document is a Binary")
    return validate(resource, "Binary", place)


def _described(attachment: Mapping[str, Any], header: ClinicalDocumentHeader) -> dict[str, Any]:
    bare = {"resourceType": "DocumentReference", "status": DocumentStatus.CURRENT.value}
    completed = cda_completion.completed({**bare, "content": [{"attachment": attachment}]}, header, "DocumentReference")
    if len(header.ins) == 1:
        [ins] = header.ins
        completed["subject"] = {"type": "Patient", "identifier": identifier_json(ins)}
    return validate(normalised(cda_completion.with_relations(completed, header)), "DocumentReference")
