"""Random cases for the access oracle, bent towards the corners: instants on the edge, names that nearly match."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.oracle_carers import TYPES, UNPUBLISHED, WISHES
from tests.oracle_case import PATIENT, Action, Case, Directive, Document, Kind, State, Who

type Refuses = Callable[[Case], bool]

NOW = 1_000_000
_PROFESSIONALS = ("P1", "P2", "P3", "P4")
_STRUCTURES = ("S1", "S2", "S3")
_GUARDIANS = ("G1", "G2")
_EMPLOYEES = ("E1", "E2")
_PROFESSIONS = (*["10"] * 6, "21", "39", "60", "40", "99", "77", "")
_TYPES = (*sorted(TYPES), *["11490-0"] * 4, "0000-0", None)
_LABELS = {"MASQUE_PS": 0.4, "INVISIBLE_PATIENT": 0.2, "INVISIBLE_REPRESENTANTS_LEGAUX": 0.2}
_STATES = {
    State.OPEN: 40, State.CLOSED: 4, State.SUSPENDED: 2, State.ERASING: 1, State.ERASED: 1,
}  # fmt: skip
_ACTIONS = (
    *[Action.READ] * 16, *[Action.SEARCH] * 5, *[Action.CONSENT] * 3, *[Action.REVOKE] * 2, *[Action.EMERGENCY] * 2,
    *[Action.FEED] * 2, *[Action.READ_TRACE] * 2, Action.READ_MESSAGE, *Action,
)  # fmt: skip
_KINDS = (
    *["authorisation"] * 8, *["delegation"] * 6, *["emergency"] * 4, *["attending-physician"] * 2,
    *["block"] * 2, "opposition",
)  # fmt: skip
_EMERGENCY_KINDS = (*["emergency"] * 3, *["opposition"] * 2, "authorisation")
CONSENTS = (
    "authorisation", "block", "attending-physician", "delegation",
    "opposition", "masked-in-emergency", "default-visibility", *WISHES,
)  # fmt: skip
_PURPOSES = (("BTG",), ("BTG",), ("ETREAT",))
_EDGES = (-2, -1, 0, 1, 2)
_TYPES_OF_SCOPES = ("DocumentReference", "Patient", "Consent", "Binary")
_ABOUT_A_TYPE = (Action.READ, Action.SEARCH, Action.READ_PATIENT, Action.FEED, Action.REPLACE, Action.DELETE)
_REFUSALS = ("purpose-outside-care", "structure-mismatch")


def random_case(random: Random) -> Case:
    """Draw a case in which the caller, the directives and the document share a handful of names."""
    action = random.choice(_ACTIONS)
    who, about = _as_app(random, random_caller(random), action), ""
    if action in _ABOUT_A_TYPE and random.random() < 0.3:
        about = random.choice(_TYPES_OF_SCOPES)
    state = _state(random, action)
    return Case(
        who=who,
        state=state,
        directives=() if state in (State.NONE, State.ERASED) else _directives(random, who),
        now=NOW,
        action=action,
        document=_document(random, who),
        consent=random.choice((*CONSENTS, *["organ-donation"] * 5, "emergency", "opening")),
        actor=_actor(random, "authorisation", who),
        purpose=random.choice(("BTG", "ETREAT")),
        subject=_subject(random, who),
        owner=random.choice((PATIENT, _own_name(who), _own_name(who), who.structure or PATIENT, "P1", "G1", "S1")),
        secret=random.random() < 0.4,
        opened_by=random.choice((None, who, replace(who, structure="S2"), random_caller(random))),
        guardian=random.choice((None, *_GUARDIANS)),
        asks=(random.choice(_TYPES_OF_SCOPES), random.choice("cruds")),
        about=about,
        minor=random.random() < 0.5,
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


def _state(random: Random, action: Action) -> State:
    if action in (Action.OPEN, Action.OPPOSE):
        return State.NONE
    return random.choices(tuple(_STATES), tuple(_STATES.values()))[0]


def random_caller(random: Random) -> Who:
    """Draw somebody with a genuine token, now and then for a purpose that refuses them."""
    kind = random.choice((*[Kind.PROFESSIONAL] * 10, *[Kind.CITIZEN] * 4, *Kind))
    who = _caller(random, kind)
    return replace(who, refusal=random.choice(_REFUSALS)) if random.random() < 0.03 else who


def _as_app(random: Random, who: Who, action: Action) -> Who:
    """Now and then an app asks in the caller's place; none opens a record or opposes that."""
    if action in (Action.OPEN, Action.OPPOSE) or random.random() < 0.9:
        return who
    contexts, types = ("patient", "user", "user", "system"), ("*", *_TYPES_OF_SCOPES)
    letters = ("cruds", "rs", "r", "cud", "u")
    drawn = [tuple(map(random.choice, (contexts, types, letters))) for _ in range(random.randrange(7))]
    return replace(who, scopes=tuple((one, two, three) for one, two, three in drawn))


