"""The versions of one resource, newest first, a page at a time (FHIR R4 REST, instance history)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from urllib.parse import urlencode

from dmp.domain.errors import Malformed
from dmp.exchange import Answer, Request
from dmp.fhir import bundle
from dmp.fhir.times import parse_datetime

MOST_A_PAGE = 100


class Cursors(Protocol):
    """Hides places from those who are given them."""

    def seal(self, text: str, context: str) -> str:
        """A token for a place."""

    def open(self, token: str, context: str) -> str:
        """The place of a token; Malformed `invalid-cursor` in another context."""


def history(request: Request, versions: Sequence[bundle.HistoryEntry], cursors: Cursors) -> Answer:
    """The versions not older than `_since`, at most `_count` of them; Malformed where these are no instant, no number.

    The links lead on for the same caller and the same history alone.
    """
    asked = dict(request.query)
    since, most = _since(asked), _count(asked)
    told = [(name, asked[name]) for name in ("_since", "_count") if name in asked]
    place = versions[0].full_url + "/_history"
    context = f"{request.call.requester.identifier}&{place}?{urlencode(told)}"
    before = int(cursors.open(asked["_cursor"], context)) if asked.get("_cursor") else None
    found = [one for one in versions if since is None or one.updated >= since]
    page = [one for one in found if before is None or one.version < before]
    shown, rest = page[:most], page[most:]
    following = [("_cursor", cursors.seal(str(shown[-1].version), context))] if rest else []
    here = [("_cursor", asked["_cursor"])] if before is not None else []
    return Answer(
        resource=bundle.history(
            shown,
            total=len(found),
            self_url=_url(place, told + here),
            next_url=_url(place, told + following) if following else None,
        )
    )


def _url(place: str, parameters: list[tuple[str, str]]) -> str:
    return f"{place}?{urlencode(parameters)}" if parameters else place


def _since(asked: Mapping[str, str]) -> datetime | None:
    if "_since" not in asked:
        return None
    # a plus sign that was not encoded has arrived as a space
    moments = parse_datetime(asked["_since"].replace(" ", "+"))
    if moments is None:
        raise Malformed("invalid-parameter", "http._since", "an instant is wanted")
    return moments[0]


def _count(asked: Mapping[str, str]) -> int:
    text = asked.get("_count", str(MOST_A_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise Malformed("invalid-parameter", "http._count", "a number from 1 is wanted")
    return min(int(text), MOST_A_PAGE)
