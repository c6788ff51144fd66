"""FHIR R4's primitive types, as strict as the specification writes them (hl7.org/fhir/R4/datatypes.html)."""

import binascii
from base64 import b64decode
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from dmp.fhir.times import parse_date, parse_datetime, parse_instant

_MAX_INTEGER = 2_147_483_647


def _must(holds: Callable[[str], object], name: str) -> AfterValidator:
    def check(text: str) -> str:
        if not holds(text):
            raise PydanticCustomError("fhir", f"not a valid {name}")
        return text

    return AfterValidator(check)


def decode_base64(text: str) -> bytes | None:
    """The bytes of a base64Binary, which may be broken into lines, or None when it is none."""
    try:
        return b64decode("".join(text.split()) if not text.isalnum() else text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_moment(text: str) -> bool:
    return parse_datetime(text) is not None


String = Annotated[str, StringConstraints(pattern=r"\S")]
Markdown = String
Code = Annotated[str, StringConstraints(pattern=r"^[^\s]+(\s[^\s]+)*$")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
Uri = Annotated[str, StringConstraints(pattern=r"^\S+$")]
Url = Uri
Canonical = Uri
Oid = Annotated[str, StringConstraints(pattern=r"^urn:oid:[0-2](\.(0|[1-9][0-9]*))+$")]
Uuid = Annotated[str, StringConstraints(pattern=r"^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Time = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?$")]
Date = Annotated[str, _must(parse_date, "date")]
DateTime = Annotated[str, _must(_is_moment, "dateTime")]
Instant = Annotated[str, _must(parse_instant, "instant")]
Base64Binary = Annotated[str, _must(lambda text: decode_base64(text) is not None, "base64Binary")]
Boolean = bool
Integer = Annotated[int, Field(ge=-_MAX_INTEGER - 1, le=_MAX_INTEGER)]
UnsignedInt = Annotated[int, Field(ge=0, le=_MAX_INTEGER)]
PositiveInt = Annotated[int, Field(ge=1, le=_MAX_INTEGER)]
Decimal = float
