"""The people whom a summary names: who is around the person, and the médecin traitant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dmp.domain.consent import Consent, ConsentKind, Directive
from dmp.domain.related_person import RelatedPerson
from dmp.fhir.related_person import render_person
from dmp.fhir.statements import codes_of, label
from dmp.fhir.summary_texts import NOTHING, named, texts

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Somebody as a resource, and as the row that a person reads."""

    resource: Json
    row: tuple[str, str, str]


def contacts(persons: Iterable[RelatedPerson], roles: Iterable[Directive]) -> list[Named]:
    """The persons around the patient, each with what they are to them, delegations in force included."""
    delegations = [role for role in roles if role.kind is ConsentKind.DELEGATION]
    return [_contact(person, delegations) for person in persons]


def _contact(person: RelatedPerson, delegations: Iterable[Directive]) -> Named:
    resource = render_person(person)
    links = [_link(one) for one in resource.get("relationship", [])]
    held = {d.relationship for d in delegations if d.relationship and d.actor and d.actor == person.identifier}
    links += [named("persons", one.value) for one in sorted(held)]
    points = [point.get("value", "") for point in resource.get("telecom", [])]
    points += [_address(one) for one in resource.get("address", [])]
    row = (_name(resource), ", ".join(filter(None, links)) or NOTHING, ", ".join(filter(None, points)) or NOTHING)
    return Named(resource=resource, row=row)


def _link(relationship: Mapping[str, Any]) -> str:
    """What somebody is to the patient: the words that were sent, else those of the code, in French where known."""
    known = texts()["relationships"]
    french = [known[code] for _, code in codes_of(relationship) if code in known]
    return str(relationship.get("text") or next(iter(french), label(relationship)))


def _name(resource: Mapping[str, Any]) -> str:
    for name in resource.get("name", []):
        parts = [name.get("text", "")] if name.get("text") else [*name.get("given", []), name.get("family", "")]
        if told := " ".join(filter(None, parts)):
            return told
    return str(texts()["persons"]["unnamed"])


def _address(address: Mapping[str, Any]) -> str:
    parts = (*address.get("line", []), address.get("postalCode", ""), address.get("city", ""))
    return str(address.get("text") or " ".join(filter(None, parts)))


def physicians(roles: Iterable[Directive], marks: Iterable[Consent]) -> list[Named]:
    """The médecin traitant, by the mark in force; named where the mark was made with a name."""
    names = {mark.local: mark.actor_display or mark.attested_by_name for mark in marks}
    held = (role for role in roles if role.kind is ConsentKind.ATTENDING_PHYSICIAN)
    return [_physician(role, names.get(role.consent, "")) for role in held if role.actor]


def _physician(role: Directive, name: str) -> Named:
    title = str(texts()["attending_physician"])
    identifier = {"system": role.actor.system, "value": role.actor.value} if role.actor else {}
    resource = {"resourceType": "Practitioner", "identifier": [identifier], "name": [{"text": name or title}]}
    return Named(resource=resource, row=(name or NOTHING, identifier.get("value", ""), title))


def care_team(patient: Json, members: Iterable[Json]) -> Json:
    """The CareTeam of these members, as references."""
    role = [{"text": texts()["attending_physician"]}]
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "name": texts()["attending_physician"],
        "subject": patient,
        "participant": [{"role": role, "member": member} for member in members],
    }
