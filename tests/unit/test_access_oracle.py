"""The decision against the oracle: two readings of one contract, written apart, must agree on every drawn case.

`tests/oracle_adapter.py` and `tests/oracle_people.py` join them, and only they know both sides. They build the
production's requester, record, directives and document from the case, ask the question `case.action` puts, and return
whether it is permitted and, when not, why, in the oracle's words: `hidden` is a 404. Names (`P1`, `S1`, `G1`, `E1`)
become identifiers of the right system, an employee's within the structure; seconds become instants, `end` being the
first instant without the directive; a revoked directive may be left out; a document without a type is one of MHD's
level Minimal. `Action.SEARCH` asks for more than the own documents.
"""

import time
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from tests.oracle import OF_DOCUMENTS, judge
from tests.oracle_adapter import production_decision, production_standing
from tests.oracle_carers import standing
from tests.oracle_case import Action, Case, Document, Kind, State
from tests.oracle_generator import random_case, smallest
from tests.oracle_verdict import EXPIRED, NOT_AUTHORISED, NOT_HABILITATED

type Outcomes = Counter[tuple[str, str]]

CLASSES = {
    "read": {Action.READ},
    "change": OF_DOCUMENTS - {Action.READ},
    "feed": {Action.FEED},
    "search": {Action.SEARCH, Action.READ_PATIENT, Action.READ_PERSON, Action.SUBSCRIBE},
    "emergency": {Action.EMERGENCY},
    "consent": {Action.CONSENT, Action.READ_CONSENT, Action.REVOKE, Action.RENEW},
    "trace": {Action.READ_TRACE, Action.EXPLAIN, Action.READ_MESSAGE, Action.KEEP_SUBSCRIPTION},
    "record": {Action.CLOSE, Action.UPDATE_PATIENT, Action.PRINT_ATTESTATION},
    "persons": {Action.WRITE_PERSON, Action.NAME_DELEGATE},
    "life": {Action.REOPEN, Action.ERASE, Action.STATUS},
    "opening": {Action.OPEN, Action.OPPOSE},
}
ALWAYS = {
    "permit", "no-record", "record-closed", "blocked", "not-authorised", "purpose-outside-care", "out-of-scope",
}  # fmt: skip
EXPECTED = {
    "read": ALWAYS | {"hidden", "not-habilitated", "authorisation-expired"},
    "change": ALWAYS | {"hidden"},
    "feed": ALWAYS,
    "search": ALWAYS | {"authorisation-expired"},
    "emergency": ALWAYS | {"emergency-opposed"},
    "consent": ALWAYS,
    "trace": ALWAYS | {"hidden"},
    "record": ALWAYS,
    "persons": ALWAYS,
    "life": ALWAYS - {"record-closed"},
    "opening": {"permit", "not-authorised", "purpose-outside-care"},
}
RULES = {
    "patient", "representative", "author", "named-author", "feeding", "attending-physician", "own-consent",
    "attestation", "attested", "agent", "opener", "authorised", "emergency", "status", "addressee",
    "emergency-declared",
}  # fmt: skip
"""By which something is permitted."""


def test_the_decision_agrees_with_the_oracle_on_twenty_thousand_cases() -> None:
    outcomes = compare(20_000, seed=20_260_101)

    wanted = [(name, outcome) for name, expected in EXPECTED.items() for outcome in expected]
    wanted += [("rule", rule) for rule in RULES]
    rare = {pair: outcomes[pair] for pair in wanted if outcomes[pair] < 5}
    assert not rare, f"too few cases to mean anything: {rare}"


def test_what_is_not_there_is_refused_like_what_is_masked() -> None:
    random = Random(20_260_102)
    hidden = Document(labels=frozenset({"MASQUE_PS"}), depositor="P9", depositor_structure="S9")
    drawn = (replace(random_case(random), document=hidden) for _ in range(6_000))
    masked = [case for case in drawn if case.action in OF_DOCUMENTS and not may_know(case)]

    told_apart = [c for c in masked if production_decision(replace(c, missing=True)) != production_decision(c)]

    assert len(masked) > 1_000
    assert not told_apart


def test_what_never_became_available_is_refused_to_others_like_what_is_not_there() -> None:
    random = Random(20_260_103)
    awaited = Document(labels=frozenset({"MASQUE_PS"}), depositor="P9", depositor_structure="S9", awaited="content")
    drawn = [replace(random_case(random), document=awaited) for _ in range(6_000)]
    asked = [case for case in drawn if case.action in OF_DOCUMENTS]

    told = [case for case in asked if production_decision(case)[0]]
    reasons = {production_decision(case)[1] for case in asked}

    assert (len(asked) > 1_000, told) == (True, [])
    assert reasons <= {"hidden", *ALWAYS, "structure-mismatch"} - {"permit", "not-authorised"}


def may_know(case: Case) -> bool:
    """Whether the caller may learn that a masked document is there, be it not its content."""
    verdict = judge(replace(case, action=Action.READ))
    return verdict.permit is not False or bool(verdict.reasons & {NOT_HABILITATED, NOT_AUTHORISED, EXPIRED})


@pytest.mark.long
def test_the_decision_agrees_with_the_oracle_on_a_million_cases() -> None:
    started = time.perf_counter()

    outcomes = compare(1_000_000, seed=int(started))

    print(f"\n1,000,000 cases in {time.perf_counter() - started:.0f} s")
    for (name, outcome), count in sorted(outcomes.items()):
        print(f"{count:>9,}  {name}: {outcome}")


def compare(count: int, seed: int) -> Outcomes:
    """Put `count` cases to both, fail on the smallest quarrel, and count what the production answered."""
    random = Random(seed)
    outcomes: Outcomes = Counter()
    for number in range(count):
        case = random_case(random)
        permit, reason = production_decision(case)
        if not agree(case, permit, reason):
            pytest.fail(explain(smallest(case, lambda c: not agree(c, *production_decision(c))), seed, number))
        outcomes[class_of(case.action), "permit" if permit else reason] += 1
        outcomes["rule" if permit else "denial", reason] += 1
    return outcomes


def agree(case: Case, permit: bool, reason: str) -> bool:
    """Whether the answer is the oracle's, and TD0.2 tells a professional the right state of the authorisation."""
    if not judge(case).agrees(permit, reason):
        return False
    told = permit and case.action is Action.STATUS and case.who.kind is Kind.PROFESSIONAL
    return not told or case.state is State.ERASED or production_standing(case) == standing(case)


def class_of(action: Action) -> str:
    return next(name for name, actions in CLASSES.items() if action in actions)


def explain(case: Case, seed: int, number: int) -> str:
    directives = "".join(f"\n    {directive}" for directive in case.directives) or " none"
    return (
        f"seed {seed}, case {number}: the oracle says {judge(case)}, the decision {production_decision(case)}\n"
        f"  {case.action.value}, record {case.state.value}, now {case.now}\n"
        f"  consent {case.consent} for {case.actor}, purpose {case.purpose}, subject {case.subject}\n"
        f"  an app asks {case.asks} about {case.about!r}\n"
        f"  belongs to {case.owner}, secret {case.secret}, opened by {case.opened_by}, guardian {case.guardian}\n"
        f"  {case.who}\n  {case.document}\n  directives:{directives}"
    )
