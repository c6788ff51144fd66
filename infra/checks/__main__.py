"""`python -m infra.checks`: every static bar, as many at once as there are cores, one line each and failures in full.

`--template FOLDER/template.yaml` puts that template, and the stacks in FOLDER/infra, to the bars of templates alone.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from infra.checks import approval, checkov, nag, parliament, rules
from infra.checks.bars import Bar, Verdict, tool
from infra.checks.code_bars import CODE_BARS
from infra.checks.deployments import ROOT, Application, Refused, applications, read, template_paths


def template_bars(folder: Path) -> list[Bar]:
    """The bars of template.yaml and of the stacks beside it; those first that take longest."""
    template, *_ = templates = template_paths(folder)
    source = read(folder)
    syntax = [
        Bar("approved", partial(approval.judge, source)),
        tool("sam validate --lint", ROOT / ".sam/bin/sam", "validate", "--lint", "--template", template),
        tool("cfn-lint", ROOT / ".venv/bin/cfn-lint", *templates, silent=f"{len(templates)} templates, 0 findings"),
        tool("sam validate", ROOT / ".sam/bin/sam", "validate", "--template", template),
    ]
    try:
        [application] = applications([source])
    except Refused as refused:
        return [Bar("expansion", partial(Verdict, "refused", (str(refused),))), *syntax]
    scans = {"checkov": checkov.judge, "cdk-nag": nag.judge, "parliament": parliament.judge, "own rules": own_rules}
    return [*(Bar(name, partial(judge, application)) for name, judge in scans.items()), *syntax]


def own_rules(application: Application) -> Verdict:
    """The promises that no scanner knows."""
    found = list(rules.broken(application))
    figures = f"{len(rules.RULES)} rules, {len(application.deployments)} deployments, {len(found)} findings"
    return Verdict(figures, tuple(f"{rule}: {finding}" for rule, finding in found))


def run(bars: Sequence[Bar]) -> bool:
    """Judge all bars, tell of each as it ends, then of all that is wrong; whether all hold."""
    wrong: list[tuple[str, Verdict]] = []
    with ThreadPoolExecutor(os.process_cpu_count()) as pool:
        judged = {pool.submit(_timed, bar): bar.name for bar in bars}
        for future in as_completed(judged):
            verdict, seconds = future.result()
            name, word = judged[future], "ok" if verdict.holds else "FAIL"
            print(f"{word:<5} {name:<20} {seconds:5.1f} s  {verdict.figures}", flush=True)
            wrong += [] if verdict.holds else [(name, verdict)]
    for name, verdict in wrong:
        print(f"\n{name}:", *(f"  {failure}" for failure in verdict.failures), sep="\n")
    return not wrong


def _timed(bar: Bar) -> tuple[Verdict, float]:
    start = time.monotonic()
    verdict = bar.judge()
    return verdict, time.monotonic() - start


def main() -> int:
    """Run all bars, or those of one template; 1 if one does not hold."""
    options = argparse.ArgumentParser(prog="python -m infra.checks", description=__doc__)
    options.add_argument("--template", type=Path)
    template = options.parse_args().template
    if template:
        return 0 if run(template_bars(template.resolve().parent)) else 1
    return 0 if run([*CODE_BARS, *template_bars(ROOT)]) else 1


if __name__ == "__main__":
    sys.exit(main())
