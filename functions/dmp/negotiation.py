"""In which formats a request may come and be answered: `Content-Type`, `Accept`, `_format` (FHIR R4 REST)."""

import re
from collections.abc import Iterable, Mapping

from dmp.accepted import Accepted
from dmp.domain.errors import NotAcceptable, UnsupportedMedia
from dmp.exchange import FHIR_JSON, JSON_TYPES, media_type

_ANSWERED = (*JSON_TYPES, "application/json+fhir")
_FHIR_XML = "application/fhir+xml"
_SHORT = {
    "json": FHIR_JSON, "text/json": FHIR_JSON, **dict.fromkeys(_ANSWERED, FHIR_JSON),
    "xml": _FHIR_XML, "text/xml": _FHIR_XML, "application/xml": _FHIR_XML, "html": "text/html",
}  # fmt: skip
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


def check_body(content_type: str, spoken: frozenset[str]) -> None:
    """Raise UnsupportedMedia for a body of another media type than is spoken here, or in another encoding."""
    given = media_type(content_type)
    charset = _CHARSET.search(content_type)
    if (given and spoken and given not in spoken) or (charset and charset[1].lower() not in _CHARSETS):
        raise UnsupportedMedia("unsupported-media-type")


def accepted(headers: Mapping[str, str], query: Iterable[tuple[str, str]]) -> str:
    """What the caller accepts: `_format` where it is given, else the `Accept` header."""
    wanted = next((value for name, value in query if name == "_format" and value), None)
    if wanted is None:
        return headers.get("accept", "")
    name = media_type(wanted).replace(" ", "+")  # a plus sign that was not encoded has arrived as a space
    return _SHORT.get(name, name)


def check_answer(accept: str) -> None:
    """Raise NotAcceptable where the caller does not accept FHIR in JSON."""
    if Accepted(accept).preference(*_ANSWERED) is None:
        raise NotAcceptable("not-acceptable")
