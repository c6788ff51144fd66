"""Puts byte code in the place of the sources of a package: in Lambda's read-only folder nothing is compiled.

A process of its own, started with `-X no_debug_ranges` and without any other module of ours, so that the same sources
give the same bytes. Tracebacks keep file and line, and lose the text of the line and the place in it.
"""

import ast
import importlib.util
import json
import marshal
import sys
from pathlib import Path

TASK_FOLDER = "/var/task"
"""Where Lambda puts the package: what tracebacks name."""
UNCHECKED_HASH = 1
"""The kind of byte code that is never held against a source at start-up (PEP 552)."""
LARGE_TABLE = 1000


def main(package: Path) -> None:
    """Compile every module beside its source, and remove the source."""
    for source in sorted(package.rglob("*.py")):
        content, name = source.read_bytes(), f"{TASK_FOLDER}/{source.relative_to(package)}"
        module = _Lean().visit(ast.parse(content, name))
        head = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(content)
        source.with_suffix(".pyc").write_bytes(head + marshal.dumps(compile(module, name, "exec")))
        source.unlink()


class _Lean(ast.NodeTransformer):
    """Leaves out docstrings, and writes large tables of texts as JSON: as byte code they are twice as large."""

    def visit_Module(self, node: ast.Module) -> ast.AST:
        return self._without_docstring(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._without_docstring(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._without_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """A dataclass keeps the mark of a docstring: without one it makes one up, at every start."""
        is_dataclass = any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
        lean = self._without_docstring(node)
        if is_dataclass:
            node.body.insert(0, ast.copy_location(ast.Expr(ast.copy_location(ast.Constant("-"), node)), node))
        return lean

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        if len(node.keys) < LARGE_TABLE or not all(map(_is_text, [*node.keys, *node.values])):
            return self.generic_visit(node)
        text = json.dumps(ast.literal_eval(node))
        return ast.copy_location(ast.parse(f"__import__('json').loads({text!r})", mode="eval").body, node)

    def _without_docstring(self, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.copy_location(ast.Pass(), node.body[0])]
        return self.generic_visit(node)


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
