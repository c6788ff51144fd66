"""A DocumentReference as it is stored: completed, corrected, without what only the server decides (IHE MHD, PDSm)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dmp.domain import code_lists
from dmp.domain.clinical_document import ClinicalDocumentHeader
from dmp.domain.consent import PatientRef
from dmp.domain.content import XML, detect
from dmp.domain.document import DocumentStatus, Metadata
from dmp.domain.errors import Invalid, TooLarge
from dmp.domain.identifiers import Identifier, is_record_id
from dmp.domain.submission import SUBJECT, SubmittedDocument
from dmp.fhir import attachments, cda_completion, mhd_profiles, security_labels
from dmp.fhir.document_metadata import metadata_of, replaced_by
from dmp.fhir.document_remarks import remarks_on
from dmp.fhir.named_documents import MOST_RELATED, NamedDocuments
from dmp.fhir.reference_targets import check_targets
from dmp.fhir.references import Surroundings, parse_target, patient_named_by, with_logical
from dmp.fhir.systems import DMP_VERSION, PDSM_IS_ARCHIVED, SET_BY_SERVER
from dmp.fhir.times import instant_text
from dmp.fhir.validation import orphans, validate, without_orphans

type Resource = Mapping[str, Any]

_PERSONS = ("Patient", "RelatedPerson")
_KEPT_OF_META = ("source", "profile", "security", "tag")


def no_header(_: bytes) -> ClinicalDocumentHeader | None:
    """Read nothing from XML."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What reading a document needs beside the request.

    `structure` is the custodian where none is sent; `read_header` reads the header of a CDA, or says None.
    """

    now: datetime
    base_url: str = ""
    structure: Identifier | None = None
    structure_name: str = ""
    read_header: Callable[[bytes], ClinicalDocumentHeader | None] = no_header


def validated(resource: Resource, place: str = "DocumentReference") -> dict[str, Any]:
    """A DocumentReference that FHIR allows; a status with blanks around it is forgiven."""
    status = resource.get("status")
    tolerated = {**resource, "status": status.strip()} if isinstance(status, str) else resource
    return validate(tolerated, "DocumentReference", place)


def submitted(
    resource: Resource,
    content: bytes,
    intake: Intake,
    around: Surroundings,
    *,
    place: str,
    full_url: str = "",
    by_dmp: bool = True,
) -> SubmittedDocument:
    """A validated DocumentReference and its bytes, checked against each other and made ready to be stored.

    `by_dmp`: where neither it nor its CDA names a custodian, the token's structure is.
    """
    attachment = attachment_of(resource)
    if resource["status"] != DocumentStatus.CURRENT:
        raise Invalid("invalid-resource", f"{place}.status", "a new document is current")
    check_targets(resource, around, place)
    attachments.verify(attachment, content, f"{place}.content[0].attachment")
    header = _header_of(content, intake, f"{place}.content[0].attachment")
    completed = cda_completion.completed(resource, header, place) if header else resource
    if by_dmp:
        completed = with_custodian(completed, intake)
    described = {**completed["content"][0], "attachment": attachments.described(attachment_of(completed), content)}
    named = NamedDocuments(around)
    linked = named.found_in({**completed, "content": [described]}, place)
    if header:
        linked = cda_completion.with_relations(linked, header)
    stored = finished(normalised(linked, place), intake, around)
    return SubmittedDocument(
        metadata=replace(metadata_of(stored), replaces=replaced_by(resource, intake.base_url, place)),
        content=content,
        full_url=full_url,
        content_patients=header.ins if header else frozenset(),
        predecessors=cda_completion.predecessors(header) if header else (),
        edition=header.edition if header else None,
        relations=tuple(named.relations),
        remarks=(*named.remarks, *remarks_on(resource, stored, place)),
        place=place,
    )


def _header_of(content: bytes, intake: Intake, place: str) -> ClinicalDocumentHeader | None:
    """The header of a CDA; what is wrong with the document is told with its place in the request."""
    if detect(content) != XML:
        return None
    try:
        header = intake.read_header(content)
    except (Invalid, TooLarge) as failure:
        raise type(failure)(failure.code, place, failure.detail) from failure
    if header and header.names_a_patient and not header.ins:
        raise Invalid("ins-mismatch", place, "the document names a patient without an INS")
    if header and len(header.related) > MOST_RELATED:
        raise Invalid("invalid-resource", place, f"the document relates to more than {MOST_RELATED} others")
    return header


def attachment_of(resource: Resource) -> dict[str, Any]:
    """The only attachment of a DocumentReference."""
    attachment: dict[str, Any] = resource["content"][0]["attachment"]
    return attachment


def source_claims(resource: Resource, around: Surroundings, place: str) -> Iterator[tuple[str, PatientRef]]:
    """The record that sourcePatientInfo names, where it names one: the subject's, then; a source has its own ids."""
    reference = resource.get("context", {}).get("sourcePatientInfo", {})
    claim = patient_named_by(reference.get("reference", "").removeprefix(f"{around.base_url}/"))
    if claim and (claim.ins or is_record_id(claim.record or "")):
        yield f"{place}.context.sourcePatientInfo", claim


