"""A Consent as a client asks for it: PCF's Basic shape with one of our kinds, read strictly (IHE PCF)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dmp.domain.consent import ConsentKind, EmergencyPurpose, PatientRef
from dmp.domain.consent_request import TREATMENT, ConsentRequest
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import PS_IDNAT, STRUCT_IDNAT, Identifier
from dmp.domain.purpose import is_outside_care
from dmp.domain.related_person import PersonRequest
from dmp.fhir.references import Surroundings, actors_of, one_patient, parse_target, patient_of
from dmp.fhir.related_person_reading import contained_person
from dmp.fhir.systems import CONSENT_SCOPE, DMP_CONSENT_KIND, PARTICIPATION_TYPE
from dmp.fhir.times import parse_datetime, parse_instant
from dmp.fhir.validation import validate

type Resource = Mapping[str, Any]

_PERIOD = "Consent.provision.period"
_ACTOR = "Consent.provision.actor"
LONGEST_DISPLAY, LONGEST_URI = 200, 500
"""Characters: what one actor holds must be small enough to end in one transaction of 4 MB."""


PRIVACY, ADVANCE_CARE = "patient-privacy", "adr"
_OF_WISHES = (PRIVACY, ADVANCE_CARE)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a kind of Consent holds: permit, deny or both, systems of its only actor, and purposes."""

    types: tuple[str, ...]
    actors: tuple[str, ...] = ()
    by_reference: bool = False
    purposes: tuple[str, ...] = (TREATMENT,)
    needs_purpose: bool = False
    is_created: bool = True
    """Whether a request can create it; the others come of `$open` and `$emergency-access`."""
    scopes: tuple[str, ...] = (PRIVACY,)


_SHAPES = {
    ConsentKind.AUTHORISATION: _Shape(("permit",), (PS_IDNAT, STRUCT_IDNAT)),
    ConsentKind.BLOCK: _Shape(("deny",), (PS_IDNAT, STRUCT_IDNAT)),
    ConsentKind.ATTENDING_PHYSICIAN: _Shape(("permit",), (PS_IDNAT,)),
    ConsentKind.OPPOSITION: _Shape(("deny",), purposes=tuple(EmergencyPurpose), needs_purpose=True),
    ConsentKind.MASKED_IN_EMERGENCY: _Shape(("permit", "deny"), purposes=(EmergencyPurpose.BTG,), needs_purpose=True),
    ConsentKind.DELEGATION: _Shape(("permit",), by_reference=True),
    ConsentKind.DEFAULT_VISIBILITY: _Shape(("permit", "deny")),
    ConsentKind.ADVANCE_DIRECTIVES: _Shape(("permit",), scopes=_OF_WISHES),
    ConsentKind.ORGAN_DONATION: _Shape(("permit", "deny"), scopes=_OF_WISHES),
    ConsentKind.EMERGENCY: _Shape(
        ("permit",), (PS_IDNAT,), purposes=tuple(EmergencyPurpose), needs_purpose=True, is_created=False
    ),
}
"""The kinds that a request can create or change."""


def read_consent(resource: Resource, now: datetime, *, base_url: str = "", is_new: bool = True) -> ConsentRequest:
    """Read a parsed Consent, a new one or one that is there.

    Raises Invalid, with the place, for a shape that its kind does not have; a purpose outside of care is left in, for
    the decision to refuse it.
    """
    checked = _validated(resource)
    kind = _kind(checked, is_new=is_new)
    shape, provision = _SHAPES[kind], checked["provision"]
    if not any((scope, CONSENT_SCOPE) in _codes([checked["scope"]]) for scope in shape.scopes):
        raise Invalid("unknown-code", "Consent.scope", f"the scope is {' or '.join(shape.scopes)}")
    around = Surroundings(base_url=base_url).within(checked)
    if provision["type"] not in shape.types:
        raise Invalid("invalid-resource", "Consent.provision.type", "this kind of consent has the other type")
    actors = _actors(provision)
    start, end = read_period(provision.get("period", {}), now)
    patient = patient_of(checked["patient"], around, "Consent.patient")
    _check_performers(checked, around, patient)
    return ConsentRequest(
        kind=kind,
        permit=provision["type"] == "permit",
        patient=patient,
        actor=_actor(actors, shape, around),
        actor_display=_display(actors[0]) if actors else "",
        delegate=_delegate(actors[0], around) if shape.by_reference else None,
        start=start,
        end=end,
        purposes=_purposes(provision.get("purpose", []), shape),
        policy_uri=_policy_uri(checked.get("policy", [])),
        document=_document(checked, around) if kind is ConsentKind.ADVANCE_DIRECTIVES else None,
    )


def kind_named(resource: Resource) -> ConsentKind | None:
    """The kind of a Consent that need not be sound otherwise; None where it is of none that requests create."""
    categories = resource.get("category")
    concepts = [one for one in categories if isinstance(one, dict)] if isinstance(categories, list) else []
    listed = [one["coding"] for one in concepts if isinstance(one.get("coding"), list)]
    codes = [c.get("code") for codings in listed for c in codings if isinstance(c, dict) and _is_kind(c)]
    kinds = [kind for kind, shape in _SHAPES.items() if shape.is_created and [kind.value] == codes]
    return kinds[0] if kinds else None


def _is_kind(coding: Resource) -> bool:
    return coding.get("system") == DMP_CONSENT_KIND


def read_period(period: Resource, now: datetime, place: str = _PERIOD) -> tuple[datetime | None, datetime | None]:
    """The instants from which and until which a Consent holds; a date alone as end means the end of that day in Paris.

    Raises Invalid `period-invalid` where the end is past, or does not follow the start.
    """
    start, end = _start(period.get("start")), end_of(period.get("end"))
    if end and end <= (start or now):
        raise Invalid("period-invalid", place, "the period ends before it starts")
    if end and end <= now:
        raise Invalid("period-invalid", f"{place}.end", "the period is past")
    return start, end


