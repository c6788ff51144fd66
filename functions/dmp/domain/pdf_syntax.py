"""The text of an object of a PDF: names, strings, dictionaries, and where it ends (ISO 32000-1, 7.2 and 7.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dmp.domain.errors import DmpError

BLANK = rb"\x00\t\n\x0c\r "
MAX_LINK = 4_096
_REGULAR = rb"[^" + BLANK + rb"()<>\[\]{}/%]"
NAME_END = rb"(?!" + _REGULAR + rb")"
HIDDEN_NAME = _REGULAR.replace(b"%]", b"%#]") + rb"{0,127}#"
_STREAM = rb"(?=(?:[" + BLANK + rb"]|%[^\r\n]*+)*+(?P<stream>stream(?:\r?\n|\r)?)?)"
_STRUCTURE = rb"(?P<string>\()|(?P<open><<|\[)|(?P<end>>>)" + _STREAM + rb"|(?P<close>\])|(?P<comment>%[^\r\n]*+)"
_TOKEN = re.compile(
    rb"(?P<name>/" + _REGULAR + rb"*+)|<(?P<hex>[0-9A-Fa-f" + BLANK + rb"]*+)>|" + _STRUCTURE, re.DOTALL
)
_WALKED = re.compile(_STRUCTURE + rb"|(?P<last>endobj)", re.DOTALL)
# Text of which one sees at once that its end is in no string and no comment.
_PLAIN = re.compile(rb"[^()%\\]*+(?:\([^()%\\]*+\)[^()%\\]*+)*+")
_LONE_STRING = re.compile(rb"(?:[" + BLANK + rb"]|%[^\r\n]*+)*+(?:\(|<[^<])")
_DEPTH: Mapping[str | None, int] = {"open": 1, "end": -1, "stream": -1, "close": -1}
_LAST = frozenset({"last", "stream"})
_PARENTHESIS = re.compile(rb"(?:[^()\\]++|\\.)*+([()])", re.DOTALL)
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_NUMBER = re.compile(rb"[" + BLANK + rb"]*+(\d{1,9})[" + BLANK + rb"]*+[/>]")
_REFERENCE = re.compile(rb"(?:[" + BLANK + rb"]|%[^\r\n]*+)*+[^(<" + BLANK + rb"]")
_NUMBERED = frozenset({b"First", b"N"})
_LINKS = frozenset({b"URI", b"Base"})
# No name: stands before a string that is a whole object.
_ALONE = b"/"


class TooHidden(DmpError):
    """Objects of a PDF that cannot be followed as far as its readers would; the detail says why."""

    def __init__(self, detail: str) -> None:
        super().__init__("unsafe-content", detail=detail)


class Effort:
    """What the reading of a PDF may still cost, in tokens."""

    def __init__(self, tokens: int) -> None:
        self._left = tokens

    def spend(self, tokens: int) -> None:
        """Raises TooHidden where it is too much."""
        self._left -= tokens
        if self._left < 0:
            raise TooHidden("the PDF has too many objects for its size")


@dataclass(slots=True)
class PdfObject:
    """What an object says, in order: its names, unescaped, and the strings that may be links."""

    names: list[bytes] = field(default_factory=list)
    outer: list[bytes] = field(default_factory=list)
    """The names that stand in its dictionary itself and in no other."""
    links: list[bytes] = field(default_factory=list)
    """The strings right behind `/URI`."""
    refers: bool = False
    """Whether the string of a `/URI` is another object."""
    lone: bytes | None = None
    """The string that is the whole object: a `/URI` may refer to it."""
    stream: int = 0
    """Where the data of the stream begins; 0 where there is none."""
    numbers: dict[bytes, list[int | None]] = field(default_factory=dict)
    """What stands behind `/First` and `/N`; None where it is no number of the dictionary itself."""

    def number(self, name: bytes) -> int:
        """The one number behind a name; raises TooHidden where readers may see another, or none."""
        match self.numbers.get(name):
            case [int(number)]:
                return number
            case _:
                raise TooHidden("an object stream of the PDF cannot be followed")


def read_object(content: bytes, place: int, end: int, effort: Effort, *, in_stream: bool = False) -> PdfObject:
    """Read the object between two places; in an object stream no data follow. Raises TooHidden."""
    found = PdfObject()
    depth, is_closed = 0, True
    behind = _ALONE if is_lone_string(content, place) else b""
    while token := _TOKEN.search(content, place, end):
        place, kind = token.end(), token.lastgroup
        effort.spend(1)
        if kind == "name":
            behind = _add_name(found, token, depth)
        elif kind == "hex":
            _add_string(found, _from_hex(token["hex"]), behind)
            behind = b""
        elif kind == "string" and is_closed:
            begin, (place, is_closed) = place, _behind_string(content, place, end, effort)
            _add_string(found, content[begin : place - 1 if is_closed else end][:MAX_LINK], behind)
            behind = b""
        elif kind in _DEPTH:
            depth, behind = depth + _DEPTH[kind], b""
            if kind == "stream" and depth <= 0 and not in_stream:
                found.stream = token.end(kind)
                break
    return found


def is_lone_string(content: bytes, place: int) -> bool:
    """Whether the object at a place begins as a string: it is nothing else."""
    return bool(_LONE_STRING.match(content, place))


def check_end(content: bytes, place: int, end: int, effort: Effort, *, in_stream: bool = False) -> None:
    """Raise TooHidden where an object ends within a string or a comment.

    What begins there would be an object for some readers, and for others a part of the text.
    """
    if not _PLAIN.fullmatch(content, place, end):
        depth_at_end(content, place, end, effort, in_stream=in_stream)


def depth_at_end(content: bytes, place: int, end: int, effort: Effort, *, in_stream: bool = False) -> int:
    """How many dictionaries and arrays are open at the end of an object; raises TooHidden as `check_end`."""
    depth = 0
    while token := _WALKED.search(content, place, end):
        place, kind, is_closed = token.end(), token.lastgroup or "", True
        effort.spend(1)
        depth += _DEPTH.get(kind, 0)
        if kind in _LAST and depth <= 0 and not in_stream:
            return 0
        if kind == "string":
            place, is_closed = _behind_string(content, place, end, effort)
        if not is_closed or (kind == "comment" and place == end < len(content)):
            raise TooHidden("an object of the PDF hides in a string or a comment")
    return depth


def _behind_string(content: bytes, place: int, end: int, effort: Effort) -> tuple[int, bool]:
    """Where a string ends; one that does not end is none: its names count."""
    depth, start = 1, place
    while found := _PARENTHESIS.match(content, place, end):
        effort.spend(1)
        place = found.end()
        depth += 1 if found[1] == b"(" else -1
        if not depth:
            return place, True
    return start, False


def _add_name(found: PdfObject, token: re.Match[bytes], depth: int) -> bytes:
    name = _unescaped(token["name"])
    found.names.append(name)
    if depth == 1:
        found.outer.append(name)
    if name in _NUMBERED:
        number = _NUMBER.match(token.string, token.end()) if depth == 1 else None
        found.numbers.setdefault(name, []).append(int(number[1]) if number else None)
    if name == b"URI" and _REFERENCE.match(token.string, token.end()):
        found.refers = True
    return name


def _add_string(found: PdfObject, text: bytes, behind: bytes) -> None:
    if behind in _LINKS:
        found.links.append(text)
    elif behind == _ALONE:
        found.lone = text


def _unescaped(name: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), name[1:]) if b"#" in name else name[1:]


def _from_hex(text: bytes) -> bytes:
    digits = bytes(digit for digit in text[: 4 * MAX_LINK] if digit in b"0123456789abcdefABCDEF")
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
