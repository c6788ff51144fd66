"""The French words by which documents are read: of headings, titles and denials; names of what has but a code."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

_READINGS = Path(__file__).parent.parent / "data" / "readings_fr.json"
_WORD = re.compile(r"\w+")


def begins_with(text: str, *kinds: str) -> bool:
    """Whether a heading begins with a word of some kinds."""
    return text.casefold().startswith(tuple(word for kind in kinds for word in _words(kind)))


def speaks_of(text: str, kind: str) -> bool:
    """Whether a title has a word of a kind, or one that begins with it."""
    return any(word.startswith(_words(kind)) for word in _split(text))


def phrases(*names: str) -> tuple[str, ...]:
    """The phrases of a list within the data, by the names that lead to it."""
    found = _readings()
    for name in names:
        found = found[name]
    return tuple(found)


@cache
def named_code(name: str) -> tuple[str, str]:
    """The LOINC code of an observation that documents tell of without one, and what it is called."""
    code, text = _readings()["concepts"][name]
    return str(code), str(text)


def _split(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


@cache
def _words(kind: str) -> tuple[str, ...]:
    return tuple(_readings()["words"][kind])


@cache
def _readings() -> Any:
    return json.loads(_READINGS.read_bytes())
