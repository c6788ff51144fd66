"""People, structures and devices as FHIR resources: Patient, RelatedPerson, and those that documents contain."""

from typing import Any, Literal

from dmp.fhir import primitives as p
from dmp.fhir.datatypes import (
    Address,
    Attachment,
    CodeableConcept,
    ContactPoint,
    Element,
    HumanName,
    Identifier,
    Meta,
    Period,
    Reference,
)

type Gender = Literal["male", "female", "other", "unknown"]
type Rules = tuple[tuple[object, str], ...]


class Narrative(Element):
    """The human-readable summary; `div` is looked at by `narrative`."""

    status: Literal["generated", "extensions", "additional", "empty"]
    div: p.String


class Resource(Element):
    """What every resource shares; implicit rules and modifier extensions are refused, none being understood here."""

    id: p.Id | None = None
    meta: Meta | None = None
    language: p.Code | None = None


class DomainResource(Resource):
    """A resource that may contain others, which `validation` looks at one by one."""

    text: Narrative | None = None
    contained: list[dict[str, Any]] | None = None


class Communication(Element):
    """A language of a person."""

    language: CodeableConcept
    preferred: p.Boolean | None = None


class PatientContact(Element):
    """Somebody to turn to."""

    relationship: list[CodeableConcept] | None = None
    name: HumanName | None = None
    telecom: list[ContactPoint] | None = None
    address: Address | None = None
    gender: Gender | None = None
    organization: Reference | None = None
    period: Period | None = None

    def rules(self) -> Rules:
        """pat-1."""
        known = self.name or self.telecom or self.address or self.organization
        return ((known, "pat-1: a contact without details"),)


class PatientLink(Element):
    """Another Patient about the same person."""

    other: Reference
    type: Literal["replaced-by", "replaces", "refer", "seealso"]


class Patient(DomainResource):
    """The person."""

    choice = "deceased"
    resourceType: Literal["Patient"]
    identifier: list[Identifier] | None = None
    active: p.Boolean | None = None
    name: list[HumanName] | None = None
    telecom: list[ContactPoint] | None = None
    gender: Gender | None = None
    birthDate: p.Date | None = None
    deceasedBoolean: p.Boolean | None = None
    deceasedDateTime: p.DateTime | None = None
    address: list[Address] | None = None
    maritalStatus: CodeableConcept | None = None
    multipleBirthBoolean: p.Boolean | None = None
    multipleBirthInteger: p.Integer | None = None
    photo: list[Attachment] | None = None
    contact: list[PatientContact] | None = None
    communication: list[Communication] | None = None
    generalPractitioner: list[Reference] | None = None
    managingOrganization: Reference | None = None
    link: list[PatientLink] | None = None


class RelatedPerson(DomainResource):
    """Somebody who acts for the person."""

    resourceType: Literal["RelatedPerson"]
    identifier: list[Identifier] | None = None
    active: p.Boolean | None = None
    patient: Reference
    relationship: list[CodeableConcept] | None = None
    name: list[HumanName] | None = None
    telecom: list[ContactPoint] | None = None
    gender: Gender | None = None
    birthDate: p.Date | None = None
    address: list[Address] | None = None
    photo: list[Attachment] | None = None
    period: Period | None = None
    communication: list[Communication] | None = None


class Qualification(Element):
    """A diploma or licence."""

    identifier: list[Identifier] | None = None
    code: CodeableConcept
    period: Period | None = None
    issuer: Reference | None = None


class Practitioner(DomainResource):
    """A professional."""

    resourceType: Literal["Practitioner"]
    identifier: list[Identifier] | None = None
    active: p.Boolean | None = None
    name: list[HumanName] | None = None
    telecom: list[ContactPoint] | None = None
    address: list[Address] | None = None
    gender: Gender | None = None
    birthDate: p.Date | None = None
    photo: list[Attachment] | None = None
    qualification: list[Qualification] | None = None
    communication: list[CodeableConcept] | None = None


class PractitionerRole(DomainResource):
    """A professional in a function and a structure; opening hours are not read."""

    resourceType: Literal["PractitionerRole"]
    identifier: list[Identifier] | None = None
    active: p.Boolean | None = None
    period: Period | None = None
    practitioner: Reference | None = None
    organization: Reference | None = None
    code: list[CodeableConcept] | None = None
    specialty: list[CodeableConcept] | None = None
    location: list[Reference] | None = None
    healthcareService: list[Reference] | None = None
    telecom: list[ContactPoint] | None = None
    availabilityExceptions: p.String | None = None
    endpoint: list[Reference] | None = None


class OrganizationContact(Element):
    """Somebody to turn to in a structure."""

    purpose: CodeableConcept | None = None
    name: HumanName | None = None
    telecom: list[ContactPoint] | None = None
    address: Address | None = None


class Organization(DomainResource):
    """A care structure."""

    resourceType: Literal["Organization"]
    identifier: list[Identifier] | None = None
    active: p.Boolean | None = None
    type: list[CodeableConcept] | None = None
    name: p.String | None = None
    alias: list[p.String] | None = None
    telecom: list[ContactPoint] | None = None
    address: list[Address] | None = None
    partOf: Reference | None = None
    contact: list[OrganizationContact] | None = None
    endpoint: list[Reference] | None = None

    def rules(self) -> Rules:
        """org-1."""
        return ((self.identifier or self.name, "org-1: a structure with neither identifier nor name"),)
