"""What a third-party app may do for its user: the SMART scopes of its token (SMART App Launch 1 and 2)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from dmp.domain.claim_values import Claims, refuse, text
from dmp.domain.requester import Requester, RequesterKind

OUT_OF_SCOPE = "out-of-scope"
TYPES = frozenset(
    {
        *("Patient", "DocumentReference", "List", "Binary", "Consent", "AuditEvent", "Communication", "Subscription"),
        *("RelatedPerson", "CareTeam", "AllergyIntolerance", "Condition", "MedicationStatement", "Immunization"),
        *("Procedure", "FamilyMemberHistory", "Observation", "ExplanationOfBenefit"),
    }
)
"""The types that a scope can name here; one that names another grants nothing."""
EVERY_TYPE = "*"
_CLAIMS = ("scope", "scp")
_LETTERS = "cruds"
_WRITING = frozenset("cud")
_BY_NAME_ALONE = frozenset({"Consent", "Patient", "Subscription"})
"""Who decides, where notices go, whom changes are told to: a scope over every type does not write these."""
_ALSO = {"Binary": frozenset({"Binary", "DocumentReference"})}
"""Whoever reads what is said of documents reads these, too."""
_FIRST_VERSION = {"read": "rs", "write": "cud", "*": _LETTERS}
_SCOPE = re.compile(r"(patient|user|system)/(\*|[A-Za-z]+)\.(c?r?u?d?s?|read|write|\*)", re.ASCII)
_OF_AN_APP = re.compile(r"(?:patient|user|system)/.*|launch(?:/.*)?|fhirUser|offline_access")
_PATIENT, _USER, _SYSTEM = "patient", "user", "system"
_CONTEXTS = {
    RequesterKind.PATIENT: (_PATIENT, _USER),
    RequesterKind.PROFESSIONAL: (_USER,),
    RequesterKind.EMPLOYEE: (_USER,),
    RequesterKind.CPAM_AGENT: (_USER,),
    RequesterKind.STRUCTURE: (_SYSTEM,),
    RequesterKind.CNAM_FEED: (_SYSTEM,),
}
"""Whose scopes count for whom: a person's app has a user, a server's has none."""
_OPERATIONS = {
    "$summary": "Patient.r",
    "$everything": "Patient.r",
    "$attestation": "Patient.r",
    "$generate-metadata": "DocumentReference.c",
}
"""What an app must be granted for an operation; all others are never an app's."""
_BY_METHOD = {"GET": "r", "PUT": "u", "PATCH": "u", "DELETE": "d"}


def with_claims(requester: Requester, claims: Claims) -> Requester:
    """The caller with what the token lets an app do, where it is an app's, and with the name of that.

    A person's own application has a token without scopes; one that has any, be there no word in it, is another's.
    Raises NotAuthenticated `token-claims-invalid`.
    """
    words = [word for name in _CLAIMS for word in _words(claims, name)]
    scopes = granted(words, requester.kind) if claims.keys() & set(_CLAIMS) else None
    if scopes is None:
        return requester
    software = requester.software or text(claims, "client_id") or text(claims, "azp")
    return replace(requester, scopes=scopes, software=software)


def _words(claims: Claims, name: str) -> list[str]:
    match claims.get(name):
        case None:
            return []
        case str() as words:
            return words.split()
        case list() as items if all(isinstance(item, str) for item in items):
            return [word for item in items for word in item.split()]
        case _:
            return refuse(name)


def granted(words: Iterable[str], kind: RequesterKind) -> tuple[str, ...] | None:
    """The grants among these scopes, `context/Type.letters`, each context and type once; None where no app asks.

    People's scopes are always an app's, those of others where a word of SMART is among them. What is not understood, a
    search query behind a scope too, grants nothing.
    """
    stated = list(words)
    if kind is not RequesterKind.PATIENT and not any(map(_OF_AN_APP.fullmatch, stated)):
        return None
    letters: dict[str, set[str]] = {}
    for match in filter(None, map(_SCOPE.fullmatch, stated)):
        context, kind_of_resource, letter = match.groups()
        if context in _CONTEXTS.get(kind, ()) and kind_of_resource in TYPES | {EVERY_TYPE}:
            letters.setdefault(f"{context}/{kind_of_resource}", set()).update(_FIRST_VERSION.get(letter, letter))
    return tuple(f"{name}.{_in_order(held)}" for name, held in sorted(letters.items()) if held)


def _in_order(letters: set[str]) -> str:
    return "".join(letter for letter in _LETTERS if letter in letters)


def with_route(requester: Requester, method: str, pattern: str, headers: Mapping[str, str]) -> Requester:
    """The caller as asking what a route is for; an app may do nothing where none of its scopes lets it ask that."""
    if requester.scopes is None:
        return requester
    asks = needed(requester.kind, method, pattern)
    if asks and "if-none-exist" in headers:
        asks += "s"
    if asks and permits(requester.scopes, asks, own_record=True):
        return replace(requester, asks=asks)
    return replace(requester, asks=asks, refusal=requester.refusal or OUT_OF_SCOPE)


def needed(kind: RequesterKind, method: str, pattern: str) -> str:
    """What an app must be granted to ask a route, as `Type.letters`; "" where the route is never an app's."""
    first, *rest = pattern.split("/")
    last = rest[-1] if rest else ""
    if last.startswith("$"):
        return _OPERATIONS.get(last, "")
    if not first:
        return "ExplanationOfBenefit.c" if kind is RequesterKind.CNAM_FEED else "DocumentReference.c"
    if first not in TYPES:
        return ""
    if last == "_search" or (method == "GET" and not rest):
        return f"{first}.s"
    return f"{first}.{_BY_METHOD.get(method, 'c')}"


def permits(scopes: Iterable[str], asked: str, *, own_record: bool) -> bool:
    """Whether grants cover all letters of `Type.letters`; those of context `patient` do in the own record alone."""
    return set(asked.partition(".")[2]) <= letters_of(scopes, asked.partition(".")[0], own_record=own_record)


def letters_of(scopes: Iterable[str], resource_type: str, *, own_record: bool) -> frozenset[str]:
    """What grants let an app do with a type."""
    return frozenset(
        letter
        for context, named, letters in map(_parts, scopes)
        if own_record or context != _PATIENT
        for letter in letters
        if _reaches(named, resource_type, letter)
    )


def _parts(scope: str) -> tuple[str, str, str]:
    context, _, rest = scope.partition("/")
    named, _, letters = rest.partition(".")
    return context, named, letters


def _reaches(named: str, resource_type: str, letter: str) -> bool:
    if named == EVERY_TYPE:
        return resource_type in TYPES and not (letter in _WRITING and resource_type in _BY_NAME_ALONE)
    return named in _ALSO.get(resource_type, frozenset({resource_type}))
