"""Every failure has its status, every code its French sentence."""

import ast
from collections.abc import Iterator
from pathlib import Path

from dmp.domain import errors
from dmp.domain.code_lists import message
from dmp.domain.errors import DmpError
from dmp.failures import FAILURES

FUNCTIONS = Path(__file__).parents[2] / "functions"
RAISERS = {kind.__name__ for kind in FAILURES} | {"_deny", "malformed_parameter", "Decision", "Remark"}


def test_every_failure_has_a_status_and_an_issue_type() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DmpError)}

    assert kinds - {DmpError} == set(FAILURES)


def test_every_code_of_a_failure_has_a_french_sentence_of_its_own() -> None:
    default = message("internal-error")

    silent = {code for code in written_codes() if message(code) == default}

    assert silent == {"internal-error"} & silent


def written_codes() -> Iterator[str]:
    """The literal codes with which the functions raise, refuse or deny."""
    for path in FUNCTIONS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISERS:
                yield from _texts(node)


def _texts(call: ast.Call) -> Iterator[str]:
    if any(keyword.arg == "hidden" for keyword in call.keywords):
        return  # a hidden denial is answered as something missing
    is_decision = isinstance(call.func, ast.Name) and call.func.id == "Decision"
    permits = is_decision and [a.value for a in call.args[:1] if isinstance(a, ast.Constant)] != [False]
    if permits:
        return  # the reason of a permit is no error
    for argument in call.args[: 2 if is_decision else 1]:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value
