"""All that a line of reimbursement says in codes and texts, wherever it stands: for secrets to be found in it."""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SILENT = frozenset({"resourceType", "id", "system", "version", "data", "hash", "valueBase64Binary"})
"""What tells nothing of the care, or nothing that can be read."""
_NAMES = frozenset(
    {
        "value",
        "reference",
        "url",
        "source",
        "preAuthRef",
        "subscriberId",
        "valueId",
        "valueUuid",
        "valueUri",
        "valueUrl",
    }
)
"""Names of things: made of random characters, which may look like a code."""
_NUMBERED = re.compile(r"(?<![^\W_])[^\W\d_]*+\d[^\W_]*+")
"""A run of letters and digits with a digit in it; whatever the text, each of its characters is looked at once."""


def sayings_of(value: Any, name: str = "") -> Iterator[str]:
    """The strings of a resource: of every coding, concept, note, narrative, contained resource and extension."""
    match value:
        case str():
            yield _told(value, name)
        case Mapping():
            for inner, one in value.items():
                if inner not in _SILENT:
                    yield from sayings_of(one, inner)
        case list():
            for one in value:
                yield from sayings_of(one, name)
        case _:
            pass


def _told(text: str, name: str) -> str:
    told = html.unescape(text) if "&" in text else text
    return _NUMBERED.sub(" ", told) if name in _NAMES else told
