"""A CDA R2 document as a page for a person to read: heading and narrative, safe HTML without style or script."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from dmp.cda.body import embedded
from dmp.cda.header import read_header
from dmp.cda.narrative import html_of as narrative_html
from dmp.cda.narrative import text_of
from dmp.cda.sections import Section, sections_of
from dmp.domain.civil_time import PARIS
from dmp.domain.clinical_document import CdaAuthor, CdaPatient, ClinicalDocumentHeader
from dmp.domain.errors import Invalid, TooLarge

_TEXTS = Path(__file__).parent.parent / "data" / "rendering_fr.json"
_PAGE = """<!DOCTYPE html>
<html lang="fr"><head><meta charset="utf-8"><title>{title}</title></head>
<body><header><h1>{title}</h1><dl>{facts}</dl></header><main>{body}</main></body></html>
"""
_DEEPEST_HEADING = 6
_PLAIN_TEXT = "text/plain"
LARGEST_PAGE = 4 * 1024 * 1024
"""Bytes of a page; what would be larger is read in the document itself."""


def html_of(content: bytes) -> str | None:
    """The page of a CDA, in French; None where the bytes cannot be read as one, or the page would exceed 4 MiB.

    It holds nothing but text, lists and tables: no script, style, link, image or address of the document, so that it
    is shown under the policy `default-src 'none'`.
    """
    try:
        header = read_header(content)
    except (Invalid, TooLarge):
        return None
    if header is None:
        return None
    title = text_of(header.title or _label("untitled"))
    facts = "".join(f"<dt>{text_of(_label(name))}</dt><dd>{text_of(text)}</dd>" for name, text in _facts(header))
    try:
        page = _PAGE.format(title=title, facts=facts, body=_body(content))
    except TooLarge:
        return None
    return page if len(page.encode()) <= LARGEST_PAGE else None


def _facts(header: ClinicalDocumentHeader) -> Iterator[tuple[str, str]]:
    """What the heading tells, by the names of the labels."""
    yield "patient", _patient(header.patient) if header.patient else _label("unknown")
    if header.type and header.type.display:
        yield "type", header.type.display
    yield "date", _moment(header.effective_time) or _label("unknown")
    if header.service_start:
        yield "care", _period(header.service_start, header.service_end)
    for author in header.authors:
        yield "author", _author(author)
    if header.legal_authenticator:
        yield "authenticator", _author(header.legal_authenticator)
    if header.custodian_name:
        yield "custodian", header.custodian_name
    if header.version is not None:
        yield "version", str(header.version)


def _patient(patient: CdaPatient) -> str:
    names = [" ".join((*name.given, name.family)) for name in (patient.birth, patient.used) if name]
    born = "/".join(reversed(patient.birth_date.split("-")))
    told = [" / ".join(names), f"{_label('born')} {born}" if born else ""]
    return ", ".join(filter(None, told)) or _label("unknown")


def _author(author: CdaAuthor) -> str:
    told = (
        " ".join(filter(None, (author.given, author.family))),
        author.specialty.display if author.specialty else "",
        author.organization_name,
    )
    return ", ".join(filter(None, told)) or _label("unknown")


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(PARIS).strftime("%d/%m/%Y %H:%M") if moment else ""


def _period(start: datetime, end: datetime | None) -> str:
    told = [_label("from"), _moment(start)] + ([_label("to"), _moment(end)] if end else [])
    return " ".join(told)


def _body(content: bytes) -> str:
    try:
        sections = sections_of(content, with_entries=False)
    except Invalid:
        return _paragraph(_label("too-complex"))
    return "".join(_within(_sections(sections, 2))) if sections else _file(content)


def _within(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces of a page; TooLarge as soon as they cannot be one."""
    room = LARGEST_PAGE
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            raise TooLarge("too-large")
        yield piece


def _sections(sections: Sequence[Section], level: int) -> Iterator[str]:
    heading = f"h{min(level, _DEEPEST_HEADING)}"
    for section in sections:
        title = section.title or (section.code.display if section.code else "") or _label("section")
        yield f"<section><{heading}>{text_of(title)}</{heading}>"
        if section.narrative:
            yield f"<div>{narrative_html(section.narrative, _label('media'), LARGEST_PAGE)}</div>"
        yield from _sections(section.sections, level + 1)
        yield "</section>"


def _file(content: bytes) -> str:
    """What a level 1 body is and how to get it; a text is shown as it is."""
    found = embedded(content)
    if found is None:
        return _paragraph(_label("empty"))
    media_type, data = found
    if media_type == _PLAIN_TEXT:
        if len(text := _text(data)) > LARGEST_PAGE:
            raise TooLarge("too-large")
        return f"<pre>{text_of(text)}</pre>"
    kind = _texts()["kinds"].get(media_type, media_type)
    return _paragraph(_label("file").format(kind=kind, type=media_type))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _paragraph(text: str) -> str:
    return f"<p>{text_of(text)}</p>"


def _label(name: str) -> str:
    return str(_texts()["labels"][name])


@cache
def _texts() -> dict[str, Any]:
    return dict(json.loads(_TEXTS.read_bytes()))
