"""Images (JPEG, PNG, TIFF) and DICOM files: nothing behind the image, no markup in it, no program before it."""

import re

from dmp.domain.foreign_content import begins_like_a_file, markup
from dmp.domain.pdf_content import pdf_reason

MAX_PIXELS = 300_000_000
# What careless writers leave behind an image.
MAX_REMAINDER = 64

_MAX_PARTS = 100_000
_MAX_IMAGES = 16
_SOI, _EOI, _SOS = b"\xff\xd8\xff", 0xD9, 0xDA
_NEXT_MARKER = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PADDING = b"\x00\xff \t\r\n"
_PNG_START, _CHUNK_FRAME = 8, 12
_PREAMBLE = 128
_BEHIND = "something stands behind the end of the image"
_TOO_MANY_PIXELS = "the image has too many pixels"


def jpeg_reason(content: bytes) -> str | None:
    """Why a JPEG is refused, or None.

    Behind it only further images, or the film of a telephone, may stand.
    """
    if markup(content):
        return "the image holds markup of a browser, or a script"
    place = 0
    for _ in range(_MAX_IMAGES):
        end, pixels = _jpeg_end(content, place)
        if pixels > MAX_PIXELS:
            return _TOO_MANY_PIXELS
        if end is None:
            return None
        place = content.find(_SOI, end)
        if place < 0 or content[end:place].strip(_PADDING):
            return _remainder(content[end:])
    return _BEHIND


def png_reason(content: bytes) -> str | None:
    """Why a PNG is refused, or None."""
    if markup(content):
        return "the image holds markup of a browser, or a script"
    width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
    if width * height > MAX_PIXELS:
        return _TOO_MANY_PIXELS
    place = _PNG_START
    for _ in range(_MAX_PARTS):
        kind, size = content[place + 4 : place + 8], int.from_bytes(content[place : place + 4])
        place += _CHUNK_FRAME + size
        if not kind.isalpha() or place > len(content):
            return None
        if kind == b"IEND":
            return _remainder(content[place:])
    return "the image has too many parts"


def tiff_reason(content: bytes) -> str | None:
    """Why a TIFF is refused, or None."""
    return "the image holds markup of a browser, or a script" if markup(content) else None


def dicom_reason(content: bytes) -> str | None:
    """Why a DICOM file is refused, or None; a PDF that it holds is looked at as any other."""
    if begins_like_a_file(content[:_PREAMBLE]):
        return "the preamble of the DICOM file is that of another file"
    if markup(content):
        return "the DICOM file holds markup of a browser, or a script"
    embedded = content.find(b"%PDF-", _PREAMBLE)
    return pdf_reason(content, embedded) if embedded >= 0 else None


def _remainder(rest: bytes) -> str | None:
    """What stands behind an image, padding aside: films of telephones (MP4, Samsung's trailer) are known to."""
    kept = rest.strip(_PADDING)
    if len(kept) <= MAX_REMAINDER or rest[4:8] == b"ftyp" or kept.endswith(b"SEFT"):
        return None
    return _BEHIND


def _jpeg_end(content: bytes, place: int) -> tuple[int | None, int]:
    """Where the JPEG at a place ends, None where it cannot be followed or has no scan; and its pixels."""
    place, pixels, has_scan = place + 2, 0, False
    for _ in range(_MAX_PARTS):
        found = _NEXT_MARKER.match(content, place)
        if not found:
            return None, pixels
        marker, place = content[found.end() - 1], found.end()
        if marker == _EOI:
            return (place if has_scan else None), pixels
        if marker in _FRAMES:
            height, width = (int.from_bytes(content[at : at + 2]) for at in (place + 3, place + 5))
            pixels = max(pixels, height * width)
        place += int.from_bytes(content[place : place + 2])
        if marker == _SOS:
            has_scan = True
            following = _NEXT_MARKER.search(content, place)
            place = following.start() if following else len(content)
    return None, pixels
