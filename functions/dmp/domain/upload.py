"""How a document becomes available whose bytes come by themselves, or that a scanner looks at first (ITI-105)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dmp.domain.document import Awaited, Depositor, DocumentEntry, DocumentStatus
from dmp.domain.identifiers import INS_SYSTEMS, resource_id, split_resource_id
from dmp.domain.requester import Requester, RequesterKind

LARGEST_UPLOAD = 100 * 1024 * 1024
"""Bytes."""
UPLOADS = "uploads/"
"""Begins the keys of what comes by upload: the bucket tells who verifies it."""
DOCUMENTS = "documents/"
"""Begins the keys of what comes inline: the bucket tells who reads its text."""
MOST_REPLACED = 40
"""Documents that one may replace which awaits something: they all end in the transaction that makes it available."""
_PATIENCE = timedelta(hours=25)
"""How long a document is awaited; an address for it is given one hour less, so that none outlives it."""
_LAST_HOUR = timedelta(hours=1)
_STILL_UNDER_WAY = timedelta(hours=1)
"""How long a deposit may take from its bytes to its entry: the function that does it is stopped after half a minute."""
_NEXT_LOOK = timedelta(hours=1)
"""How often it is looked for bytes that came without a word of it."""


def announced_digest(sha1: str) -> str:
    """What a claim on a unique id says of bytes that are still to come, by their SHA-1 in base64."""
    return f"sha1:{sha1}"


class Verdict(StrEnum):
    """What the malware scanner says of an object."""

    CLEAN = "clean"
    INFECTED = "infected"
    UNKNOWN = "unknown"
    """It could not be scanned: what awaits the verdict goes on awaiting it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object lies, by its key: the document that it is the content of."""

    record: str
    local: str
    is_upload: bool

    @property
    def key(self) -> str:
        """The key of the object."""
        return f"{UPLOADS if self.is_upload else DOCUMENTS}{self.record}/{self.local}"


def place_of(key: str) -> Place | None:
    """The document that a key tells of; None where it tells of none."""
    is_upload = key.startswith(UPLOADS)
    prefix = UPLOADS if is_upload else DOCUMENTS
    record, _, local = key.removeprefix(prefix).partition("/")
    is_ours = key.startswith(prefix) and split_resource_id(resource_id(record, local)) is not None
    return Place(record, local, is_upload) if is_ours else None


def is_orphan(since: datetime, now: datetime) -> bool:
    """Whether bytes that are there since a moment, and that no entry names, will never be named by one."""
    return now - since >= _STILL_UNDER_WAY


def awaited_until(now: datetime) -> datetime:
    """When a document that is announced now is given up."""
    return now + _PATIENCE


def next_look(entry: DocumentEntry, now: datetime) -> datetime | None:
    """When the sweep must next look at a document that awaits something."""
    if entry.awaited_until is None or Awaited.CONTENT not in entry.awaits:
        return entry.awaited_until
    return min(entry.awaited_until, now + _NEXT_LOOK)


def is_given_up(entry: DocumentEntry, now: datetime) -> bool:
    """Whether a document has been awaited long enough."""
    return entry.awaited_until is None or entry.awaited_until <= now


def awaits_content(entry: DocumentEntry) -> bool:
    """Whether the bytes of a document are still to come."""
    return entry.is_pending and Awaited.CONTENT in entry.awaits


def is_open(entry: DocumentEntry, now: datetime) -> bool:
    """Whether the bytes of a document may still be sent."""
    return awaits_content(entry) and entry.awaited_until is not None and now < entry.awaited_until - _LAST_HOUR


def renewed(entry: DocumentEntry, now: datetime) -> DocumentEntry:
    """The same version of a document, awaited from now on."""
    again = replace(entry, awaited_until=awaited_until(now))
    return replace(again, due=next_look(again, now))


def next_version(entry: DocumentEntry, came: Awaited, now: datetime) -> DocumentEntry:
    """The next version of a document, to which this has come."""
    awaits = entry.awaits - {came}
    until = entry.awaited_until if awaits else None
    return replace(entry, version=entry.version + 1, updated=now, awaits=awaits, awaited_until=until)


def pinned(entry: DocumentEntry, version: str) -> DocumentEntry:
    """The same version of a document, for which only this version of the object will do: the scanner found it clean."""
    content = replace(entry.content, version=version)
    return replace(entry, content=content, awaits=entry.awaits - {Awaited.VERDICT})


def doc_status_of(entry: DocumentEntry) -> str:
    """What FHIR's docStatus says of a document: nothing of one that came inline, once it is available."""
    if entry.upload_error:
        return "entered-in-error"
    if entry.awaits:
        return "preliminary"
    return "final" if entry.is_uploaded else ""


def failed(entry: DocumentEntry, code: str, now: datetime) -> DocumentEntry:
    """The last version of a document that never became available, and why; what is left of its bytes is swept."""
    ended = entry.with_status(DocumentStatus.ENTERED_IN_ERROR, now)
    return replace(ended, awaits=frozenset(), awaited_until=None, upload_error=code, due=now)


def requester_of(depositor: Depositor) -> Requester:
    """The depositor as a requester, as far as the entry tells: enough to ask what a depositor may do."""
    person, structure = depositor.person, depositor.structure
    if person is None:
        assert structure is not None  # nosec B101 # noqa: S101 - a depositor is somebody
        return Requester(kind=RequesterKind.STRUCTURE, identifier=structure, structure=structure)
    kind = RequesterKind.PATIENT if person.system in INS_SYSTEMS else RequesterKind.PROFESSIONAL
    return Requester(kind=kind, identifier=person, structure=structure)
