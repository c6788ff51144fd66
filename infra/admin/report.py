"""What a command answers with, and how it is printed: as JSON for programs, as tables for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

type Json = dict[str, Any]


@dataclass
class Report:
    """The figures of a command, the lists beside them, and whether all is well."""

    figures: Json = field(default_factory=dict)
    lists: dict[str, list[Json]] = field(default_factory=dict)
    is_well: bool = True
    notes: list[str] = field(default_factory=list)
    """What the operator should know or do next."""

    def printed(self, form: str) -> str:
        """As `json` or as `table`."""
        if form == "json":
            content = {**self.figures, **self.lists, "well": self.is_well, "notes": self.notes}
            return json.dumps(content, indent=2, ensure_ascii=False)
        parts = [_pairs(self.figures)] if self.figures else []
        parts += [f"{name}:\n{_table(rows)}" for name, rows in self.lists.items() if rows]
        parts += self.notes
        return "\n\n".join(parts)


def _pairs(figures: Mapping[str, Any]) -> str:
    width = max(map(len, figures))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in figures.items())


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [columns, *([str(row.get(name, "")) for name in columns] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )
