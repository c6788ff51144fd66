"""The strict readings of JOSE: canonical base64url and JSON objects without duplicate names (RFC 7515, RFC 8725)."""

import binascii
import json
import re
from typing import NoReturn

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_TO_BASE64 = str.maketrans("-_", "+/")


def decode_base64url(text: str) -> bytes:
    """Decode unpadded base64url; ValueError for padding, foreign characters and bits that encode nothing."""
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    padded = text.translate(_TO_BASE64) + "=" * (-len(text) % 4)
    decoded = binascii.a2b_base64(padded, strict_mode=True)
    if binascii.b2a_base64(decoded, newline=False).decode() != padded:
        raise ValueError("not canonical base64url")
    return decoded


def parse_object(data: bytes) -> dict[str, object]:
    """Read one JSON object; ValueError for other JSON, names given twice, NaN, bad UTF-8 and runaway nesting."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_without_duplicates, parse_constant=_not_a_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is given twice")
    return members


def _not_a_number(_constant: str) -> NoReturn:
    raise ValueError("not a number")
