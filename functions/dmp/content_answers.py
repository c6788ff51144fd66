"""The bytes of documents as they are answered: as deposited, as a Binary, as a readable page (ITI-68, TD3.2)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from dmp import byte_ranges
from dmp.accepted import Accepted, Preference
from dmp.api import refusal
from dmp.domain.document import DocumentEntry, StoredContent
from dmp.domain.errors import NotAcceptable, Unsatisfiable
from dmp.exchange import FHIR_JSON, Answer, Request, media_type
from dmp.fhir.document_rendering import render_binary
from dmp.rest import version_headers
from dmp.revalidation import is_known

if TYPE_CHECKING:
    from dmp.services.contents import ContentsService

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes; above it the caller fetches them from S3: in base64 they would be more than a function may answer."""
_HTML = "text/html"
_XML = ("application/xml", "text/xml")
_EXTENSIONS = {
    "application/pdf": ".pdf", "application/rtf": ".rtf", "application/xml": ".xml", "image/jpeg": ".jpg",
    "image/png": ".png", "image/tiff": ".tiff", "text/html": ".html", "text/plain": ".txt", "text/rtf": ".rtf",
    "text/xml": ".xml",
}  # fmt: skip
_SAFE = {"Content-Security-Policy": "default-src 'none'; sandbox", "Vary": "Accept"}


class Form(IntEnum):
    """What a content can be answered as; of two that are wanted equally, the first."""

    DEPOSITED = 0
    FHIR = 1
    PAGE = 2
    EMBEDDED = 3


@dataclass(frozen=True)
class Retrieval:
    """One document that a caller may read, and the ways to its bytes: nothing is fetched before it is needed."""

    request: Request
    entry: DocumentEntry
    fetch: Callable[[StoredContent], bytes] = field(repr=False)
    address: Callable[..., str] = field(repr=False)

    @cached_property
    def data(self) -> bytes:
        """The bytes as they were deposited."""
        return self.fetch(self.entry.content)

    @cached_property
    def embedded(self) -> tuple[str, bytes] | None:
        """The media type and bytes of what a CDA of level 1 embeds."""
        from dmp.cda.body import embedded

        return embedded(self.data)

    def headers(self, etag: str, of: str) -> dict[str, str]:
        """What goes with every answer: its tag, and a file name that tells nothing."""
        modified = version_headers(1, self.entry.updated)["Last-Modified"]
        name = f"{quote(self.entry.id)}{_EXTENSIONS.get(media_type(of), '')}"
        disposition = f"attachment; filename*=UTF-8''{name}"
        return {**_SAFE, "ETag": etag, "Last-Modified": modified, "Content-Disposition": disposition}


def content(request: Request, entry: DocumentEntry, contents: "ContentsService") -> Answer:
    """The form of a content that `Accept` wants most; NotAcceptable where it wants none that there is.

    Above 4 MiB, an address of S3 for one minute.
    """
    retrieval = Retrieval(request, entry, contents.bytes_of, contents.address_of)
    for form, named in _wanted(Accepted(request.headers.get("accept", "")), entry.content.content_type):
        answer = _answered(retrieval, form, named)
        if answer is not None:
            return answer
    raise NotAcceptable("not-acceptable")


def _wanted(accepted: Accepted, own: str) -> Iterator[tuple[Form, str]]:
    """The forms that are accepted, the best first; an embedded one with the media type that it must have."""
    plain = media_type(own)
    is_xml = plain in _XML
    offers: list[tuple[Preference | None, Form, str]] = [
        (accepted.preference(*(_XML if is_xml else (plain,))), Form.DEPOSITED, own),
        (_of_fhir(accepted), Form.FHIR, FHIR_JSON),
    ]
    if is_xml:
        known = {*_XML, FHIR_JSON, "application/json", _HTML}
        offers.append((accepted.preference(_HTML), Form.PAGE, _HTML))
        offers += [(accepted.preference(name), Form.EMBEDDED, name) for name in accepted.named if name not in known]
    ranked = [(preference, form, name) for preference, form, name in offers if preference]
    for _, form, name in sorted(ranked, key=lambda offer: (-offer[0].quality, -offer[0].exactness, offer[1])):
        yield form, name


def _of_fhir(accepted: Accepted) -> Preference | None:
    """How much FHIR is wanted: by its own name as exactly as that says, by any other name after all else."""
    own = accepted.preference(FHIR_JSON)
    if FHIR_JSON in accepted.named:
        return own
    general = accepted.preference("application/json") if "application/json" in accepted.named else own
    return general._replace(exactness=-1) if general else None


