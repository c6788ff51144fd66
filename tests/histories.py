"""Histories of a record: who decides what one after another while the clock moves, drawn towards the edges."""

from dataclasses import dataclass
from datetime import date
from random import Random

from tests.history_calendar import When, day_of, end_of, instant, majority, midnight
from tests.oracle_case import PATIENT, Directive, Document, Kind, Who

OWNER = Who(kind=Kind.CITIZEN, person=PATIENT)
GUARDIANS = (Who(kind=Kind.CITIZEN, person="G1"), Who(kind=Kind.CITIZEN, person="G2"))
AGENT = Who(kind=Kind.CPAM_AGENT, person="A1")
PROFESSIONALS = (
    Who(kind=Kind.PROFESSIONAL, person="P1", structure="S1", profession="10"),
    Who(kind=Kind.PROFESSIONAL, person="P2", structure="S2", profession="10"),
    Who(kind=Kind.PROFESSIONAL, person="P3", structure="S1", profession="60"),
    Who(kind=Kind.PROFESSIONAL, person="P4", structure="S2", profession="10", occupational=True),
    Who(kind=Kind.PROFESSIONAL, person="P5", structure="S3", profession="10", regulates=True),
)
SERVERS = (
    Who(kind=Kind.EMPLOYEE, person="E1", structure="S1"),
    Who(kind=Kind.STRUCTURE, structure="S2"),
)
CAST = (OWNER, *GUARDIANS, *PROFESSIONALS, *SERVERS, AGENT)
_NAMES = ("P1", "P2", "P3", "P4", "P5", "S1", "S2")
_HOUR, _DAY = 3600, 86_400
_TYPES = ("11490-0", "11490-0", "11502-2", "75496-0", None)
_CLOCK_CHANGES = tuple(
    date.fromisoformat(day)
    for year in ("2026-03-29 2026-10-25", "2027-03-28 2027-10-31", "2028-03-26 2028-10-29", "2029-03-25 2029-10-28")
    for day in year.split()
)
_LEAP_DAYS = (date(2028, 2, 29), date(2032, 2, 29))
THEMES = {
    "whole": {
        "authorise": 22, "renew": 8, "revoke": 10, "block": 6, "attend": 6, "delegate": 6, "oppose": 5, "masked": 4,
        "default": 3, "emergency": 14, "deposit": 8, "mask": 4, "forget": 3, "close": 2, "reopen": 1, "job": 6,
        "wait": 30,
    },
    "emergency": {
        "emergency": 30, "oppose": 10, "masked": 8, "revoke": 20, "block": 6, "deposit": 3, "mask": 3, "wait": 12,
    },
    "people": {
        "authorise": 20, "attend": 10, "delegate": 12, "forget": 5, "block": 8, "revoke": 16, "default": 10,
        "deposit": 12, "mask": 4, "wait": 12,
    },
}  # fmt: skip
"""How often what happens: in some histories little but what belongs together, in a short time."""
_FIRST = (("deposit",), ("authorise", "attend", "delegate"), ("authorise", "oppose", "masked"))
"""With what a history begins, so that there is something to ask about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that somebody does; `number` names the Consent or the document that it makes.

    kind: authorise, renew, revoke, block, attend, delegate, oppose, masked, default, emergency, deposit, mask, close,
    reopen, wait; forget: delete the RelatedPerson of a delegation; job: that of the expiry. `start` and `end` are
    instants or days alone. code: the relationship of a delegate. target: the step that made the Consent or the document
    that is renewed, revoked, forgotten or masked. seconds: how long to wait.
    """

    number: int
    kind: str
    by: Who = OWNER
    actor: str | None = None
    start: When | None = None
    end: When | None = None
    purposes: tuple[str, ...] = ()
    choice: str = "permit"
    code: str = ""
    target: int = -1
    document: Document | None = None
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """What a step is drawn from: the time, the birth, what there is so far."""

    now: int
    birth: date
    theme: str
    is_open: bool
    held: tuple[tuple[int, Directive], ...]
    documents: tuple[int, ...]


