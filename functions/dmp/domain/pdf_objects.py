"""The objects of a PDF as its readers may find them: their names, unescaped, also within compressed object streams.

Every place that could begin an object begins one here, whatever the cross-reference table says: so nothing hides in an
older revision, behind a wrong length or in the data of a stream. Strings and comments are passed over.
"""

import re
import zlib
from collections.abc import Iterator

from dmp.domain.pdf_syntax import (
    BLANK,
    HIDDEN_NAME,
    NAME_END,
    Effort,
    PdfObject,
    TooHidden,
    check_end,
    depth_at_end,
    is_lone_string,
    read_object,
)

MAX_INFLATED = 8 * 1024 * 1024
"""Bytes of an object stream; of all of them, and twice the size of the file beside."""
MAX_RATIO = 200
MAX_TOKENS = 200_000
"""In the objects that are read, and one more for sixteen bytes of the file; an object counts for some."""

_BLANKS = b"\x00\t\n\x0c\r "
_DIGITS = b"0123456789+-."
_WINDOW = 256
_STEP = 65_536
_COST_OF_OBJECT, _COST_OF_WORD = 3, 2
_FILTERS = frozenset({b"FlateDecode", b"Fl"})
_CODED = frozenset({b"Filter", b"F", b"DecodeParms", b"DP", b"FFilter"})
_END_OF_STREAM = b"endstream"
# Two halves of a word, or of a name, on both sides of a place.
_CUT = re.compile(rb"[^" + BLANK + rb"()<>\[\]{}%][^" + BLANK + rb"()<>\[\]{}/%]")
_UNFOLLOWED = "an object stream of the PDF cannot be followed"


