"""Every dangerous edit of the templates is caught by a rule of ours, and by the command that `make check` runs."""

import json
import subprocess
import sys
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest

from infra.checks.deployments import ROOT, applications, read
from infra.checks.resolution import Json
from infra.checks.rules import RULES, broken
from tests.planted import Edit
from tests.planted_edits import EDITS

BY_NAME = {rule.__name__: rule for rule in RULES}
A_DOZEN = EDITS[:: len(EDITS) // 12 + 1]
"""What the whole command is tried on, which takes half a minute each."""


@cache
def written() -> dict[str, Json]:
    return read(ROOT)


def edited(edit: Edit) -> dict[str, Json]:
    """The templates after one edit."""
    templates = deepcopy(written())
    edit.make(templates)
    return templates


def test_every_dangerous_edit_is_caught_by_its_rule() -> None:
    as_it_stands, *planted = applications([written(), *map(edited, EDITS)])

    caught = [edit for edit, each in zip(EDITS, planted, strict=True) if any(broken(each, [BY_NAME[edit.rule]]))]

    assert list(broken(as_it_stands)) == []
    assert caught == EDITS


def test_every_rule_is_proven_by_an_edit() -> None:
    unproven = {rule.__name__ for rule in RULES} - {edit.rule for edit in EDITS}

    assert unproven == set()


def test_a_log_that_is_kept_too_long_says_where_its_bound_stands() -> None:
    templates = deepcopy(written())
    templates["template.yaml"]["Parameters"]["LogRetentionDays"]["AllowedValues"].append(1827)
    [longer] = applications([templates])

    findings = [finding for _, finding in broken(longer, [BY_NAME["logs_are_encrypted_and_end"]])]

    assert findings
    assert all("1827, which is not within DAYS_OF_A_LOG (infra/checks/rules_operation.py)" in each for each in findings)


@pytest.mark.long
@pytest.mark.parametrize("edit", A_DOZEN, ids=str)
def test_make_check_fails_on_a_dangerous_edit(edit: Edit, tmp_path: Path) -> None:
    for path, template in edited(edit).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(json.dumps(template, indent=1), encoding="utf-8")

    command = [sys.executable, "-m", "infra.checks", "--template", str(tmp_path / "template.yaml")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    failed = [line[6:26].strip() for line in run.stdout.splitlines() if line.startswith("FAIL")]
    print(f"{edit}: {', '.join(failed)}")
    assert run.returncode == 1, run.stdout + run.stderr
    assert "own rules" in failed
