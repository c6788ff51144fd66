"""Where references lead: to the patient, to an actor, to a document; literal, conditional, logical or contained."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from dmp.domain.consent import PatientRef
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import INS_SYSTEMS, Identifier, professional, structure
from dmp.fhir.systems import FINESS, RPPS, SIRENE

type Resource = Mapping[str, Any]

_LITERAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?", re.ASCII)
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?identifier=([^&]+)", re.ASCII)
_NATIONAL = {
    (RPPS, 11): lambda value: professional(f"8{value}"),
    (FINESS, 9): lambda value: structure(f"1{value}"),
    (SIRENE, 9): lambda value: structure(f"2{value}"),
    (SIRENE, 14): lambda value: structure(f"3{value}"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """What a literal reference names: a resource by its id, or by one of its identifiers."""

    resource_type: str
    id: str | None = None
    identifier: Identifier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What references may lead to: resources of the bundle by full URL, contained ones by id, and this server.

    `patients` are those whom the entries of the bundle name that are about a Patient, by full URL too.
    """

    bundled: Mapping[str, Resource] = field(default_factory=dict)
    contained: Mapping[str, Resource] = field(default_factory=dict)
    patients: Mapping[str, PatientRef] = field(default_factory=dict)
    base_url: str = ""

    def within(self, resource: Resource) -> "Surroundings":
        """The same, seen from a resource that contains others."""
        contained = {one["id"]: one for one in resource.get("contained", [])}
        return replace(self, contained=contained)

    def resource(self, literal: str) -> Resource | None:
        """The resource at the end of a literal reference, when it came with the request."""
        if literal.startswith("#"):
            return self.contained.get(literal[1:])
        return self.bundled.get(literal)


def parse_target(literal: str, base_url: str = "") -> Target | None:
    """Read `Type/id`, `Type/id/_history/version`, `[base]/Type/id` or `Type?identifier=system|value`."""
    relative = literal.removeprefix(f"{base_url}/") if base_url else literal
    if match := _LITERAL.fullmatch(relative):
        return Target(match[1], id=match[2])
    if match := _CONDITIONAL.fullmatch(relative):
        return Target(match[1], identifier=Identifier.parse(unquote(match[2])))
    return None


def patient_named_by(url: str) -> PatientRef | None:
    """The patient whom the address of a request names: `Patient/id`, or `Patient?identifier=` with an INS."""
    target = parse_target(url)
    if target is None or target.resource_type != "Patient" or not (target.id or _is_ins(target.identifier)):
        return None
    return PatientRef(target.id, target.identifier)


def identifier_of(value: Any) -> Identifier | None:
    """A FHIR Identifier that has a system and a value, as the domain's."""
    if isinstance(value, dict) and value.get("system") and value.get("value"):
        return Identifier(value["system"], value["value"])
    return None


def identifiers_of(resource: Resource) -> tuple[Identifier, ...]:
    """The identifiers of a resource that have a system and a value."""
    found = (identifier_of(value) for value in resource.get("identifier", []))
    return tuple(identifier for identifier in found if identifier)


def ins_of(resource: Resource) -> tuple[Identifier, ...]:
    """The INS of a Patient or RelatedPerson."""
    return tuple(identifier for identifier in identifiers_of(resource) if identifier.system in INS_SYSTEMS)


def actor_identifier(identifier: Identifier) -> Identifier:
    """The identifier of a professional or a structure in the form of tokens (PS_IdNat, Struct_IdNat)."""
    convert = _NATIONAL.get((identifier.system, len(identifier.value)))
    return convert(identifier.value) if convert and identifier.value.isdigit() else identifier


