"""The dependency rule and the two monopolies: settings read the environment, handlers the clock and chance."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture.source import FUNCTIONS, ROOT, modules, names_used, place, tree

CLOCK = re.compile(r"datetime\.(datetime\.(now|utcnow|today)|date\.today)|time\.(time|time_ns|localtime|gmtime)")
CHANCE = re.compile(r"secrets\.(token_\w+|randbits|randbelow|choice)|uuid\.uuid\d|os\.(urandom|getrandom)")
ENVIRONMENT = re.compile(r"os\.(environb?|getenvb?)(\..*)?")


def test_every_layer_imports_only_what_the_dependency_rule_allows(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]
    options = ["--config", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(FUNCTIONS)}

    run = subprocess.run([*command, *options], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr


def test_only_the_settings_read_the_environment() -> None:
    assert not users_of(ENVIRONMENT, allowed=lambda where: where == "dmp/settings.py")


def test_only_handlers_read_the_clock() -> None:
    assert not users_of(CLOCK, allowed=is_handler)


def test_only_handlers_draw_ids_and_secrets() -> None:
    assert not users_of(CHANCE, allowed=is_handler)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import os\nos.environ.get('X')", ENVIRONMENT),
        ("from os import getenv as read\nread('X')", ENVIRONMENT),
        ("from datetime import UTC, datetime as dt\ndt.now(UTC)", CLOCK),
        ("import time as t\nt.time()", CLOCK),
        ("from uuid import uuid4\nuuid4()", CHANCE),
    ],
)
def test_a_forbidden_name_is_found_under_any_alias(source: str, found: re.Pattern[str], tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(source)

    names = [name for _, name in names_used(tree(module))]

    assert any(found.fullmatch(name) for name in names)


def is_handler(where: str) -> bool:
    """Handlers, and the composition that all of them share."""
    return where.startswith("handlers/") or where == "dmp/composition.py"


def users_of(forbidden: re.Pattern[str], allowed: Callable[[str], bool]) -> list[str]:
    return [
        f"{place(path)}:{line} {name}"
        for path in modules()
        if not allowed(place(path))
        for line, name in names_used(tree(path))
        if forbidden.fullmatch(name)
    ]
