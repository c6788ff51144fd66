"""XML of documents read with defences (ITI-65, ITI-105): no DTD, no entities, no network, limits on everything."""

from collections.abc import Callable
from typing import Protocol
from xml.parsers import expat

from dmp.domain.errors import Invalid, TooLarge

MAX_BYTES = 100 * 1024 * 1024
MAX_DEPTH = 100
MAX_ELEMENTS = 100_000
MAX_ATTRIBUTES = 64
MAX_ATTRIBUTE_CHARS = 65_536
MAX_TOKEN_BYTES = 2 * 1024 * 1024
ENCODINGS = frozenset({"utf-8", "us-ascii", "iso-8859-1"})

_CHUNK = 65_536
_WIDE_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Sink(Protocol):
    """What takes the elements as they come; a name within a namespace is `namespace local-name`."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self) -> None:
        """The element begun last ends."""

    def text(self, data: str) -> None:
        """Character data within the element begun last, in pieces."""


def read(content: bytes, sink: Sink) -> None:
    """Read a whole XML document into a sink, in time and memory linear in its size.

    Raises Invalid (`xml-malformed`, `xml-doctype-forbidden`, `xml-encoding-unsupported`, `xml-too-complex`) or
    TooLarge, and no other error of its own.
    """
    if len(content) > MAX_BYTES:
        raise TooLarge("too-large")
    if content.startswith(_WIDE_BYTE_ORDER_MARKS) or b"\0" in content:
        raise Invalid("xml-encoding-unsupported", detail="Only UTF-8, US-ASCII and ISO-8859-1 are read")
    parser = _parser(sink)
    try:
        for start in range(0, len(content), _CHUNK):
            parser.Parse(content[start : start + _CHUNK], False)
            _check_token(start + _CHUNK - parser.CurrentByteIndex)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Invalid("xml-malformed", detail="The XML is not well-formed") from error


def _parser(sink: Sink) -> expat.XMLParserType:
    guard = _Guard(sink)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.buffer_text = True
    parser.buffer_size = _CHUNK
    parser.XmlDeclHandler = _check_encoding
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = guard.start
    parser.EndElementHandler = guard.end
    parser.CharacterDataHandler = sink.text
    return parser


def _check_token(pending: int) -> None:
    """Refuse one tag or comment that fills megabytes: expat keeps it whole, and all its attributes."""
    if pending > MAX_TOKEN_BYTES:
        raise Invalid("xml-too-complex", detail="A tag or a comment of the XML is too long")


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in ENCODINGS:
        raise Invalid("xml-encoding-unsupported", detail="Only UTF-8, US-ASCII and ISO-8859-1 are read")


def _refuse_doctype(_name: str, _system: str | None, _public: str | None, _has_internal: int) -> None:
    raise Invalid("xml-doctype-forbidden", detail="A DOCTYPE is not accepted")


class _Guard:
    """Counts what goes by, and stops what is no document any more."""

    def __init__(self, sink: Sink) -> None:
        self._start: Callable[[str, dict[str, str]], None] = sink.start
        self._end: Callable[[], None] = sink.end
        self._depth = 0
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS or len(attributes) > MAX_ATTRIBUTES:
            raise Invalid("xml-too-complex", detail="The XML is too deep, or has too many elements or attributes")
        if any(len(value) > MAX_ATTRIBUTE_CHARS for value in attributes.values()):
            raise Invalid("xml-too-complex", detail="An attribute of the XML is too long")
        self._start(name, attributes)

    def end(self, _name: str) -> None:
        self._depth -= 1
        self._end()
