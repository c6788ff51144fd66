"""The objects of a PDF as its readers may find them: their names, unescaped, also within compressed object streams.

Every place that could begin an object begins one here, whatever the cross-reference table says: so nothing hides in an
older revision, behind a wrong length or in the data of a stream. Strings and comments are passed over.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dmp.domain.errors import DmpError

MAX_INFLATED = 8 * 1024 * 1024
"""Bytes of an object stream; of all of them, and twice the size of the file beside."""
MAX_RATIO = 200
MAX_TOKENS = 300_000
"""In the objects that are read, and one more for sixteen bytes of the file; an object counts for some."""

_BLANK = rb"\x00\t\n\x0c\r "
_BLANKS = b"\x00\t\n\x0c\r "
_WINDOW = 256
_START = re.compile(rb"obj|trailer")
_STEP = 65_536
_COST_OF_OBJECT, _COST_OF_WORD = 8, 2
_NAME = rb"/[^" + _BLANK + rb"()<>\[\]{}/%]*"
_TOKEN = re.compile(
    rb"(?P<name>" + _NAME + rb")|\((?P<flat>(?:[^()\\]++|\\.)*+)\)|(?P<open>\()|(?P<dict><<)|<(?P<hex>[^<>]*)>"
    rb"|(?P<end>>>(?:[" + _BLANK + rb"]|%[^\r\n]*)*+(?P<stream>stream(?:\r?\n|\r)?)?)|(?P<comment>%[^\r\n]*)",
    re.DOTALL,
)
_DEPTH: Mapping[str | None, int] = {"dict": 1, "end": -1}
_PARENTHESIS = re.compile(rb"[()]|\\.", re.DOTALL)
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_FIRST = re.compile(rb"/First[" + _BLANK + rb"]+(\d{1,9})[^\d]")
_FILTERS = frozenset({b"FlateDecode", b"Fl"})
_CODED = frozenset({b"Filter", b"F", b"DecodeParms", b"DP", b"FFilter"})


class TooHidden(DmpError):
    """Objects of a PDF that cannot be followed as far as its readers would; the detail says why."""

    def __init__(self, detail: str) -> None:
        super().__init__("unsafe-content", detail=detail)


@dataclass(frozen=True, slots=True)
class PdfObject:
    """The names of an object, in order and unescaped, and the strings that stand right behind `/URI`."""

    names: list[bytes]
    links: list[bytes]
    stream: int = 0
    """Where the data of the stream begins; 0 where there is none."""


class PdfObjects:
    """Finds the objects in which one of some names stands; reads each once, in time linear in the file."""

    def __init__(self, content: bytes, names: frozenset[bytes], start: int = 0) -> None:
        self._content = content
        self._origin = start
        self._tokens = MAX_TOKENS + len(content) // 16
        self._bytes = MAX_INFLATED + 2 * len(content)
        listed = b"|".join(map(re.escape, sorted(names | {b"ObjStm", b"First", b"URI"}, key=len, reverse=True)))
        end = rb"(?![^" + _BLANK + rb"()<>\[\]{}/%])"
        self._telling = rb"/(?:(?:" + listed + rb")" + end + rb"|[^" + _BLANK + rb"()<>\[\]{}/%#]{0,127}#)"
        self._places = re.compile(rb"(?P<start>obj|trailer)|" + self._telling, re.DOTALL)
        self._telling_names = re.compile(self._telling)

    def __iter__(self) -> Iterator[PdfObject]:
        """Raises TooHidden."""
        begun = 0
        for place in self._places.finditer(self._content, self._origin):
            self._check_tokens(self._tokens)
            if place.lastgroup:
                begun = place.end() if self._begins(place.start()) else begun
            elif begun:
                yield from self._object(begun)
                begun = 0

    def _begins(self, place: int) -> bool:
        """Whether `obj` has its two numbers before it; comments may stand between."""
        if self._content.startswith(b"trailer", place):
            return True
        before = self._content[max(0, place - _WINDOW) : place]
        for _ in range(2):
            blank = _without_comments(before)
            before = blank.rstrip(b"0123456789")
            if before == blank:
                self._tokens -= _COST_OF_WORD
                return False
        return True

    def _object(self, place: int) -> Iterator[PdfObject]:
        following = _START.search(self._content, place)
        while following and not self._begins(following.start()):
            following = _START.search(self._content, following.end())
        found = self._read(self._content, place, following.start() if following else len(self._content))
        yield found
        if found.stream and (b"ObjStm" in found.names or {b"N", b"First"} <= set(found.names)):
            yield from self._within(found, place)

    def _read(self, content: bytes, place: int, end: int) -> PdfObject:
        names: list[bytes] = []
        links: list[bytes] = []
        left = self._tokens - _COST_OF_OBJECT
        depth, is_link, is_closed = 0, False, True
        while token := _TOKEN.search(content, place, end):
            place, kind, left = token.end(), token.lastgroup, left - 1
            self._check_tokens(left)
            depth += _DEPTH.get(kind, 0)
            if token["stream"] and depth <= 0:
                break
            match kind:
                case "name":
                    names.append(_unescaped(token["name"]))
                case "open" if is_closed:
                    place, is_closed = _behind_string(content, place, end)
                case "flat" | "hex" if is_link:
                    links.append(token["flat"] if kind == "flat" else _from_hex(token["hex"]))
            is_link = names[-1] == b"URI" if kind == "name" else is_link and kind == "comment"
        self._tokens = left
        return PdfObject(names, links, token.end() if token else 0)

    def _check_tokens(self, left: int) -> None:
        if left < 0:
            raise TooHidden("the PDF has too many objects for its size")

    def _within(self, stream: PdfObject, place: int) -> Iterator[PdfObject]:
        """The objects of an object stream, each read from where the stream says that it begins."""
        first = _FIRST.search(self._content, place, stream.stream)
        if not first:
            raise TooHidden("an object stream of the PDF cannot be followed")
        data = self._data(stream)
        numbers = data[: int(first[1])].split()[1::2]
        if not all(number.isdigit() and len(number) < 10 for number in numbers):
            raise TooHidden("an object stream of the PDF cannot be followed")
        begins = sorted({int(first[1]) + int(number) for number in numbers} | {int(first[1])})
        for begin, end in zip(begins, [*begins[1:], len(data)], strict=True):
            if self._telling_names.search(data, begin, end):
                yield self._read(data, begin, end)

    def _data(self, stream: PdfObject) -> bytes:
        coded = [name for name in stream.names if name in _CODED or name.endswith(b"Decode") or name in _FILTERS]
        if not coded:
            end = self._content.find(b"endstream", stream.stream)
            self._spend(end - stream.stream if end >= 0 else len(self._content))
            return self._content[stream.stream : end]
        if coded not in ([b"Filter", b"FlateDecode"], [b"Filter", b"Fl"]):
            raise TooHidden("an object stream of the PDF is coded otherwise than with Flate")
        return self._inflate(stream.stream)

    def _inflate(self, place: int) -> bytes:
        inflater, data = zlib.decompressobj(), bytearray()
        try:
            for start in range(place, len(self._content), _STEP):
                piece = inflater.decompress(self._content[start : start + _STEP], MAX_INFLATED + 1)
                self._spend(len(piece))
                data += piece
                if len(data) > min(MAX_INFLATED, _STEP + MAX_RATIO * (start + _STEP - place)):
                    raise TooHidden("an object stream of the PDF inflates too far")
                if inflater.eof:
                    break
        except zlib.error:
            raise TooHidden("an object stream of the PDF cannot be inflated") from None
        return bytes(data)

    def _spend(self, length: int) -> None:
        """Count bytes of object streams; what is read from a stream at all costs something."""
        self._bytes -= length + _STEP
        if self._bytes < 0:
            raise TooHidden("the object streams of the PDF inflate too far")


def _without_comments(text: bytes) -> bytes:
    """A text without the blanks and comments at its end."""
    while True:
        kept = text.rstrip(_BLANKS)
        line = max(kept.rfind(b"\r"), kept.rfind(b"\n"))
        comment = kept.find(b"%", line + 1)
        if comment < 0 or not {13, 10}.intersection(text[len(kept) :]):
            return kept
        text = kept[:comment]


def _behind_string(content: bytes, place: int, end: int) -> tuple[int, bool]:
    """Where a string with parentheses in it ends; one that does not end is none: its names count."""
    depth = 1
    for found in _PARENTHESIS.finditer(content, place, end):
        depth += {b"(": 1, b")": -1}.get(found[0], 0)
        if not depth:
            return found.end(), True
    return place, False


def _unescaped(name: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), name[1:]) if b"#" in name else name[1:]


def _from_hex(text: bytes) -> bytes:
    digits = bytes(digit for digit in text if digit in b"0123456789abcdefABCDEF")
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
