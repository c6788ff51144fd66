"""How a new decision of the patient changes those already in force (IHE PCF)."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from dmp.domain.civil_time import end_of_day, same_day_months_later
from dmp.domain.consent import ConsentKind, ConsentRequest, Directive, Grantor
from dmp.domain.errors import Conflict, Invalid
from dmp.domain.identifiers import PS_IDNAT, STRUCT_IDNAT

MOST_IN_FORCE = 300
MOST_ATTESTED = 250
"""Up to here professionals may fill a head with what they attest: the patient can always still block somebody."""
MOST_OF_ONE_ACTOR = 40
"""What one actor may hold at a time: all of it must end in one transaction of 100 writes, two for each Consent."""
MOST_EXPIRED = 100
_LATEST_START = timedelta(days=36_525)
"""A hundred years from now: beyond, the calendar ends."""
_NATIONAL_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z/._-]{0,63}", re.ASCII)
_PERIOD = "Consent.provision.period"
_ACTOR = "Consent.provision.actor"
_ACTORS = {
    ConsentKind.AUTHORISATION: frozenset({PS_IDNAT, STRUCT_IDNAT}),
    ConsentKind.BLOCK: frozenset({PS_IDNAT, STRUCT_IDNAT}),
    ConsentKind.ATTENDING_PHYSICIAN: frozenset({PS_IDNAT}),
}
"""The kinds that take effect today, and in which systems they name their actor."""
_ENDS = {
    ConsentKind.AUTHORISATION: frozenset({ConsentKind.AUTHORISATION}),
    ConsentKind.BLOCK: frozenset({ConsentKind.AUTHORISATION, ConsentKind.ATTENDING_PHYSICIAN, ConsentKind.BLOCK}),
    ConsentKind.ATTENDING_PHYSICIAN: frozenset({ConsentKind.ATTENDING_PHYSICIAN}),
}


def period_of(request: ConsentRequest, now: datetime, months: int) -> tuple[datetime, datetime | None]:
    """From when until when (excluded) a Consent holds; an authorisation lasts `months` unless it says less.

    Raises Invalid `period-too-long`, `period-empty`, `period-invalid`.
    """
    start = request.start or now
    end = request.end
    if start > now + _LATEST_START:
        raise Invalid("period-invalid", _PERIOD)
    if request.kind is ConsentKind.AUTHORISATION:
        end = end or same_day_months_later(start, months)
        if end > end_of_day(same_day_months_later(max(start, now), months)):
            raise Invalid("period-too-long", _PERIOD)
    if end is not None and end <= max(start, now):
        raise Invalid("period-empty", _PERIOD)
    return start, end


def check_actor(request: ConsentRequest) -> None:
    """A professional or a structure is named; a médecin traitant is a person.

    Raises Invalid `actor-invalid`, or `consent-kind-unsupported` for the kinds that do not take effect yet.
    """
    systems = _ACTORS.get(request.kind)
    if systems is None:
        raise Invalid("consent-kind-unsupported", "Consent.category")
    actor = request.actor
    if actor is None or actor.system not in systems or not _NATIONAL_ID.fullmatch(actor.value):
        raise Invalid("actor-invalid", _ACTOR)


def holds_longer(held: Directive, start: datetime | None, end: datetime | None) -> bool:
    """Whether another start or end (None: the same) makes a directive hold when it did not."""
    ends_later = end is not None and held.end is not None and end > held.end
    return ends_later or (start is not None and start < held.start)


def ended_by(new: Directive, held: Iterable[Directive], now: datetime) -> tuple[Directive, ...]:
    """The directives not yet past that a new one ends.

    The patient's authorisation ends the others of that actor; an attested one only those attested before that end no
    later, so that nobody holds less. A block ends what its actor had; a new médecin traitant ends the former.
    """
    kinds = _ENDS.get(new.kind, frozenset())
    same_actor_only = new.kind is not ConsentKind.ATTENDING_PHYSICIAN
    return tuple(
        d
        for d in held
        if d.kind in kinds
        and not d.has_expired(now)
        and (d.actor == new.actor or not same_actor_only)
        and (not _is_attested_authorisation(new) or _is_covered(d, new, now))
    )


def _is_attested_authorisation(directive: Directive) -> bool:
    return directive.kind is ConsentKind.AUTHORISATION and directive.granted_by is Grantor.PROFESSIONAL


def _is_covered(old: Directive, new: Directive, now: datetime) -> bool:
    """Whether the new one holds whenever the old one would still do; what the patient made stays in any case."""
    if not _is_attested_authorisation(old) or old.end is None or new.end is None:
        return False
    return new.start <= max(old.start, now) and old.end <= new.end


def with_directive(
    held: tuple[Directive, ...], new: Directive, ended: Iterable[Directive], now: datetime
) -> tuple[Directive, ...]:
    """What the head holds next: the new one, without those it ends; of the past, the last of each actor.

    Raises Conflict `too-many` over 300 directives that are not past, or over 40 of one actor.
    """
    gone = {d.consent for d in ended}
    kept = [d for d in held if d.consent not in gone]
    living = [d for d in kept if not d.has_expired(now)]
    most = MOST_ATTESTED if _is_attested_authorisation(new) else MOST_IN_FORCE
    if len(living) >= most or sum(d.actor == new.actor for d in living) >= MOST_OF_ONE_ACTOR:
        raise Conflict("too-many")
    past = {d.actor: d for d in kept if d.has_expired(now) and d.kind is ConsentKind.AUTHORISATION}
    if new.kind is ConsentKind.AUTHORISATION:
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