def normalised(resource: Resource, place: str = "DocumentReference") -> dict[str, Any]:
    """The resource with our type, class and labels, and without id and version."""
    for index, extension in enumerate(resource.get("extension", [])):
        _check_extension(extension, f"{place}.extension[{index}]")
    content = {key: value for key, value in resource.items() if key not in ("id", "meta")}
    kept = {name: value for name, value in resource.get("meta", {}).items() if name in _KEPT_OF_META}
    if kept:
        content["meta"] = kept
    if "type" in content:
        content |= _typed(content["type"], place)
    content["securityLabel"] = security_labels.normalised(content.get("securityLabel", []), f"{place}.securityLabel")
    return content


def _check_extension(extension: Resource, place: str) -> None:
    url = extension["url"]
    if url in SET_BY_SERVER:
        raise Invalid("invalid-resource", place, "only the server says this of a document")
    for wanted, name in ((PDSM_IS_ARCHIVED, "valueBoolean"), (DMP_VERSION, "valueString")):
        if url == wanted and name not in extension:
            raise Invalid("invalid-resource", place, f"the extension has a {name}")


def finished(resource: Resource, intake: Intake, around: Surroundings) -> dict[str, Any]:
    """The resource with its defaults, the patient replaced by SUBJECT, and those profiles alone that it keeps."""
    content = dict(resource)
    content.setdefault("date", instant_text(intake.now))
    content["subject"] = {"reference": SUBJECT}
    if "sourcePatientInfo" in content.get("context", {}):
        source = _source(content["context"]["sourcePatientInfo"], around)
        content["context"] = {**content["context"], "sourcePatientInfo": source}
    whole = without_orphans(with_logical(content))
    # PDSm's own example contains whom it does not refer to; persons nobody refers to have no business here
    sent = [one for one in orphans(resource) if one["resourceType"] not in _PERSONS]
    if sent:
        whole["contained"] = [*whole.get("contained", []), *sent]
    return with_true_profiles(validate(whole, "DocumentReference"))


def with_custodian(resource: Resource, intake: Intake) -> dict[str, Any]:
    """The resource with the token's structure as custodian, where it names none."""
    if "custodian" in resource or intake.structure is None:
        return dict(resource)
    identifier = {"system": intake.structure.system, "value": intake.structure.value}
    named = {"display": intake.structure_name} if intake.structure_name else {}
    return {**resource, "custodian": {"type": "Organization", "identifier": identifier, **named}}


def with_true_profiles(resource: Resource) -> dict[str, Any]:
    """The resource with those claimed profiles that the stored one keeps."""
    content = {key: value for key, value in resource.items() if key != "meta"}
    meta = dict(resource.get("meta", {}))
    claims = meta.pop("profile", [])
    attachment = {**attachment_of(resource), "url": "Binary"}
    rendered = {**content, "content": [{**content["content"][0], "attachment": attachment}]}
    kept = [url for url in claims if mhd_profiles.conforms(rendered, url)]
    meta |= {"profile": kept} if kept else {}
    return {"resourceType": content["resourceType"], "meta": meta, **content} if meta else content


def revised(resource: Resource) -> Metadata:
    """The metadata of a stored DocumentReference after a change of it, checked like a new one."""
    attachment = {key: value for key, value in attachment_of(resource).items() if key != "url"}
    stored = {**resource, "content": [{**resource["content"][0], "attachment": attachment}]}
    return metadata_of(with_true_profiles(normalised(validated(stored))))


def _typed(concept: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The type with a known code first, and the class that follows from it."""
    codings = concept.get("coding", [])
    for coding in codings:
        known = code_lists.document_type(coding.get("system", ""), coding.get("code", ""))
        if known:
            first = {**coding, "system": known.system}
            others = [other for other in codings if other is not coding]
            by_class = {"system": code_lists.class_system(), "code": known.class_code, "display": known.class_display}
            return {"type": {**concept, "coding": [first, *others]}, "category": [{"coding": [by_class]}]}
    raise Invalid("unknown-code", f"{place}.type", "no document type of the DMP has this code")


def _source(reference: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """sourcePatientInfo, a reference to the Patient of this or another request becoming SUBJECT."""
    literal = reference.get("reference", "")
    target = parse_target(literal, around.base_url)
    if literal not in around.bundled and (target is None or target.resource_type != "Patient"):
        return dict(reference)
    kept = {key: value for key, value in reference.items() if key not in ("reference", "type")}
    return {"reference": SUBJECT, **kept}
