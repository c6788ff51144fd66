"""What people are told of their record: messages, to whom they go, and by which channel (R.1111-48, R.1111-43)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dmp.domain.civil_time import eighteenth_birthday
from dmp.domain.consent import ConsentKind
from dmp.domain.identifiers import PS_IDNAT, Identifier, resource_id
from dmp.domain.record import Record

PATIENT = "patient"
"""The recipient that is the person of the record; others are named by `system|value`."""


class Kind(StrEnum):
    """What a message is about; each has its text."""

    DOCUMENT_ADDED = "document-added"
    DOCUMENT_REPLACED = "document-replaced"
    DOCUMENT_DELETED = "document-deleted"
    CONSULTATION = "consultation"
    """Something is there that a professional should explain first; it does not say what (R.1111-53)."""
    FIRST_ACCESS = "first-access"
    EMERGENCY_ACCESS = "emergency-access"
    AUTHORISATION_ADDED = "authorisation-added"
    AUTHORISATION_EXPIRING = "authorisation-expiring"
    AUTHORISATION_EXPIRED = "authorisation-expired"
    EXPORT_READY = "export-ready"
    RECORD_CLOSED = "record-closed"
    RECORD_SUSPENDED = "record-suspended"


class Channel(StrEnum):
    """How somebody is told."""

    MESSAGE = "message"
    MAIL = "mail"


ALWAYS = frozenset({Kind.EMERGENCY_ACCESS, Kind.RECORD_CLOSED, Kind.RECORD_SUSPENDED})
"""What nobody can choose not to be told."""


class MessageStatus(StrEnum):
    """FHIR's Communication.status: unread, or read."""

    UNREAD = "in-progress"
    READ = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An in-app message, sent by mail too where it has an address (`email`).

    `recipient` is `patient` or the identifier (`system|value`) of a professional or structure. `about` are FHIR
    references. `is_secret` hides it from representatives.
    """

    record: str
    local: str
    sent: datetime
    recipient: str
    kind: Kind
    about: tuple[str, ...] = ()
    email: str = ""
    is_secret: bool = False
    version: int = 1
    updated: datetime | None = None
    """When it was last changed; None stands for `sent`."""
    status: MessageStatus = MessageStatus.UNREAD

    @property
    def id(self) -> str:
        """The FHIR id of the Communication."""
        return resource_id(self.record, self.local)

    @property
    def addressee(self) -> Identifier | None:
        """The professional or structure it is for."""
        return None if self.recipient == PATIENT else Identifier.parse(self.recipient)

    def marked(self, status: MessageStatus, now: datetime) -> "Message":
        """The next version, read or unread."""
        return replace(self, status=status, version=self.version + 1, updated=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that happened in a record, of which its people are told."""

    kind: Kind
    about: tuple[str, ...] = ()
    is_secret: bool = False
    also: tuple[Identifier, ...] = ()
    """Professionals and structures who are told besides the patient."""


def messages_of(
    notice: Notice, record: Record, locals_: Iterator[str], now: datetime, mail_domain: str = ""
) -> Iterator[Message]:
    """The messages that a notice makes, by what the person prefers; `locals_` gives each its local id.

    A mail announces a message: a person who wants no message of a kind gets no mail of it either, one who wants no
    mail finds the message in the portal. What a professional is told, the person's preferences do not change.
    `mail_domain` is where a professional has a mailbox by national number; empty where there is none.
    """
    if wants(record, notice.kind, Channel.MESSAGE):
        yield _message(notice, record, next(locals_), now, PATIENT, _address_of_patient(notice, record, now))
    for actor in dict.fromkeys(notice.also):
        is_reached = mail_domain and actor.system == PS_IDNAT
        address = f"{actor.value}@{mail_domain}" if is_reached else ""
        yield _message(notice, record, next(locals_), now, str(actor), address)


def attending_physicians(record: Record, now: datetime) -> tuple[Identifier, ...]:
    """Who carries the médecin traitant mark now."""
    return tuple(d.actor for d in record.in_force(ConsentKind.ATTENDING_PHYSICIAN, now) if d.actor)


def wants(record: Record, kind: Kind, channel: Channel) -> bool:
    """Whether the person wants to be told of this, by this channel."""
    return kind in ALWAYS or (kind.value, channel.value) not in record.unwanted


def _message(notice: Notice, record: Record, local: str, now: datetime, recipient: str, address: str) -> Message:
    return Message(
        record=record.id,
        local=local,
        sent=now,
        recipient=recipient,
        kind=notice.kind,
        about=notice.about,
        email=address,
        is_secret=notice.is_secret,
    )


def _address_of_patient(notice: Notice, record: Record, now: datetime) -> str:
    """The mail address, if it may be used: a minor's is often a parent's, who learns nothing of secret acts."""
    birth = record.identity.birth_date
    is_minor = bool(birth) and now < eighteenth_birthday(birth)
    if not wants(record, notice.kind, Channel.MAIL) or (notice.is_secret and is_minor):
        return ""
    return next((t.value for t in record.identity.telecom if t.system == "email"), "")
