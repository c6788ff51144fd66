"""The resources of the structured profile as pydantic models: problems, allergies, treatments, acts (FHIR R4)."""

import re
from typing import ClassVar, Literal

from pydantic import Field

from dmp.fhir import primitives as p
from dmp.fhir.actors import DomainResource, Rules
from dmp.fhir.datatypes import (
    Annotation,
    CodeableConcept,
    Element,
    Identifier,
    Period,
    Quantity,
    Range,
    Ratio,
    Reference,
)
from dmp.fhir.dosage import Dosage

_HL7 = "http://terminology.hl7.org/CodeSystem"
_ERROR = "entered-in-error"


def is_one_of(concept: CodeableConcept | None, system: str, codes: str) -> bool:
    """Whether a concept is absent, or has one of these codes of an HL7 system (a required binding)."""
    found = [one.code for one in (concept.coding or []) if one.system == f"{_HL7}/{system}"] if concept else []
    return concept is None or (bool(found) and all(code in codes.split() for code in found))


def _says(concept: CodeableConcept | None, code: str) -> bool:
    return any(one.code == code for one in (concept.coding or [])) if concept else False


class ProfileResource(DomainResource):
    """What the resources of the profile share."""

    choices: ClassVar[tuple[str, ...]] = ()
    """The `x` of several `x[x]`, of each of which one at most may be present."""
    needed: ClassVar[tuple[str, ...]] = ()
    """Those of which one must be."""
    identifier: list[Identifier] | None = None

    def rules(self) -> Rules:
        """The cardinalities of choices."""
        return (*((len(self._given(one)) < 2, f"more than one {one}[x]") for one in self.choices),
                *((self._given(one), f"one {one}[x] is required") for one in self.needed))  # fmt: skip

    def _given(self, choice: str) -> list[str]:
        return [name for name in self.model_fields_set if re.fullmatch(rf"{choice}[A-Z].*", name)]


class AllergyReaction(Element):
    """What happened at an exposure."""

    substance: CodeableConcept | None = None
    manifestation: list[CodeableConcept] = Field(min_length=1)
    description: p.String | None = None
    onset: p.DateTime | None = None
    severity: Literal["mild", "moderate", "severe"] | None = None
    exposureRoute: CodeableConcept | None = None
    note: list[Annotation] | None = None


class AllergyIntolerance(ProfileResource):
    """A propensity to react, or the statement that there is none."""

    choices = ("onset",)
    resourceType: Literal["AllergyIntolerance"]
    clinicalStatus: CodeableConcept | None = None
    verificationStatus: CodeableConcept | None = None
    type: Literal["allergy", "intolerance"] | None = None
    category: list[Literal["food", "medication", "environment", "biologic"]] | None = None
    criticality: Literal["low", "high", "unable-to-assess"] | None = None
    code: CodeableConcept | None = None
    patient: Reference
    encounter: Reference | None = None
    onsetDateTime: p.DateTime | None = None
    onsetAge: Quantity | None = None
    onsetPeriod: Period | None = None
    onsetRange: Range | None = None
    onsetString: p.String | None = None
    recordedDate: p.DateTime | None = None
    recorder: Reference | None = None
    asserter: Reference | None = None
    lastOccurrence: p.DateTime | None = None
    note: list[Annotation] | None = None
    reaction: list[AllergyReaction] | None = None

    def rules(self) -> Rules:
        """ait-1, ait-2 and the required bindings."""
        verified = "unconfirmed confirmed refuted entered-in-error"
        is_error = _says(self.verificationStatus, _ERROR)
        return (
            *super().rules(),
            (is_one_of(self.clinicalStatus, "allergyintolerance-clinical", "active inactive resolved"),
             "a clinicalStatus outside of the required value set"),
            (is_one_of(self.verificationStatus, "allergyintolerance-verification", verified),
             "a verificationStatus outside of the required value set"),
            (is_error or self.clinicalStatus, "ait-1: an allergy has a clinicalStatus"),
            (not (is_error and self.clinicalStatus), "ait-2: what was entered in error has no clinicalStatus"),
        )  # fmt: skip


class ConditionStage(Element):
    """How far a condition has gone."""

    summary: CodeableConcept | None = None
    assessment: list[Reference] | None = None
    type: CodeableConcept | None = None

    def rules(self) -> Rules:
        """con-1."""
        return ((self.summary or self.assessment, "con-1: a stage without summary or assessment"),)


