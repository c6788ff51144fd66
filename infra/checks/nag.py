"""cdk-nag, the packs for HIPAA, NIST 800-53 and PCI DSS: every finding is mended or explained in its template."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.checks.bars import Verdict, told_by
from infra.checks.deployments import LEAST, ROOT, WITHOUT_EDGE, Application, Resource, Stack

NODE = ROOT / ".venv/bin/node"
PROGRAM = ROOT / "infra/checks/nag/nag.js"


@dataclass(frozen=True)
class Finding:
    """A rule, without the name of its pack, that a resource breaks; `text` says what is wrong, by which controls."""

    rule: str
    resource: Resource
    pack: str
    text: str


@dataclass(frozen=True)
class Explanation:
    """Why some resources break a rule, as the Metadata of their template says under `cdk_nag`."""

    stack: str
    rule: str
    resources: frozenset[str]
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether it is about that rule, and that resource by its logical id or its type."""
        named = {finding.resource.id, finding.resource.whole["Type"]}
        return self.rule == finding.rule and self.stack == finding.resource.stack.name and bool(named & self.resources)


def judge(application: Application) -> Verdict:
    """Look at all stacks, by default and with most; an explanation that explains nothing is a failure too."""
    with TemporaryDirectory() as folder:
        stacks = dict(_resolved(application, Path(folder)))
        run = told_by([NODE, PROGRAM, *stacks])
    if run.returncode:
        return Verdict("no report", (run.stdout + run.stderr,))
    told: Mapping[str, Any] = json.loads(run.stdout)
    found = [each for path, stack in stacks.items() for each in _findings(stack, told[path]["found"])]
    return verdict(sum(each["applied"] for each in told.values()), found, list(explanations(application)))


def verdict(applied: int, found: Iterable[Finding], explained: list[Explanation]) -> Verdict:
    """Match findings with explanations."""
    unexplained: dict[tuple[str, str], Finding] = {}
    used: set[Explanation] = set()
    for finding in found:
        covering = [each for each in explained if each.covers(finding)]
        used |= set(covering)
        if not covering:
            unexplained.setdefault((finding.rule, str(finding.resource)), finding)
    failures = [
        *(f"{each.rule}: {each.resource} - {each.text} ({each.pack})" for each in unexplained.values()),
        *(f"{each.stack}: {each.rule} is explained, but nothing breaks it" for each in explained if each not in used),
        *(f"{each.stack}: {each.rule} is explained without a reason" for each in explained if not each.reason),
    ]
    rules = {each.rule for each in used}
    return Verdict(f"{applied} rules applied, {len(unexplained)} unexplained, {len(rules)} explained", tuple(failures))


def explanations(application: Application) -> Iterator[Explanation]:
    """What the templates say of findings they live with."""
    for stack in application.written:
        for each in stack.content.get("Metadata", {}).get("cdk_nag", ()):
            yield Explanation(stack.name, each["id"], frozenset(each["resources"]), each.get("reason", ""))


def _resolved(application: Application, folder: Path) -> Iterator[tuple[str, Stack]]:
    for deployment in application.deployments:
        if deployment.choice in {LEAST, WITHOUT_EDGE}:
            continue
        for stack in deployment.stacks:
            path = folder / f"{deployment.choice}-{stack.name.replace('/', '-')}.json"
            path.write_text(json.dumps(stack.content), encoding="utf-8")
            yield str(path), stack


def _findings(stack: Stack, found: Iterable[tuple[str, str, str]]) -> Iterator[Finding]:
    for rule, resource, text in found:
        pack, _, name = rule.partition("-")
        yield Finding(name, stack.resource(resource), pack, text.partition(" - (Control ID")[0])
