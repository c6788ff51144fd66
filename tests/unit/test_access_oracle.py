"""The decision against the oracle: two readings of one contract, written apart, must agree on every drawn case.

`tests/oracle_adapter.py` joins them, and only it knows both sides:

    def production_decision(case: Case) -> tuple[bool, str]

It builds the production's requester, record, directives and document from the case, asks `dmp.domain.access.decide`
the question `case.action` puts, and returns whether it permits and, when not, why, in the oracle's words: `no-record`,
`record-closed`, `blocked`, `hidden` (404), `not-habilitated`, `authorisation-expired` or `not-authorised`. Names
(`P1`, `S1`, `G1`, `E1`) become identifiers of the right system, an employee's within the structure; seconds become
instants, `end` being the first instant without the directive; a revoked directive may be left out; a document without
a type is one of MHD's level Minimal. `Action.SEARCH` asks for more than the own documents.
"""

import time
from collections import Counter
from random import Random

import pytest

from tests.oracle import judge
from tests.oracle_adapter import production_decision
from tests.oracle_case import Case
from tests.oracle_generator import random_case, smallest


def test_the_decision_agrees_with_the_oracle_on_twenty_thousand_cases() -> None:
    outcomes = compare(20_000, seed=20_260_101)

    rare = {outcome: count for outcome, count in outcomes.items() if count < 20}
    assert not rare, f"too few cases to mean anything: {rare}"
    assert {"permit", *REASONS} <= outcomes.keys()


@pytest.mark.long
def test_the_decision_agrees_with_the_oracle_on_a_million_cases() -> None:
    started = time.perf_counter()

    outcomes = compare(1_000_000, seed=int(started))

    print(f"\n1,000,000 cases in {time.perf_counter() - started:.0f} s")
    for outcome, count in outcomes.most_common():
        print(f"{count:>9,}  {outcome}")


REASONS = (
    "no-record", "record-closed", "blocked", "hidden", "not-habilitated", "authorisation-expired", "not-authorised",
)  # fmt: skip


def compare(count: int, seed: int) -> Counter[str]:
    """Put `count` cases to both, fail on the smallest quarrel, and count what the production answered."""
    random = Random(seed)
    outcomes: Counter[str] = Counter()
    for number in range(count):
        case = random_case(random)
        permit, reason = production_decision(case)
        if not agree(case, permit, reason):
            pytest.fail(explain(smallest(case, lambda c: not agree(c, *production_decision(c))), seed, number))
        outcomes["permit" if permit else reason] += 1
    return outcomes


def agree(case: Case, permit: bool, reason: str) -> bool:
    verdict = judge(case)
    return permit == verdict.permit and (permit or reason in verdict.reasons)


def explain(case: Case, seed: int, number: int) -> str:
    directives = "".join(f"\n    {directive}" for directive in case.directives) or " none"
    return (
        f"seed {seed}, case {number}: the oracle says {judge(case)}, the decision {production_decision(case)}\n"
        f"  {case.action.value} (consent: {case.consent}), record {case.state.value}, now {case.now}\n"
        f"  {case.who}\n  {case.document}\n  directives:{directives}"
    )
