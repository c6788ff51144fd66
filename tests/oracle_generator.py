"""Random cases for the access oracle, bent towards the corners: instants on the edge, names that nearly match."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.oracle import TYPES, UNPUBLISHED
from tests.oracle_case import PATIENT, Action, Case, Directive, Document, Kind, State, Who

type Refuses = Callable[[Case], bool]

_PROFESSIONALS = ("P1", "P2", "P3", "P4")
_STRUCTURES = ("S1", "S2", "S3")
_GUARDIANS = ("G1", "G2")
_EMPLOYEES = ("E1", "E2")
_PROFESSIONS = (*["10"] * 6, "21", "39", "60", "40", "99", "77", "")
_TYPES = (*sorted(TYPES), *["11490-0"] * 4, "0000-0", None)
_LABELS = {"MASQUE_PS": 0.4, "INVISIBLE_PATIENT": 0.2, "INVISIBLE_REPRESENTANTS_LEGAUX": 0.2}
_KINDS = (
    *["authorisation"] * 8, *["delegation"] * 6, *["emergency"] * 4, *["attending-physician"] * 2,
    "block", "opposition",
)  # fmt: skip
_EMERGENCY_KINDS = (*["emergency"] * 3, *["opposition"] * 2, "authorisation")
_CONSENTS = (
    "authorisation", "block", "attending-physician", "delegation",
    "opposition", "masked-in-emergency", "default-visibility",
)  # fmt: skip
_EDGES = (-2, -1, 0, 1, 2)
_NOW = 1_000_000


def random_case(random: Random) -> Case:
    """Draw a case in which the caller, the directives and the document share a handful of names."""
    action = random.choice((*[Action.READ] * 12, *[Action.SEARCH] * 4, *Action))
    state = random.choices((State.OPEN, State.CLOSED, State.SUSPENDED, State.NONE), (40, 3, 1, 1))[0]
    if action is Action.REOPEN and state is State.OPEN:
        state = State.CLOSED  # on an open record the state refuses (409), not the decision
    who = _who(random)
    document = _document(random)
    while (who.profession, document.type) in UNPUBLISHED:
        document = replace(document, type=random.choice(_TYPES))
    return Case(
        who=who,
        state=state,
        directives=_directives(random, who),
        now=_NOW,
        action=action,
        document=document,
        consent=random.choice(_CONSENTS),
    )


def smallest(case: Case, refuses: Refuses) -> Case:
    """Take away directives and labels as long as the case is still refused: what remains is the quarrel."""
    directives, labels = case.directives, case.document.labels
    without = [replace(case, directives=tuple(d for d in directives if d is not gone)) for gone in directives]
    bare = [replace(case, document=replace(case.document, labels=labels - {gone})) for gone in labels]
    for candidate in (*without, *bare):
        if refuses(candidate):
            return smallest(candidate, refuses)
    return case


def _who(random: Random) -> Who:
    kind = random.choice((*[Kind.PROFESSIONAL] * 10, *[Kind.CITIZEN] * 4, *Kind))
    match kind:
        case Kind.PROFESSIONAL:
            return Who(
                kind=kind,
                person=random.choice(_PROFESSIONALS),
                structure=random.choice((*_STRUCTURES, None)),
                profession=random.choice(_PROFESSIONS),
                occupational=random.random() < 0.2,
            )
        case Kind.EMPLOYEE:
            return Who(kind=kind, person=random.choice(_EMPLOYEES), structure=random.choice(_STRUCTURES))
        case Kind.STRUCTURE:
            return Who(kind=kind, structure=random.choice(_STRUCTURES))
        case Kind.CITIZEN:
            return Who(kind=kind, person=random.choice((PATIENT, *_GUARDIANS)))
        case _:
            return Who(kind=kind, person="A1")


def _document(random: Random) -> Document:
    labels = frozenset(label for label, chance in _LABELS.items() if random.random() < chance)
    authors = frozenset(name for name in _PROFESSIONALS if random.random() < 0.15)
    kind = random.choice((Kind.PROFESSIONAL, Kind.PROFESSIONAL, Kind.EMPLOYEE, Kind.STRUCTURE, Kind.CITIZEN))
    depositor, structure = {
        Kind.PROFESSIONAL: (random.choice(_PROFESSIONALS), random.choice((*_STRUCTURES, None))),
        Kind.EMPLOYEE: (random.choice(_EMPLOYEES), random.choice(_STRUCTURES)),
        Kind.STRUCTURE: (None, random.choice(_STRUCTURES)),
        Kind.CITIZEN: (random.choice((PATIENT, *_GUARDIANS)), None),
    }[kind]
    return Document(
        type=random.choice(_TYPES),
        labels=labels,
        depositor_kind=kind,
        depositor=depositor,
        depositor_structure=structure,
        authors=authors,
    )


def _directives(random: Random, who: Who) -> tuple[Directive, ...]:
    kinds = random.choice((_KINDS, _KINDS, _EMERGENCY_KINDS))
    drawn = [_directive(random, random.choice(kinds), who) for _ in range(random.randrange(8))]
    if random.random() < 0.5:  # the third choice exists once or not at all
        drawn.append(_directive(random, "masked-in-emergency", who))
    return tuple(drawn)


def _directive(random: Random, kind: str, who: Who) -> Directive:
    start, end = _period(random)
    return Directive(
        kind=kind,
        actor=_actor(random, kind, who),
        maker=random.choice(("patient", "professional", "representative")) if kind == "authorisation" else "patient",
        start=start,
        end=end,
        revoked=end > _NOW and random.random() < 0.1,
        purpose=random.choice(("BTG", "BTG", "ETREAT")),
        choice=random.choice(("permit", "deny")),
        relation=random.choice(("representative", "caregiver")),
    )


def _actor(random: Random, kind: str, who: Who) -> str | None:
    match kind:
        case "opposition" | "masked-in-emergency":
            return None
        case "delegation":
            return random.choice((*_GUARDIANS, *[who.person if who.kind is Kind.CITIZEN else "G1"] * 4))
        case "attending-physician" | "emergency":
            return random.choice((*_PROFESSIONALS, *[who.person if who.kind is Kind.PROFESSIONAL else "P1"] * 4))
        case _:
            named = [n for n in (who.person if who.kind is Kind.PROFESSIONAL else None, who.structure) if n]
            return random.choice((*_PROFESSIONALS, *_STRUCTURES, *named * 3))


def _period(random: Random) -> tuple[int, int]:
    """Mostly running, sometimes past or to come, often on the very edge."""
    match random.randrange(8):
        case 0:
            return _NOW - 100, _NOW + random.choice(_EDGES)
        case 1:
            return _NOW + random.choice(_EDGES), _NOW + 100
        case 2:
            return _NOW - 100, _NOW - 50
        case 3:
            return _NOW + 50, _NOW + 100
        case _:
            return _NOW - 100, _NOW + 100
