"""What a resource of the structured profile says of health: its codes, its moment, whether it holds (FHIR R4)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from dmp.domain.clinical_profile import ProfileKind
from dmp.domain.code_lists import canonical_system
from dmp.domain.words import folded
from dmp.fhir.systems import DMP_SOURCE, IPS_UNKNOWN
from dmp.fhir.times import parse_datetime

type Json = Mapping[str, Any]

CONCEPTS = {ProfileKind.IMMUNIZATION: "vaccineCode", ProfileKind.FAMILY_HISTORY: "relationship"}
"""The element that says what it is about, where that is not `code`."""
_MOMENTS = {
    ProfileKind.ALLERGY: ("onsetDateTime", "onsetPeriod", "recordedDate"),
    ProfileKind.CONDITION: ("onsetDateTime", "onsetPeriod", "onsetString", "recordedDate"),
    ProfileKind.MEDICATION: ("effectiveDateTime", "effectivePeriod", "dateAsserted"),
    ProfileKind.IMMUNIZATION: ("occurrenceDateTime", "occurrenceString"),
    ProfileKind.PROCEDURE: ("performedDateTime", "performedPeriod", "performedString"),
    ProfileKind.FAMILY_HISTORY: ("date",),
    ProfileKind.OBSERVATION: ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"),
}
_IN_ERROR = "entered-in-error"
_ENDED = frozenset({"completed", "stopped", "not-taken"})
_PAST = frozenset({"inactive", "remission", "resolved"})
_REFUTED = "refuted"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One resource as the caller sees it; `source` is what a reader is told of where it comes from.

    `sources` are the extensions that name documents which say the same. `is_replaced`: a treatment of an admission, of
    which the list of the discharge says what became.
    """

    kind: ProfileKind
    resource: Json
    source: str
    sources: tuple[Json, ...] = ()
    confirmed_by: tuple[str, ...] = ()
    is_replaced: bool = False

    @cached_property
    def concept(self) -> Json:
        """What it is about, as a CodeableConcept."""
        return concept_of(self.kind, self.resource)

    @cached_property
    def codes(self) -> frozenset[tuple[str, str]]:
        """System and code of what it is about; of one without codes its text, in place of both."""
        found = frozenset(self.codings)
        return found or frozenset({("", text.casefold())} if (text := label(self.concept)) else ())

    @cached_property
    def codings(self) -> tuple[tuple[str, str], ...]:
        """System and code of each coding of what it is about, the leading one first."""
        return tuple(codes_of(self.concept))

    @cached_property
    def words(self) -> str:
        """What a reader is shown of what it is about, without case, accents and further blanks."""
        return " ".join(folded(label(self.concept)).split())

    @cached_property
    def places(self) -> frozenset[tuple[str, str]]:
        """The documents that say it, each with the code of the section, or nothing in its place."""
        return frozenset(_place(one) for one in (*sources_of(self.resource), *self.sources))

    @cached_property
    def moment(self) -> str:
        """When it began or was, as far as it says so: FHIR's date, a word, or nothing."""
        return next(_moments(self.kind, self.resource), "")

    @property
    def is_in_error(self) -> bool:
        """Whether it says of itself that it never was true, or that the observation was called off."""
        status = self.resource.get("status")
        is_called_off = self.kind is ProfileKind.OBSERVATION and status == "cancelled"
        return is_called_off or _IN_ERROR in (status, code_in(self.resource.get("verificationStatus", {})))

    @property
    def is_refuted(self) -> bool:
        """Whether it says that the person does not have it."""
        return code_in(self.resource.get("verificationStatus", {})) == _REFUTED

    @property
    def is_past(self) -> bool:
        """Whether it says of an allergy or a problem that it is over, or rests."""
        return code_in(self.resource.get("clinicalStatus", {})) in _PAST

    @property
    def is_of_nothing(self) -> bool:
        """Whether it says that nothing of its kind is known, or is there."""
        return any(system == IPS_UNKNOWN for system, _ in self.codes)

    @property
    def is_found(self) -> bool:
        """Whether a document says it, and nobody entered it."""
        return bool(sources_of(self.resource))

    def is_over(self, now: datetime) -> bool:
        """Whether it is a treatment that was ended, replaced or never taken, or has come to its end."""
        if self.kind is not ProfileKind.MEDICATION:
            return False
        end = parse_datetime(self.resource.get("effectivePeriod", {}).get("end", ""))
        is_ended = self.resource.get("status") in _ENDED or self.is_replaced
        return is_ended or (end is not None and end[1] <= now)

    def said_also_by(self, other: "Statement") -> "Statement":
        """The same, with the sources of another one that says no more."""
        named = (*self.sources, *(one for one in sources_of(other.resource) if _place(one) not in self.places))
        heard = dict.fromkeys((*self.confirmed_by, other.source))
        return replace(self, sources=named, confirmed_by=tuple(one for one in heard if one != self.source))


def concept_of(kind: ProfileKind, resource: Json) -> Json:
    """What a resource is about, as a CodeableConcept; a medication also by the Medication that it contains."""
    if kind is not ProfileKind.MEDICATION:
        return dict(resource.get(CONCEPTS.get(kind, "code"), {}))
    if "medicationCodeableConcept" in resource:
        return dict(resource["medicationCodeableConcept"])
    reference = resource.get("medicationReference", {})
    held = {f"#{one.get('id')}": one for one in resource.get("contained", [])}
    contained = held.get(reference.get("reference"), {})
    return dict(contained.get("code", {"text": reference.get("display", "")}))


def codes_of(concept: Json) -> Iterator[tuple[str, str]]:
    """System and code of each coding that has a code."""
    for coding in concept.get("coding", []):
        if coding.get("code"):
            yield canonical_system(coding.get("system", "")), coding["code"]


def label(concept: Json) -> str:
    """What a reader is shown of a concept: its text, else the first display, else the first code."""
    codings = concept.get("coding", [])
    names = [concept.get("text"), *(one.get("display") for one in codings), *(one.get("code") for one in codings)]
    return next((name for name in names if name), "")


def code_in(concept: Json) -> str:
    """The first code of a concept, or nothing."""
    return next((coding["code"] for coding in concept.get("coding", []) if coding.get("code")), "")


def sources_of(resource: Json) -> tuple[Json, ...]:
    """The extensions that say in which documents it was found."""
    return tuple(one for one in resource.get("extension", []) if one.get("url") == DMP_SOURCE)


def _place(source: Json) -> tuple[str, str]:
    parts = {one.get("url"): one for one in source.get("extension", [])}
    document = parts.get("document", {}).get("valueReference", {}).get("reference", "")
    return document, code_in(parts.get("section", {}).get("valueCodeableConcept", {}))


def _moments(kind: ProfileKind, resource: Json) -> Iterator[str]:
    for name in _MOMENTS[kind]:
        match resource.get(name):
            case str() as text if text:
                yield text
            case {"start": str() as start}:
                yield start
            case {"end": str() as end}:
                yield end
