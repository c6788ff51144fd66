"""The files that a CDA R2 document embeds: the body of level 1 (`nonXMLBody`), and those in entries of level 3."""

import binascii
from dataclasses import dataclass, field

from dmp.cda.parsing import read
from dmp.cda.tree import CDA_NAMESPACE
from dmp.domain import content as contents
from dmp.domain.errors import Invalid, TooLarge
from dmp.domain.foreign_content import archive_or_program, markup
from dmp.domain.hostile_content import check_harmless

MAX_CHARS = 28 * 1024 * 1024
"""Characters of all the files together, base64 and all: 20 MiB of bytes."""
MAX_FILES = 64

_ROOT = f"{CDA_NAMESPACE} ClinicalDocument"
_BODY = tuple(f"{CDA_NAMESPACE} {name}" for name in ("component", "nonXMLBody", "text"))
_PLAIN_TEXT = "text/plain"
_BASE64 = "B64"
_PLACE = "DocumentReference.content[0].attachment"


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """A file as the document gives it: `declared` is its media type, `content` are its bytes."""

    declared: str
    content: bytes = field(repr=False)
    is_body: bool = True


def embedded(content: bytes) -> tuple[str, bytes] | None:
    """The media type and the bytes of the file in a level 1 body; None where none can be taken out.

    The media type is that of the bytes, whatever the document declares.
    """
    try:
        files = embedded_files(content)
    except (Invalid, TooLarge):
        return None
    for one in files:
        kind = contents.detect(one.content) if one.is_body else None
        if kind in _TYPE_OF_KIND:
            return _TYPE_OF_KIND[kind], one.content
    return None


def check_embedded(content: bytes) -> None:
    """Look at every file that a document embeds, as at a document of its own (at deposit).

    Raises as `embedded_files`; Invalid `content-mismatch` and `unsupported-content` for a body that is not what it is
    declared to be, or nothing that is accepted, and `unsafe-content` for any file that acts or carries another.
    """
    for one in embedded_files(content):
        kind = contents.detect(one.content)
        if one.is_body:
            _check_body(one)
        if one.is_body or kind:
            check_harmless(kind, one.content, _PLACE)
        elif archive_or_program(one.content) or markup(one.content):
            raise Invalid("unsafe-content", _PLACE, "an embedded file is an archive, a program or markup")


def embedded_files(content: bytes) -> list[EmbeddedFile]:
    """The files that a ClinicalDocument embeds, in its order; what it only refers to is none of them.

    Raises as `dmp.cda.parsing.read`; TooLarge above 20 MiB; Invalid `content-mismatch` where one is not base64,
    `unsupported-content` where one is compressed, `xml-too-complex` where there are more than 64.
    """
    sink = _Files()
    read(content, sink)
    found = [_file(is_body, attributes, "".join(pieces)) for is_body, attributes, pieces in sink.found]
    return [one for one in found if one]


_TYPE_OF_KIND = {
    kind: next(name for name, of in contents.KIND_OF_TYPE.items() if of == kind)
    for kind in dict.fromkeys(contents.KIND_OF_TYPE.values())
    if kind != contents.XML
}


def _check_body(body: EmbeddedFile) -> None:
    if not contents.is_accepted(body.declared) or contents.KIND_OF_TYPE[body.declared] == contents.XML:
        raise Invalid("unsupported-content", _PLACE, "the embedded file is of a type that is not accepted")
    if not contents.agrees(body.declared, body.content):
        raise Invalid("content-mismatch", _PLACE, "the embedded file is not of the type that the document declares")


def _file(is_body: bool, attributes: dict[str, str], text: str) -> EmbeddedFile | None:
    if not text.strip():
        return None
    if attributes.get("compression"):
        raise Invalid("unsupported-content", _PLACE, "a compressed file is not accepted")
    declared = contents.media_type(attributes.get("mediaType", "")) or _PLAIN_TEXT
    return EmbeddedFile(declared, _decoded(text) if _is_base64(attributes) else text.encode(), is_body)


def _is_base64(attributes: dict[str, str]) -> bool:
    return attributes.get("representation", "").strip().upper() == _BASE64


def _decoded(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text.encode("ascii").translate(None, b" \t\r\n"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Invalid("content-mismatch", _PLACE, "an embedded file is not base64") from None


class _Files:
    """Takes the text of every embedded file, and nothing else."""

    def __init__(self) -> None:
        self.found: list[tuple[bool, dict[str, str], list[str]]] = []
        self._way: list[str] = []
        self._is_open = False
        self._depth = 0
        self._chars = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin to take a file, or go one step into the document."""
        if self._is_open:
            self._depth += 1
        elif self._way or name == _ROOT:
            self._way.append(name)
            is_body = len(self._way) == len(_BODY) + 1 and tuple(self._way[1:]) == _BODY
            if is_body or _is_base64(attributes):
                self._open(is_body, attributes)

    def end(self) -> None:
        """Leave the element begun last."""
        if self._depth:
            self._depth -= 1
        elif self._way:
            self._way.pop()
            self._is_open = False

    def text(self, data: str) -> None:
        """Keep the text of an embedded file, that of elements within it left out."""
        if not self._is_open or self._depth:
            return
        self._chars += len(data)
        if self._chars > MAX_CHARS:
            raise TooLarge("too-large", _PLACE, "more than 20 MiB of files are embedded")
        self.found[-1][2].append(data)

    def _open(self, is_body: bool, attributes: dict[str, str]) -> None:
        if len(self.found) == MAX_FILES:
            raise Invalid("xml-too-complex", _PLACE, "more than 64 files are embedded")
        self._is_open = True
        self.found.append((is_body, attributes, []))
