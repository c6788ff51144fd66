"""Resources of which types each reference may lead to: FHIR R4 for a DocumentReference and a List, narrowed by MHD."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dmp.domain.errors import Invalid
from dmp.fhir.references import Surroundings, parse_target

type Resource = Mapping[str, Any]

_PEOPLE = frozenset({"Practitioner", "PractitionerRole", "Patient", "Device"})
_TARGETS: dict[str, dict[str, frozenset[str]]] = {
    "DocumentReference": {
        "subject": frozenset({"Patient"}),
        "author": _PEOPLE | {"Organization", "RelatedPerson"},
        "authenticator": frozenset({"Practitioner", "PractitionerRole", "Organization"}),
        "custodian": frozenset({"Organization"}),
        "relatesTo.target": frozenset({"DocumentReference"}),
        "context.encounter": frozenset({"Encounter", "EpisodeOfCare"}),
        "context.sourcePatientInfo": frozenset({"Patient"}),
    },
    "List": {"subject": frozenset({"Patient"}), "source": _PEOPLE},
}
_ELSEWHERE = re.compile(
    r"https?://.+/([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?", re.ASCII
)


def check_targets(resource: Resource, around: Surroundings, place: str) -> None:
    """Refuse a reference to a resource of a type that has no place there: Invalid `invalid-resource`."""
    for path, allowed in _TARGETS[resource["resourceType"]].items():
        for where, reference in _at(resource, path.split("."), place):
            found = _type_of(reference, around)
            if found and found not in allowed:
                raise Invalid("invalid-resource", where, "a reference to a resource of a type not allowed here")


def _at(value: Any, path: list[str], place: str) -> Iterator[tuple[str, Resource]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _at(item, path, f"{place}[{index}]")
    elif not path:
        yield place, value
    elif path[0] in value:
        yield from _at(value[path[0]], path[1:], f"{place}.{path[0]}")


def _type_of(reference: Resource, around: Surroundings) -> str:
    """The type of what a reference leads to, as far as it can be told."""
    literal = reference.get("reference", "")
    resource = around.resource(literal)
    if resource is not None:
        return str(resource["resourceType"])
    target = parse_target(literal, around.base_url)
    elsewhere = _ELSEWHERE.fullmatch(literal)
    found = target.resource_type if target else elsewhere[1] if elsewhere else reference.get("type", "")
    return str(found).rpartition("/")[2]
