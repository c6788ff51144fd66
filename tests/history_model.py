"""What the contract makes of a history: every step's sentence replayed on plain values, no line shared with the code.

Where a sentence can be read in two ways, a step leads to several worlds; what the production then does must fit one of
them, and goes on having to.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tests.histories import Step
from tests.history_effects import EFFECTS, MAKES, is_fixed, last_of
from tests.history_world import World
from tests.oracle import judge
from tests.oracle_case import Action, Case, Directive, Document

DENIED = "denied"
_ASKS = {
    "renew": Action.RENEW, "revoke": Action.REVOKE, "emergency": Action.EMERGENCY, "deposit": Action.FEED,
    "mask": Action.MASK, "forget": Action.WRITE_PERSON, "close": Action.CLOSE, "reopen": Action.REOPEN,
}  # fmt: skip


def follow(worlds: Iterable[World], step: Step, result: str, reason: str) -> tuple[World, ...]:
    """The worlds that a step leads to, given what the production did of it: none where it broke the contract."""
    return tuple({after: None for world in worlds for after in _after(world, step, result, reason)})


def asked(world: World, step: Step) -> Case:
    """May whoever takes the step take it? Whoever may end a Consent may shorten it."""
    directive = next((d for n, d in world.held if n == step.target), None)
    shortens = step.kind == "renew" and directive and _takes_no_more(world, directive, last_of(step))
    document = next((d for n, d in world.documents if n == step.target), Document())
    return world.case(
        step.by,
        Action.REVOKE if shortens else _ASKS.get(step.kind, Action.CONSENT),
        consent=MAKES.get(step.kind, "authorisation"),
        actor=step.actor,
        purpose=step.purposes[0] if step.purposes else "BTG",
        subject=directive,
        document=step.document or document,
    )


def _takes_no_more(world: World, old: Directive, end: int) -> bool:
    return old.end is None or end <= old.end or is_fixed(world, old)


def _after(world: World, step: Step, result: str, reason: str) -> Iterator[World]:
    if step.kind in ("wait", "job"):  # a job grants and takes nothing
        yield replace(world, now=world.now + step.seconds)
        return
    verdict = judge(asked(world, step))
    if result == DENIED:
        if verdict.permit is not True and reason in verdict.reasons:
            yield world
    elif verdict.permit is not False:
        yield from (after for outcome, after in EFFECTS[step.kind](world, step) if outcome == result)
