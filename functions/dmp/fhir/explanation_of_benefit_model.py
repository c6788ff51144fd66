"""ExplanationOfBenefit as the insurer sends it, checked (FHIR R4)."""

from typing import Literal

from pydantic import Field

from dmp.fhir import primitives as p
from dmp.fhir.actors import DomainResource, Rules
from dmp.fhir.datatypes import (
    Address,
    Attachment,
    CodeableConcept,
    Coding,
    Element,
    Identifier,
    Period,
    Quantity,
    Reference,
)
from dmp.fhir.explanation_of_benefit_items import AddItem, Adjudication, Item, Money


class RelatedClaim(Element):
    """A claim or a line that this one has to do with."""

    claim: Reference | None = None
    relationship: CodeableConcept | None = None
    reference: Identifier | None = None


class Payee(Element):
    """Who was paid."""

    type: CodeableConcept | None = None
    party: Reference | None = None


class CareTeamMember(Element):
    """Somebody who took care."""

    sequence: p.PositiveInt
    provider: Reference
    responsible: p.Boolean | None = None
    role: CodeableConcept | None = None
    qualification: CodeableConcept | None = None


class SupportingInformation(Element):
    """What was told beside."""

    choice = "timing"
    sequence: p.PositiveInt
    category: CodeableConcept
    code: CodeableConcept | None = None
    timingDate: p.Date | None = None
    timingPeriod: Period | None = None
    valueBoolean: p.Boolean | None = None
    valueString: p.String | None = None
    valueQuantity: Quantity | None = None
    valueAttachment: Attachment | None = None
    valueReference: Reference | None = None
    reason: Coding | None = None

    def rules(self) -> Rules:
        """One value at most."""
        return ((sum(name.startswith("value") for name in self.model_fields_set) < 2, "more than one value[x]"),)


class Diagnosis(Element):
    """Why care was taken."""

    choice = "diagnosis"
    sequence: p.PositiveInt
    diagnosisCodeableConcept: CodeableConcept | None = None
    diagnosisReference: Reference | None = None
    type: list[CodeableConcept] | None = None
    onAdmission: CodeableConcept | None = None
    packageCode: CodeableConcept | None = None

    def rules(self) -> Rules:
        """A diagnosis is one."""
        return ((self.diagnosisCodeableConcept or self.diagnosisReference, "diagnosis[x] is missing"),)


class ProcedureDone(Element):
    """What was done."""

    choice = "procedure"
    sequence: p.PositiveInt
    type: list[CodeableConcept] | None = None
    date: p.DateTime | None = None
    procedureCodeableConcept: CodeableConcept | None = None
    procedureReference: Reference | None = None
    udi: list[Reference] | None = None

    def rules(self) -> Rules:
        """A procedure is one."""
        return ((self.procedureCodeableConcept or self.procedureReference, "procedure[x] is missing"),)


class Insurance(Element):
    """By which cover it was paid."""

    focal: p.Boolean
    coverage: Reference
    preAuthRef: list[p.String] | None = None


class Accident(Element):
    """What happened."""

    choice = "location"
    date: p.Date | None = None
    type: CodeableConcept | None = None
    locationAddress: Address | None = None
    locationReference: Reference | None = None


class Total(Element):
    """A sum by category."""

    category: CodeableConcept
    amount: Money


class Payment(Element):
    """What was paid."""

    type: CodeableConcept | None = None
    adjustment: Money | None = None
    adjustmentReason: CodeableConcept | None = None
    date: p.Date | None = None
    amount: Money | None = None
    identifier: Identifier | None = None


class ProcessNote(Element):
    """A note on how it was handled."""

    number: p.PositiveInt | None = None
    type: Literal["display", "print", "printoper"] | None = None
    text: p.String | None = None
    language: CodeableConcept | None = None


class BenefitUsed(Element):
    """How much of a benefit there is, and is used."""

    choice = "allowed"
    type: CodeableConcept
    allowedUnsignedInt: p.UnsignedInt | None = None
    allowedString: p.String | None = None
    allowedMoney: Money | None = None
    usedUnsignedInt: p.UnsignedInt | None = None
    usedMoney: Money | None = None

    def rules(self) -> Rules:
        """One use at most."""
        return ((self.usedUnsignedInt is None or self.usedMoney is None, "more than one used[x]"),)


class BenefitBalance(Element):
    """What is left of a benefit."""

    category: CodeableConcept
    excluded: p.Boolean | None = None
    name: p.String | None = None
    description: p.String | None = None
    network: CodeableConcept | None = None
    unit: CodeableConcept | None = None
    term: CodeableConcept | None = None
    financial: list[BenefitUsed] | None = None


class ExplanationOfBenefit(DomainResource):
    """A line of reimbursement."""

    resourceType: Literal["ExplanationOfBenefit"]
    identifier: list[Identifier] | None = None
    status: Literal["active", "cancelled", "draft", "entered-in-error"]
    type: CodeableConcept
    subType: CodeableConcept | None = None
    use: Literal["claim", "preauthorization", "predetermination"]
    patient: Reference
    billablePeriod: Period | None = None
    created: p.DateTime
    enterer: Reference | None = None
    insurer: Reference
    provider: Reference
    priority: CodeableConcept | None = None
    fundsReserveRequested: CodeableConcept | None = None
    fundsReserve: CodeableConcept | None = None
    related: list[RelatedClaim] | None = None
    prescription: Reference | None = None
    originalPrescription: Reference | None = None
    payee: Payee | None = None
    referral: Reference | None = None
    facility: Reference | None = None
    claim: Reference | None = None
    claimResponse: Reference | None = None
    outcome: Literal["queued", "complete", "error", "partial"]
    disposition: p.String | None = None
    preAuthRef: list[p.String] | None = None
    preAuthRefPeriod: list[Period] | None = None
    careTeam: list[CareTeamMember] | None = None
    supportingInfo: list[SupportingInformation] | None = None
    diagnosis: list[Diagnosis] | None = None
    procedure: list[ProcedureDone] | None = None
    precedence: p.PositiveInt | None = None
    insurance: list[Insurance] = Field(min_length=1)
    accident: Accident | None = None
    item: list[Item] | None = None
    addItem: list[AddItem] | None = None
    adjudication: list[Adjudication] | None = None
    total: list[Total] | None = None
    payment: Payment | None = None
    formCode: CodeableConcept | None = None
    form: Attachment | None = None
    processNote: list[ProcessNote] | None = None
    benefitPeriod: Period | None = None
    benefitBalance: list[BenefitBalance] | None = None