def _answered(retrieval: Retrieval, form: Form, name: str) -> Answer | None:
    """A content in one form; None where it cannot be had in it."""
    if retrieval.entry.content.size > LARGEST_ANSWER:
        return _elsewhere(retrieval)
    match form:
        case Form.DEPOSITED:
            return _deposited(retrieval)
        case Form.FHIR:
            return _binary(retrieval)
        case Form.PAGE:
            return _page(retrieval)
        case Form.EMBEDDED:
            return _embedded(retrieval, name)


def _deposited(retrieval: Retrieval) -> Answer:
    stored = retrieval.entry.content
    headers = retrieval.headers(_tag(stored), stored.content_type)
    return _part(retrieval, headers, stored.content_type, stored.size, lambda: retrieval.data)


def _embedded(retrieval: Retrieval, name: str) -> Answer | None:
    headers = retrieval.headers(_tag(retrieval.entry.content, f"embedded-{name}"), name)
    if _holds(retrieval, headers):
        return Answer(status=304, headers=headers)
    found = retrieval.embedded
    if found is None or media_type(found[0]) != name:
        return None
    kind, data = found
    return _part(retrieval, headers, kind, len(data), lambda: data)


def _binary(retrieval: Retrieval) -> Answer:
    """The Binary; its content never changes, and so it has but one version."""
    stored, request = retrieval.entry.content, retrieval.request
    headers = retrieval.headers('W/"1"', FHIR_JSON)
    if is_known(request, headers):
        return Answer(status=304, headers=headers)
    if request.method == "HEAD":
        return Answer(headers={**headers, "Content-Type": f"{FHIR_JSON}; charset=utf-8"})
    return Answer(resource=render_binary(retrieval.data, stored.content_type, id=retrieval.entry.id), headers=headers)


def _page(retrieval: Retrieval) -> Answer | None:
    """What a CDA says to a reader; inert wherever it is opened."""
    from dmp.cda.rendering import html_of

    headers = retrieval.headers(f"W/{_tag(retrieval.entry.content, 'page')}", _HTML)
    if _holds(retrieval, headers):
        return Answer(status=304, headers=headers)
    page = html_of(retrieval.data)
    if page is None or len(data := page.encode()) > LARGEST_ANSWER:
        return None
    if is_known(retrieval.request, headers):
        return Answer(status=304, headers=headers)
    return Answer(content=data, media_type=f"{_HTML}; charset=utf-8", headers=headers)


def _holds(retrieval: Retrieval, headers: Mapping[str, str]) -> bool:
    """Whether the caller names the tag of a form: it was answered once, and so there is one."""
    named = retrieval.request.headers.get("if-none-match", "")
    return named.strip() != "*" and is_known(retrieval.request, {"ETag": headers["ETag"]})


def _part(retrieval: Retrieval, headers: Mapping[str, str], kind: str, size: int, data: Callable[[], bytes]) -> Answer:
    """All bytes or those of one range; with 304 and HEAD, none are fetched for it."""
    request, headers = retrieval.request, {**headers, "Accept-Ranges": "bytes"}
    if is_known(request, headers):
        return Answer(status=304, headers=headers)
    if request.method == "HEAD":
        return Answer(headers={**headers, "Content-Type": kind, "Content-Length": str(size)})
    try:
        part = byte_ranges.asked(request.headers, size, etag=headers["ETag"], modified=headers["Last-Modified"])
    except Unsatisfiable as failure:
        return replace(refusal(failure), headers={"Accept-Ranges": "bytes", "Content-Range": f"bytes */{size}"})
    if part is None:
        return Answer(content=data(), media_type=kind, headers=headers)
    headers["Content-Range"] = part.content_range
    return Answer(status=206, content=part.of(data()), media_type=kind, headers=headers)


def _elsewhere(retrieval: Retrieval) -> Answer:
    """The way to S3, for a minute."""
    stored, request = retrieval.entry.content, retrieval.request
    headers = retrieval.headers(_tag(stored), stored.content_type)
    if is_known(request, headers):
        return Answer(status=304, headers=headers)
    method: Literal["GET", "HEAD"] = "HEAD" if request.method == "HEAD" else "GET"
    address = retrieval.address(stored, method=method, disposition=headers["Content-Disposition"])
    return Answer(status=302, headers={**headers, "Location": address})


def _tag(stored: StoredContent, form: str = "") -> str:
    """A strong tag: the same bytes have it wherever they are answered from."""
    return f'"{stored.sha256[:32]}{"-" if form else ""}{form}"'
