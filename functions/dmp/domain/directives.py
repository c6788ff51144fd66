"""How a new decision of the patient changes those already in force (IHE PCF)."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dmp.domain.civil_time import eighteenth_birthday, end_of_day, same_day_months_later
from dmp.domain.consent import WISHES, ConsentKind, Directive, Grantor
from dmp.domain.consent_request import ConsentRequest
from dmp.domain.errors import Conflict, Invalid
from dmp.domain.identifiers import PS_IDNAT, STRUCT_IDNAT

MOST_IN_FORCE = 300
MOST_ATTESTED = 250
"""Up to here professionals may fill a head with what they attest: the patient can always still block somebody."""
MOST_OF_ONE_ACTOR = 40
"""What one actor may hold at a time: all of it must end in one transaction of 100 writes, two for each Consent."""
MOST_OF_A_KIND = {ConsentKind.EMERGENCY: 30, ConsentKind.OPPOSITION: 10}
"""What one opposition may end: that, too, must fit into one transaction."""
MOST_EXPIRED = 100
_LATEST_START = timedelta(days=36_525)
"""A hundred years from now: beyond, the calendar ends."""
_CLOCK_DRIFT = timedelta(seconds=60)
_NATIONAL_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z/._-]{0,63}", re.ASCII)
_PERIOD = "Consent.provision.period"
_ACTOR = "Consent.provision.actor"
_ACTORS = {
    ConsentKind.AUTHORISATION: frozenset({PS_IDNAT, STRUCT_IDNAT}),
    ConsentKind.BLOCK: frozenset({PS_IDNAT, STRUCT_IDNAT}),
    ConsentKind.ATTENDING_PHYSICIAN: frozenset({PS_IDNAT}),
}
"""The kinds that name professionals or structures, and in which systems; a delegation names a person."""
_BLOCKED = frozenset({ConsentKind.AUTHORISATION, ConsentKind.ATTENDING_PHYSICIAN, ConsentKind.EMERGENCY})
_CHOICES = WISHES | {ConsentKind.ATTENDING_PHYSICIAN, ConsentKind.MASKED_IN_EMERGENCY, ConsentKind.DEFAULT_VISIBILITY}
"""Of these one holds at a time, from the moment it is made: a choice to come would leave the time until then open."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """How many months an authorisation lasts, and how long before its end both sides are told."""

    months: int
    warning: timedelta


def period_of(
    request: ConsentRequest, now: datetime, months: int, birth_date: str = "", *, renews: bool = False
) -> tuple[datetime, datetime | None]:
    """From when until when (excluded) a Consent holds.

    An authorisation lasts `months` from its start unless it says less; one that is renewed, until `months` from now at
    the latest. A delegation by a minor (born on `birth_date`, `YYYY-MM-DD`) ends at the 18th birthday at the latest.
    Raises Invalid `period-too-long`, `period-empty`, `period-invalid`.
    """
    start, end = request.start or now, request.end
    if start > now + _LATEST_START:
        raise Invalid("period-invalid", _PERIOD)
    if request.kind in _CHOICES:
        if start > now + _CLOCK_DRIFT:
            raise Invalid("period-invalid", f"{_PERIOD}.start", "this kind of consent holds from the moment it is made")
        start = min(start, now)
    if request.kind is ConsentKind.AUTHORISATION:
        end = end or same_day_months_later(start, months)
        if end > end_of_day(same_day_months_later(max(start, now) if renews else start, months)):
            raise Invalid("period-too-long", _PERIOD)
    if request.kind is ConsentKind.DELEGATION and is_minor(birth_date, now):
        majority = eighteenth_birthday(birth_date)
        end = min(end or majority, majority)
    if end is not None and end <= max(start, now):
        raise Invalid("period-empty", _PERIOD)
    return start, end


def is_minor(birth_date: str, now: datetime) -> bool:
    """Whether somebody born then (`YYYY-MM-DD`) is under 18; nobody is whose birth date is not known."""
    return bool(birth_date) and now < eighteenth_birthday(birth_date)


def check_actor(request: ConsentRequest) -> None:
    """A professional or a structure is named; a médecin traitant is a person. Raises Invalid `actor-invalid`."""
    systems = _ACTORS.get(request.kind)
    if systems is None:
        return
    actor = request.actor
    if actor is None or actor.system not in systems or not _NATIONAL_ID.fullmatch(actor.value):
        raise Invalid("actor-invalid", _ACTOR)


def is_immutable(held: Directive, *, is_revoked: bool) -> bool:
    """Whether nobody may change a directive so: an opening stays, the hour of an emergency is what it is."""
    return held.kind is ConsentKind.OPENING or (held.kind is ConsentKind.EMERGENCY and not is_revoked)


def holds_longer(held: Directive, start: datetime | None, end: datetime | None) -> bool:
    """Whether another start or end (None: the same) makes a directive hold when it did not."""
    ends_later = end is not None and held.end is not None and end > held.end
    return ends_later or (start is not None and start < held.start)


def ended_by(new: Directive, held: Iterable[Directive], now: datetime) -> tuple[Directive, ...]:
    """The directives not yet past that a new one ends, so that what rests on them ends with them.

    The patient's authorisation ends the others of that actor; an attested one only those attested before that end no
    later, so that nobody holds less. A block ends what its actor had, emergencies included, and the blocks that it
    covers; an opposition those that it covers and the emergencies that it opposes. Of marks and choices the last one
    made counts.
    """
    ends = _ENDS.get(new.kind)
    return tuple(d for d in held if ends and not d.has_expired(now) and ends(new, d, now))


def _authorisation_ends(new: Directive, old: Directive, now: datetime) -> bool:
    if old.kind is not ConsentKind.AUTHORISATION or old.actor != new.actor:
        return False
    return not _is_attested_authorisation(new) or (_is_attested_authorisation(old) and _covers(new, old, now))


def _block_ends(new: Directive, old: Directive, now: datetime) -> bool:
    if old.actor != new.actor:
        return False
    return old.kind in _BLOCKED or (old.kind is ConsentKind.BLOCK and _covers(new, old, now))


def _opposition_ends(new: Directive, old: Directive, now: datetime) -> bool:
    if old.kind is ConsentKind.EMERGENCY:
        return new.start <= now and not set(new.purposes).isdisjoint(old.purposes)
    return old.kind is ConsentKind.OPPOSITION and set(old.purposes) <= set(new.purposes) and _covers(new, old, now)


def _emergency_ends(new: Directive, old: Directive, now: datetime) -> bool:
    return _delegation_ends(new, old, now) and set(old.purposes) <= set(new.purposes)


def _delegation_ends(new: Directive, old: Directive, _now: datetime) -> bool:
    return old.kind is new.kind and old.actor == new.actor


def _last_one_counts(new: Directive, old: Directive, _now: datetime) -> bool:
    return old.kind is new.kind


_ENDS: dict[ConsentKind, Callable[[Directive, Directive, datetime], bool]] = {
    ConsentKind.AUTHORISATION: _authorisation_ends,
    ConsentKind.BLOCK: _block_ends,
    ConsentKind.OPPOSITION: _opposition_ends,
    ConsentKind.EMERGENCY: _emergency_ends,
    ConsentKind.DELEGATION: _delegation_ends,
    ConsentKind.ATTENDING_PHYSICIAN: _last_one_counts,
    ConsentKind.MASKED_IN_EMERGENCY: _last_one_counts,
    ConsentKind.DEFAULT_VISIBILITY: _last_one_counts,
    ConsentKind.ADVANCE_DIRECTIVES: _last_one_counts,
    ConsentKind.ORGAN_DONATION: _last_one_counts,
}
"""Whether a new directive of a kind ends an older one; an opening ends nothing."""


def _is_attested_authorisation(directive: Directive) -> bool:
    return directive.kind is ConsentKind.AUTHORISATION and directive.granted_by is Grantor.PROFESSIONAL


def _covers(new: Directive, old: Directive, now: datetime) -> bool:
    """Whether the new one holds whenever the old one would still do."""
    ends_no_earlier = new.end is None or (old.end is not None and old.end <= new.end)
    return ends_no_earlier and new.start <= max(old.start, now)


def with_directive(
    held: tuple[Directive, ...], new: Directive, ended: Iterable[Directive], now: datetime
) -> tuple[Directive, ...]:
    """What the head holds next: the new one, without those it ends; of the past, the last of each actor.

    Raises Conflict `too-many` over 300 directives that are not past, over 40 of one actor, or over what one
    opposition could end.
    """
    kept = without(held, *(d.consent for d in ended))
    living = [d for d in kept if not d.has_expired(now)]
    most = MOST_ATTESTED if _is_attested_authorisation(new) else MOST_IN_FORCE
    if len(living) >= most or sum(d.actor == new.actor for d in living) >= MOST_OF_ONE_ACTOR:
        raise Conflict("too-many")
    if sum(d.kind is new.kind for d in living) >= MOST_OF_A_KIND.get(new.kind, most):
        raise Conflict("too-many")
    past = {d.actor: d for d in kept if d.has_expired(now) and d.kind is ConsentKind.AUTHORISATION}
    if new.kind is ConsentKind.AUTHORISATION:
        past.pop(new.actor, None)
    return (*list(past.values())[-MOST_EXPIRED:], *living, new)


def without(held: tuple[Directive, ...], *consents: str) -> tuple[Directive, ...]:
    """What the head holds once Consents were revoked, by their local ids."""
    return tuple(d for d in held if d.consent not in consents)


def next_due(directive: Directive, now: datetime, warning: timedelta) -> datetime | None:
    """When the expiry job looks at it next: the warning before an authorisation ends, then its end."""
    if directive.end is None:
        return None
    warn_at = directive.end - warning
    is_warned = directive.kind is not ConsentKind.AUTHORISATION or warn_at <= now
    return directive.end if is_warned else warn_at