def _caller(random: Random, kind: Kind) -> Who:
    match kind:
        case Kind.PROFESSIONAL:
            return Who(
                kind=kind,
                person=random.choice(_PROFESSIONALS),
                structure=random.choice((*_STRUCTURES, None)),
                profession=random.choice(_PROFESSIONS),
                occupational=random.random() < 0.2,
                regulates=random.random() < 0.5,
            )
        case Kind.EMPLOYEE:
            return Who(kind=kind, person=random.choice(_EMPLOYEES), structure=random.choice(_STRUCTURES))
        case Kind.STRUCTURE:
            return Who(kind=kind, structure=random.choice(_STRUCTURES))
        case Kind.CITIZEN:
            return Who(kind=kind, person=random.choice((PATIENT, *_GUARDIANS)))
        case _:
            return Who(kind=kind, person="A1" if kind is Kind.CPAM_AGENT else "F1")


def _own_name(who: Who) -> str:
    """By what an addressee or an owner is named who is this caller."""
    return (who.structure if who.kind is Kind.STRUCTURE else who.person) or PATIENT


def _document(random: Random, who: Who) -> Document:
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
        type=random.choice([t for t in _TYPES if (who.profession, t) not in UNPUBLISHED]),
        labels=labels,
        depositor_kind=kind,
        depositor=depositor,
        depositor_structure=structure,
        authors=authors,
        awaited=random.choice(("content", "verdict", "failed")) if random.random() < 0.1 else "",
    )


def _directives(random: Random, who: Who) -> tuple[Directive, ...]:
    kinds = random.choice((_KINDS, _KINDS, _EMERGENCY_KINDS))
    drawn = [_directive(random, random.choice(kinds), who) for _ in range(random.randrange(8))]
    choices = ("masked-in-emergency", "default-visibility")  # these exist once or not at all
    return (*drawn, *(_directive(random, kind, who) for kind in choices if random.random() < 0.5))


def _subject(random: Random, who: Who) -> Directive:
    """A Consent that is asked about: it may be over, and name or be attested by the caller."""
    drawn = _directive(random, random.choice((*CONSENTS, *_KINDS, "opening")), who)
    attester = random.choice((None, *_PROFESSIONALS, who.person))
    return replace(drawn, attester=attester if drawn.maker == "professional" else None)


def _directive(random: Random, kind: str, who: Who) -> Directive:
    start, end = _period(random)
    return Directive(
        kind=kind,
        actor=_actor(random, kind, who),
        maker=_maker(random, kind),
        start=start,
        end=end,
        revoked=(end is None or end > NOW) and random.random() < 0.1,
        purposes=random.choice((*_PURPOSES, ("BTG", "ETREAT")) if kind == "opposition" else _PURPOSES),
        choice=random.choice(("permit", "deny")),
        relation=random.choice(("representative", "caregiver")),
    )


def _maker(random: Random, kind: str) -> str:
    if kind == "emergency":
        return "professional"
    attested = kind in ("authorisation", "attending-physician")
    return random.choice(("patient", "professional", "representative")) if attested else "patient"


def _actor(random: Random, kind: str, who: Who) -> str | None:
    match kind:
        case "opposition" | "masked-in-emergency" | "default-visibility" | "opening" | "advance-directives":
            return None
        case "organ-donation":
            return None
        case "delegation":
            return random.choice((*_GUARDIANS, *[who.person if who.kind is Kind.CITIZEN else "G1"] * 4))
        case "attending-physician" if who.kind is not Kind.STRUCTURE and random.random() < 0.1:
            return who.structure or random.choice(_STRUCTURES)
        case "attending-physician" | "emergency":
            return random.choice((*_PROFESSIONALS, *[who.person if who.kind is Kind.PROFESSIONAL else "P1"] * 4))
        case _:
            named = [n for n in (who.person if who.kind is Kind.PROFESSIONAL else None, who.structure) if n]
            return random.choice((*_PROFESSIONALS, *_STRUCTURES, *named * 3))


def _period(random: Random) -> tuple[int, int | None]:
    """Mostly running, sometimes past or to come, often on the very edge."""
    match random.randrange(9):
        case 0:
            return NOW - 100, NOW + random.choice(_EDGES)
        case 1:
            return NOW + random.choice(_EDGES), NOW + 100
        case 2:
            return NOW - 100, NOW - 50
        case 3:
            return NOW + 50, NOW + 100
        case 4:
            return NOW - 100, None
        case _:
            return NOW - 100, NOW + 100
