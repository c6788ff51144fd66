"""The shape of the code: small modules named after things, empty package files."""

import ast
import sys

from tests.architecture.source import FUNCTIONS, modules, place, tree

LONGEST_MODULE = 250
LONGEST_FUNCTION = 40
VAGUE = {"util", "utils", "helper", "helpers", "common", "base", "manager", "misc"}


def test_package_files_are_empty() -> None:
    full = [place(path) for path in modules() if path.name == "__init__.py" and path.read_text().strip()]

    assert not full


def test_no_module_is_longer_than_a_reader_bears() -> None:
    lengths = {place(path): len(path.read_text().splitlines()) for path in modules()}

    assert not {where: lines for where, lines in lengths.items() if lines > LONGEST_MODULE}


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{place(path)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert not {where: lines for where, lines in lengths.items() if lines > LONGEST_FUNCTION}


def test_modules_are_named_after_things() -> None:
    assert not [place(path) for path in modules() if path.stem in VAGUE]


def test_no_package_hides_one_of_the_standard_library() -> None:
    top = {path.name for path in FUNCTIONS.iterdir() if path.is_dir()} - {"__pycache__"}

    assert top == {"dmp", "handlers"}
    assert not top & sys.stdlib_module_names
