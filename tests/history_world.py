"""One reading of what a history has led to so far, in the oracle's words."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from tests.histories import Scene
from tests.history_calendar import majority
from tests.oracle_case import Action, Case, Directive, Document, State, Who

type Held = tuple[int, Directive]


@dataclass(frozen=True, slots=True)
class World:
    """One reading of what has happened so far."""

    now: int
    birth: date
    theme: str = "whole"
    state: State = State.OPEN
    held: tuple[Held, ...] = ()
    documents: tuple[tuple[int, Document], ...] = ()

    def scene(self) -> Scene:
        numbers = tuple(number for number, _ in self.documents)
        return Scene(self.now, self.birth, self.theme, self.state is State.OPEN, self.held, numbers)

    def case(self, who: Who, action: Action, **asked: object) -> Case:
        """A question to the oracle, now."""
        directives = tuple(directive for _, directive in self.held)
        case = Case(
            who=who, state=self.state, directives=directives, now=self.now, action=action, document=Document(),
            minor=self.now < majority(self.birth),
        )  # fmt: skip
        return replace(case, **asked)  # type: ignore[arg-type]

    def ending(self, over: Callable[[Directive], bool], *, expired: bool = False) -> "World":
        """The world in which some directives are over at once; or some expired ones no longer told as such."""
        ended = (
            (n, replace(d, revoked=True) if d.expired(self.now) is expired and over(d) else d) for n, d in self.held
        )
        return replace(self, held=tuple(ended))

    def holding(self, number: int, directive: Directive) -> "World":
        return replace(self, held=(*self.held, (number, directive)))

    def of(self, number: int) -> Directive:
        return next(directive for n, directive in self.held if n == number)

    def with_directive(self, number: int, directive: Directive) -> "World":
        return replace(self, held=tuple((n, directive if n == number else d) for n, d in self.held))
