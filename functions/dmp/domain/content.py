"""What kind of content bytes are, whatever their producer says, and what may be deposited (ITI-65, ITI-105)."""

import codecs
import re

from dmp.domain.errors import Invalid

INLINE_LIMIT = 3 * 1024 * 1024
PATIENT_LIMIT = 5 * 1024 * 1024
MAX_TYPE_CHARS = 255

PDF, XML, RTF, TEXT, JPEG, TIFF, PNG, DICOM = "pdf", "xml", "rtf", "txt", "jpeg", "tiff", "png", "dicom"

KIND_OF_TYPE = {
    "application/pdf": PDF,
    "text/xml": XML,
    "application/xml": XML,
    "text/plain": TEXT,
    "text/rtf": RTF,
    "application/rtf": RTF,
    "image/jpeg": JPEG,
    "image/jpg": JPEG,
    "image/tiff": TIFF,
    "image/png": PNG,
    "application/dicom": DICOM,
}
PATIENT_KINDS = frozenset({PDF, TEXT, RTF, JPEG, TIFF})

_MAGIC = (
    (b"%PDF-", PDF),
    (b"{\\rtf", RTF),
    (b"\xff\xd8\xff", JPEG),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"\x89PNG\r\n\x1a\n", PNG),
)
_DICOM_MAGIC, _DICOM_OFFSET = b"DICM", 128
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_MARKUP_REFUSED = frozenset({b"html", b"svg"})
_ELEMENT = re.compile(rb"<([A-Za-z_][\w.-]*:)?(?P<name>[A-Za-z_][\w.-]*)")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_PIECE = 65_536
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*+"'
_MEDIA_TYPE = re.compile(rf"{_WORD}/{_WORD}(?: *; *(?:{_WORD}=(?:{_WORD}|{_QUOTED}))?)*+ *")
# The words that the examples of PDSm send as application/pdf: harmless, and they are to be accepted.
_EXAMPLE_WORDS = frozenset({b"Hello", b"Hello World"})


def check(declared: str, content: bytes, *, by_patient: bool = False) -> None:
    """Raise Invalid where a type is not accepted of this producer, or where the bytes are something else."""
    if not is_accepted(declared, by_patient=by_patient):
        raise Invalid("unsupported-content", detail="This content type is not accepted")
    if not agrees(declared, content):
        raise Invalid("content-mismatch", detail="The bytes are not of the declared content type")


def is_accepted(declared: str, *, by_patient: bool = False) -> bool:
    """Whether documents of a content type may be deposited at all, by a professional or by a patient."""
    kind = KIND_OF_TYPE.get(media_type(declared))
    return kind in PATIENT_KINDS if by_patient else kind is not None


def agrees(declared: str, content: bytes) -> bool:
    """Whether the bytes are what the declared content type says."""
    kind = KIND_OF_TYPE.get(media_type(declared))
    return kind is not None and (detect(content) == kind or content in _EXAMPLE_WORDS)


def is_media_type(declared: str) -> bool:
    """Whether a whole content type, with its parameters, is one that a header may say (RFC 9110, 8.3.1; ASCII)."""
    return len(declared) <= MAX_TYPE_CHARS and bool(_MEDIA_TYPE.fullmatch(declared))


def media_type(declared: str) -> str:
    """A content type without its parameters, in lower case."""
    return declared.partition(";")[0].strip().lower()


def detect(content: bytes) -> str | None:
    """Tell the kind of content by its bytes; None for what is never accepted (archives, programs, HTML, SVG …)."""
    found = next((kind for magic, kind in _MAGIC if content.startswith(magic)), None)
    if is_dicom(content) and found in {None, TIFF}:
        return DICOM
    if found:
        return found
    if not _is_text(content):
        return None
    return _detect_text(content.removeprefix(_BYTE_ORDER_MARK).lstrip(_SPACE))


def is_dicom(content: bytes) -> bool:
    """Whether bytes are a DICOM file; those of slides may begin as a TIFF, which they are, too (PS3.10, 7.1)."""
    return content.startswith(_DICOM_MAGIC, _DICOM_OFFSET)


def _detect_text(content: bytes) -> str | None:
    if not content or content.startswith(b"#!"):
        return None
    if content.startswith(b"<"):
        return _detect_markup(content)
    return TEXT


def _detect_markup(content: bytes) -> str | None:
    """Tell XML from HTML and SVG by the first element, behind declaration, comments and instructions."""
    position = 0
    while content[position + 1 : position + 2] in (b"?", b"!"):
        closing = b"-->" if content.startswith(b"<!--", position) else b">"
        end = content.find(closing, position)
        position = content.find(b"<", end)
        if end < 0 or position < 0:
            return None
    element = _ELEMENT.match(content, position)
    if not element:
        return TEXT
    return None if element["name"].lower() in _MARKUP_REFUSED else XML


def _is_text(content: bytes) -> bool:
    """Whether bytes are text in UTF-8 or Windows-1252 (of which ISO-8859-1 is a part), without control characters."""
    if _CONTROL.search(content):
        return False
    return _decodes(content, "utf-8") or _decodes(content, "cp1252")


def _decodes(content: bytes, encoding: str) -> bool:
    """Whether bytes are of an encoding; piece by piece, for a text may be as long as an upload."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), _PIECE):
            decoder.decode(content[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
