"""The bars of the code: form, lint, types, dependency rule, bandit, no secret in any file, and the package it makes."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Any

from infra.checks.bars import Bar, Verdict, told_by, tool
from infra.checks.deployments import AUDITORS, ROOT

TOOLS = ROOT / ".venv/bin"
BASELINE = ROOT / ".secrets.baseline"


def bandit(folder: str) -> Verdict:
    """Judge what runs in production, or deploys it; infra/.bandit says what that may do which functions may not."""
    run = told_by(
        [AUDITORS / "bandit", "--recursive", folder, "--exclude", "*/node_modules/*", "--quiet", "-f", "json"]
    )
    try:
        report = json.loads(run.stdout)
    except ValueError:
        return Verdict("no report", (run.stdout + run.stderr,))
    totals = report["metrics"]["_totals"]
    found = [
        f"{each['filename']}:{each['line_number']}: {each['test_id']} {each['issue_text']}"
        for each in report["results"]
    ]
    errors = [f"{each['filename']}: {each['reason']}" for each in report["errors"]]
    figures = f"{totals['loc']} lines, {len(found)} findings, {totals['skipped_tests']} explained in their line"
    return Verdict(figures, (*found, *errors))


def _place(finding: Mapping[str, Any]) -> str:
    return f"{finding['filename']}:{finding['line_number']}: {finding['test_id']} {finding['issue_text']}"


def secrets() -> Verdict:
    """Look into every file that is, or would be, committed.

    .secrets.baseline holds no finding, only what is no secret: hashes of pinned packages, alphabets of ids, names of
    AWS's secret store, and the made-up ids and bodies of infra/events. What else is none says so in its line.
    """
    files = told_by(["git", "ls-files", "--cached", "--others", "--exclude-standard"]).stdout.splitlines()
    there = [each for each in files if Path(ROOT, each).is_file()]
    with TemporaryDirectory() as folder:
        # written anew by every scan
        baseline = Path(copy(BASELINE, folder))
        run = told_by([TOOLS / "detect-secrets", "scan", "--baseline", baseline, *there])
        results = json.loads(baseline.read_text(encoding="utf-8"))["results"]
    if run.returncode or not there:
        return Verdict("no report", (run.stdout + run.stderr,))
    found = [f"{path}:{each['line_number']}: {each['type']}" for path, several in results.items() for each in several]
    return Verdict(f"{len(there)} files, {len(found)} findings", tuple(found))


CODE_BARS = [
    tool("mypy", TOOLS / "mypy"),
    Bar("detect-secrets", secrets),
    tool("package", "make", "--no-print-directory", "build"),
    Bar("bandit functions", partial(bandit, "functions")),
    Bar("bandit infra", partial(bandit, "infra")),
    tool("lint-imports", TOOLS / "lint-imports"),
    tool("ruff check", TOOLS / "ruff", "check", "."),
    tool("ruff format", TOOLS / "ruff", "format", "--check", "."),
]
