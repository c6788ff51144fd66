"""Reading single claims: texts of one printable line, of a given form; anything else refuses the token."""

import re
from collections.abc import Mapping
from typing import Never

from dmp.domain.errors import NotAuthenticated

type Claims = Mapping[str, object]

_TEXT_LIMIT, _LIST_LIMIT = 200, 50


def required(claims: Claims, name: str, pattern: re.Pattern[str]) -> str:
    """The text of a claim that must be there and match."""
    value = text(claims, name)
    if not pattern.fullmatch(value):
        refuse(name)
    return value


def optional(claims: Claims, name: str, pattern: re.Pattern[str]) -> str:
    """The text of a claim that must match when it is there, else ""."""
    return required(claims, name, pattern) if claims.get(name) not in (None, "") else ""


def text(claims: Claims, name: str) -> str:
    """The text of a claim with its white space made one; "" when the claim is absent or null."""
    value = claims.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT:
        refuse(name)
    line = " ".join(value.split())
    if not line.isprintable():
        refuse(name)
    return line


def texts(name: str, value: object) -> list[str]:
    """A list of texts that stands in the claim of that name."""
    if not isinstance(value, list) or len(value) > _LIST_LIMIT:
        refuse(name)
    return [item if isinstance(item, str) else refuse(name) for item in value]


def refuse(name: str) -> Never:
    """Refuse the token for this claim, whose value is not repeated."""
    raise NotAuthenticated("token-claims-invalid", detail=f"The claim {name} is missing or wrong.")