def patient_of(reference: Resource, around: Surroundings, place: str) -> PatientRef:
    """The patient that a reference names.

    Raises Invalid `unknown-reference` where it names none that can be known here.
    """
    literal, logical = reference.get("reference", ""), identifier_of(reference.get("identifier"))
    claims = [PatientRef(ins=logical)] if _is_ins(logical) else []
    target = parse_target(literal, around.base_url)
    if target and target.resource_type == "Patient" and (target.id or _is_ins(target.identifier)):
        claims.append(PatientRef(record=target.id, ins=target.identifier))
    claims += [PatientRef(ins=ins) for ins in ins_of(around.resource(literal) or {})]
    claims += [around.patients[literal]] if literal in around.patients else []
    if not claims:
        raise Invalid("unknown-reference", place, "the reference leads to no patient with an INS")
    return one_patient((place, claim) for claim in claims)


def named_patient(resource: Resource, base_url: str, element: str = "patient") -> PatientRef | None:
    """Whom a resource, which need not be sound otherwise, names as its patient; None where it names nobody."""
    reference = resource.get(element)
    if not isinstance(reference, dict):
        return None
    literal = reference.get("reference")
    target = parse_target(literal, base_url) if isinstance(literal, str) else None
    if target and target.id and target.resource_type == "Patient":
        return PatientRef(record=target.id)
    named = [target.identifier if target else None, *_loosely_identified([reference.get("identifier")])]
    if isinstance(literal, str) and literal.startswith("#"):
        named += _loosely_identified(_contained_identifiers(resource.get("contained"), literal[1:]))
    return next((PatientRef(ins=one) for one in named if _is_ins(one)), None)


def _loosely_identified(values: Any) -> Iterator[Identifier]:
    for value in values if isinstance(values, list) else []:
        match value:
            case {"system": str(system), "value": str(content)}:
                yield Identifier(system, content)


def _contained_identifiers(contained: Any, identity: str) -> Any:
    items = [one for one in contained if isinstance(one, dict)] if isinstance(contained, list) else []
    return next((one.get("identifier") for one in items if one.get("id") == identity), None)


def _is_ins(identifier: Identifier | None) -> bool:
    return identifier is not None and identifier.system in INS_SYSTEMS


def one_patient(claims: Iterable[tuple[str, PatientRef]]) -> PatientRef:
    """The only patient that all these references name; raises Invalid `wrong-patient` where they name two."""
    record: str | None = None
    ins: Identifier | None = None
    for place, claim in claims:
        if (record and claim.record and record != claim.record) or (ins and claim.ins and ins != claim.ins):
            raise Invalid("wrong-patient", place, "the request is about more than one patient")
        record, ins = record or claim.record, ins or claim.ins
    return PatientRef(record, ins)


def with_logical(value: Any) -> Any:
    """The same JSON, where a conditional reference has become a logical one: outside of a request it leads nowhere."""
    if isinstance(value, list):
        return [with_logical(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    content = {key: with_logical(item) for key, item in value.items()}
    literal = content.get("reference")
    target = parse_target(literal) if isinstance(literal, str) and "?" in literal else None
    if target and target.identifier:
        del content["reference"]
        return {"type": target.resource_type, **logical(target.identifier), **content}
    return content


def logical(identifier: Identifier) -> dict[str, Any]:
    """The element of a Reference that names by an identifier, as far as it has a system and a value."""
    parts = {"system": identifier.system, "value": identifier.value}
    named = {name: text for name, text in parts.items() if text}
    return {"identifier": named} if named else {}


def actors_of(references: Iterable[Resource], around: Surroundings) -> tuple[Identifier, ...]:
    """The identifiers by which these references name people and structures, each once."""
    found = (actor for reference in references for actor in _actors(reference, around))
    return tuple(dict.fromkeys(actor_identifier(actor) for actor in found))


def _actors(reference: Resource, around: Surroundings, depth: int = 0) -> Iterator[Identifier]:
    logical = identifier_of(reference.get("identifier"))
    if logical:
        yield logical
    resource = around.resource(reference.get("reference", ""))
    if resource is None or depth > 1:
        return
    yield from identifiers_of(resource)
    for part in ("practitioner", "organization"):
        if part in resource:
            yield from _actors(resource[part], around, depth + 1)
