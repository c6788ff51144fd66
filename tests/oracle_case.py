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


class Action(StrEnum):
    READ = "read a document"
    SEARCH = "search beyond the own documents"
    READ_PATIENT = "read the identity"
    READ_TRACE = "read the trace"
    FEED = "deposit"
    MASK = "mask or unmask"
    DELETE = "delete"
    REPLACE = "replace"
    CONSENT = "create a consent"
    CLOSE = "close"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The caller. `person` is `patient` or `G…` for a citizen; an employee's is local to the structure."""

    kind: Kind
    person: str | None = None
    structure: str | None = None
    profession: str = ""
    occupational: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """A Consent kept in the record; instants are seconds, `end` is the first instant without it.

    kind: authorisation, block, attending-physician, delegation, emergency, opposition, masked-in-emergency.
    purpose (of emergency, opposition): BTG, ETREAT. choice (of masked-in-emergency): permit, deny.
    relation (of delegation): representative, caregiver.
    """

    kind: str
    actor: str | None = None
    maker: str = "patient"
    start: int
    end: int
    revoked: bool = False
    purpose: str = "BTG"
    choice: str = "permit"
    relation: str = "representative"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of the record: who deposited it, whom it names as authors, and what hides it."""

    type: str | None = "11490-0"
    labels: frozenset[str] = frozenset()
    depositor_kind: Kind = Kind.PROFESSIONAL
    depositor: str | None = None
    depositor_structure: str | None = None
    authors: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    who: Who
    state: State
    directives: tuple[Directive, ...]
    now: int
    action: Action
    document: Document
    consent: str = "authorisation"
    """The kind of Consent to create, when the action is that; a professional names the own person in it."""
