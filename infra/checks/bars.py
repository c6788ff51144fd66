"""A bar: something that must hold of the project, by one tool, told in one line when it does and in full when not."""

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.checks.deployments import ROOT

ENVIRONMENT = {
    **os.environ,
    # SAM CLI and the translator want a region, and nothing else of AWS
    "AWS_DEFAULT_REGION": "eu-west-3",
    "AWS_EC2_METADATA_DISABLED": "true",
    "PATH": f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    "PYTHONPATH": f"{ROOT / 'functions'}{os.pathsep}{ROOT}",
    "SAM_CLI_TELEMETRY": "0",
}


@dataclass(frozen=True)
class Verdict:
    """Whether a bar held; `figures` say what was looked at, `failures` what is wrong, in full."""

    figures: str
    failures: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.failures


@dataclass(frozen=True)
class Bar:
    """One bar by its name; `judge` may take minutes."""

    name: str
    judge: Callable[[], Verdict]


def told_by(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run a tool at the root of the project, offline as far as that is up to us."""
    return subprocess.run(
        [str(each) for each in command], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


def tool(name: str, *command: str | Path, silent: str = "nothing to say") -> Bar:
    """A bar that holds where a command ends well; its figures are the last that it says, or `silent`."""

    def judge() -> Verdict:
        run = told_by(command)
        if run.returncode:
            return Verdict(f"exit code {run.returncode}", ((run.stdout + run.stderr).strip(),))
        lines = (run.stdout.strip() or run.stderr.strip() or silent).splitlines()
        return Verdict(lines[-1].partition(". ")[0])

    return Bar(name, judge)
