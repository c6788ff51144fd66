"""What searches compare of a stored resource: codes, identifiers, moments, and the people that it names."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dmp.domain.clinical_document import unique_id_of
from dmp.domain.code_lists import canonical_system
from dmp.domain.identifiers import Identifier
from dmp.fhir.references import Surroundings, actor_identifier, identifiers_of
from dmp.fhir.search_values import Token
from dmp.fhir.systems import VISIBILITY, VISIBILITY_MISSPELT
from dmp.fhir.times import parse_datetime

type Resource = Mapping[str, Any]

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_DEPTH = 2
_MISSPELT = {VISIBILITY_MISSPELT: VISIBILITY}
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
_PARTS = ("practitioner", "organization")


def at(resource: Resource, *path: str) -> Iterator[Any]:
    """The elements at a path, those of each item of an array; an item without a value (FHIR's `null`) is none."""
    values: list[Any] = [resource]
    for name in path:
        found = [value[name] for value in values if isinstance(value, Mapping) and name in value]
        items = (item for value in found for item in (value if isinstance(value, list) else [value]))
        values = [item for item in items if item is not None]
    yield from values


def extended(elements: Iterable[Any], url: str, value: str) -> Iterator[Any]:
    """The `value` of the extensions with this URL of these elements."""
    for extension in (one for element in elements for one in at(element, "extension")):
        if extension.get("url") == url and value in extension:
            yield extension[value]


def codes_of(values: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """System and code of Codings, of those of CodeableConcepts, and of plain codes."""
    for value in values:
        if isinstance(value, str):
            yield "", value
        elif "coding" in value:
            yield from codes_of(value["coding"])
        elif "code" in value:
            yield value.get("system", ""), value["code"]


def is_coded(token: Token, codes: Iterable[tuple[str, str]]) -> bool:
    """Whether a token is one of these codes; a system may be named by its URL or its OID."""
    system = _MISSPELT.get(token.system or "", token.system)
    meant = Token(canonical_system(system) if system else system, token.code)
    return any(meant.matches(canonical_system(system), code) for system, code in codes)


def is_identified(token: Token, identifiers: Iterable[Identifier]) -> bool:
    """Whether a token is one of these identifiers, in any way to write a unique id, a professional or a structure."""
    wanted = Identifier(token.system or "", token.code)
    unique, actor = unique_id_of(wanted), actor_identifier(wanted)
    known = [form for one in identifiers for form in (one, actor_identifier(one))]
    return any(
        token.matches(one.system, one.value) or (token.code and (unique_id_of(one) == unique or one == actor))
        for one in known
    )


def identified(values: Iterable[Any]) -> list[Identifier]:
    """FHIR Identifiers, and the logical ones of References, as the domain's; a system may be missing."""
    found = (value.get("identifier", value) for value in values if isinstance(value, Mapping))
    return [
        Identifier(one.get("system", ""), one["value"]) for one in found if isinstance(one, Mapping) and "value" in one
    ]


def named(values: Iterable[Any], base_url: str) -> Iterator[str]:
    """What References lead to: the relative address, and a logical identifier as value and as `system|value`."""
    for value in values:
        literal = value.get("reference", "")
        if literal and not literal.startswith("#"):
            yield literal.removeprefix(f"{base_url}/")
    for identifier in identified(values):
        yield identifier.value
        yield str(identifier)


def ranges(values: Iterable[str]) -> Iterator[tuple[datetime, datetime]]:
    """The half-open ranges that dateTimes stand for."""
    for value in values:
        if found := parse_datetime(value):
            yield found


def spans(values: Iterable[Resource]) -> Iterator[tuple[datetime, datetime | None]]:
    """The half-open ranges of Periods; one without an end has None there."""
    for value in values:
        start = parse_datetime(value["start"]) if "start" in value else None
        end = parse_datetime(value["end"]) if "end" in value else None
        if start or end:
            yield start[0] if start else _EARLIEST, end[1] if end else None


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that a Reference leads to, within the resource: resources of a type, and a display."""

    resources: tuple[Resource, ...]
    display: tuple[str, ...]
    identifiers: tuple[Identifier, ...]

    @property
    def type(self) -> str:
        """The type of the resource that is referred to itself; empty where it is not at hand."""
        return str(self.resources[0]["resourceType"]) if self.resources else ""

    def names(self, part: str) -> list[str]:
        """The `family` or `given` names of the people; with `name`, every name of people, structures and devices."""
        people = [name for one in self.resources for name in at(one, "name") if isinstance(name, Mapping)]
        if part != "name":
            return [text for name in people for text in at(name, part)]
        texts = [text for name in people for each in _NAME_PARTS for text in at(name, each)]
        structures = [name for one in self.resources for each in ("name", "alias") for name in at(one, each)]
        devices = [name for one in self.resources for name in at(one, "deviceName", "name")]
        return [*texts, *(name for name in structures if isinstance(name, str)), *devices, *self.display]

    def within(self, *types: str) -> "Actor":
        """The same, as far as resources of these types tell."""
        return Actor(tuple(one for one in self.resources if one["resourceType"] in types), (), ())


def actors(resource: Resource, references: Iterable[Any]) -> Iterator[Actor]:
    """Whom References of a resource lead to: itself what it contains, a PractitionerRole with its parts."""
    around = Surroundings().within(resource)
    for reference in references:
        chain = list(_reached(reference, around))
        found = tuple(one for _, one in chain if one)
        logical = identified(one for one, _ in chain if "identifier" in one)
        own = (identifier for one in found for identifier in identifiers_of(one))
        yield Actor(found, tuple(at(reference, "display")), (*logical, *own))


def _reached(reference: Resource, around: Surroundings, depth: int = 0) -> Iterator[tuple[Resource, Resource | None]]:
    """A reference with the contained resource that it leads to, then those that this one refers to."""
    resource = around.resource(reference.get("reference", ""))
    yield reference, resource
    if resource and depth < _DEPTH:
        for part in (one for name in _PARTS for one in at(resource, name)):
            yield from _reached(part, around, depth + 1)
