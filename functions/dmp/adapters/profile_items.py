"""Entries of the structured profile, and what documents offer it, as items of the records table."""

import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dmp.adapters import keys
from dmp.adapters.record_items import Item, maybe_identifier, maybe_instant, maybe_text
from dmp.domain.clinical_profile import Candidate, DocumentText, Extraction, ProfileEntry, ProfileKind
from dmp.domain.document import Coding, Depositor, Visibility


def write_entry(entry: ProfileEntry, sk: str | None = None) -> Item:
    """The item of an entry."""
    facts = {
        "updated": keys.instant(entry.updated),
        "by": [maybe_text(entry.depositor.person), maybe_text(entry.depositor.structure), entry.depositor_name],
        "own": entry.is_by_patient,
        "secret": entry.is_secret,
        "labels": sorted(entry.visibility),
        "shows": maybe_text(entry.shows_at),
        "resource": entry.resource,
    }
    return _item(entry.record, sk or keys.profile_entry(entry.kind, entry.local)) | {
        "kind": {"S": "profile"},
        "type": {"S": entry.kind.value},
        "local": {"S": entry.local},
        "st": {"S": "deleted" if entry.is_deleted else "active"},
        "v": {"N": str(entry.version)},
        "body": {"B": _deflated(facts)},
    }


def read_entry(item: Item) -> ProfileEntry:
    """An entry from its item."""
    facts = _inflated(item)
    person, structure, name = facts["by"]
    return ProfileEntry(
        record=keys.record_of(item["pk"]["S"]),
        local=item["local"]["S"],
        kind=ProfileKind(item["type"]["S"]),
        version=int(item["v"]["N"]),
        updated=datetime.fromisoformat(facts["updated"]),
        depositor=Depositor(maybe_identifier(person), maybe_identifier(structure)),
        depositor_name=name,
        is_by_patient=facts["own"],
        is_secret=facts["secret"],
        visibility=frozenset(map(Visibility, facts["labels"])),
        shows_at=maybe_instant(facts["shows"]),
        resource=facts["resource"],
        is_deleted=item["st"]["S"] == "deleted",
    )


def write_extraction(extraction: Extraction) -> Item:
    """The item of all that one document offers."""
    return _item(extraction.record, keys.extraction(extraction.local)) | {
        "kind": {"S": "extraction"},
        "local": {"S": extraction.local},
        "body": {"B": _deflated([_candidate(one) for one in extraction.candidates])},
        "st": {"S": "cut" if extraction.is_cut else "whole"},
    }


def _candidate(one: Candidate) -> list[Any]:
    section = [one.section.system, one.section.code, one.section.display] if one.section else None
    return [one.kind.value, section, one.section_title, one.resource]


def read_extraction(item: Item) -> Extraction:
    """What a document offers, from its item."""
    found = [
        Candidate(
            kind=ProfileKind(kind), section=Coding(*section) if section else None, section_title=title, resource=r
        )
        for kind, section, title, r in _inflated(item)
    ]
    return Extraction(
        record=keys.record_of(item["pk"]["S"]),
        local=item["local"]["S"],
        candidates=tuple(found),
        is_cut=item.get("st", {}).get("S") == "cut",
    )


def write_text(text: DocumentText) -> Item:
    """The item of the words of a document."""
    return _item(text.record, keys.document_text(text.local)) | {
        "kind": {"S": "text"},
        "local": {"S": text.local},
        "st": {"S": "whole" if text.is_whole else "partial"},
        "words": {"B": zlib.compress(text.words.encode())},
    }


def read_text(item: Item) -> DocumentText:
    """The words of a document, from their item."""
    return DocumentText(
        record=keys.record_of(item["pk"]["S"]),
        local=item["local"]["S"],
        words=zlib.decompress(item["words"]["B"]).decode(),
        is_whole=item["st"]["S"] == "whole",
    )


def _item(record: str, sk: str) -> Item:
    return keys.item_key(keys.partition(record), sk)


def _deflated(content: Mapping[str, Any] | list[Any]) -> bytes:
    return zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def _inflated(item: Item) -> Any:
    return json.loads(zlib.decompress(item["body"]["B"]))
