"""Whether two statements are one: only where nothing that matters to care differs; in doubt they are two."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dmp.domain.clinical_profile import ProfileKind
from dmp.fhir.statements import CONCEPTS, Statement, code_in

type Json = Mapping[str, Any]

_PREFIXES = (
    *("onset", "abatement", "effective", "performed", "occurrence", "value", "deceased", "bodySite", "site"),
    *("component", "interpretation", "dosage", "condition", "modifierExtension", "dataAbsentReason", "hasMember"),
    *("name", "sex", "status"),
)
"""Of the names of elements: what these say is the same in both, or silent in both."""
_OF_A_TREATMENT = ("effective", "status")
"""What a dispensation says otherwise than the treatment that it is part of."""
_STATES = frozenset({"clinicalStatus", "verificationStatus"})
_UNTOLD = frozenset(
    {
        *("resourceType", "id", "meta", "implicitRules", "language", "text", "extension", "identifier"),
        *("subject", "patient", "recorder", "recordedDate", "asserter", "informationSource", "performer", "date"),
        *("dateAsserted", "derivedFrom", "basedOn", "partOf", "encounter", "context", "location", "category"),
        *("reportOrigin", "primarySource", "recorded", "issued", "code", "medicationCodeableConcept"),
        *CONCEPTS.values(),
    }
)
"""Who said it where and when, and what it is about, which is compared by itself."""
_EVENTS = frozenset(
    {
        *(ProfileKind.CONDITION, ProfileKind.IMMUNIZATION, ProfileKind.PROCEDURE, ProfileKind.FAMILY_HISTORY),
        ProfileKind.OBSERVATION,
    }
)
"""What may have been twice: told twice at one place without a date, it was."""

type Key = tuple[str, ...]


def key_of(statement: Statement) -> Key:
    """Statements that are one have one key; what has one key may still be two."""
    return _key(statement, _PREFIXES)


def product_key(statement: Statement) -> Key:
    """The same of a treatment, whatever its status and time are."""
    return _key(statement, tuple(one for one in _PREFIXES if one not in _OF_A_TREATMENT))


def _key(statement: Statement, prefixes: tuple[str, ...]) -> Key:
    resource = statement.resource
    told = {name: resource[name] for name in resource if _begins(name, prefixes)}
    clinical = code_in(resource.get("clinicalStatus", {}))
    marks = f"{statement.is_refuted} {statement.is_replaced}"
    return statement.kind, statement.words, clinical, marks, json.dumps(told, sort_keys=True)


def _begins(name: str, prefixes: tuple[str, ...]) -> bool:
    return name.lstrip("_").startswith(prefixes) and name not in _STATES


def adds_nothing(other: Statement, one: Statement) -> bool:
    """Whether all that the other statement says, which has the key of the first one, is said by that one."""
    return _codes_within(other, one) and _as_sure(other, one) and _told(other.resource, one.resource, _PREFIXES)


def is_handed_over_of(other: Statement, one: Statement) -> bool:
    """Whether a dispensation is of this treatment, whose key of the product it has but for the dosage."""
    dosage = other.resource.get("dosage")
    is_alike = not dosage or dosage == one.resource.get("dosage")
    passed = (*_OF_A_TREATMENT, "dosage")
    return is_alike and _codes_within(other, one) and _told(other.resource, one.resource, passed)


def _codes_within(other: Statement, one: Statement) -> bool:
    """The same leading code, and no code that the first does not have: it may be what a warning goes by."""
    theirs, ours = other.codings, one.codings
    return theirs == ours or set(theirs) == set(ours) or (theirs[:1] == ours[:1] and set(theirs) <= set(ours))


def _as_sure(other: Statement, one: Statement) -> bool:
    theirs, ours = (code_in(each.resource.get("verificationStatus", {})) for each in (other, one))
    return theirs == ours or (theirs in ("", "unconfirmed") and ours in ("", "unconfirmed", "confirmed"))


def _told(theirs: Json, ours: Json, passed: tuple[str, ...]) -> bool:
    rest = (name for name in theirs if name not in _UNTOLD and name not in _STATES and not _begins(name, passed))
    return all(ours.get(name) == theirs[name] for name in rest)


def are_told_apart(other: Statement, one: Statement) -> bool:
    """Whether one place of a document tells both, undated: it would not say the same thing twice."""
    return other.kind in _EVENTS and not other.moment and not other.places.isdisjoint(one.places)


def names_of(statement: Statement) -> Iterator[tuple[str, ...]]:
    """By what it may be contradicted: statements with one of these in common may be about the same thing."""
    yield from ((statement.kind, *coding) for coding in statement.codings[:1])
    if statement.words:
        yield statement.kind, statement.words
