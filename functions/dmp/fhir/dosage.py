"""When and how much: FHIR R4's Timing, Dosage and SampledData as pydantic models (hl7.org/fhir/R4/datatypes.html)."""

from typing import Literal

from dmp.fhir import primitives as p
from dmp.fhir.datatypes import CodeableConcept, Element, Period, Quantity, Range, Ratio

type Rules = tuple[tuple[object, str], ...]
type TimeUnit = Literal["s", "min", "h", "d", "wk", "mo", "a"]
type DayOfWeek = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
type Event = Literal[
    "MORN", "MORN.early", "MORN.late", "NOON", "AFT", "AFT.early", "AFT.late", "EVE", "EVE.early", "EVE.late",
    "NIGHT", "PHS", "HS", "WAKE", "C", "CM", "CD", "CV", "AC", "ACM", "ACD", "ACV", "PC", "PCM", "PCD", "PCV",
]  # fmt: skip
_MEALS = frozenset({"C", "CM", "CD", "CV"})


class TimingRepeat(Element):
    """A rule of repetition."""

    choice = "bounds"
    boundsDuration: Quantity | None = None
    boundsRange: Range | None = None
    boundsPeriod: Period | None = None
    count: p.PositiveInt | None = None
    countMax: p.PositiveInt | None = None
    duration: p.Decimal | None = None
    durationMax: p.Decimal | None = None
    durationUnit: TimeUnit | None = None
    frequency: p.PositiveInt | None = None
    frequencyMax: p.PositiveInt | None = None
    period: p.Decimal | None = None
    periodMax: p.Decimal | None = None
    periodUnit: TimeUnit | None = None
    dayOfWeek: list[DayOfWeek] | None = None
    timeOfDay: list[p.Time] | None = None
    when: list[Event] | None = None
    offset: p.UnsignedInt | None = None

    def rules(self) -> Rules:
        """tim-1 to tim-10."""
        return (
            (self.duration is None or self.durationUnit, "tim-1: a duration without a unit"),
            (self.period is None or self.periodUnit, "tim-2: a period without a unit"),
            ((self.duration or 0) >= 0, "tim-4: a negative duration"),
            ((self.period or 0) >= 0, "tim-5: a negative period"),
            (self.periodMax is None or self.period is not None, "tim-6: periodMax without period"),
            (self.durationMax is None or self.duration is not None, "tim-7: durationMax without duration"),
            (self.countMax is None or self.count is not None, "tim-8: countMax without count"),
            (self.offset is None or (self.when and not _MEALS & set(self.when)), "tim-9: an offset from nothing"),
            (not (self.timeOfDay and self.when), "tim-10: timeOfDay beside when"),
        )


class Timing(Element):
    """When something happens."""

    event: list[p.DateTime] | None = None
    repeat: TimingRepeat | None = None
    code: CodeableConcept | None = None


class DoseAndRate(Element):
    """How much, and how fast."""

    type: CodeableConcept | None = None
    doseRange: Range | None = None
    doseQuantity: Quantity | None = None
    rateRatio: Ratio | None = None
    rateRange: Range | None = None
    rateQuantity: Quantity | None = None

    def rules(self) -> Rules:
        """One dose and one rate at most."""
        rates = (self.rateRatio, self.rateRange, self.rateQuantity)
        return (
            (not (self.doseRange and self.doseQuantity), "more than one dose[x]"),
            (sum(rate is not None for rate in rates) < 2, "more than one rate[x]"),
        )


class Dosage(Element):
    """How a medication is taken."""

    choice = "asNeeded"
    sequence: p.Integer | None = None
    text: p.String | None = None
    additionalInstruction: list[CodeableConcept] | None = None
    patientInstruction: p.String | None = None
    timing: Timing | None = None
    asNeededBoolean: p.Boolean | None = None
    asNeededCodeableConcept: CodeableConcept | None = None
    site: CodeableConcept | None = None
    route: CodeableConcept | None = None
    method: CodeableConcept | None = None
    doseAndRate: list[DoseAndRate] | None = None
    maxDosePerPeriod: Ratio | None = None
    maxDosePerAdministration: Quantity | None = None
    maxDosePerLifetime: Quantity | None = None


class SampledData(Element):
    """A series of measurements."""

    origin: Quantity
    period: p.Decimal
    factor: p.Decimal | None = None
    lowerLimit: p.Decimal | None = None
    upperLimit: p.Decimal | None = None
    dimensions: p.PositiveInt
    data: p.String | None = None
