"""`python -m infra.checks.approve`: take down what the templates say now as what was judged, if no own rule objects."""

import sys
from collections.abc import Mapping
from pathlib import Path

from infra.checks.approval import APPROVED, hidden, written
from infra.checks.deployments import ROOT, Refused, applications, read
from infra.checks.resolution import Json
from infra.checks.rules import broken


def approve(templates: Mapping[str, Json], approved: Path = APPROVED) -> list[str]:
    """Write what they say, unless something hides or a rule has findings, which are returned then."""
    if found := list(hidden(templates)):
        return found
    try:
        [application] = applications([templates])
    except Refused as refused:
        return [str(refused)]
    found = [f"{rule}: {finding}" for rule, finding in broken(application)]
    if not found:
        approved.write_text(written(templates), encoding="utf-8")
    return found


def main() -> int:
    """Approve the templates of the project; 1 if a rule objects."""
    if found := approve(read(ROOT)):
        print("nothing is approved as long as a rule has findings:", *(f"  {each}" for each in found), sep="\n")
        return 1
    print(f"{APPROVED.relative_to(ROOT)}: written; review its diff together with that of the templates")
    return 0


if __name__ == "__main__":
    sys.exit(main())
