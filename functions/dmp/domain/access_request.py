"""The question that `access` decides, with what the record holds about the caller (L.1111-14 to L.1111-19)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dmp.domain import access_matrix
from dmp.domain.consent import ConsentKind, Directive, EmergencyPurpose, Relationship
from dmp.domain.document import Coding, Depositor, Visibility
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Record
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.rights import Action


class Protected(Protocol):
    """What one decides about beside the record: a document, an entry of the profile, a line of reimbursement."""

    @property
    def type(self) -> Coding | None:
        """The type of document in whose column of the matrix it stands."""

    @property
    def visibility(self) -> frozenset[Visibility]:
        """What hides it."""

    @property
    def depositor(self) -> Depositor:
        """Who fed it."""

    @property
    def authors(self) -> frozenset[Identifier]:
        """Who may read it as an author."""

    @property
    def was_never_available(self) -> bool:
        """Whether nobody but its depositor has ever known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """One question: may `requester` do `action` to `record` (or to its `document` or `consent`) at `now`?

    `folder` is who fed the Folder, or told of the RelatedPerson, that is asked about. `missing_document` asks about a
    document that is not there: whoever may not see everything gets the same answer as for a masked one. `consent` is
    the one that is read or revoked; `consent_kind`, `consent_actor` and `purposes` tell of one about to be created, an
    emergency access too. `belongs_to` is the addressee of a message, the owner of a Subscription, or who asked for an
    archive. `is_secret` asks about an entry of the trace, a message or a Consent of a connexion secrète.
    """

    requester: Requester
    action: Action
    record: Record
    now: datetime
    document: Protected | None = None
    folder: Depositor | None = None
    missing_document: bool = False
    consent: Directive | None = None
    attested_by: Identifier | None = None
    consent_kind: ConsentKind | None = None
    consent_actor: Identifier | None = None
    purposes: tuple[str, ...] = ()
    belongs_to: Identifier | None = None
    is_secret: bool = False
    resource_type: str = ""
    """The type of resource that it is about, where the caller did not name it: apps see the types of their scopes."""

    @property
    def concerns_own_record(self) -> bool:
        """Whether the caller is the person whose record it is."""
        return self.requester.ins == self.record.identity.ins

    @property
    def visibility(self) -> frozenset[Visibility]:
        """What hides the document that is asked about."""
        return self.document.visibility if self.document else frozenset()

    def in_force(self, kind: ConsentKind) -> Iterator[Directive]:
        """Directives of a kind that hold now."""
        return self.record.in_force(kind, self.now)

    def naming_the_caller(self, kind: ConsentKind) -> tuple[Directive, ...]:
        """Directives of a kind, in force, whose actor is the caller or the caller's structure."""
        return tuple(d for d in self.in_force(kind) if d.actor in self.requester.actors)

    def delegations(self, relationship: Relationship) -> tuple[Directive, ...]:
        """By which the caller, another person, acts for this one."""
        ins = self.requester.ins
        if ins is None or self.concerns_own_record:
            return ()
        held = (d for d in self.in_force(ConsentKind.DELEGATION) if d.relationship is relationship)
        return tuple(d for d in held if d.actor == ins)

    def marks(self) -> tuple[Directive, ...]:
        """By which the caller is the médecin traitant: the person's mark, never the structure's."""
        caller = self.requester.identifier
        if self.requester.kind is not RequesterKind.PROFESSIONAL:
            return ()
        return tuple(d for d in self.in_force(ConsentKind.ATTENDING_PHYSICIAN) if d.actor == caller)

    def authorisations(self) -> tuple[Directive, ...]:
        """By which a professional is authorised, in person or by the structure of the token.

        An employee whose row of the matrix permits something is so by the structure's; others never are.
        """
        if access_matrix.row_of(self.requester) is None:
            return ()
        return self.naming_the_caller(ConsentKind.AUTHORISATION)

    def oppositions(self, purposes: Iterable[str]) -> tuple[Directive, ...]:
        """By which the patient opposes one of these emergency modes."""
        held = (d for d in self.in_force(ConsentKind.OPPOSITION) if not d.permit)
        return tuple(d for d in held if not set(d.purposes).isdisjoint(purposes))

    def emergencies(self) -> tuple[Directive, ...]:
        """By which the caller is in an emergency access, less what the patient opposed meanwhile."""
        held = (d for d in self.in_force(ConsentKind.EMERGENCY) if d.actor == self.requester.identifier)
        return tuple(d for d in held if not self.oppositions(d.purposes) and self.may_declare(d.purposes))

    def shown_in_emergencies(self) -> tuple[Directive, ...]:
        """By which the patient shows masked documents in emergencies."""
        return tuple(d for d in self.in_force(ConsentKind.MASKED_IN_EMERGENCY) if d.permit)

    def may_declare(self, purposes: Iterable[str]) -> bool:
        """Whether the caller is somebody for this mode: regulation is for the physicians of centre 15."""
        return EmergencyPurpose.ETREAT not in purposes or self.requester.regulates_emergency_calls

    def has_expired_authorisation(self) -> bool:
        """Whether a professional's last authorisation ended by time alone."""
        return self.requester.kind is RequesterKind.PROFESSIONAL and any(
            d.kind is ConsentKind.AUTHORISATION and d.has_expired(self.now) and d.actor in self.requester.actors
            for d in self.record.directives
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, the rule that gave it, and the Consents (local ids) it rests on.

    `hidden` denials must look like something that does not exist.
    """

    permit: bool
    reason: str
    consents: tuple[str, ...] = ()
    hidden: bool = False


def permit(reason: str, directives: tuple[Directive, ...] = ()) -> Decision:
    """Yes, by this rule and these directives."""
    return Decision(True, reason, tuple(d.consent for d in directives))


def deny(reason: str, directives: tuple[Directive, ...] = (), *, hidden: bool = False) -> Decision:
    """No, by this rule and these directives."""
    return Decision(False, reason, tuple(d.consent for d in directives), hidden)
