"""What stands within a clinical statement beside what it states: comments, findings of its own, and who did it."""

from collections.abc import Iterator

from dmp.cda.concepts import Json, concept, said, system_of
from dmp.cda.entry import Entry
from dmp.cda.markup import Node
from dmp.cda.passages import is_uri, shortened

STATUS, SEVERITY, CRITICALITY = "33999-4", "SEV", "82606-5"
ABOUT = frozenset({STATUS, SEVERITY, CRITICALITY, "11323-3"})
"""Observations about a statement: its state, how grave it is, and how the person fares."""
_COMMENT = "48767-8"
_ABSENT = frozenset({"410516002", "410594000"})
"""Known absent, definitely not present (SNOMED CT, finding context)."""
_MOST = 5


def notes(entry: Entry) -> Json:
    """The comments of a statement (`FR-Commentaire-ER`) as its `note`; empty where there are none."""
    comments = (said(one) for one in entry.inner("act") if one.code == _COMMENT)
    found = list(dict.fromkeys(filter(None, comments)))[:_MOST]
    return {"note": [{"text": text} for text in found]} if found else {}


def findings(entry: Entry, *codes: str) -> Iterator[Json]:
    """The values, as concepts, of the observations of some codes right within a statement."""
    for one in entry.inner("observation"):
        value = concept(one.act.first("value"), one) if one.code in codes and not one.is_negated else None
        if value:
            yield value


def is_refuted(entry: Entry) -> bool:
    """Whether an observation says that what it names is not so: by negation, or by a qualifier of its value."""
    value = entry.act.first("value")
    contexts = (one.first("value") for one in value.elements("qualifier")) if value else ()
    return entry.is_negated or any(one.get("code") in _ABSENT for one in contexts if one)


def reasons(entry: Entry) -> list[Json]:
    """The concepts that a statement gives as its reason (`RSON`)."""
    because = [one for one in entry.inner() if one.link.get("typeCode") == "RSON"]
    found = (concept(one.act.first("value") or one.act.first("code"), one) for one in because)
    return [one for one in found if one][:_MOST]


def sites(entry: Entry) -> list[Json]:
    """The places of the body that a statement is about."""
    names = ("targetSiteCode", "approachSiteCode")
    found = (concept(node, entry) for name in names for node in entry.act.elements(name))
    return [one for one in found if one][:_MOST]


def performers(entry: Entry) -> list[Json]:
    """Who did it, as the document names them: identifier and name."""
    parts = (one for performer in entry.act.elements("performer") for one in performer.elements("assignedEntity"))
    found: list[Json] = []
    for actor in map(_actor, parts):
        if actor and {"actor": actor} not in found and len(found) < _MOST:
            found.append({"actor": actor})
    return found


def first_code(concepts: Iterator[Json], known: dict[str, str]) -> str:
    """What the first known code of some concepts means; an empty text where none is known."""
    codes = (coding["code"].lower() for one in concepts for coding in one.get("coding", []))
    return next((known[code] for code in codes if code in known), "")


def _actor(part: Node) -> Json:
    person, organization = part.first("assignedPerson"), part.first("representedOrganization")
    name = _name(person.first("name")) if person else ""
    name = name or (_name(organization.first("name")) if organization else "")
    identifier = _identifier(part.first("id"))
    return ({"identifier": identifier} if identifier else {}) | ({"display": name} if name else {})


def _name(node: Node | None) -> str:
    """A name as it is said: its parts in their order; the text of one that has no parts."""
    if node is None:
        return ""
    parts = [one.content for name in ("prefix", "given", "family") for one in node.elements(name)]
    return shortened(" ".join(filter(None, parts)) or node.content)


def _identifier(node: Node | None) -> Json | None:
    system, value = (system_of(node.get("root")), shortened(node.get("extension"))) if node else ("", "")
    return {"system": system, "value": value} if is_uri(system) and value else None
