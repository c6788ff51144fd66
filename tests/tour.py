"""The tour of the README, run as it stands there against a stack that answers."""

import re
import subprocess
from os import environ
from pathlib import Path

from infra.local.process import LocalProcess

ROOT = Path(__file__).parents[1]


def assert_tour(stack: LocalProcess) -> None:
    """Take the tour, and see that each step shows what it is there to show."""
    script = re.search(r"<!-- tour.*?-->\n```bash\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert script

    tour = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script[1]],
        cwd=ROOT,
        env={**environ, "B": f"{stack.url}/fhir"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert tour.returncode == 0, tour.stderr
    fed, published, content, section, stranger, revoked, specialist, *trace = tour.stdout.splitlines()
    assert (fed, published, revoked) == ("201 Created", "current", "inactive")
    assert content == "%PDF-1.4"
    assert section == "Alertes"
    assert stranger == specialist
    assert "autoris" in stranger
    assert [line.split()[1] for line in trace].count("refused") == 2
    assert {"ITI-65", "ITI-105", "ITI-67", "ITI-68"} <= set(" ".join(trace).replace("/", " ").split())
