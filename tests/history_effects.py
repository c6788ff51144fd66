"""What the contract says that each step of a history does: `done`, or `invalid`, and the world thereafter.

Where a sentence can be read in two ways there are several worlds. Where there is none, one reading is fixed here: an
attested authorisation takes the place of the attested ones that it outlasts, a delegation that of the person's former
one, a block that of the actor's that it outlasts; what somebody revokes or makes anew is no longer told as expired.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

from tests.histories import Step
from tests.history_calendar import When, a_year_after, day_of, end_of, majority, midnight
from tests.history_world import World
from tests.oracle_case import Directive, Document, Kind, State, Who

type Effects = Iterator[tuple[str, World]]

DONE, INVALID = "done", "invalid"
_AN_HOUR = 3600
MAKES = {
    "authorise": "authorisation", "block": "block", "attend": "attending-physician", "delegate": "delegation",
    "oppose": "opposition", "masked": "masked-in-emergency", "default": "default-visibility", "emergency": "emergency",
}  # fmt: skip
_GUARDIANS, _PARENTS = {"GUARD"}, {"PRN", "MTH"}


def is_fixed(world: World, old: Directive) -> bool:
    """What is over stays over, and an emergency lasts its hour."""
    return old.kind == "emergency" or old.revoked or old.expired(world.now)


def last_of(step: Step) -> int:
    """The first instant after what a step names as the end."""
    return end_of(step.end) if isinstance(step.end, date) else step.end or 0


def _authorise(world: World, step: Step) -> Effects:
    start, ends = _period(world, step.start, step.end)
    if not ends:
        yield INVALID, world
        return
    attested = _maker(step.by) == "professional"
    for end, certain in ends:
        if not certain:
            yield INVALID, world
        new = replace(_directive(world, step), start=start, end=end)
        over = _renewed_by(world, new) if attested else _authorises(step.actor)
        yield DONE, world.ending(_authorises(step.actor), expired=True).ending(over).holding(step.number, new)


def _period(world: World, start: When | None, end: When | None) -> tuple[int, list[tuple[int, bool]]]:
    """The first instant, and the ends that it may have: with whether the period must be accepted."""
    begin = midnight(start) if isinstance(start, date) else world.now if start is None else start
    limit = a_year_after(begin)
    if end is None:
        return begin, [(limit, True)]
    over = end_of(end) if isinstance(end, date) else end
    latest = end_of(day_of(a_year_after(max(begin, world.now))))
    return begin, [(over, over <= limit)] if begin < over <= latest else []


def _maker(who: Who) -> str:
    if who.kind is not Kind.CITIZEN:
        return "professional"
    return "patient" if who.person == "patient" else "representative"


def _authorises(actor: str | None) -> Callable[[Directive], bool]:
    return lambda d: d.kind == "authorisation" and d.actor == actor


def _renewed_by(world: World, new: Directive) -> Callable[[Directive], bool]:
    """The attested authorisations of that actor that a new one lasts longer than: it takes their place."""

    def covered(d: Directive) -> bool:
        ends = d.end is not None and new.end is not None and d.end <= new.end
        return d.maker == "professional" and ends and new.start <= max(d.start, world.now)

    return lambda d: _authorises(new.actor)(d) and covered(d)


def _renew(world: World, step: Step) -> Effects:
    """Another end, up to a year after the start, or at most after now."""
    old, end = world.of(step.target), last_of(step)
    latest = max(old.start, world.now)
    limits = (a_year_after(old.start), end_of(day_of(a_year_after(latest))))
    authorises = old.kind == "authorisation"
    fixed = is_fixed(world, old) or (authorises and end > limits[1])
    if old.kind == "delegation":
        end = min(end, majority(world.birth)) if world.now < majority(world.birth) else end
    if fixed or (authorises and end > limits[0]) or end <= latest:
        yield INVALID, world
    if not fixed:
        yield DONE, world.with_directive(step.target, replace(old, end=end))


def _revoke(world: World, step: Step) -> Effects:
    """At once and for good; where it was over before, nothing else comes of it."""
    old = world.of(step.target)
    yield DONE, world.with_directive(step.target, replace(old, revoked=True))
    if old.revoked or old.expired(world.now):
        yield INVALID, world
        yield DONE, world
        yield DONE, world.ending(_authorises(old.actor), expired=True)


def _block(world: World, step: Step) -> Effects:
    """What the actor had is over at once; a block takes the place of those that it outlasts."""
    ended, new = {"authorisation", "attending-physician", "emergency"}, _directive(world, step)

    def outlasted(d: Directive) -> bool:
        ends = new.end is None or (d.end is not None and d.end <= new.end)
        return d.kind == "block" and ends and new.start <= max(d.start, world.now)

    after = world.ending(lambda d: d.actor == step.actor and (d.kind in ended or outlasted(d)))
    yield DONE, after.holding(step.number, new)


def _attend(world: World, step: Step) -> Effects:
    """The médecin traitant is the one from now on: a mark to come would leave the patient without any until then."""
    if isinstance(step.start, int) and step.start > world.now:
        yield INVALID, world
        return
    alone = world.ending(lambda d: d.kind == "attending-physician")
    yield DONE, alone.holding(step.number, _directive(world, step))


def _delegate(world: World, step: Step) -> Effects:
    """A guardian represents, a parent represents a minor; neither does so once the minor is eighteen.

    Whoever had a delegation has the new one instead.
    """
    eighteen = majority(world.birth)
    minor = world.now < eighteen
    represents = step.code in (_GUARDIANS | _PARENTS if minor else _GUARDIANS)
    new = replace(_directive(world, step), relation="representative" if represents else "caregiver")
    if minor:
        new = replace(new, end=min(new.end or eighteen, eighteen))
    former = world.ending(lambda d: d.kind == "delegation" and d.actor == step.actor)
    yield DONE, former.holding(step.number, new)


def _forget(world: World, step: Step) -> Effects:
    """Deleting the RelatedPerson of a delegation ends it."""
    yield DONE, world.with_directive(step.target, replace(world.of(step.target), revoked=True))


def _oppose(world: World, step: Step) -> Effects:
    """Emergencies of these modes end; so do oppositions that say no more and last no longer."""
    new = _directive(world, step)

    def ends(d: Directive) -> bool:
        modes = set(d.purposes)
        if d.kind == "emergency":
            return new.start <= world.now and not modes.isdisjoint(new.purposes)
        covered = new.end is None or (d.end is not None and d.end <= new.end)
        covered &= new.start <= max(d.start, world.now)
        return d.kind == "opposition" and modes.issubset(new.purposes) and covered

    yield DONE, world.ending(ends).holding(step.number, new)


def _choose(world: World, step: Step) -> Effects:
    kind = MAKES[step.kind]
    yield DONE, world.ending(lambda d: d.kind == kind).holding(step.number, _directive(world, step))


def _declare(world: World, step: Step) -> Effects:
    former = world.ending(lambda d: (d.kind, d.actor, d.purposes) == ("emergency", step.by.person, step.purposes))
    new = replace(_directive(world, step), actor=step.by.person, end=world.now + _AN_HOUR)
    yield DONE, former.holding(step.number, new)


def _directive(world: World, step: Step) -> Directive:
    """What the patient decides from now on or later, until it says or else until it is taken back."""
    return Directive(
        kind=MAKES[step.kind],
        actor=step.actor,
        maker=_maker(step.by),
        attester=step.by.person if _maker(step.by) == "professional" else None,
        start=step.start if isinstance(step.start, int) else world.now,
        end=end_of(step.end) if isinstance(step.end, date) else step.end,
        purposes=step.purposes or ("BTG",),
        choice=step.choice,
    )


def _deposit(world: World, step: Step) -> Effects:
    held = (d for _, d in world.held if d.kind == "default-visibility" and d.runs(world.now))
    masks = any(d.choice == "deny" for d in held)
    document = step.document or Document()
    labels = document.labels | ({"MASQUE_PS"} if masks else set())
    yield DONE, replace(world, documents=(*world.documents, (step.number, replace(document, labels=labels))))


def _mask(world: World, step: Step) -> Effects:
    def masked(document: Document) -> Document:
        others = document.labels - {"MASQUE_PS"}
        return replace(document, labels=others | ({"MASQUE_PS"} if step.choice == "deny" else set()))

    documents = tuple((n, masked(d) if n == step.target else d) for n, d in world.documents)
    yield DONE, replace(world, documents=documents)


def _close(world: World, _: Step) -> Effects:
    yield DONE, replace(world, state=State.CLOSED)


def _reopen(world: World, _: Step) -> Effects:
    """Archived data come back, the directives too; what is open is not reopened."""
    if world.state is State.OPEN:
        yield INVALID, world
    else:
        yield DONE, replace(world, state=State.OPEN)


EFFECTS: dict[str, Callable[[World, Step], Effects]] = {
    "authorise": _authorise, "renew": _renew, "revoke": _revoke, "block": _block, "attend": _attend,
    "delegate": _delegate, "oppose": _oppose, "masked": _choose, "default": _choose, "emergency": _declare,
    "deposit": _deposit, "mask": _mask, "forget": _forget, "close": _close, "reopen": _reopen,
}  # fmt: skip