def end_of(text: str | None) -> datetime | None:
    """The first instant at which a period that ends with this dateTime is over."""
    moments = parse_datetime(text) if text else None
    if moments is None or text is None:
        return None
    return moments[0] if parse_instant(text) else moments[1]


def _start(text: str | None) -> datetime | None:
    moments = parse_datetime(text) if text else None
    return moments[0] if moments else None


def _validated(resource: Resource) -> dict[str, Any]:
    try:
        checked = validate(resource, "Consent")
    except Invalid as error:
        if error.expression == _PERIOD:
            raise Invalid("period-invalid", _PERIOD, error.detail) from None
        raise
    if checked.get("status", "active") != "active":
        raise Invalid("invalid-resource", "Consent.status", "a consent is created active")
    return checked


def _kind(consent: Resource, *, is_new: bool) -> ConsentKind:
    codes = [code for code, system in _codes(consent["category"]) if system == DMP_CONSENT_KIND]
    if len(codes) != 1:
        raise Invalid("invalid-resource", "Consent.category", "exactly one kind of consent is required")
    if codes[0] not in list(ConsentKind):
        raise Invalid("unknown-code", "Consent.category", "there is no such kind of consent")
    kind = ConsentKind(codes[0])
    if kind not in _SHAPES or (is_new and not _SHAPES[kind].is_created):
        raise Invalid("invalid-resource", "Consent.category", "consents of this kind come of their operation alone")
    return kind


def _actors(provision: Resource) -> list[Resource]:
    for index, actor in enumerate(provision.get("actor", [])):
        role = actor.get("role")
        if role is not None and ("IRCP", PARTICIPATION_TYPE) not in _codes([role]):
            raise Invalid("unknown-code", f"{_ACTOR}[{index}].role", "the role is IRCP")
    return [actor["reference"] for actor in provision.get("actor", [])]


def _actor(actors: Sequence[Resource], shape: _Shape, around: Surroundings) -> Identifier | None:
    expected = bool(shape.actors) or shape.by_reference
    if len(actors) != expected:
        rule = "exactly one actor is required" if expected else "this kind of consent names no actor"
        raise Invalid("invalid-resource", _ACTOR, rule)
    if not shape.actors:
        return None
    found = actors_of(actors, around)
    if len(found) != 1 or found[0].system not in shape.actors:
        raise Invalid("invalid-resource", f"{_ACTOR}[0].reference.identifier", "the actor needs a national identifier")
    return found[0]


def _delegate(actor: Resource, around: Surroundings) -> str | PersonRequest:
    """The id of a RelatedPerson, or the one that the Consent contains."""
    place, literal = f"{_ACTOR}[0].reference", actor.get("reference", "")
    contained = around.contained.get(literal[1:]) if literal.startswith("#") else None
    if contained and contained["resourceType"] == "RelatedPerson":
        index = list(around.contained).index(literal[1:])
        return contained_person(contained, around, f"Consent.contained[{index}]")
    target = parse_target(literal, around.base_url)
    if target is None or target.resource_type != "RelatedPerson" or target.id is None:
        raise Invalid("unknown-reference", place, "the delegate is a RelatedPerson")
    return target.id


def _document(consent: Resource, around: Surroundings) -> str | None:
    """The id of the document that says it in full."""
    if "sourceReference" not in consent:
        return None
    target = parse_target(consent["sourceReference"].get("reference", ""), around.base_url)
    if target is None or target.resource_type != "DocumentReference" or target.id is None:
        raise Invalid("unknown-reference", "Consent.sourceReference", "the source is a DocumentReference of the record")
    return target.id


def _purposes(purposes: Sequence[Resource], shape: _Shape) -> tuple[str, ...]:
    codes = tuple(dict.fromkeys(purpose.get("code", "") for purpose in purposes))
    place = "Consent.provision.purpose"
    if any(map(is_outside_care, codes)):
        return codes
    if any(code not in shape.purposes for code in codes):
        raise Invalid("unknown-code", place, "this kind of consent has other purposes")
    if shape.needs_purpose and not codes:
        raise Invalid("invalid-resource", place, "a required element is missing")
    return codes


def _display(actor: Resource) -> str:
    return _bounded(actor.get("display", ""), LONGEST_DISPLAY, f"{_ACTOR}[0].reference.display")


def _policy_uri(policies: Sequence[Resource]) -> str | None:
    found = next(((index, policy["uri"]) for index, policy in enumerate(policies) if "uri" in policy), None)
    return _bounded(found[1], LONGEST_URI, f"Consent.policy[{found[0]}].uri") if found else None


def _bounded(text: str, longest: int, place: str) -> str:
    if len(text) > longest:
        raise Invalid("invalid-resource", place, f"at most {longest} characters")
    return text


def _check_performers(consent: Resource, around: Surroundings, patient: PatientRef) -> None:
    """Raise Invalid `wrong-patient` where a patient consents who is another one."""
    for index, performer in enumerate(consent.get("performer", [])):
        place = f"Consent.performer[{index}]"
        target = parse_target(performer.get("reference", ""), around.base_url)
        if (target and target.resource_type == "Patient") or performer.get("type") == "Patient":
            one_patient([("Consent.patient", patient), (place, patient_of(performer, around, place))])


def _codes(concepts: Sequence[Resource]) -> list[tuple[Any, Any]]:
    codings = (coding for concept in concepts for coding in concept.get("coding", []))
    return [(coding.get("code"), coding.get("system")) for coding in codings]
