"""How a new decision of the patient changes those already in force (api.md §4)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from dmp.domain.civil_time import end_of_day, same_day_months_later
from dmp.domain.consent import ConsentKind, ConsentRequest, Directive, Grantor
from dmp.domain.errors import Conflict, Invalid
from dmp.domain.identifiers import PS_IDNAT, STRUCT_IDNAT

MOST_IN_FORCE = 300
MOST_EXPIRED = 100
_PERIOD = "Consent.provision.period"
_ACTOR = "Consent.provision.actor"
_ENDS = {
    ConsentKind.AUTHORISATION: frozenset({ConsentKind.AUTHORISATION}),
    ConsentKind.BLOCK: frozenset({ConsentKind.AUTHORISATION, ConsentKind.ATTENDING_PHYSICIAN, ConsentKind.BLOCK}),
    ConsentKind.ATTENDING_PHYSICIAN: frozenset({ConsentKind.ATTENDING_PHYSICIAN}),
}


def period_of(request: ConsentRequest, now: datetime, months: int) -> tuple[datetime, datetime | None]:
    """From when until when (excluded) a Consent holds; an authorisation lasts `months` unless it says less.

    Raises Invalid `period-too-long`, `period-empty`.
    """
    start = request.start or now
    end = request.end
    if request.kind is ConsentKind.AUTHORISATION:
        end = end or same_day_months_later(start, months)
        if end > end_of_day(same_day_months_later(max(start, now), months)):
            raise Invalid("period-too-long", _PERIOD)
    if end is not None and end <= max(start, now):
        raise Invalid("period-empty", _PERIOD)
    return start, end


def check_actor(request: ConsentRequest) -> None:
    """A professional or a structure is named; a médecin traitant is a person. Raises Invalid `actor-invalid`."""
    systems = {PS_IDNAT} if request.kind is ConsentKind.ATTENDING_PHYSICIAN else {PS_IDNAT, STRUCT_IDNAT}
    if request.actor is None or request.actor.system not in systems or not request.actor.value:
        raise Invalid("actor-invalid", _ACTOR)


def ended_by(new: Directive, held: Iterable[Directive], now: datetime) -> tuple[Directive, ...]:
    """The directives not yet past that a new one ends.

    The patient's authorisation ends the others of that actor, an attested one none; a block ends what its actor had;
    a new médecin traitant ends the former.
    """
    if new.kind is ConsentKind.AUTHORISATION and new.granted_by is Grantor.PROFESSIONAL:
        return ()
    kinds = _ENDS.get(new.kind, frozenset())
    same_actor_only = new.kind is not ConsentKind.ATTENDING_PHYSICIAN
    return tuple(
        d
        for d in held
        if d.kind in kinds and not d.has_expired(now) and (d.actor == new.actor or not same_actor_only)
    )


def with_directive(
    held: tuple[Directive, ...], new: Directive, ended: Iterable[Directive], now: datetime
) -> tuple[Directive, ...]:
    """What the head holds next: the new one, without those it ends; of the past, the last of each actor.

    Raises Conflict `too-many` over 300 directives that are not past.
    """
    gone = {d.consent for d in ended}
    kept = [d for d in held if d.consent not in gone]
    living = [d for d in kept if not d.has_expired(now)]
    if len(living) >= MOST_IN_FORCE:
        raise Conflict("too-many")
    past = {d.actor: d for d in kept if d.has_expired(now) and d.kind is ConsentKind.AUTHORISATION}
    past.pop(new.actor, None)
    return (*list(past.values())[-MOST_EXPIRED:], *living, new)


def without(held: tuple[Directive, ...], consent: str) -> tuple[Directive, ...]:
    """What the head holds once a Consent was revoked."""
    return tuple(d for d in held if d.consent != consent)


def next_due(directive: Directive, now: datetime, warning: timedelta) -> datetime | None:
    """When the expiry job looks at it next: the warning before an authorisation ends, then its end."""
    if directive.end is None:
        return None
    warn_at = directive.end - warning
    is_warned = directive.kind is not ConsentKind.AUTHORISATION or warn_at <= now
    return directive.end if is_warned else warn_at
