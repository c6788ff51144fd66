"""Histories with moving clocks: after every step the production answers as the contract's sentences do.

`tests/history_model.py` replays the sentences, `tests/history_adapter.py` drives the production. Questions are put
after every step; what the production does of a step, too, must be what the contract has. A failure tells the whole
history, by whose name (`seed/number`) it is played again.
"""

import time
from collections import Counter
from random import Random

import pytest

from tests.histories import CAST, PROFESSIONALS, Step, beginning, next_step, spoken
from tests.history_adapter import Production
from tests.history_calendar import instant
from tests.history_model import follow
from tests.history_world import World
from tests.oracle import OF_DOCUMENTS, judge
from tests.oracle_carers import standing
from tests.oracle_case import Action, Document, Who
from tests.oracle_generator import CONSENTS

STEPS = 24
MODES = ("BTG", "ETREAT")
QUESTIONS = 4
_ASKED = (
    *[Action.READ] * 5, Action.MASK, *[Action.SEARCH] * 2, Action.READ_PATIENT, Action.READ_TRACE, Action.FEED,
    Action.EMERGENCY, Action.CONSENT, Action.EXPLAIN,
)  # fmt: skip


def test_hundreds_of_histories_agree_with_the_contract() -> None:
    seen = replay(250, seed=20_260_401)

    rare = {what: seen[what] for what in WANTED if seen[what] < 5}
    assert not rare, f"too few to mean anything: {rare}"


@pytest.mark.long
def test_ten_thousand_histories_agree_with_the_contract() -> None:
    started = time.perf_counter()

    seen = replay(10_000, seed=int(started))

    print(f"\n10,000 histories in {time.perf_counter() - started:.0f} s")
    for what, count in sorted(seen.items()):
        print(f"{count:>9,}  {what}")


WANTED = (
    "authorise done", "authorise invalid", "authorise denied", "renew done", "renew invalid", "revoke done",
    "block done", "attend done", "attend invalid", "delegate done", "oppose done", "masked done", "default done",
    "emergency done", "emergency denied", "deposit done", "mask done", "forget done", "close done", "reopen done",
    "permit authorised",
    "permit emergency", "permit attending-physician", "permit representative", "deny blocked", "deny no-record",
    "deny record-closed", "deny not-authorised", "deny authorisation-expired", "deny hidden", "state VALIDE",
    "state EXPIRE", "state INTERDIT", "state NON_EXISTE",
)  # fmt: skip


def replay(count: int, seed: int) -> Counter[str]:
    """Play `count` histories against the contract, fail on the first quarrel, and count what happened."""
    seen: Counter[str] = Counter()
    for number in range(count):
        History(Random(f"{seed}/{number}"), seen).play(f"{seed}/{number}")
    return seen


class History:
    """One record of the production beside all the worlds that it may be in."""

    def __init__(self, random: Random, seen: Counter[str]) -> None:
        start, birth, theme = beginning(random)
        self._random, self._seen = random, seen
        self._worlds: tuple[World, ...] = (World(start, birth, theme),)
        self._production = Production(start, birth.isoformat())
        self._last = Step(number=-1, kind="wait")
        self._told: list[str] = [f"{instant(start).isoformat()} born {birth}, about {theme}"]

    def play(self, name: str) -> None:
        self._told.insert(0, name)
        for number in range(STEPS):
            self._take(next_step(self._random, number, self._worlds[0].scene()))
            for _ in range(QUESTIONS):
                self._ask()
            self._ask_for_the_state()

    def _take(self, step: Step) -> None:
        self._last = step
        result, reason = self._production.take(step)
        self._tell(f"{spoken(step)} -> {result} {reason}")
        self._keep(follow(self._worlds, step, result, reason))
        self._seen[f"{step.kind} {result}"] += 1
        self._seen["worlds"] = max(self._seen["worlds"], len(self._worlds))

    def _ask(self) -> None:
        scene, who, action = self._worlds[0].scene(), self._someone(), self._random.choice(_ASKED)
        number = self._random.choice(scene.documents) if scene.documents else -1
        if action in OF_DOCUMENTS and number < 0:
            action = Action.SEARCH
        asked = {"consent": self._random.choice(CONSENTS), "actor": who.person, "purpose": self._random.choice(MODES)}
        documents = [dict(world.documents).get(number, Document()) for world in self._worlds]
        paired = zip(self._worlds, documents, strict=True)
        cases = [world.case(who, action, document=document, **asked) for world, document in paired]
        permit, reason = self._production.answer(cases[0], number)
        self._tell(f"      {who.person or who.structure}: {action.value} {number} -> {permit} {reason}")
        fitting = (w for w, case in zip(self._worlds, cases, strict=True) if judge(case).agrees(permit, reason))
        self._keep(tuple(fitting))
        self._seen[f"{'permit' if permit else 'deny'} {reason}"] += 1

    def _someone(self) -> Who:
        """Often somebody whom the last step was about, or a directive names."""
        held = self._worlds[0].held
        named = {directive.actor for number, directive in held if number in (self._last.number, self._last.target)}
        if self._random.random() < 0.4:
            named = {directive.actor for _, directive in held[-4:]}
        concerned = [who for who in CAST if who.person in named or (who.structure and who.structure in named)]
        return self._random.choice(concerned if concerned and self._random.random() < 0.8 else CAST)

    def _ask_for_the_state(self) -> None:
        who = self._random.choice(PROFESSIONALS)
        cases = [world.case(who, Action.STATUS) for world in self._worlds]
        told = self._production.standing(cases[0])
        self._tell(f"      {who.person}: state -> {told}")
        self._keep(tuple(w for w, case in zip(self._worlds, cases, strict=True) if standing(case) == told))
        self._seen[f"state {told}"] += 1

    def _tell(self, line: str) -> None:
        now = instant(self._worlds[0].now).isoformat()
        self._told.append(f"{now} {line}")

    def _keep(self, worlds: tuple[World, ...]) -> None:
        if not worlds:
            held = "\n".join(f"{n:>3} {d}" for n, d in self._worlds[0].held)
            pytest.fail("\n".join([*self._told, "what the model holds:", held]))
        self._worlds = worlds
