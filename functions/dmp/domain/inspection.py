"""What an inspection looks for in what is stored: the promises that every record must keep, and what broke them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from dmp.domain.consent import Directive
from dmp.domain.document import Awaited, DocumentEntry, DocumentStatus
from dmp.domain.record import Record
from dmp.domain.seal import Head as SealedHead
from dmp.domain.seal import Seal

SETTLED = timedelta(minutes=10)
"""What is younger may still be on its way: to the chain of its trace, or to a seal."""
UNWANTED_AFTER = timedelta(hours=25)
"""No upload is awaited longer: what nothing names then, nothing ever will."""
FULL_HEAD_BYTES = 80_000
"""A head may have 100 KB."""
MANY_DIRECTIVES = 240
"""A head may have 300."""


class Fault(StrEnum):
    """What is not as it must be."""

    OBJECT_MISSING = "object-missing"
    OBJECT_DIFFERS = "object-differs"
    """The bytes of a document have another size or hash than what was deposited."""
    OBJECT_UNREADABLE = "object-unreadable"
    """S3 refuses it: its key is another one, disabled, or gone."""
    OBJECT_NOT_ENCRYPTED = "object-not-encrypted"
    OBJECT_NOT_PINNED = "object-not-pinned"
    """Of what came by upload any version might be served."""
    METADATA_DIFFERS = "metadata-differs"
    """What readers are told of a document, or its unique id tells, is not what is kept of it."""
    STATUS_DIFFERS = "status-differs"
    """A document is current, superseded or deleted, and what replaced it, its versions or the trace deny it."""
    NOT_TRACED = "not-traced"
    """A version that no entry of the trace tells of."""
    TRACED_TWICE = "traced-twice"
    CHANGE_LOST = "change-lost"
    """The trace tells of something that is not there."""
    FORMER_VERSION_LOST = "former-version-lost"
    LEADS_NOWHERE = "leads-nowhere"
    """A unique id, or an INS, that leads to nothing."""
    NOT_CLAIMED = "not-claimed"
    """A document that its unique id does not lead to."""
    NOT_LED_TO = "not-led-to"
    """What the INS of the person, or another identifier, must lead to, and does not."""
    INDEX_DIFFERS = "index-differs"
    """A job, or a search, does not find it, or finds it as something else than it is."""
    NOT_INDEXED = "not-indexed"
    NOT_EXTRACTED = "not-extracted"
    """A document of which the profile and the summary tell nothing, though it states something."""
    DIRECTIVE_DIFFERS = "directive-differs"
    """Head and Consents do not say the same of what is in force."""
    HEAD_DIFFERS = "head-differs"
    """The head and the trace do not say the same of whether the record is open."""
    HEAD_MISSING = "head-missing"
    UNREADABLE = "unreadable"
    LEFT_AFTER_ERASURE = "left-after-erasure"
    ENTRY_DAMAGED = "entry-damaged"
    ENTRY_GONE = "entry-gone"
    """An entry of the trace that was chained, and is there no more."""
    NOT_CHAINED = "not-chained"
    CHAINED_TWICE = "chained-twice"
    CHAIN_BROKEN = "chain-broken"
    CHAIN_CUT = "chain-cut"
    """A chain that was longer, as the list of what is to be sealed tells."""
    NOT_SEALED = "not-sealed"
    SEAL_DIFFERS = "seal-differs"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is not as it must be; `what` names it within its record, by ids alone."""

    fault: Fault
    record: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a resource of a record, former or current; `entry` is that of a document.

    Of a Consent it tells whether it is active, and what it says; of a line of reimbursement, `until` when it is kept.
    `named` is what the names of items begin with that must lead to it; `is_indexed` whether the indexes find it.
    """

    kind: str
    local: str
    number: int
    at: datetime | None
    is_current: bool
    is_active: bool = True
    until: datetime | None = None
    directive: Directive | None = None
    entry: DocumentEntry | None = None
    named: tuple[str, ...] = ()
    is_indexed: bool = True


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a record, and about how many bytes it has."""

    record: Record
    size: int
    is_indexed: bool = True


@dataclass(frozen=True, slots=True)
class Lead:
    """What leads to resources of the record by their local ids; a hint may come before them, and end with them.

    `digest` tells the bytes of the document that has claimed a unique id.
    """

    name: str
    locals: tuple[str, ...]
    is_claim: bool
    until: datetime | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """By which a document is found."""

    local: str


@dataclass(frozen=True, slots=True)
class Offered:
    """What a document offers to the profile is there."""

    local: str


@dataclass(frozen=True, slots=True)
class Broken:
    """An item that cannot be read; of a record, maybe its head."""

    name: str
    is_head: bool = False


type Holding = Version | Head | Lead | Words | Offered | Broken | None
"""What an item of a record is to an inspection; None where there is nothing to look for."""


@dataclass(frozen=True, slots=True)
class SealObject:
    """A seal as its object says it, the heads under it, and the root over these in hexadecimal."""

    seal: Seal
    leaves: frozenset[SealedHead]
    size: int
    root: str

    def holds(self, told: Mapping[str, object]) -> bool:
        """Whether the heads are those that the text of the seal tells of."""
        return (told["size"], told["root"]) == (self.size, self.root)


@dataclass(slots=True)
class Tally:
    """What was looked at."""

    records: int = 0
    documents: int = 0
    objects: int = 0
    stored_bytes: int = 0
    items: int = 0
    item_bytes: int = 0
    entries: int = 0
    orphans: int = 0
    swept: int = 0
    problems: list[Problem] = field(default_factory=list)
    full_heads: list[dict[str, object]] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Count what another one counted, too."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def has_bytes(entry: DocumentEntry) -> bool:
    """Whether the bytes of a document must be there."""
    return entry.status is not DocumentStatus.ENTERED_IN_ERROR and Awaited.CONTENT not in entry.awaits


def may_be_named_later(entry: DocumentEntry) -> bool:
    """Whether a document without a claim on a unique id is as it should be: it ended, or its CDA will tell it."""
    return bool(entry.upload_error) or (entry.is_uploaded and bool(entry.awaits) and entry.master_identifier is None)


def is_full(head: Head) -> bool:
    """Whether a head comes near what it may hold."""
    return head.size >= FULL_HEAD_BYTES or len(head.record.directives) >= MANY_DIRECTIVES