def beginning(random: Random) -> tuple[int, date, str]:
    """When a history begins, when its person was born, often nearly eighteen years before, and what it is about."""
    start = midnight(date(2026, 1, 1)) + random.randrange(4 * 365 * _DAY)
    births = (date(1980, 5, 5), day_of(start - random.randrange(14, 18) * 365 * _DAY), date(2008, 2, 29))
    return start, random.choice(births), random.choice(tuple(THEMES))


def next_step(random: Random, number: int, scene: Scene) -> Step:
    """Draw what happens next."""
    kinds = THEMES[scene.theme] | ({} if scene.is_open else {"reopen": 60})
    kind = random.choices(tuple(kinds), tuple(kinds.values()))[0]
    kind = random.choice(_FIRST[number]) if number < len(_FIRST) else kind
    if kind == "wait":
        return Step(number=number, kind=kind, seconds=_wait(random, scene))
    if kind == "job":
        return Step(number=number, kind=kind)
    if kind in ("renew", "revoke"):
        return _about_a_consent(random, number, kind, scene) if scene.held else _new(random, number, "authorise", scene)
    if kind == "forget":
        return _forget(random, number, scene)
    if kind == "mask":
        if not scene.documents:
            return _new(random, number, "deposit", scene)
        target = random.choice(scene.documents)
        return Step(number=number, kind=kind, by=random.choice(CAST), target=target, choice=_choice(random))
    return _new(random, number, kind, scene)


def _forget(random: Random, number: int, scene: Scene) -> Step:
    delegations = [n for n, directive in scene.held if directive.kind == "delegation"]
    if not delegations:
        return _new(random, number, "delegate", scene)
    by = random.choice((OWNER, OWNER, *CAST))
    return Step(number=number, kind="forget", by=by, target=random.choice(delegations))


def _about_a_consent(random: Random, number: int, kind: str, scene: Scene) -> Step:
    held = scene.held if kind == "revoke" else [h for h in scene.held if h[1].kind == "authorisation"] or scene.held
    target, directive = random.choice(
        (held[-1], *held[-6:]) if scene.theme == "whole" else (*held[-1:] * 3, *held[-3:])
    )
    own = [who for who in PROFESSIONALS if directive.actor in (who.person, who.structure)]
    by = random.choice((OWNER, OWNER, OWNER, random.choice(own or CAST), random.choice(CAST)))
    end = _end(random, scene, directive.start) if kind == "renew" else None
    return Step(
        number=number, kind=kind, by=by, target=target, end=end if kind == "revoke" or end else scene.now + _DAY
    )


def _new(random: Random, number: int, kind: str, scene: Scene) -> Step:
    by = random.choice((*[OWNER] * 9, *GUARDIANS, *CAST))
    match kind:
        case "authorise":
            by = random.choice((*[OWNER] * 4, *PROFESSIONALS, *GUARDIANS))
            actor = random.choice(("P1", "P4", "S1", "S2", by.person if by.kind is Kind.PROFESSIONAL else "P3"))
            start = _start(random, scene)
            end = _end(random, scene, start)
            return Step(number=number, kind=kind, by=by, actor=actor, start=start, end=end)
        case "block" | "attend":
            physician = by.person if by.kind is Kind.PROFESSIONAL else None
            recent = [d.actor for _, d in scene.held[-3:] if d.actor in _NAMES]
            actor = random.choice((*_NAMES, *recent * 4) if kind == "block" else ("P1", "P2", physician or "P5"))
            start, end = _later(random, scene)
            return Step(number=number, kind=kind, by=by, actor=actor, start=start, end=end)
        case "delegate":
            code = random.choice(("GUARD", "PRN", "MTH", "FRND"))
            actor = random.choice(("G1", "G2"))
            return Step(number=number, kind=kind, by=by, actor=actor, code=code, end=_rarely(random, scene))
        case "oppose" | "emergency":
            modes = (("BTG",), ("BTG",), ("ETREAT",), *([("BTG", "ETREAT")] if kind == "oppose" else []))
            by = random.choice(PROFESSIONALS) if kind == "emergency" and random.random() < 0.9 else by
            start, end = _later(random, scene) if kind == "oppose" else (None, None)
            return Step(number=number, kind=kind, by=by, purposes=random.choice(modes), start=start, end=end)
        case "deposit":
            by = random.choice((by, *PROFESSIONALS, *SERVERS))
            return Step(number=number, kind=kind, by=by, document=_document(random, by))
        case _:
            return Step(number=number, kind=kind, by=by, choice=_choice(random))