class PdfObjects:
    """Finds the objects in which one of some names stands; reads each once, in time linear in the file."""

    def __init__(self, content: bytes, names: frozenset[bytes], start: int = 0) -> None:
        self._content = content
        self._origin = start
        self._effort = Effort(MAX_TOKENS + len(content) // 16)
        self._bytes = MAX_INFLATED + 2 * len(content)
        listed = b"|".join(map(re.escape, sorted(names | {b"ObjStm", b"First", b"URI"}, key=len, reverse=True)))
        telling = rb"/(?:(?:" + listed + rb")" + NAME_END + rb"|" + HIDDEN_NAME + rb")"
        start_of_one = rb"(?P<start>(?<!end)obj|trailer(?=[" + BLANK + rb"]*+(?:<<|%)))"
        self._places = re.compile(start_of_one + rb"|" + telling, re.DOTALL)
        self._telling = re.compile(telling)

    def __iter__(self) -> Iterator[PdfObject]:
        """Raises TooHidden."""
        begun, is_telling = 0, False
        for place in self._places.finditer(self._content, self._origin):
            if not place.lastgroup:
                is_telling = True
            elif self._begins(place.start()):
                if begun:
                    check_end(self._content, begun, place.start(), self._effort)
                if is_telling and begun:
                    yield from self._object(begun, place.start())
                begun, is_telling = place.end(), is_lone_string(self._content, place.end())
        if is_telling and begun:
            yield from self._object(begun, len(self._content))

    def _begins(self, place: int) -> bool:
        """Whether `obj` has its two numbers before it, or so much of nothing that they may be there."""
        self._effort.spend(_COST_OF_WORD)
        if self._content.startswith(b"trailer", place):
            return True
        start = max(self._origin, place - _WINDOW)
        before = self._content[start:place]
        for _ in range(2):
            blank = _without_comments(before)
            if start > self._origin and _begins_out_of_sight(blank, before):
                break
            before = blank.rstrip(_DIGITS)
            if before == blank:
                return False
        self._effort.spend(_COST_OF_OBJECT)
        return True

    def _object(self, place: int, end: int) -> Iterator[PdfObject]:
        self._effort.spend(_COST_OF_OBJECT)
        found = read_object(self._content, place, end, self._effort)
        yield found
        if found.stream and (b"ObjStm" in found.names or {b"N", b"First"} <= set(found.names)):
            yield from self._within(found, end)

    def _within(self, stream: PdfObject, end: int) -> Iterator[PdfObject]:
        """The objects of an object stream, each read from where the stream says that it begins."""
        first, count = stream.number(b"First"), stream.number(b"N")
        self._effort.spend(count)
        is_plain = not _coding(stream.names)
        data = self._plain(stream.stream, end) if is_plain else self._inflated(stream)
        places = [0, *_places(data, first, count)]
        is_telling = bool(self._telling.search(data))
        for begin, stop in zip(places, [*places[1:], len(data)], strict=True):
            if is_telling or is_plain:
                self._check_bounds(data, begin, stop, is_plain=is_plain)
            if self._telling.search(data, begin, stop) or is_lone_string(data, begin):
                yield read_object(data, begin, stop, self._effort, in_stream=True)

    def _check_bounds(self, data: bytes, begin: int, end: int, *, is_plain: bool) -> None:
        """Whatever begins at an object's end is outside of it; nor do plain data end within one."""
        check_end(data, begin, end, self._effort, in_stream=True)
        is_last = end == len(data)
        is_open = is_plain and is_last and depth_at_end(data, begin, end, self._effort, in_stream=True)
        if is_open or (not is_last and _CUT.match(data, end - 1)):
            raise TooHidden(_UNFOLLOWED)

    def _plain(self, place: int, end: int) -> bytes:
        """Data that are not compressed; where they end twice, nobody knows where they end."""
        stop = self._content.find(_END_OF_STREAM, place, end)
        if stop < 0 or self._content.find(_END_OF_STREAM, stop + len(_END_OF_STREAM), end) >= 0:
            raise TooHidden(_UNFOLLOWED)
        self._spend(stop - place)
        return self._content[place:stop]

    def _inflated(self, stream: PdfObject) -> bytes:
        coding = _coding(stream.names)
        if coding not in ([b"Filter", b"FlateDecode"], [b"Filter", b"Fl"]):
            raise TooHidden("an object stream of the PDF is coded otherwise than with Flate")
        # A number may begin data of Flate, too: for who does not see the filter they are not compressed.
        if coding != _coding(stream.outer) or self._content.startswith(b"8", stream.stream):
            raise TooHidden(_UNFOLLOWED)
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
                    return bytes(data)
        except zlib.error:
            pass
        raise TooHidden("an object stream of the PDF cannot be inflated")

    def _spend(self, length: int) -> None:
        """Count bytes of object streams; what is read from a stream at all costs something."""
        self._bytes -= length + _STEP
        if self._bytes < 0:
            raise TooHidden("the object streams of the PDF inflate too far")


def _places(data: bytes, first: int, count: int) -> list[int]:
    """Where the objects of an object stream begin, by the numbers at its head."""
    numbers = data[:first].split(None, 2 * count)[: 2 * count]
    if len(numbers) < 2 * count or not all(number.isdigit() and len(number) < 10 for number in numbers):
        raise TooHidden(_UNFOLLOWED)
    places = sorted({first + int(number) for number in numbers[1::2]} | {first})
    if places[-1] > len(data) or first == 0:
        raise TooHidden(_UNFOLLOWED)
    return places


def _coding(names: list[bytes]) -> list[bytes]:
    """The names that say how a stream is compressed."""
    return [name for name in names if name in _CODED or name.endswith(b"Decode") or name in _FILTERS]


def _begins_out_of_sight(kept: bytes, text: bytes) -> bool:
    """Whether nothing is left of a text without its end, or one line that may be a comment."""
    return not kept or (_has_line_end(text[len(kept) :]) and not _has_line_end(kept))


def _has_line_end(text: bytes) -> bool:
    return b"\n" in text or b"\r" in text


def _without_comments(text: bytes) -> bytes:
    """A text without the blanks and comments at its end."""
    while True:
        kept = text.rstrip(_BLANKS)
        line = max(kept.rfind(b"\r"), kept.rfind(b"\n"))
        comment = kept.find(b"%", line + 1)
        if comment < 0 or not _has_line_end(text[len(kept) :]):
            return kept
        text = kept[:comment]
