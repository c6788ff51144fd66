"""What a document says of others of its record by their ids: appends, transforms, signs, is related to (FHIR R4)."""

import json
import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from dmp.domain.document import DocumentEntry

_PLACES = "(?:DocumentReference|Binary)/"
_ELEMENT = r'"(?:reference|value[A-Za-z]*)":\s*"(?:[^"\\]|\\.)*?'
"""The beginning, in JSON, of what leads to another resource."""
_NOTHING: tuple[Any, ...] = ([], {})


def related(entry: DocumentEntry) -> frozenset[str]:
    """Local ids of the documents that it names, by a path or by an address of this server.

    They are read from its text, so that nothing is parsed of what names none, and nothing more is stored.
    """
    return frozenset(_naming(entry).findall(entry.body))


def without(entry: DocumentEntry, hidden: Collection[str]) -> DocumentEntry:
    """The entry as if it had never named these documents (local ids): each element that names one goes, and no other.

    What remains of an element that has nothing left goes too.
    """
    named = related(entry).intersection(hidden)
    if not named:
        return entry
    naming = re.compile(rf"{_PLACES}{entry.record}\.(?:{'|'.join(named)})")
    body = json.dumps(_shown(json.loads(entry.body), naming), ensure_ascii=False, separators=(",", ":"))
    return replace(entry, body=body)


def _naming(entry: DocumentEntry) -> re.Pattern[str]:
    return re.compile(rf"{_ELEMENT}{_PLACES}{entry.record}\.([0-9a-z]{{26}})")


def _shown(value: Any, hidden: re.Pattern[str]) -> Any:
    if isinstance(value, list):
        items = (_shown(item, hidden) for item in value if not _names(item, hidden))
        return [item for item in items if item not in _NOTHING]
    if isinstance(value, dict):
        elements = ((name, _shown(item, hidden)) for name, item in value.items() if not _names(item, hidden))
        return {name: item for name, item in elements if item not in _NOTHING}
    return value


def _names(element: Any, hidden: re.Pattern[str]) -> bool:
    """Whether an element refers to a hidden document, or means nothing without such a reference: a relation, say."""
    if not isinstance(element, dict):
        return False
    return any(
        hidden.search(value) is not None if isinstance(value, str) else _names(value, hidden)
        for name, value in element.items()
        if name in ("reference", "target") or name.startswith("value")
    )
