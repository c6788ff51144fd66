"""Vaccinations, procedures and family history of the structured profile as pydantic models (FHIR R4)."""

from typing import Literal

from dmp.fhir import primitives as p
from dmp.fhir.actors import Rules
from dmp.fhir.datatypes import Annotation, CodeableConcept, Element, Period, Quantity, Range, Reference
from dmp.fhir.profile_models import ProfileResource


class ImmunizationPerformer(Element):
    """Who vaccinated."""

    function: CodeableConcept | None = None
    actor: Reference


class Education(Element):
    """What the person was given to read."""

    documentType: p.String | None = None
    reference: p.Uri | None = None
    publicationDate: p.DateTime | None = None
    presentationDate: p.DateTime | None = None

    def rules(self) -> Rules:
        """imm-1."""
        return ((self.documentType or self.reference, "imm-1: one of documentType and reference"),)


class ImmunizationReaction(Element):
    """What followed a vaccination."""

    date: p.DateTime | None = None
    detail: Reference | None = None
    reported: p.Boolean | None = None


class Protocol(Element):
    """Which dose of which series it was."""

    series: p.String | None = None
    authority: Reference | None = None
    targetDisease: list[CodeableConcept] | None = None
    doseNumberPositiveInt: p.PositiveInt | None = None
    doseNumberString: p.String | None = None
    seriesDosesPositiveInt: p.PositiveInt | None = None
    seriesDosesString: p.String | None = None

    def rules(self) -> Rules:
        """One number of a dose, one of doses at most."""
        numbers = [n for n in (self.doseNumberPositiveInt, self.doseNumberString) if n is not None]
        series = [n for n in (self.seriesDosesPositiveInt, self.seriesDosesString) if n is not None]
        return ((len(numbers) == 1, "one doseNumber[x] is required"), (len(series) < 2, "more than one seriesDoses[x]"))


class Immunization(ProfileResource):
    """A vaccination, or why there was none."""

    choices = ("occurrence",)
    needed = ("occurrence",)
    resourceType: Literal["Immunization"]
    status: Literal["completed", "entered-in-error", "not-done"]
    statusReason: CodeableConcept | None = None
    vaccineCode: CodeableConcept
    patient: Reference
    encounter: Reference | None = None
    occurrenceDateTime: p.DateTime | None = None
    occurrenceString: p.String | None = None
    recorded: p.DateTime | None = None
    primarySource: p.Boolean | None = None
    reportOrigin: CodeableConcept | None = None
    location: Reference | None = None
    manufacturer: Reference | None = None
    lotNumber: p.String | None = None
    expirationDate: p.Date | None = None
    site: CodeableConcept | None = None
    route: CodeableConcept | None = None
    doseQuantity: Quantity | None = None
    performer: list[ImmunizationPerformer] | None = None
    note: list[Annotation] | None = None
    reasonCode: list[CodeableConcept] | None = None
    reasonReference: list[Reference] | None = None
    isSubpotent: p.Boolean | None = None
    subpotentReason: list[CodeableConcept] | None = None
    education: list[Education] | None = None
    programEligibility: list[CodeableConcept] | None = None
    fundingSource: CodeableConcept | None = None
    reaction: list[ImmunizationReaction] | None = None
    protocolApplied: list[Protocol] | None = None


class ProcedurePerformer(Element):
    """Who performed a procedure."""

    function: CodeableConcept | None = None
    actor: Reference
    onBehalfOf: Reference | None = None


class FocalDevice(Element):
    """What was implanted, removed or changed."""

    action: CodeableConcept | None = None
    manipulated: Reference


class Procedure(ProfileResource):
    """An act."""

    choices = ("performed",)
    resourceType: Literal["Procedure"]
    instantiatesCanonical: list[p.Canonical] | None = None
    instantiatesUri: list[p.Uri] | None = None
    basedOn: list[Reference] | None = None
    partOf: list[Reference] | None = None
    status: Literal[
        "preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown"
    ]  # fmt: skip
    statusReason: CodeableConcept | None = None
    category: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference
    encounter: Reference | None = None
    performedDateTime: p.DateTime | None = None
    performedPeriod: Period | None = None
    performedString: p.String | None = None
    performedAge: Quantity | None = None
    performedRange: Range | None = None
    recorder: Reference | None = None
    asserter: Reference | None = None
    performer: list[ProcedurePerformer] | None = None
    location: Reference | None = None
    reasonCode: list[CodeableConcept] | None = None
    reasonReference: list[Reference] | None = None
    bodySite: list[CodeableConcept] | None = None
    outcome: CodeableConcept | None = None
    report: list[Reference] | None = None
    complication: list[CodeableConcept] | None = None
    complicationDetail: list[Reference] | None = None
    followUp: list[CodeableConcept] | None = None
    note: list[Annotation] | None = None
    focalDevice: list[FocalDevice] | None = None
    usedReference: list[Reference] | None = None
    usedCode: list[CodeableConcept] | None = None


class FamilyCondition(Element):
    """What a relative has or had."""

    choice = "onset"
    code: CodeableConcept
    outcome: CodeableConcept | None = None
    contributedToDeath: p.Boolean | None = None
    onsetAge: Quantity | None = None
    onsetRange: Range | None = None
    onsetPeriod: Period | None = None
    onsetString: p.String | None = None
    note: list[Annotation] | None = None


class FamilyMemberHistory(ProfileResource):
    """What a relative has or had, of interest here."""

    choices = ("born", "age", "deceased")
    resourceType: Literal["FamilyMemberHistory"]
    instantiatesCanonical: list[p.Canonical] | None = None
    instantiatesUri: list[p.Uri] | None = None
    status: Literal["partial", "completed", "entered-in-error", "health-unknown"]
    dataAbsentReason: CodeableConcept | None = None
    patient: Reference
    date: p.DateTime | None = None
    name: p.String | None = None
    relationship: CodeableConcept
    sex: CodeableConcept | None = None
    bornPeriod: Period | None = None
    bornDate: p.Date | None = None
    bornString: p.String | None = None
    ageAge: Quantity | None = None
    ageRange: Range | None = None
    ageString: p.String | None = None
    estimatedAge: p.Boolean | None = None
    deceasedBoolean: p.Boolean | None = None
    deceasedAge: Quantity | None = None
    deceasedRange: Range | None = None
    deceasedDate: p.Date | None = None
    deceasedString: p.String | None = None
    reasonCode: list[CodeableConcept] | None = None
    reasonReference: list[Reference] | None = None
    note: list[Annotation] | None = None
    condition: list[FamilyCondition] | None = None

    def rules(self) -> Rules:
        """fhs-1 and fhs-2."""
        age, born = self._given("age"), self._given("born")
        return (
            *super().rules(),
            (not (age and born), "fhs-1: age or birth, not both"),
            (age or self.estimatedAge is None, "fhs-2: an estimate of no age"),
        )
