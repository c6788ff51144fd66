"""What each item of a record is to an inspection, by its kind; an item that cannot be read is told as such."""

import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from dmp.adapters import (
    consent_items,
    document_items,
    keys,
    message_items,
    profile_items,
    record_items,
    reimbursement_items,
)
from dmp.adapters.record_items import Item
from dmp.domain.consent import ConsentStatus
from dmp.domain.document import DocumentEntry
from dmp.domain.document_list import ListKind
from dmp.domain.errors import DmpError
from dmp.domain.identifiers import Identifier
from dmp.domain.inspection import Broken, Head, Holding, Lead, Offered, Version, Words

UNREADABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, DmpError, zlib.error)
"""What reading an item raises that is not as it was written."""
_LISTS = frozenset(kind.value for kind in ListKind)
_CLAIMS = frozenset({"claim", "reimbursement-name"})
_HINTS = frozenset({"identifier", "editions"})
_OF_INDEXES = ("ga_", "gx_", "ls_")

type Digest = Callable[[Identifier], str]


def holding_of(item: Item, digest: Digest) -> Holding:
    """What an item is; None for messages, marks and what else an inspection does not look into."""
    try:
        return _read(item, item["kind"]["S"], digest)
    except UNREADABLE:
        return Broken(item["sk"]["S"], is_head=item["sk"]["S"] == keys.HEAD)


def document_of(item: Item) -> DocumentEntry | None:
    """A document from its item; None where that cannot be read."""
    try:
        return document_items.read_document(item)
    except UNREADABLE:
        return None


def size_of(item: Item) -> int:
    """About the bytes that an item has."""
    return sum(len(name) + sum(map(_length, typed.values())) for name, typed in item.items())


def _read(item: Item, kind: str, digest: Digest) -> Holding:
    is_current = not item["sk"]["S"].startswith("V#")
    match kind:
        case "record":
            return _head(item, is_current=is_current)
        case "document":
            return _document(item, digest, is_current=is_current)
        case "consent":
            consent = consent_items.read_consent(item)
            told = "Consent", consent.local, consent.version, consent.updated
            says = consent.directive
            is_active = consent.status is ConsentStatus.ACTIVE
            is_indexed = not is_current or _has_indexes(item, consent_items.consent_indexes(consent, digest))
            return Version(*told, is_current, is_active, says.end, directive=says, is_indexed=is_indexed)
        case _ if kind in _LISTS:
            listed = document_items.read_list(item)
            return Version("List", listed.local, listed.version, listed.updated, is_current)
        case "profile":
            known = profile_items.read_entry(item)
            return Version(known.kind.value, known.local, known.version, known.updated, is_current)
        case "related-person":
            person = message_items.read_person(item)
            return Version("RelatedPerson", person.local, person.version, person.updated, is_current)
    return _beside(item, kind, digest)


def _beside(item: Item, kind: str, digest: Digest) -> Holding:
    match kind:
        case "reimbursement":
            line = reimbursement_items.read_line(item)
            named = tuple(keys.reimbursement_name(digest(name)) for name in line.names)
            told = "ExplanationOfBenefit", line.local, 1, line.updated
            return Version(*told, is_current=True, until=line.expires, named=named)
        case "text":
            return Words(profile_items.read_text(item).local)
        case "extraction":
            return Offered(profile_items.read_extraction(item).local)
        case "message":
            message = message_items.read_message(item)
            return Version("Communication", message.local, 1, None, is_current=True)
        case _ if kind in _CLAIMS | _HINTS:
            until = datetime.fromtimestamp(int(item["expires"]["N"]), UTC) if "expires" in item else None
            content = item["sha256"]["S"] if "sha256" in item else ""
            return Lead(item["sk"]["S"], tuple(item["local"]["S"].split()), kind in _CLAIMS, until, content)
    return None


def _document(item: Item, digest: Digest, *, is_current: bool) -> Version:
    entry = document_items.read_document(item)
    told = "DocumentReference", entry.local, entry.version, entry.updated
    edition = [entry.edition.set] if entry.edition else []
    named = _leading([*entry.identifiers, *edition], digest) if is_current else ()
    is_indexed = not is_current or _has_indexes(item, document_items.document_indexes(entry))
    return Version(*told, is_current, entry=entry, named=named, is_indexed=is_indexed)


def _has_indexes(item: Item, wanted: Item) -> bool:
    """Whether an item has just those attributes by which indexes find it."""
    return {name: value for name, value in item.items() if name.startswith(_OF_INDEXES)} == wanted


def _leading(identifiers: Iterable[Identifier], digest: Digest) -> tuple[str, ...]:
    """What the items begin with that lead from these to a resource: one that names it alone, or a whole set."""
    return tuple(keys.other_identifier(digest(one), "") for one in dict.fromkeys(identifiers))


def _head(item: Item, *, is_current: bool) -> Head | Version:
    """The head; a former one is a version of the Patient."""
    record = record_items.read_record(item)
    if is_current:
        return Head(record, size_of(item), _has_indexes(item, record_items.record_indexes(record)))
    return Version("Patient", "", record.patient_version, record.updated, is_current=False)


def record_led_to(item: Item) -> str | None:
    """The record that the item of an INS leads to, empty where it cannot be read; None for any other item."""
    return str(item.get("record", {}).get("S", "")) if item["sk"]["S"] == "INS" else None


def is_of_record(item: Item) -> bool:
    """Whether an item lies in the partition of a record."""
    return bool(item["pk"]["S"].startswith(keys.partition("")))


def _length(value: Any) -> int:
    return len(value.encode()) if isinstance(value, str) else len(value) if isinstance(value, bytes) else 1
