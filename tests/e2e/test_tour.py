"""The tour of the README, run as it stands there against `make run`."""

import re
import subprocess
from os import environ
from pathlib import Path
from shutil import which

import pytest

from infra.local.process import LocalProcess

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(which("curl") is None, reason="the tour is told with curl")
def test_the_tour_of_the_readme_does_what_it_says() -> None:
    script = re.search(r"<!-- tour.*?-->\n```bash\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert script

    with LocalProcess(seed="none") as stack:
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


def test_the_demonstration_stands_as_soon_as_the_stack_is_ready() -> None:
    with LocalProcess(seed="demo") as stack:
        log = "\n".join(stack.log)

    assert "INS" not in log
    assert stack.url
