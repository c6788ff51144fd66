"""FHIR R4's complex types as pydantic models: schemas that JSON is checked against (hl7.org/fhir/R4/datatypes.html)."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, create_model, model_validator

from dmp.fhir import primitives as p
from dmp.fhir.siblings import broken, has_siblings, without_siblings
from dmp.fhir.times import parse_datetime

if TYPE_CHECKING:
    type Extensions = list[Element]
else:
    type Extensions = list[Extension]
type LaterReference = Reference


class Element(BaseModel):
    """What every element shares. An instance is made to be checked, then thrown away."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    choice: ClassVar[str] = ""
    """The `x` of an `x[x]`, of which one at most may be present."""

    id: p.String | None = None
    extension: Extensions | None = None

    @model_validator(mode="before")
    @classmethod
    def see_primitives_alone(cls, value: Any) -> Any:
        """Check `_name` beside `name`, and hide it from the model."""
        return without_siblings(cls, value, Sibling.model_validate) if has_siblings(value) else value

    @model_validator(mode="after")
    def keep_the_rules(self) -> Self:
        """Check what FHIR's invariants say of this type."""
        if self.choice and sum(name.startswith(self.choice) for name in self.model_fields_set) > 1:
            raise broken(f"more than one {self.choice}[x]")
        for holds, rule in self.rules():
            if not holds:
                raise broken(rule)
        return self

    def rules(self) -> tuple[tuple[object, str], ...]:
        """Conditions that must hold, each with its name."""
        return ()


class Sibling(Element):
    """What stands in `_name`: the id and the extensions of a primitive."""


class Coding(Element):
    """A code of a system."""

    system: p.Uri | None = None
    version: p.String | None = None
    code: p.Code | None = None
    display: p.String | None = None
    userSelected: p.Boolean | None = None


class CodeableConcept(Element):
    """A concept, in codes or in words."""

    coding: list[Coding] | None = None
    text: p.String | None = None


class Period(Element):
    """A time range."""

    start: p.DateTime | None = None
    end: p.DateTime | None = None

    def rules(self) -> tuple[tuple[object, str], ...]:
        """per-1."""
        start = parse_datetime(self.start) if self.start else None
        end = parse_datetime(self.end) if self.end else None
        return ((not start or not end or start[0] < end[1], "per-1: the period ends before it starts"),)


class Identifier(Element):
    """A value within a naming system."""

    use: Literal["usual", "official", "temp", "secondary", "old"] | None = None
    type: CodeableConcept | None = None
    system: p.Uri | None = None
    value: p.String | None = None
    period: Period | None = None
    assigner: LaterReference | None = None


class Reference(Element):
    """A reference, literal or logical."""

    reference: p.String | None = None
    type: p.Uri | None = None
    identifier: Identifier | None = None
    display: p.String | None = None


class HumanName(Element):
    """A name of a person."""

    use: Literal["usual", "official", "temp", "nickname", "anonymous", "old", "maiden"] | None = None
    text: p.String | None = None
    family: p.String | None = None
    given: list[p.String] | None = None
    prefix: list[p.String] | None = None
    suffix: list[p.String] | None = None
    period: Period | None = None


class ContactPoint(Element):
    """A phone number, a mail address…"""

    system: Literal["phone", "fax", "email", "pager", "url", "sms", "other"] | None = None
    value: p.String | None = None
    use: Literal["home", "work", "temp", "old", "mobile"] | None = None
    rank: p.PositiveInt | None = None
    period: Period | None = None

    def rules(self) -> tuple[tuple[object, str], ...]:
        """cpt-2."""
        return ((not self.value or self.system, "cpt-2: a value without a system"),)


class Address(Element):
    """A postal address."""

    use: Literal["home", "work", "temp", "old", "billing"] | None = None
    type: Literal["postal", "physical", "both"] | None = None
    text: p.String | None = None
    line: list[p.String] | None = None
    city: p.String | None = None
    district: p.String | None = None
    state: p.String | None = None
    postalCode: p.String | None = None
    country: p.String | None = None
    period: Period | None = None


class Attachment(Element):
    """Content, by value or by reference."""

    contentType: p.Code | None = None
    language: p.Code | None = None
    data: p.Base64Binary | None = None
    url: p.Url | None = None
    size: p.UnsignedInt | None = None
    hash: p.Base64Binary | None = None
    title: p.String | None = None
    creation: p.DateTime | None = None

    def rules(self) -> tuple[tuple[object, str], ...]:
        """att-1."""
        return ((not self.data or self.contentType, "att-1: data without a content type"),)


class Meta(Element):
    """Metadata of a resource."""

    versionId: p.Id | None = None
    lastUpdated: p.Instant | None = None
    source: p.Uri | None = None
    profile: list[p.Canonical] | None = None
    security: list[Coding] | None = None
    tag: list[Coding] | None = None


class Quantity(Element):
    """A measured amount."""

    value: p.Decimal | None = None
    comparator: Literal["<", "<=", ">=", ">"] | None = None
    unit: p.String | None = None
    system: p.Uri | None = None
    code: p.Code | None = None

    def rules(self) -> tuple[tuple[object, str], ...]:
        """qty-3."""
        return ((not self.code or self.system, "qty-3: a code without a system"),)


class Range(Element):
    """A set of values between two."""

    low: Quantity | None = None
    high: Quantity | None = None

    def rules(self) -> tuple[tuple[object, str], ...]:
        """rng-2."""
        low, high = (side.value if side else None for side in (self.low, self.high))
        return ((low is None or high is None or low <= high, "rng-2: the low end is above the high one"),)


class Ratio(Element):
    """A quotient of two quantities."""

    numerator: Quantity | None = None
    denominator: Quantity | None = None

    def rules(self) -> tuple[tuple[object, str], ...]:
        """rat-1."""
        both = (self.numerator is None) == (self.denominator is None)
        return ((both and (self.numerator or self.extension), "rat-1: numerator and denominator go together"),)


class Annotation(Element):
    """A note with its author."""

    choice = "author"
    authorReference: Reference | None = None
    authorString: p.String | None = None
    time: p.DateTime | None = None
    text: p.Markdown


_PRIMITIVES = (
    "Base64Binary Boolean Canonical Code Date DateTime Decimal Id Instant Integer Markdown Oid PositiveInt String "
    "Time UnsignedInt Uri Url Uuid"
)
_COMPLEX: tuple[type[Element], ...] = (
    *(Address, Annotation, Attachment, CodeableConcept, Coding, ContactPoint, HumanName, Identifier, Meta),
    *(Period, Quantity, Range, Ratio, Reference),
)
VALUES: dict[str, Any] = {
    **{f"value{name}": (getattr(p, name) | None, None) for name in _PRIMITIVES.split()},
    **{f"value{model.__name__}": (model | None, None) for model in _COMPLEX},
    **{f"value{name}": (Quantity | None, None) for name in ("Age", "Count", "Distance", "Duration")},
}
"""The value[x] of an extension or a parameter."""


class _Extensible(Element):
    choice = "value"
    url: p.Uri

    def rules(self) -> tuple[tuple[object, str], ...]:
        """ext-1."""
        has_value = any(name.startswith("value") for name in self.model_fields_set)
        return ((has_value != bool(self.extension), "ext-1: an extension has either a value or extensions"),)


Extension = create_model("Extension", __base__=_Extensible, __module__=__name__, **VALUES)
