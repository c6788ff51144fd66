"""What the access oracle answers, and which directives of a case speak of whom."""

from dataclasses import dataclass

from tests.oracle_case import Case, Directive, Kind, Who


@dataclass(frozen=True, slots=True)
class Verdict:
    """Permitted, or denied for one of these reasons; None where the contract leaves the answer open."""

    permit: bool | None
    reasons: frozenset[str] = frozenset()

    def agrees(self, permit: bool, reason: str) -> bool:
        """Whether an answer is one that the contract has."""
        if self.permit is None:
            return permit or reason in self.reasons
        return permit == self.permit and (permit or reason in self.reasons)


PERMIT = Verdict(True)
NO_RECORD = "no-record"
CLOSED = "record-closed"
BLOCKED = "blocked"
HIDDEN = "hidden"
NOT_HABILITATED = "not-habilitated"
EXPIRED = "authorisation-expired"
NOT_AUTHORISED = "not-authorised"
OUT_OF_SCOPE = "out-of-scope"
OPPOSED = "emergency-opposed"
FORBIDDEN = frozenset({NOT_AUTHORISED, NOT_HABILITATED, EXPIRED})
"""A 403 whose precise reason the contract leaves open: the action is not the caller's, whatever may be read."""
REFUSED = Verdict(False, FORBIDDEN)


def deny(*reasons: str) -> Verdict:
    return Verdict(False, frozenset(reasons))


def unsaid(*reasons: str) -> Verdict:
    """The contract has no sentence for it: yes is accepted, and no for these reasons."""
    return Verdict(None, FORBIDDEN | frozenset(reasons))


def when(entitled: bool) -> Verdict:
    return PERMIT if entitled else REFUSED


def names(who: Who) -> frozenset[str]:
    """How a directive can name the caller: an employee, only by the structure."""
    person = who.person if who.kind is Kind.PROFESSIONAL else None
    return frozenset(name for name in (person, who.structure) if name)


def in_force(case: Case, kind: str, actors: frozenset[str]) -> list[Directive]:
    return [d for d in case.directives if d.kind == kind and d.actor in actors and d.runs(case.now)]


def person_of(who: Who) -> frozenset[str]:
    return frozenset({who.person}) if who.person else frozenset()


def deposited(case: Case) -> bool:
    """Whether the document is the caller's: deposited by that person, or by or for the caller's structure."""
    who, document = case.who, case.document
    same_structure = who.structure is not None and who.structure == document.depositor_structure
    if who.kind is Kind.CITIZEN:
        return document.depositor_kind is Kind.CITIZEN and who.person == document.depositor
    if who.kind is Kind.PROFESSIONAL and document.depositor_kind is Kind.PROFESSIONAL:
        return who.person == document.depositor or same_structure
    return same_structure
