"""Coverage, as a line of reimbursement contains it, checked (FHIR R4)."""

from typing import Literal

from pydantic import Field, create_model

from dmp.fhir import primitives as p
from dmp.fhir.actors import DomainResource
from dmp.fhir.datatypes import CodeableConcept, Element, Identifier, Period, Quantity, Reference
from dmp.fhir.explanation_of_benefit_items import Money


class CoverageClass(Element):
    """A group that a cover belongs to."""

    type: CodeableConcept
    value: p.String
    name: p.String | None = None


class CoverageException(Element):
    """When a cost does not count."""

    type: CodeableConcept
    period: Period | None = None


class CoverageCost(Element):
    """What is left to the person."""

    choice = "value"
    type: CodeableConcept | None = None
    valueQuantity: Quantity | None = None
    valueMoney: Money | None = None
    exception: list[CoverageException] | None = None


class _Coverage(DomainResource):
    resourceType: Literal["Coverage"]
    identifier: list[Identifier] | None = None
    status: Literal["active", "cancelled", "draft", "entered-in-error"]
    type: CodeableConcept | None = None
    policyHolder: Reference | None = None
    subscriber: Reference | None = None
    subscriberId: p.String | None = None
    beneficiary: Reference
    dependent: p.String | None = None
    relationship: CodeableConcept | None = None
    period: Period | None = None
    payor: list[Reference] = Field(min_length=1)
    order: p.PositiveInt | None = None
    network: p.String | None = None
    costToBeneficiary: list[CoverageCost] | None = None
    subrogation: p.Boolean | None = None
    contract: list[Reference] | None = None


_CLASSES = {"class": (list[CoverageClass] | None, None)}
Coverage = create_model("Coverage", __base__=_Coverage, __module__=__name__, **_CLASSES)  # type: ignore[call-overload]
"""A cover, as a line contains it: its `class` is a word of Python."""
