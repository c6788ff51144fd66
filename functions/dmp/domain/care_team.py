"""Who takes part in the care of a person, as their decisions in force tell: nobody enters it (FHIR CareTeam)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dmp.domain.consent import Consent, ConsentKind, Directive
from dmp.domain.identifiers import Identifier, resource_id
from dmp.domain.record import Record

TEAM = "0" * 26
"""Local id of the only one of a record."""
_ROLES = (ConsentKind.ATTENDING_PHYSICIAN, ConsentKind.AUTHORISATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A médecin traitant, or an authorised professional or structure; `end` is excluded, None until revoked."""

    role: ConsentKind
    actor: Identifier
    start: datetime
    end: datetime | None
    consents: tuple[str, ...]
    """Local ids of the Consents that say so."""
    joined: datetime
    """When the last of these began."""
    name: str = ""

    def with_name(self, consents: Mapping[str, Consent]) -> "Member":
        """The same, by the name that one of these Consents gives it, if one does."""
        names = (_name_in(consents[local], self.actor) for local in self.consents if local in consents)
        return replace(self, name=next(filter(None, names), ""))


@dataclass(frozen=True, slots=True)
class CareTeam:
    """The team of one record, as far as its reader may know of it; `updated` is when its newest member joined."""

    record: str
    updated: datetime
    members: tuple[Member, ...]

    @property
    def id(self) -> str:
        """The FHIR id."""
        return resource_id(self.record, TEAM)


def care_team(record: Record, now: datetime, may_know: Callable[[Directive], bool]) -> CareTeam:
    """The team at this instant: médecin traitant first, each once in a role."""
    found: list[Member] = []
    for role in _ROLES:
        known = [d for d in record.in_force(role, now) if d.actor and may_know(d)]
        actors = dict.fromkeys(d.actor for d in known if d.actor)
        found += [_member(role, actor, [d for d in known if d.actor == actor]) for actor in actors]
    return CareTeam(record.id, _updated(found) or record.opened_at, tuple(found))


def _updated(members: Iterable[Member]) -> datetime | None:
    """By those who are shown alone: decisions about others tell nothing here."""
    return max((one.joined for one in members), default=None)


def _member(role: ConsentKind, actor: Identifier, held: Iterable[Directive]) -> Member:
    """Several decisions about one actor hold from the first until the last."""
    directives = list(held)
    ends = [d.end for d in directives if d.end]
    return Member(
        role=role,
        actor=actor,
        start=min(d.start for d in directives),
        end=max(ends) if len(ends) == len(directives) else None,
        consents=tuple(d.consent for d in directives),
        joined=max(d.start for d in directives),
    )


def _name_in(consent: Consent, actor: Identifier) -> str:
    return consent.actor_display or (consent.attested_by_name if consent.attested_by == actor else "")
