"""checkov over plain CloudFormation: nothing fails, much is looked at, few rules are exempted, with reasons."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.checks.bars import Verdict, told_by
from infra.checks.deployments import AUDITORS, Application

PASSED_AT_LEAST = 130
EXEMPTED_AT_MOST = 6


def judge(application: Application) -> Verdict:
    """Run checkov on all templates as they are written, SAM expanded; exemptions stand in Metadata of resources."""
    with TemporaryDirectory() as folder:
        for stack in application.written:
            path = Path(folder) / stack.name.replace("/", "-").replace(".yaml", ".json")
            path.write_text(json.dumps(stack.content, indent=1), encoding="utf-8")
        options = ["--framework", "cloudformation", "--skip-download", "--compact", "--output", "json"]
        run = told_by([AUDITORS / "checkov", "--directory", folder, *options])
    try:
        report = json.loads(run.stdout)
    except ValueError:
        return Verdict("no report", (run.stdout + run.stderr,))
    return verdict(application, report)


def verdict(application: Application, report: Mapping[str, Any]) -> Verdict:
    """Judge a report; an exemption of what is not looked at is a failure too."""
    results, summary = report.get("results", {}), report.get("summary", report)
    exempted = defaultdict(list)
    for check in results.get("skipped_checks", ()):
        exempted[check["check_id"]].append(check)
    passed = summary["passed"]
    figures = (
        f"{passed} passed, {summary['failed']} failed, {len(exempted)} rules exempted ({', '.join(sorted(exempted))})"
    )
    failures = [
        *(f"{each['check_id']} {each['check_name']}: {_place(each)}" for each in results.get("failed_checks", ())),
        *(f"{rule}: exempted without a reason" for rule, checks in exempted.items() if not all(map(_reason, checks))),
        *_stale(application, {(_place(each), rule) for rule, checks in exempted.items() for each in checks}),
    ]
    if summary["parsing_errors"]:
        failures.append(f"not read: {results.get('parsing_errors')}")
    if passed < PASSED_AT_LEAST:
        failures.append(f"only {passed} checks passed: at least {PASSED_AT_LEAST} were to be looked at")
    if len(exempted) > EXEMPTED_AT_MOST:
        failures.append(f"more than {EXEMPTED_AT_MOST} rules exempted: {sorted(exempted)}")
    return Verdict(figures, tuple(failures))


def _stale(application: Application, used: set[tuple[str, str]]) -> Iterator[str]:
    """Exemptions of what checkov would not have complained about."""
    for stack in application.written:
        for resource in stack.resources():
            for each in resource.whole.get("Metadata", {}).get("checkov", {}).get("skip", ()):
                place = (
                    f"{stack.name.replace('/', '-').replace('.yaml', '.json')} {resource.whole['Type']}.{resource.id}"
                )
                if (place, each["id"]) not in used:
                    yield f"{resource}: {each['id']} is exempted, but is not looked at there"


def _place(check: Mapping[str, Any]) -> str:
    return f"{Path(check['file_path']).name} {check['resource']}"


def _reason(check: Mapping[str, Any]) -> str:
    reason: str = check["check_result"].get("suppress_comment") or ""
    return "" if "No comment" in reason else reason