class ConditionEvidence(Element):
    """What a condition shows by."""

    code: list[CodeableConcept] | None = None
    detail: list[Reference] | None = None

    def rules(self) -> Rules:
        """con-2."""
        return ((self.code or self.detail, "con-2: evidence without code or detail"),)


class Condition(ProfileResource):
    """A problem, or an antecedent."""

    choices = ("onset", "abatement")
    resourceType: Literal["Condition"]
    clinicalStatus: CodeableConcept | None = None
    verificationStatus: CodeableConcept | None = None
    category: list[CodeableConcept] | None = None
    severity: CodeableConcept | None = None
    code: CodeableConcept | None = None
    bodySite: list[CodeableConcept] | None = None
    subject: Reference
    encounter: Reference | None = None
    onsetDateTime: p.DateTime | None = None
    onsetAge: Quantity | None = None
    onsetPeriod: Period | None = None
    onsetRange: Range | None = None
    onsetString: p.String | None = None
    abatementDateTime: p.DateTime | None = None
    abatementAge: Quantity | None = None
    abatementPeriod: Period | None = None
    abatementRange: Range | None = None
    abatementString: p.String | None = None
    recordedDate: p.DateTime | None = None
    recorder: Reference | None = None
    asserter: Reference | None = None
    stage: list[ConditionStage] | None = None
    evidence: list[ConditionEvidence] | None = None
    note: list[Annotation] | None = None

    def rules(self) -> Rules:
        """con-4, con-5 and the required bindings."""
        clinical = "active recurrence relapse inactive remission resolved"
        verified = "unconfirmed provisional differential confirmed refuted entered-in-error"
        is_over = any(_says(self.clinicalStatus, code) for code in ("inactive", "resolved", "remission"))
        is_error = _says(self.verificationStatus, _ERROR)
        return (
            *super().rules(),
            (is_one_of(self.clinicalStatus, "condition-clinical", clinical),
             "a clinicalStatus outside of the required value set"),
            (is_one_of(self.verificationStatus, "condition-ver-status", verified),
             "a verificationStatus outside of the required value set"),
            (is_over or not self._given("abatement"), "con-4: what has abated is inactive, resolved or in remission"),
            (not (is_error and self.clinicalStatus), "con-5: what was entered in error has no clinicalStatus"),
        )  # fmt: skip


class Ingredient(Element):
    """What a medication holds."""

    choice = "item"
    itemCodeableConcept: CodeableConcept | None = None
    itemReference: Reference | None = None
    isActive: p.Boolean | None = None
    strength: Ratio | None = None

    def rules(self) -> Rules:
        """An ingredient is something."""
        return ((self.itemCodeableConcept or self.itemReference, "one item[x] is required"),)


class Batch(Element):
    """Of which lot a medication is."""

    lotNumber: p.String | None = None
    expirationDate: p.DateTime | None = None


class Medication(DomainResource):
    """A medication that a statement contains."""

    resourceType: Literal["Medication"]
    identifier: list[Identifier] | None = None
    code: CodeableConcept | None = None
    status: Literal["active", "inactive", "entered-in-error"] | None = None
    manufacturer: Reference | None = None
    form: CodeableConcept | None = None
    amount: Ratio | None = None
    ingredient: list[Ingredient] | None = None
    batch: Batch | None = None


class MedicationStatement(ProfileResource):
    """A treatment."""

    choices = ("medication", "effective")
    needed = ("medication",)
    resourceType: Literal["MedicationStatement"]
    basedOn: list[Reference] | None = None
    partOf: list[Reference] | None = None
    status: Literal[
        "active", "completed", "entered-in-error", "intended", "stopped", "on-hold", "unknown", "not-taken"
    ]  # fmt: skip
    statusReason: list[CodeableConcept] | None = None
    category: CodeableConcept | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    subject: Reference
    context: Reference | None = None
    effectiveDateTime: p.DateTime | None = None
    effectivePeriod: Period | None = None
    dateAsserted: p.DateTime | None = None
    informationSource: Reference | None = None
    derivedFrom: list[Reference] | None = None
    reasonCode: list[CodeableConcept] | None = None
    reasonReference: list[Reference] | None = None
    note: list[Annotation] | None = None
    dosage: list[Dosage] | None = None
