"""Whether a caller already has what would be answered (RFC 9110 §13.1.2, §13.1.3)."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from dmp.exchange import Request

_READING = frozenset({"GET", "HEAD"})


def is_known(request: Request, answer: Mapping[str, str]) -> bool:
    """Whether the `ETag`, or else the `Last-Modified`, of these headers is one that the request names."""
    if request.method not in _READING:
        return False
    named = request.headers.get("if-none-match", "").strip()
    if named:
        etag = answer.get("ETag", "")
        return bool(etag) and (named == "*" or _opaque(etag) in {_opaque(tag) for tag in named.split(",")})
    known, modified = _date(request.headers.get("if-modified-since", "")), _date(answer.get("Last-Modified", ""))
    return known is not None and modified is not None and modified <= known


def _opaque(tag: str) -> str:
    """A tag without its mark of weakness."""
    return tag.strip().removeprefix("W/")


def _date(text: str) -> datetime | None:
    """An HTTP date, which is in GMT; None for anything else."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
