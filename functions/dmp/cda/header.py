"""The header of a CDA R2 document, read for its metadata (CI-SIS mapping of the header to XDS; ITI-105, ITI-106)."""

from collections.abc import Iterable
from datetime import datetime

from dmp.cda.parsing import read
from dmp.cda.timestamp import instant
from dmp.cda.tree import Element, HeaderTree
from dmp.domain import code_lists
from dmp.domain.clinical_document import STRUCTURED_BODY, CdaAuthor, ClinicalDocumentHeader, root_uri, unique_id
from dmp.domain.document import Coding
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import Identifier

_FACILITY = "componentOf/encompassingEncounter/location/healthCareFacility/code"
_PRACTICE_SETTING = (
    "documentationOf/serviceEvent/performer/assignedEntity/representedOrganization/standardIndustryClassCode"
)
_PLAIN_TEXT = "text/plain"


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
    return ClinicalDocumentHeader(
        patient_ids=_identifiers(document.all("recordTarget/patientRole/id")),
        unique_id=_unique_id(document.first("id")),
        set_id=_unique_id(document.first("setId")),
        version=_number(document.first("versionNumber").get("value")),
        type=_coding(document.first("code")),
        title=document.first("title").content,
        effective_time=instant(document.first("effectiveTime").get("value")),
        authors=tuple(_author(author) for author in document.all("author/assignedAuthor")),
        legal_authenticator=_author(authenticators[0]) if authenticators else None,
        custodian=_identifier(custodian),
        custodian_name=custodian.first("name").content,
        confidentiality=_coding(document.first("confidentialityCode")),
        language=document.first("languageCode").get("code"),
        service_start=start,
        service_end=end,
        facility=_coding(document.first(_FACILITY)),
        practice_setting=_coding(document.first(_PRACTICE_SETTING)),
        events=_codings(document.all("documentationOf/serviceEvent/code")),
        replaced=_replaced(document),
        template_ids=templates,
        body_media_type=body,
        format=code_lists.format_of_cda(templates, None if body == STRUCTURED_BODY else body),
    )


def _author(element: Element) -> CdaAuthor:
    name = element.first("assignedPerson/name")
    organization = element.first("representedOrganization")
    family = name.first("family").content or name.content or _device(element)
    return CdaAuthor(
        identifier=_identifier(element),
        family=family,
        given=name.first("given").content,
        specialty=_coding(element.first("code")),
        organization=_identifier(organization),
        organization_name=organization.first("name").content,
    )


def _device(element: Element) -> str:
    device = element.first("assignedAuthoringDevice")
    return device.first("softwareName").content or device.first("manufacturerModelName").content


def _body_media_type(document: Element) -> str | None:
    if document.all("component/structuredBody"):
        return STRUCTURED_BODY
    texts = document.all("component/nonXMLBody/text")
    return (texts[0].get("mediaType").lower() or _PLAIN_TEXT) if texts else None


def _service_period(document: Element) -> tuple[datetime | None, datetime | None]:
    """The period of the principal act: of the events documented, the one that has a time."""
    for time in document.all("documentationOf/serviceEvent/effectiveTime"):
        start = instant(time.first("low").get("value") or time.get("value"))
        if start:
            return start, instant(time.first("high").get("value"))
    return None, None


def _replaced(document: Element) -> tuple[str, ...]:
    replacements = [related for related in document.all("relatedDocument") if related.get("typeCode") == "RPLC"]
    ids = [_unique_id(parent) for related in replacements for parent in related.all("parentDocument/id")]
    return tuple(filter(None, ids))


def _unique_id(element: Element) -> str:
    root = element.get("root")
    return unique_id(root, element.get("extension")) if root else ""


def _identifier(owner: Element) -> Identifier | None:
    return next(iter(_identifiers(owner.all("id"))), None)


def _identifiers(elements: Iterable[Element]) -> tuple[Identifier, ...]:
    pairs = ((element.get("root"), element.get("extension")) for element in elements)
    return tuple(Identifier(root_uri(root), extension) for root, extension in pairs if root and extension)


def _codings(elements: Iterable[Element]) -> tuple[Coding, ...]:
    codings = (_coding(element) for element in elements)
    return tuple(coding for coding in codings if coding)


def _coding(element: Element) -> Coding | None:
    code, system = element.get("code"), element.get("codeSystem")
    if not code:
        return None
    return Coding(code_lists.canonical_system(root_uri(system)), code, element.get("displayName"))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
