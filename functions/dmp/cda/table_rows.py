"""The rows of a narrative's tables: what stands beside a passage, each cell under its heading (CDA R2, StrucDoc)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, repeat

from dmp.cda.markup import Node

_WIDEST = 40
"""Columns of a table that are read."""
_HEADINGS, _CELLS = frozenset({"th"}), frozenset({"td", "th"})
_GROUPS = frozenset({"tbody", "tfoot"})
_TABLE = frozenset({"table"})


@dataclass(frozen=True, slots=True)
class Row:
    """A row with as many columns as its table has headings; `cells` are (column, cell), empty columns left out."""

    headings: tuple[Node, ...]
    cells: tuple[tuple[int, Node], ...]


def rows_of(narrative: Node) -> Iterator[tuple[str, Row]]:
    """The ID of every passage that stands in a row of a table with headings, and that row."""
    for table in (node for node in _within(narrative, frozenset()) if node.name == "table"):
        headings = _headings(table)
        for line in _lines(table):
            row = _row(line, headings)
            if row:
                yield from ((node.get("ID"), row) for node in _within(line, _TABLE) if node.get("ID"))


def _headings(table: Node) -> tuple[Node, ...]:
    """The cells of the last line of headings, each as often as it is wide."""
    head = table.first("thead")
    lines = list(head.elements("tr")) if head else []
    cells = _spread(lines[-1], _HEADINGS) if lines else []
    return tuple(cell for _, cell in cells)


def _lines(table: Node) -> Iterator[Node]:
    yield from table.elements("tr")
    for group in table.elements():
        if group.name in _GROUPS:
            yield from group.elements("tr")


def _row(line: Node, headings: tuple[Node, ...]) -> Row | None:
    cells = _spread(line, _CELLS)
    if not headings or len(cells) != len(headings):
        return None
    once = [cell for number, cell in enumerate(cells) if number == 0 or cell[1] is not cells[number - 1][1]]
    return Row(headings, tuple((column, node) for column, node in once if node.has_text))


def _spread(line: Node, names: frozenset[str]) -> list[tuple[int, Node]]:
    """The cells of a line with their columns, those that span several once for each."""
    cells = (cell for node in line.elements() if node.name in names for cell in repeat(node, _width(node)))
    return list(enumerate(islice(cells, _WIDEST)))


def _width(cell: Node) -> int:
    span = cell.get("colspan")
    return min(int(span), _WIDEST) if span.isascii() and span.isdigit() and 0 < len(span) < 4 and int(span) else 1


def _within(root: Node, passed_over: frozenset[str]) -> Iterator[Node]:
    """An element and those within it, in their order, some left out with all that they hold."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(child for child in reversed(list(node.elements())) if child.name not in passed_over)
