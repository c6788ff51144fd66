"""The header of a CDA R2 document, read for its metadata (CI-SIS mapping of the header to XDS; ITI-105, ITI-106)."""

import re
from datetime import datetime

from dmp.cda.parsing import read
from dmp.cda.participants import author_of, coding_of, codings_of, identifier_of, identifiers_of, patient_of
from dmp.cda.timestamp import instant
from dmp.cda.tree import Element, HeaderTree
from dmp.domain import code_lists
from dmp.domain.clinical_document import (
    STRUCTURED_BODY,
    ClinicalDocumentHeader,
    RelatedDocument,
    Relation,
    unique_id,
)
from dmp.domain.document import Coding
from dmp.domain.errors import Invalid

_FACILITY = "componentOf/encompassingEncounter/location/healthCareFacility/code"
_PRACTICE_SETTING = (
    "documentationOf/serviceEvent/performer/assignedEntity/representedOrganization/standardIndustryClassCode"
)
_PLAIN_TEXT = "text/plain"
_RELATIONS = {"RPLC": Relation.REPLACES, "APND": Relation.APPENDS, "XFRM": Relation.TRANSFORMS}
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)


def read_header(content: bytes) -> ClinicalDocumentHeader | None:
    """Read the header of the ClinicalDocument in an XML document, at its root or inside a style sheet; None: no CDA.

    Raises Invalid with the codes of `dmp.cda.parsing.read`, and `cda-ambiguous` where there is more than one.
    """
    tree = HeaderTree()
    read(content, tree)
    if tree.documents > 1:
        raise Invalid("cda-ambiguous", detail="There is more than one ClinicalDocument")
    return _header(tree.root) if tree.root else None


def _header(document: Element) -> ClinicalDocumentHeader:
    templates = tuple(template.get("root") for template in document.all("templateId") if template.get("root"))
    body = _body_media_type(document)
    start, end = _service_period(document)
    custodian = document.first("custodian/assignedCustodian/representedCustodianOrganization")
    authenticators = document.all("legalAuthenticator/assignedEntity")
    patients = document.all("recordTarget/patientRole")
    language = document.first("languageCode").get("code")
    return ClinicalDocumentHeader(
        names_a_patient=bool(document.all("recordTarget")),
        patient_ids=identifiers_of(document.all("recordTarget/patientRole/id")),
        patient=patient_of(patients[0]) if patients else None,
        unique_id=_unique_id(document.first("id")),
        set_id=_unique_id(document.first("setId")),
        version=_number(document.first("versionNumber").get("value")),
        type=coding_of(document.first("code")),
        title=document.first("title").content,
        effective_time=instant(document.first("effectiveTime").get("value")),
        authors=tuple(
            author_of(one, author.first("functionCode"))
            for author in document.all("author")
            for one in author.all("assignedAuthor")
        ),
        legal_authenticator=author_of(authenticators[0]) if authenticators else None,
        custodian=identifier_of(custodian),
        custodian_name=custodian.first("name").content,
        confidentiality=coding_of(document.first("confidentialityCode")),
        language=language if _LANGUAGE.fullmatch(language) else "",
        service_start=start,
        service_end=end,
        facility=coding_of(document.first(_FACILITY)),
        practice_setting=coding_of(document.first(_PRACTICE_SETTING)),
        events=codings_of(document.all("documentationOf/serviceEvent/code")),
        related=_related(document),
        template_ids=templates,
        body_media_type=body,
        format=_format(templates, body),
    )


def _format(templates: tuple[str, ...], body: str | None) -> Coding | None:
    """The format of the model or of the embedded file; of a document of no known model, the code that says so."""
    found = code_lists.format_of_cda(templates, None if body == STRUCTURED_BODY else body)
    return found or (code_lists.unlisted_format() if templates else None)


def _body_media_type(document: Element) -> str | None:
    if document.all("component/structuredBody"):
        return STRUCTURED_BODY
    texts = document.all("component/nonXMLBody/text")
    return (texts[0].get("mediaType").lower() or _PLAIN_TEXT) if texts else None


def _service_period(document: Element) -> tuple[datetime | None, datetime | None]:
    """The period of the principal act: the event with a performer, else the first of those that have a time."""
    events = document.all("documentationOf/serviceEvent")
    for event in sorted(events, key=lambda one: not one.all("performer")):
        time = event.first("effectiveTime")
        start = instant(time.first("low").get("value") or time.get("value"))
        if start:
            return start, instant(time.first("high").get("value"))
    return None, None


def _related(document: Element) -> tuple[RelatedDocument, ...]:
    """The documents that this one replaces, completes or transforms, each once."""
    found = (
        RelatedDocument(_RELATIONS[related.get("typeCode")], _unique_id(parent))
        for related in document.all("relatedDocument")
        if related.get("typeCode") in _RELATIONS
        for parent in related.all("parentDocument/id")
    )
    return tuple(dict.fromkeys(one for one in found if one.unique_id))


def _unique_id(element: Element) -> str:
    root, extension = element.get("root"), element.get("extension")
    return unique_id(root, extension) if root and not any(map(str.isspace, root)) else ""


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
