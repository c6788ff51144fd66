"""The pages of an archive that are read off line: its summary and the list of accesses, in French, without any script.

Every text of a document is escaped; nothing is fetched from anywhere.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dmp.domain.audit import AuditEntry
from dmp.domain.civil_time import PARIS
from dmp.domain.code_lists import document_type
from dmp.domain.document import DocumentEntry
from dmp.domain.export import SUMS
from dmp.domain.identifiers import moment_of
from dmp.domain.record import Record
from dmp.fhir.audit_shapes import interaction_text, outcome_text
from dmp.services.record_archive import Contents, Paper

_TEXTS = Path(__file__).parent / "data" / "export_fr.json"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_META = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
_STYLE = (
    "body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em;line-height:1.5}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;padding:.3em .6em;text-align:left}"
)
_HEAD = '<!DOCTYPE html>\n<html lang="fr"><head>{meta}<title>{title}</title><style>{style}</style></head>\n<body>'
_NO_LETTER = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME = 40


def name_of(entry: DocumentEntry) -> str:
    """What names the file of a document: its day and its type, in plain letters."""
    folded = unicodedata.normalize("NFKD", _type(entry)).encode("ascii", "ignore").decode().lower()
    plain = _NO_LETTER.sub("-", folded)[:_LONGEST_NAME].strip("-")
    return f"{moment_of(entry.local).astimezone(PARIS):%Y-%m-%d}-{plain or 'document'}"


def readable(content: bytes) -> bytes | None:
    """A CDA as a page for a person, under the same policy as the others; None where it cannot be read."""
    from dmp.cda.rendering import html_of  # noqa: PLC0415 - few archives hold a CDA

    page = html_of(content)
    return page.replace('<meta charset="utf-8">', _META, 1).encode() if page else None


def index(contents: Contents) -> Iterator[bytes]:
    """The page that leads to all that an archive holds."""
    yield _begin(_label("title"))
    yield _heading(contents.record, contents.export.asked)
    yield f"<h2>{_label('documents')}</h2>".encode()
    if contents.papers:
        yield _row("th", *(_label(name) for name in ("date", "kind", "name", "state", "size")), before="<table>")
        yield from (_paper(paper) for paper in contents.papers)
        yield b"</table>"
    else:
        yield f"<p>{_label('no-documents')}</p>".encode()
    yield from _data(contents.counts)
    yield from _accesses(contents.proof)
    yield f"<p>{_link(SUMS, _label('sums'))}</p></body></html>\n".encode()


def trace(entries: Iterable[AuditEntry]) -> Iterator[bytes]:
    """The list of accesses, newest first."""
    yield _begin(_label("trace"))
    yield f"<p>{_link('../index.html', _label('back'))}</p><h1>{_label('trace')}</h1>".encode()
    yield _row("th", *(_label(name) for name in ("date", "who", "what", "why")), before="<table>")
    for entry in entries:
        who = ", ".join(filter(None, (entry.actor_name or entry.role, entry.structure_name)))
        cells = (_moment(entry.at), who, interaction(entry.interaction.value), outcome_text(entry))
        yield _row("td", *map(escape, cells))
    yield b"</table></body></html>\n"


def interaction(code: str) -> str:
    """What a person reads of what was asked."""
    return str(_texts()["interactions"].get(code) or interaction_text(code))


def _begin(title: str) -> bytes:
    return _HEAD.format(meta=_META, title=title, style=_STYLE).encode()


def _heading(record: Record, asked: datetime) -> bytes:
    identity = record.identity
    person = escape(" ".join((*identity.given_names, identity.usual_name or identity.birth_name)))
    return (
        f"<h1>{_label('title')}</h1><p>{_label('of')} {person}. {_label('taken')} {_moment(asked)}.</p>"
        f"<p>{_label('intro')}</p>"
    ).encode()


def _paper(paper: Paper) -> bytes:
    entry = paper.entry
    resource = json.loads(entry.body)
    attachment = resource["content"][0]["attachment"]
    title = escape(str(attachment.get("title") or resource.get("description") or _texts()["labels"]["untitled"]))
    links = _link(paper.file, title) if paper.is_whole else f"{title} - {_label('damaged')}"
    if paper.page:
        links += f" ({_link(paper.page, _label('readable'))})"
    size = f"{entry.content.size} {_label('bytes')}"
    state = escape(_texts()["states"][entry.status.value])
    return _row("td", _moment(moment_of(entry.local)), escape(_type(entry)), links, state, size)


def _type(entry: DocumentEntry) -> str:
    known = document_type(entry.type.system, entry.type.code) if entry.type else None
    return known.display if known else _texts()["labels"]["unknown"]


def _data(counts: dict[str, int]) -> Iterator[bytes]:
    yield f"<h2>{_label('data')}</h2><p>{_label('data-intro')}</p><ul>".encode()
    for name, text in _texts()["types"].items():
        if name in counts:
            yield f"<li>{_link(f'fhir/{name}.ndjson', escape(text))} ({counts[name]})</li>".encode()
    yield b"</ul>"


def _accesses(proof: Iterable[str]) -> Iterator[bytes]:
    yield f"<h2>{_label('trace')}</h2><p>{_label('trace-intro')}</p><ul>".encode()
    yield f"<li>{_link('trace/index.html', _label('trace-list'))}</li>".encode()
    yield f"<li>{_link('trace/AuditEvent.ndjson', _label('trace-data'))}</li>".encode()
    for name in proof:
        yield f"<li>{_link(name, _label('proof'))} ({escape(name.rpartition('/')[2])})</li>".encode()
    yield b"</ul>"


def _row(cell: str, *texts: str, before: str = "") -> bytes:
    """A row of cells whose texts are safe already."""
    return f"{before}<tr>{''.join(f'<{cell}>{text}</{cell}>' for text in texts)}</tr>\n".encode()


def _link(file: str, text: str) -> str:
    """A link to a file of the archive; the text is safe already."""
    return f'<a href="{escape(quote(file, safe="/."))}">{text}</a>'


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(PARIS):%d/%m/%Y %H:%M}"


def _label(name: str) -> str:
    return escape(_texts()["labels"][name])


@cache
def _texts() -> dict[str, Any]:
    return dict(json.loads(_TEXTS.read_bytes()))
