"""The people, structures and devices in the header of a CDA R2 document (CI-SIS, Structuration minimale)."""

from collections.abc import Iterable

from dmp.cda.timestamp import day
from dmp.cda.tree import Element
from dmp.domain import code_lists
from dmp.domain.clinical_document import AuthorKind, CdaAuthor, CdaName, CdaPatient, root_uri
from dmp.domain.document import Coding
from dmp.domain.identifiers import INS_SYSTEMS, Identifier

_GENDERS = {"M": "male", "F": "female", "UN": "other", "I": "other", "U": "unknown"}
_BIRTH, _USED = frozenset({"BR"}), frozenset({"CL", "SP", "IN"})


def author_of(element: Element, function: Element | None = None) -> CdaAuthor:
    """An `assignedAuthor` or `assignedEntity`; `function` is the `functionCode` beside it."""
    name, organization = element.first("assignedPerson/name"), element.first("representedOrganization")
    identifier = identifier_of(element)
    return CdaAuthor(
        kind=_kind(element, identifier),
        identifier=identifier,
        family=name.first("family").content or name.content or _device(element),
        given=" ".join(filter(None, (given.content for given in name.all("given")))),
        specialty=coding_of(element.first("code")),
        function=coding_of(function or Element()),
        organization=identifier_of(organization),
        organization_name=organization.first("name").content,
    )


def patient_of(role: Element) -> CdaPatient:
    """A `patientRole` of `recordTarget`."""
    patient = role.first("patient")
    birth, used = _name(patient, _BIRTH), _name(patient, _USED)
    return CdaPatient(
        identifiers=identifiers_of(role.all("id")),
        birth=birth or _name(patient, frozenset({""})),
        used=used if used and birth and used.family != birth.family else None,
        birth_date=day(patient.first("birthTime").get("value")),
        gender=_GENDERS.get(patient.first("administrativeGenderCode").get("code"), ""),
    )


def identifier_of(owner: Element) -> Identifier | None:
    """The first complete `id` of a participant."""
    return next(iter(identifiers_of(owner.all("id"))), None)


def identifiers_of(elements: Iterable[Element]) -> tuple[Identifier, ...]:
    """Every `id` that has both root and extension."""
    pairs = ((element.get("root"), element.get("extension")) for element in elements)
    return tuple(Identifier(root_uri(root), extension) for root, extension in pairs if _is_uri(root) and extension)


def codings_of(elements: Iterable[Element]) -> tuple[Coding, ...]:
    """The codes of several elements, those left out that have none."""
    codings = (coding_of(element) for element in elements)
    return tuple(coding for coding in codings if coding)


def coding_of(element: Element) -> Coding | None:
    """The code of an element; None where there is none that FHIR could hold."""
    code, system = " ".join(element.get("code").split()), element.get("codeSystem")
    if not code or (system and not _is_uri(system)):
        return None
    return Coding(code_lists.canonical_system(root_uri(system)), code, " ".join(element.get("displayName").split()))


def _is_uri(text: str) -> bool:
    return bool(text) and not any(character.isspace() for character in text)


def _kind(element: Element, identifier: Identifier | None) -> AuthorKind:
    if element.all("assignedAuthoringDevice"):
        return AuthorKind.DEVICE
    return AuthorKind.PATIENT if identifier and identifier.system in INS_SYSTEMS else AuthorKind.PERSON


def _device(element: Element) -> str:
    device = element.first("assignedAuthoringDevice")
    return device.first("softwareName").content or device.first("manufacturerModelName").content


def _name(patient: Element, qualifiers: frozenset[str]) -> CdaName | None:
    """The name whose family has one of these qualifiers, with all given names for that of birth."""
    families = [one.content for one in patient.all("name/family") if _qualifier(one) in qualifiers]
    if not any(families):
        return None
    given = patient.all("name/given")
    everyday = qualifiers is _USED
    ranked = sorted(given, key=lambda one: _qualifier(one) not in (qualifiers if everyday else {""}))
    return CdaName(next(filter(None, families)), tuple(ranked[0].content.split()) if ranked else ())


def _qualifier(element: Element) -> str:
    return element.get("qualifier").upper()
