"""Measures and results of biology of the structured profile as pydantic models (FHIR R4 Observation)."""

from typing import Literal

from dmp.fhir import primitives as p
from dmp.fhir.actors import Rules
from dmp.fhir.datatypes import Annotation, CodeableConcept, Element, Period, Quantity, Range, Ratio, Reference
from dmp.fhir.dosage import SampledData, Timing
from dmp.fhir.profile_models import ProfileResource


class ReferenceRange(Element):
    """What is usual."""

    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None
    appliesTo: list[CodeableConcept] | None = None
    age: Range | None = None
    text: p.String | None = None

    def rules(self) -> Rules:
        """obs-3."""
        return ((self.low or self.high or self.text, "obs-3: a range without low, high or text"),)


class _Measured(Element):
    valueQuantity: Quantity | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueString: p.String | None = None
    valueBoolean: p.Boolean | None = None
    valueInteger: p.Integer | None = None
    valueRange: Range | None = None
    valueRatio: Ratio | None = None
    valueSampledData: SampledData | None = None
    valueTime: p.Time | None = None
    valueDateTime: p.DateTime | None = None
    valuePeriod: Period | None = None
    dataAbsentReason: CodeableConcept | None = None
    interpretation: list[CodeableConcept] | None = None
    referenceRange: list[ReferenceRange] | None = None

    @property
    def has_value(self) -> bool:
        """Whether it has a value."""
        return any(name.startswith("value") for name in self.model_fields_set)


class ObservationComponent(_Measured):
    """A part of a measure."""

    choice = "value"
    code: CodeableConcept


class Observation(_Measured, ProfileResource):
    """A measure, or a result."""

    choices = ("effective", "value")
    resourceType: Literal["Observation"]
    basedOn: list[Reference] | None = None
    partOf: list[Reference] | None = None
    status: Literal[
        "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"
    ]  # fmt: skip
    category: list[CodeableConcept] | None = None
    code: CodeableConcept
    subject: Reference
    focus: list[Reference] | None = None
    encounter: Reference | None = None
    effectiveDateTime: p.DateTime | None = None
    effectivePeriod: Period | None = None
    effectiveTiming: Timing | None = None
    effectiveInstant: p.Instant | None = None
    issued: p.Instant | None = None
    performer: list[Reference] | None = None
    note: list[Annotation] | None = None
    bodySite: CodeableConcept | None = None
    method: CodeableConcept | None = None
    specimen: Reference | None = None
    device: Reference | None = None
    hasMember: list[Reference] | None = None
    derivedFrom: list[Reference] | None = None
    component: list[ObservationComponent] | None = None

    def rules(self) -> Rules:
        """obs-6 and obs-7."""
        own = _pairs(self.code)
        repeated = any(own & _pairs(part.code) for part in self.component or [])
        return (
            *super().rules(),
            (not (self.dataAbsentReason and self.has_value), "obs-6: a value is there, and said to be absent"),
            (not (repeated and self.has_value), "obs-7: the value is that of the component of the same code"),
        )


def _pairs(concept: CodeableConcept) -> set[tuple[str | None, str]]:
    return {(one.system, one.code) for one in concept.coding or [] if one.code}
