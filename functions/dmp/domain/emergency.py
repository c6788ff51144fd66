"""Emergency accesses: break-glass and centre 15, which a professional declares with a reason (R.1111-48)."""

from dataclasses import dataclass
from datetime import datetime

from dmp.domain.consent import ConsentKind, Directive, EmergencyPurpose
from dmp.domain.directives import MOST_OF_A_KIND, ended_by, without

LONGEST_REASON = 1000
"""Characters."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """By which mode a professional enters, and why."""

    mode: EmergencyPurpose
    reason: str


def ended_by_emergency(new: Directive, held: tuple[Directive, ...], now: datetime) -> tuple[Directive, ...]:
    """The emergencies that a new one ends: the actor's former one of this mode, and of very many the oldest.

    An opposition must be able to end all that are left in one transaction.
    """
    former = ended_by(new, held, now)
    others = [d for d in held if d.kind is ConsentKind.EMERGENCY and not d.has_expired(now) and d not in former]
    return (*former, *others[: max(0, len(others) + 1 - MOST_OF_A_KIND[ConsentKind.EMERGENCY])])


def with_emergency(
    held: tuple[Directive, ...], new: Directive, ended: tuple[Directive, ...], now: datetime
) -> tuple[Directive, ...]:
    """What the head holds next, however many directives there are: no limit keeps anybody from a life in danger."""
    left = without(held, *(d.consent for d in ended))
    return (*(d for d in left if d.kind is not ConsentKind.EMERGENCY or not d.has_expired(now)), new)
