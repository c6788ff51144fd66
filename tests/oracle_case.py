"""The words of the access oracle: a `Case` is one whole situation, of plain texts and numbers."""

from dataclasses import dataclass
from enum import StrEnum

PATIENT = "patient"
"""The person whose record it is; `G…` are other persons, `P…` professionals, `E…` employees, `S…` structures."""


class Kind(StrEnum):
    PROFESSIONAL = "professional"
    EMPLOYEE = "employee"
    STRUCTURE = "structure"
    CITIZEN = "citizen"
    CPAM_AGENT = "cpam-agent"
    CNAM_FEED = "cnam-feed"


class State(StrEnum):
    NONE = "none"
    OPEN = "open"
    CLOSED = "closed"
    SUSPENDED = "suspended"
    ERASING = "erasing"
    ERASED = "erased"


class Action(StrEnum):
    OPEN = "open a record"
    OPPOSE = "oppose that one is opened, or lift that"
    CLOSE = "close"
    REOPEN = "reopen"
    ERASE = "ask erasure"
    STATUS = "ask whether there is a record (TD0.2)"
    EMERGENCY = "declare an emergency"
    READ_PATIENT = "read the identity"
    UPDATE_PATIENT = "change contacts and preferences"
    PRINT_ATTESTATION = "print the attestation of the opening"
    SEARCH = "search beyond the own documents"
    READ = "read a document"
    FEED = "deposit"
    REPLACE = "replace"
    MASK = "mask or unmask"
    HIDE = "set or lift an INVISIBLE code"
    ARCHIVE = "archive or take back"
    DELETE = "delete"
    READ_TRACE = "read an entry of the trace"
    EXPLAIN = "explain the accesses"
    CONSENT = "create a consent"
    READ_CONSENT = "read a consent"
    REVOKE = "revoke a consent"
    RENEW = "give a consent another period"
    READ_PERSON = "read a RelatedPerson"
    WRITE_PERSON = "write a RelatedPerson"
    NAME_DELEGATE = "tell of a RelatedPerson who has an INS"
    READ_MESSAGE = "read a message"
    SUBSCRIBE = "subscribe"
    KEEP_SUBSCRIPTION = "read or end a subscription"


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The caller. `person` is `patient` or `G…` for a citizen; an employee's is local to the structure.

    `refusal` is why a genuine token may do nothing, such as a purpose outside care; empty for all others.
    `scopes` are what an app may do for them: context, type and letters; None where no app asks.
    """

    kind: Kind
    person: str | None = None
    structure: str | None = None
    profession: str = ""
    occupational: bool = False
    regulates: bool = False
    refusal: str = ""
    scopes: tuple[tuple[str, str, str], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """A Consent kept in the record; instants are seconds, `end` is the first instant without it (None: no end).

    kind: authorisation, block, attending-physician, delegation, emergency, opposition, masked-in-emergency,
    default-visibility, opening, advance-directives, organ-donation. purposes (of emergency, opposition): BTG, ETREAT.
    choice (of masked-in-emergency and default-visibility): permit, deny. relation (of delegation): representative,
    caregiver. attester: who attested it.
    """

    kind: str
    actor: str | None = None
    maker: str = "patient"
    attester: str | None = None
    start: int
    end: int | None
    revoked: bool = False
    purposes: tuple[str, ...] = ("BTG",)
    choice: str = "permit"
    relation: str = "representative"

    def runs(self, now: int) -> bool:
        return not self.revoked and self.start <= now and (self.end is None or now < self.end)

    def expired(self, now: int) -> bool:
        """Whether time alone ended it."""
        return not self.revoked and self.end is not None and self.end <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of the record: who deposited it, whom it names as authors, and what hides it."""

    type: str | None = "11490-0"
    labels: frozenset[str] = frozenset()
    depositor_kind: Kind = Kind.PROFESSIONAL
    depositor: str | None = None
    depositor_structure: str | None = None
    authors: frozenset[str] = frozenset()
    awaited: str = ""
    """What it awaits, `content` or `verdict`; `failed` where it will never become available."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Who asks what of a record; the fields below `document` are read by the actions that they concern."""

    who: Who
    state: State
    directives: tuple[Directive, ...]
    now: int
    action: Action
    document: Document
    consent: str = "authorisation"
    """The kind of Consent to create."""
    actor: str | None = None
    """Whom the Consent to create names."""
    purpose: str = "BTG"
    """The mode of the emergency to declare, or what the opposition to create is about."""
    subject: Directive | None = None
    """The Consent that is read, revoked or renewed."""
    owner: str = PATIENT
    """The addressee of the message, or the owner of the Subscription."""
    secret: bool = False
    """Whether the entry of the trace, the message or the Consent is of a connexion secrète."""
    opened_by: Who | None = None
    missing: bool = False
    """Whether the document is not there at all."""
    asks: tuple[str, str] = ("DocumentReference", "r")
    """The type and the letter that an app's request is about."""
    about: str = ""
    """The type of what is decided about, where it may be another."""
    minor: bool = False
    """Whether the person whose record it is has not come of age."""
    guardian: str | None = None
    """Who says, at an opening or an opposition, to represent the minor whose record it would be."""
