"""What each item of a record is to an inspection, by its kind; an item that cannot be read is told as such."""

import zlib
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
from dmp.domain.document_list import ListKind
from dmp.domain.inspection import Broken, Head, Holding, Lead, Version, Words

_LISTS = frozenset(kind.value for kind in ListKind)
_CLAIMS = frozenset({"claim", "reimbursement-name"})
_HINTS = frozenset({"identifier", "editions"})


def holding_of(item: Item) -> Holding:
    """What an item is; None for messages, marks and what else an inspection does not look into."""
    try:
        return _read(item, item["kind"]["S"])
    except (KeyError, TypeError, ValueError, IndexError, AssertionError, zlib.error):
        return Broken(item["sk"]["S"])


def size_of(item: Item) -> int:
    """About the bytes that an item has."""
    return sum(len(name) + sum(map(_length, typed.values())) for name, typed in item.items())


def _read(item: Item, kind: str) -> Holding:
    is_current = not item["sk"]["S"].startswith("V#")
    match kind:
        case "record":
            return _head(item, is_current=is_current)
        case "document":
            entry = document_items.read_document(item)
            told = "DocumentReference", entry.local, entry.version, entry.updated
            return Version(*told, is_current, entry=entry)
        case "consent":
            consent = consent_items.read_consent(item)
            told = "Consent", consent.local, consent.version, consent.updated
            return Version(*told, is_current, consent.status is ConsentStatus.ACTIVE, consent.directive.end)
        case _ if kind in _LISTS:
            listed = document_items.read_list(item)
            return Version("List", listed.local, listed.version, listed.updated, is_current)
        case "profile":
            known = profile_items.read_entry(item)
            return Version(known.kind.value, known.local, known.version, known.updated, is_current)
        case "related-person":
            person = message_items.read_person(item)
            return Version("RelatedPerson", person.local, person.version, person.updated, is_current)
    return _beside(item, kind)


def _beside(item: Item, kind: str) -> Holding:
    match kind:
        case "reimbursement":
            line = reimbursement_items.read_line(item)
            return Version("ExplanationOfBenefit", line.local, 1, line.updated, is_current=True)
        case "text":
            return Words(item["local"]["S"])
        case _ if kind in _CLAIMS | _HINTS:
            return Lead(item["sk"]["S"], tuple(item["local"]["S"].split()), kind in _CLAIMS)
    return None


def _head(item: Item, *, is_current: bool) -> Head | Version:
    """The head; a former one is a version of the Patient."""
    record = record_items.read_record(item)
    if is_current:
        return Head(record, size_of(item))
    return Version("Patient", "", record.patient_version, record.updated, is_current=False)


def record_led_to(item: Item) -> str:
    """The record that the item of an INS leads to; empty for any other item."""
    return str(item["record"]["S"]) if item["sk"]["S"] == "INS" else ""


def is_of_record(item: Item) -> bool:
    """Whether an item lies in the partition of a record."""
    return bool(item["pk"]["S"].startswith(keys.partition("")))


def _length(value: Any) -> int:
    return len(value.encode()) if isinstance(value, str) else len(value) if isinstance(value, bytes) else 1