def _document(random: Random, by: Who) -> Document:
    labels = [label for label, chance in (("MASQUE_PS", 0.4), ("INVISIBLE_PATIENT", 0.2)) if random.random() < chance]
    return Document(
        type=random.choice(_TYPES),
        labels=frozenset(labels),
        depositor_kind=by.kind,
        depositor=None if by.kind is Kind.STRUCTURE else by.person,
        depositor_structure=by.structure,
        authors=frozenset({"P3"} if random.random() < 0.1 else ()),
    )


def _choice(random: Random) -> str:
    return random.choice(("permit", "deny"))


def _start(random: Random, scene: Scene) -> When | None:
    """Mostly now; else a little earlier, or in some days."""
    at = scene.now + random.choice((-30 * _DAY, -1, 0, 1, _DAY, 20 * _DAY))
    return random.choice((None, None, None, None, at, day_of(scene.now)))


def _end(random: Random, scene: Scene, start: When | None) -> When | None:
    """None, an instant or a day alone; about a year on the edge of what is allowed."""
    begin = midnight(start) if isinstance(start, date) else (start or scene.now)
    spans = (2, 60, _HOUR, 3 * _DAY, 40 * _DAY, 200 * _DAY, 364 * _DAY, 365 * _DAY, 366 * _DAY, 370 * _DAY)
    end = max(begin, scene.now) + random.choice(spans)
    return random.choice((None, end, end, max(day_of(end), day_of(scene.now))))


def _later(random: Random, scene: Scene) -> tuple[int | None, When | None]:
    """From now on as a rule, now and then from a day to come."""
    if random.random() < 0.1:
        return scene.now + 5 * _DAY, random.choice((None, scene.now + 400 * _DAY))
    return None, _rarely(random, scene)


def _rarely(random: Random, scene: Scene) -> When | None:
    end = scene.now + random.choice((_HOUR, 10 * _DAY, 300 * _DAY, 900 * _DAY))
    return random.choice((None, None, None, end, day_of(end)))


def _wait(random: Random, scene: Scene) -> int:
    """Seconds to years, often until just before, at or after an instant that matters."""
    if scene.theme != "whole" and random.random() < 0.8:
        return random.choice((1, 59, 600, _HOUR - 1, _HOUR, _DAY))
    edges = [d.end for _, d in scene.held if d.end] + [d.start for _, d in scene.held]
    days = [*_CLOCK_CHANGES, *_LEAP_DAYS, day_of(majority(scene.birth))]
    edges += [at for day in days for at in (midnight(day), midnight(day) + 2 * _HOUR, end_of(day))]
    edges += [midnight(day.replace(year=day.year - 1)) + 5 * _HOUR // 2 for day in _CLOCK_CHANGES]
    ahead = sorted(at for at in edges if at > scene.now + 1)[:5]
    if ahead and random.random() < 0.6:
        return random.choice(ahead) + random.choice((-1, 0, 1)) - scene.now
    return random.choice((1, 1, 59, _HOUR - 1, _HOUR, _DAY, 5 * _DAY, 30 * _DAY, 180 * _DAY, 366 * _DAY, 730 * _DAY))


def spoken(step: Step) -> str:
    """The step as a line of a report."""
    parts = [f"{step.number:>3} {step.kind}"]
    if step.kind == "wait":
        return f"{parts[0]} {step.seconds} s"
    parts.append(f"by {step.by.person or step.by.structure}")
    parts += [str(part) for part in (step.actor, step.code, *step.purposes) if part]
    parts += [f"{name}={_date(at)}" for name, at in (("from", step.start), ("to", step.end)) if at is not None]
    if step.target >= 0:
        parts.append(f"of {step.target}")
    if step.kind in ("masked", "default", "mask"):
        parts.append(step.choice)
    return " ".join(parts) + (f" {step.document}" if step.document else "")


def _date(at: When) -> str:
    return instant(at).isoformat() if isinstance(at, int) else at.isoformat()
