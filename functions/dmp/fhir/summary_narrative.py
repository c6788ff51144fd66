"""The narrative of a summary: French tables in the XHTML that FHIR allows, everything escaped, of bounded length."""

import re
from collections.abc import Iterable, Sequence
from html import escape

from dmp.fhir.summary_texts import filled

type Json = dict[str, str]

_LONGEST_CELL = 400
"""Characters of a text in a table: the resource has it whole."""
_ROOM = 58_000
"""Characters of all rows of a table, so that the whole is shorter than what a narrative may have."""
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OPENING = '<div xmlns="http://www.w3.org/1999/xhtml" lang="fr" xml:lang="fr">'


def narrative(paragraphs: Iterable[str], columns: Sequence[str] = (), rows: Iterable[Sequence[str]] = ()) -> Json:
    """A Narrative of paragraphs, then a table where there are rows; rows beyond its room are counted."""
    told = list(paragraphs)
    kept, missing = _within(rows)
    if missing:
        told.append(filled("more_rows", count=missing))
    heads = _row(columns, "th", "thead") if columns else ""
    table = f"<table>{heads}<tbody>{''.join(kept)}</tbody></table>" if kept else ""
    return {"status": "generated", "div": f"{_OPENING}{''.join(f'<p>{_safe(one)}</p>' for one in told)}{table}</div>"}


def _within(rows: Iterable[Sequence[str]]) -> tuple[list[str], int]:
    written = [_row(row, "td") for row in rows]
    kept: list[str] = []
    room = _ROOM
    for row in written:
        room -= len(row)
        if room < 0:
            break
        kept.append(row)
    return kept, len(written) - len(kept)


def _row(cells: Sequence[str], tag: str, around: str = "") -> str:
    row = f"<tr>{''.join(f'<{tag}>{_safe(cell)}</{tag}>' for cell in cells)}</tr>"
    return f"<{around}>{row}</{around}>" if around else row


def _safe(text: str) -> str:
    shown = text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…"
    return escape(_UNWRITABLE.sub("", shown), quote=False)
