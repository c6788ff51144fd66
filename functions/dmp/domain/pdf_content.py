"""PDF documents that run, fetch, carry or hide something: PDF/A-1 forbids it (ISO 19005-1), which the CI-SIS wants."""

import re
from collections.abc import Iterable

from dmp.domain.foreign_content import begins_like_a_file, markup
from dmp.domain.pdf_objects import PdfObjects
from dmp.domain.pdf_syntax import PdfObject, TooHidden

_SCRIPTS = frozenset({b"JavaScript", b"JS"})
_FILES = frozenset({b"EmbeddedFile", b"EmbeddedFiles", b"FileAttachment"})
_ACTIONS = frozenset({b"Launch", b"SubmitForm", b"ImportData", b"GoToE", b"GoToR", b"Rendition"})
_MEDIA = frozenset({b"RichMedia", b"RichMediaExecute", b"RichMediaContent", b"Movie", b"Sound", b"3D", b"GoTo3DView"})
_RULES = (
    (frozenset({b"Encrypt"}), "the PDF is encrypted"),
    (_SCRIPTS, "the PDF holds a script"),
    (_FILES, "the PDF holds another file"),
    (_ACTIONS, "the PDF starts or fetches something"),
    (_MEDIA, "the PDF holds sound, film or a 3D model"),
    (frozenset({b"XFA"}), "the PDF holds an XFA form"),
)
_TELLING = frozenset({b"EF"}).union(*(names for names, _ in _RULES))
_FILE_NAMES = frozenset({b"Filespec", b"F", b"UF", b"Unix", b"DOS", b"Mac"})
_LINK = re.compile(rb"(?:javascript|vbscript|data|jar|mhtml|shell|ms-[a-z]+|search-ms|search):", re.IGNORECASE)
_OCTAL = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n?|\n)|(.))", re.DOTALL)
_INVISIBLE = bytes({*range(33), 0x7F, 0xFE, 0xFF})
_LINK_RUNS = "a link of the PDF runs something"
_END = b"%%EOF"
# As far as software looks that guesses what a file is.
_HEAD = 1024
PDF_HEAD, READERS_LOOK = b"%PDF-", _HEAD + 5
_PADDING = b"\x00 \t\r\n\x1a"


def pdf_reason(content: bytes, start: int = 0) -> str | None:
    """Why the PDF that begins at a place is refused, or None; linear in its size."""
    end = content.rfind(_END, start)
    if markup(content, start, start + _HEAD) or markup(content, max(start, end)):
        return "the PDF is a page or a script, too"
    if end >= 0 and begins_like_a_file(content[end + len(_END) : end + _HEAD].lstrip(_PADDING)):
        return "another file stands behind the end of the PDF"
    try:
        return _first_reason(PdfObjects(content, _TELLING, start))
    except TooHidden as hidden:
        return hidden.detail


def _first_reason(objects: Iterable[PdfObject]) -> str | None:
    refers, runs = False, False
    for found in objects:
        reason = _object_reason(found)
        if reason:
            return reason
        refers = refers or found.refers
        runs = runs or (found.lone is not None and _runs(found.lone))
    return _LINK_RUNS if refers and runs else None


def _object_reason(found: PdfObject) -> str | None:
    names = frozenset(found.names)
    for forbidden, reason in _RULES:
        if names & forbidden:
            return reason
    if b"EF" in names and names & _FILE_NAMES:
        return "the PDF holds another file"
    return _LINK_RUNS if any(map(_runs, found.links)) else None


def _runs(link: bytes) -> bool:
    text = _OCTAL.sub(_character, link).translate(None, delete=_INVISIBLE)
    return bool(_LINK.match(text))


def _character(escape: re.Match[bytes]) -> bytes:
    if escape[1]:
        return bytes((int(escape[1], 8) % 256,))
    return b"" if escape[2] or escape[3] in b"nrtbf" else escape[3]
