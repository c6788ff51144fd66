"""Which part of a content is asked for: the `Range` and `If-Range` headers (RFC 9110 §14.2, §13.1.5)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dmp.domain.errors import Unsatisfiable

_ONE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))[ \t]*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `first` to `last`, both counted from nought and both meant, of a content of `size` bytes."""

    first: int
    last: int
    size: int

    @property
    def content_range(self) -> str:
        """The `Content-Range` of an answer with this part."""
        return f"bytes {self.first}-{self.last}/{self.size}"

    def of(self, content: bytes) -> bytes:
        """This part of the content."""
        return content[self.first : self.last + 1]


def asked(headers: Mapping[str, str], size: int, *, etag: str, modified: str) -> ByteRange | None:
    """The one range that is asked of a content; None for the whole.

    Several ranges, other units and what is no range are the whole, and so is a range of what has changed
    (`If-Range`). Unsatisfiable where the content has no byte of it.
    """
    match = _ONE_RANGE.fullmatch(headers.get("range", "").strip())
    unchanged = headers.get("if-range", etag).strip() in (etag, modified)
    if match is None or not unchanged:
        return None
    if match[3]:
        return _checked(ByteRange(max(size - int(match[3]), 0), size - 1, size), is_empty=not int(match[3]))
    first, last = int(match[1]), min(int(match[2] or size), size - 1)
    if match[2] and int(match[2]) < first:
        return None
    return _checked(ByteRange(first, last, size))


def _checked(wanted: ByteRange, *, is_empty: bool = False) -> ByteRange:
    if is_empty or wanted.first >= wanted.size:
        raise Unsatisfiable("range-not-satisfiable")
    return wanted
