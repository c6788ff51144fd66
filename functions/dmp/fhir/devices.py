"""Devices as documents contain them: the machine or the software that made a document (FHIR R4)."""

from typing import Literal

from dmp.fhir import primitives as p
from dmp.fhir.actors import DomainResource
from dmp.fhir.datatypes import (
    Annotation,
    CodeableConcept,
    ContactPoint,
    Element,
    Identifier,
    Quantity,
    Reference,
)


class DeviceName(Element):
    """A name of a device."""

    name: p.String
    type: Literal[
        "udi-label-name", "user-friendly-name", "patient-reported-name", "manufacturer-name", "model-name", "other"
    ]


class DeviceVersion(Element):
    """A version of a device or of its software."""

    type: CodeableConcept | None = None
    component: Identifier | None = None
    value: p.String


class DeviceSpecialization(Element):
    """A standard that a device keeps."""

    systemType: CodeableConcept
    version: p.String | None = None


class DeviceProperty(Element):
    """A setting of a device."""

    type: CodeableConcept
    valueQuantity: list[Quantity] | None = None
    valueCode: list[CodeableConcept] | None = None


class Device(DomainResource):
    """A machine or a software that makes documents; its UDI is not read."""

    resourceType: Literal["Device"]
    identifier: list[Identifier] | None = None
    definition: Reference | None = None
    status: Literal["active", "inactive", "entered-in-error", "unknown"] | None = None
    statusReason: list[CodeableConcept] | None = None
    distinctIdentifier: p.String | None = None
    manufacturer: p.String | None = None
    manufactureDate: p.DateTime | None = None
    expirationDate: p.DateTime | None = None
    lotNumber: p.String | None = None
    serialNumber: p.String | None = None
    deviceName: list[DeviceName] | None = None
    modelNumber: p.String | None = None
    partNumber: p.String | None = None
    type: CodeableConcept | None = None
    specialization: list[DeviceSpecialization] | None = None
    version: list[DeviceVersion] | None = None
    property: list[DeviceProperty] | None = None
    patient: Reference | None = None
    owner: Reference | None = None
    contact: list[ContactPoint] | None = None
    location: Reference | None = None
    url: p.Uri | None = None
    note: list[Annotation] | None = None
    safety: list[CodeableConcept] | None = None
    parent: Reference | None = None
