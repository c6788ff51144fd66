"""Texts that show what they say: no control characters, and none that reorder or hide what stands beside them."""

import re

# Controls but for tab and line ends, what reorders a line (Trojan Source, CVE-2021-42574), byte order marks,
# annotations, tags, what is no character and halves of pairs.
_DECEIVING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
# What takes no room: fine between letters, nothing by itself.
_INVISIBLE = "".join(map(chr, (0xAD, 0x34F, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2060, 0x2065))))
_EMPTY = dict.fromkeys(map(ord, _INVISIBLE))


def is_visible(text: str) -> bool:
    """Whether a text shows something, and shows all that it holds; an empty one has nothing to hide."""
    if text.isascii() and text.isprintable():
        return True
    return not _DECEIVING.search(text) and bool(text.translate(_EMPTY).strip() or not text.strip())


def made_visible(text: str) -> str:
    """A text without the characters that deceive; an empty one where nothing would show."""
    kept = _DECEIVING.sub("", text)
    return kept if is_visible(kept) else ""
