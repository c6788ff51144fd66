"""The lines of an ExplanationOfBenefit: acts and products, what they cost and what was paid of it (FHIR R4)."""

from dmp.fhir import primitives as p
from dmp.fhir.actors import Rules
from dmp.fhir.datatypes import Address, CodeableConcept, Element, Period, Quantity, Reference


class Money(Element):
    """An amount in a currency."""

    value: p.Decimal | None = None
    currency: p.Code | None = None


class Adjudication(Element):
    """What was decided on an amount."""

    category: CodeableConcept
    reason: CodeableConcept | None = None
    amount: Money | None = None
    value: p.Decimal | None = None


class _Priced(Element):
    """An act or a product, with its price and what was decided on it."""

    productOrService: CodeableConcept
    modifier: list[CodeableConcept] | None = None
    quantity: Quantity | None = None
    unitPrice: Money | None = None
    factor: p.Decimal | None = None
    net: Money | None = None
    noteNumber: list[p.PositiveInt] | None = None
    adjudication: list[Adjudication] | None = None


class _Claimed(_Priced):
    """One that was claimed, by its place in the claim."""

    sequence: p.PositiveInt
    revenue: CodeableConcept | None = None
    category: CodeableConcept | None = None
    programCode: list[CodeableConcept] | None = None
    udi: list[Reference] | None = None


class ItemSubDetail(_Claimed):
    """A part of a part of an item."""


class ItemDetail(_Claimed):
    """A part of an item."""

    subDetail: list[ItemSubDetail] | None = None


class _Placed(Element):
    """When and where."""

    choice = "serviced"
    servicedDate: p.Date | None = None
    servicedPeriod: Period | None = None
    locationCodeableConcept: CodeableConcept | None = None
    locationAddress: Address | None = None
    locationReference: Reference | None = None
    bodySite: CodeableConcept | None = None
    subSite: list[CodeableConcept] | None = None

    def rules(self) -> Rules:
        """One place at most."""
        return ((sum(name.startswith("location") for name in self.model_fields_set) < 2, "more than one location[x]"),)


class Item(_Claimed, _Placed):
    """A product or service that was claimed."""

    careTeamSequence: list[p.PositiveInt] | None = None
    diagnosisSequence: list[p.PositiveInt] | None = None
    procedureSequence: list[p.PositiveInt] | None = None
    informationSequence: list[p.PositiveInt] | None = None
    encounter: list[Reference] | None = None
    detail: list[ItemDetail] | None = None


class AddItemSubDetail(_Priced):
    """A part of a part of an item that the insurer added."""


class AddItemDetail(_Priced):
    """A part of an item that the insurer added."""

    subDetail: list[AddItemSubDetail] | None = None


class AddItem(_Priced, _Placed):
    """A product or service that the insurer added."""

    itemSequence: list[p.PositiveInt] | None = None
    detailSequence: list[p.PositiveInt] | None = None
    subDetailSequence: list[p.PositiveInt] | None = None
    provider: list[Reference] | None = None
    programCode: list[CodeableConcept] | None = None
    detail: list[AddItemDetail] | None = None
