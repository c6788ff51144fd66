"""The run-time code as syntax trees: where it lies, and what each module calls by its full name."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"


def modules() -> list[Path]:
    """Every module that ships."""
    return sorted(path for path in FUNCTIONS.rglob("*.py") if "__pycache__" not in path.parts)


def place(path: Path) -> str:
    """The module's path as the dependency rule names it: `dmp/domain/access.py`."""
    return path.relative_to(FUNCTIONS).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def names_used(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything imported and then used: `os.environ`, `datetime.datetime.now`."""
    imported = dict(_imports(module))
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute | ast.Name) and (dotted := _dotted(node)):
            first, dot, rest = dotted.partition(".")
            if first in imported:
                yield node.lineno, f"{imported[first]}{dot}{rest}"


def _imports(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else ((root := alias.name.split(".")[0]), root)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{inner}.{name}" if (inner := _dotted(value)) else ""
        case _:
            return ""
