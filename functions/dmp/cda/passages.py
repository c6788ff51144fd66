"""The passages of a document's narratives by their ID: what entries refer to and do not repeat (CDA R2 §4.3.5)."""

import re
from collections.abc import Iterable, Iterator

from dmp.cda.markup import Node
from dmp.cda.sections import Section
from dmp.cda.table_rows import Row, rows_of
from dmp.domain.visible_text import made_visible

LONGEST = 500
"""Characters of a text; what is longer is read in the document itself."""
_MOST_PIECES = 2_000
_MOST_ALIKE = 10
"""Passages of one ID that are compared."""
_ANYWHERE = 0
_CODE = re.compile(r"\S+( \S+)*")
_LONGEST_CODE, _LONGEST_URI = 100, 200
_SCHEMES = ("urn:oid:", "urn:uuid:", "http://", "https://")


type _Found[Value] = dict[tuple[int, str], list[Value]]
"""What has an ID, by the section it stands in (and anywhere) and the ID."""


class Passages:
    """Finds the text of a passage: of several with one ID that of the section itself; none of those that differ."""

    def __init__(self, sections: Iterable[Section] = ()) -> None:
        self._nodes: _Found[Node] = {}
        self._texts: dict[tuple[int, str], str] = {}
        self._rows: _Found[Row] = {}
        self._narratives: dict[int, str] = {}
        self._cells: dict[int, tuple[tuple[str, str], ...]] = {}
        for section in sections:
            self._index(section)

    def text(self, reference: str, section: Section) -> str:
        """The text of the passage that `#id` names for an entry of a section, or an empty one."""
        name = reference.strip().removeprefix("#")
        key = id(section), name
        if key not in self._texts:
            nodes = self._nodes.get(key) or self._nodes.get((_ANYWHERE, name), [])
            told = {text_of(node) for node in nodes}
            self._texts[key] = told.pop() if len(told) == 1 else ""
        return self._texts[key]

    def narrative(self, section: Section) -> str:
        """The text of a section's narrative, no further than 500 characters."""
        if id(section) not in self._narratives:
            self._narratives[id(section)] = text_of(section.narrative) if section.narrative else ""
        return self._narratives[id(section)]

    def beside(self, reference: str, section: Section) -> tuple[tuple[str, str], ...]:
        """The cells of the table row that the passage stands in, each after its heading; none where it is in none."""
        name = reference.strip().removeprefix("#")
        place = id(section) if (id(section), name) in self._nodes else _ANYWHERE
        rows = self._rows.get((place, name), [])
        if not rows or any(one is not rows[0] for one in rows):
            return ()
        row = rows[0]
        if id(row) not in self._cells:
            told = ((text_of(row.headings[column]), text_of(cell)) for column, cell in row.cells)
            self._cells[id(row)] = tuple(told)
        return self._cells[id(row)]

    def _index(self, section: Section) -> None:
        for name, row in rows_of(section.narrative) if section.narrative else ():
            _keep(self._rows, name, section, row)
        stack = [section.narrative] if section.narrative else []
        while stack:
            node = stack.pop()
            if name := node.get("ID"):
                _keep(self._nodes, name, section, node)
            stack.extend(reversed(list(node.elements())))
        for inner in section.sections:
            self._index(inner)


def _keep[Value](found: _Found[Value], name: str, section: Section, one: Value) -> None:
    for place in (id(section), _ANYWHERE):
        alike = found.setdefault((place, name), [])
        if len(alike) < _MOST_ALIKE:
            alike.append(one)


def shortened(text: str) -> str:
    """A text that shows what it says, on one line, of at most 500 characters."""
    whole = " ".join(made_visible(text[: 4 * LONGEST]).split())
    return whole if len(whole) <= LONGEST else f"{whole[: LONGEST - 1].rstrip()}…"


def is_code(text: str) -> bool:
    """Whether FHIR can write a text as a code, and it is not absurdly long."""
    return len(text) <= _LONGEST_CODE and text.isprintable() and bool(_CODE.fullmatch(text))


def is_uri(text: str) -> bool:
    """Whether a text is the address of a code system: a URL, an OID or a UUID as a URI."""
    return len(text) <= _LONGEST_URI and text.isascii() and text.startswith(_SCHEMES) and " " not in text


def text_of(node: Node) -> str:
    """The text within an element, its cells and lines parted, no further than 500 characters."""
    pieces, length = [], 0
    for number, piece in enumerate(pieces_of(node)):
        pieces.append(piece)
        length += len(piece)
        if length > 4 * LONGEST or number > _MOST_PIECES:
            break
    return shortened("".join(pieces))


_APART = frozenset({"br", "caption", "item", "list", "paragraph", "table", "td", "th", "tr"})


def pieces_of(node: Node) -> Iterator[str]:
    """The texts within an element in their order, a space between the cells, lines and paragraphs."""
    stack: list[Node | str] = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            yield one
            continue
        yield " " if one.name in _APART else ""
        stack.extend([" "] if one.name in _APART else [])
        stack.extend(reversed(one.children))
