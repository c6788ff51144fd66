"""The text of documents that are little else: plain texts, and RTF without its control words."""

import re
from collections.abc import Iterator

_MOST_BYTES = 4 * 1024 * 1024
"""Of a document that are looked at."""
_CODEPAGE = re.compile(rb"\\ansicpg(\d{1,5})")
_CODEPAGES = frozenset({*range(1250, 1259), 437, 850, 852, 858, 860, 863, 865, 866, 874})
_TOKEN = re.compile(
    rb"(?P<brace>[{}])|\\'(?P<hex>[0-9A-Fa-f]{2})|\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?"
    rb"|\\(?P<symbol>.)|[\r\n]+|(?P<text>[^\\{}\r\n]+)",
    re.DOTALL,
)
_APART = frozenset({b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"fldinst", b"themedata", b"datastore"})
"""Groups that hold no text of the document; so do those that begin with `\\*`."""
_SPACES = frozenset({b"par", b"line", b"tab", b"cell", b"row", b"sect", b"page", b"column", b"emdash", b"endash"})
_SYMBOLS = {b"~": " ", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\n": " ", b"\r": " "}


def text_of_plain(content: bytes) -> str:
    """A plain text, in UTF-8 or else in Windows-1252; the first 4 MiB."""
    head = content[:_MOST_BYTES]
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        # the cut may go through a character
        is_cut = len(content) > len(head) and wrong.start >= len(head) - 3
        return head.decode("utf-8", "ignore") if is_cut else head.decode("cp1252", "replace")


def text_of_rtf(content: bytes) -> str:
    """The text of an RTF, without fonts, styles, pictures and what is said of the document; of its first 4 MiB."""
    return "".join(_Rtf(content[:_MOST_BYTES]).pieces())


class _Rtf:
    """Reads the tokens of an RTF once, from the first to the last."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        named = _CODEPAGE.search(content, 0, 4096)
        page = int(named[1]) if named else 1252
        self._codec = f"cp{page}" if page in _CODEPAGES else "cp1252"
        self._depth = 0
        self._silent_from = 0
        """The depth of the group whose text is passed over; 0: none is."""
        self._fallback, self._to_skip = 1, 0

    def pieces(self) -> Iterator[str]:
        for token in _TOKEN.finditer(self._content):
            if token.lastgroup == "brace":
                self._group(token["brace"])
            elif not self._silent_from:
                yield self._piece(token)

    def _group(self, brace: bytes) -> None:
        self._to_skip = 0
        if brace == b"{":
            self._depth += 1
            return
        if self._depth <= self._silent_from:
            self._silent_from = 0
        self._depth -= 1

    def _piece(self, token: re.Match[bytes]) -> str:
        if token["hex"]:
            return self._shown(bytes((int(token["hex"], 16),)))
        if token["word"]:
            return self._control(token["word"], int(token["number"] or 0))
        if token["symbol"] == b"*":
            self._silent_from = self._depth
        return _SYMBOLS.get(token["symbol"] or b"", "") or self._shown(token["text"] or b"")

    def _control(self, word: bytes, number: int) -> str:
        if word in _APART:
            self._silent_from = self._depth
        if word == b"uc":
            self._fallback = max(number, 0)
        if word != b"u":
            return " " if word in _SPACES else ""
        self._to_skip = self._fallback
        code = number % 0x10000
        return "" if 0xD800 <= code < 0xE000 else chr(code)

    def _shown(self, text: bytes) -> str:
        """A text, without the characters that stand for what was said by its number."""
        skipped = min(self._to_skip, len(text))
        self._to_skip -= skipped
        return text[skipped:].decode(self._codec, "ignore")
