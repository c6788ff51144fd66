"""Packages of the functions, built for tests by `make build` itself, each once for all processes of a run."""

import os
import platform
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]
DEPLOYED = "arm64"
OWN = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
"""What runs on this machine."""
SET_UP = [f"--assume-old={stamp}" for stamp in (".venv/.ready", ".sam/.ready", ".wheels/.ready")]


def package(
    factory: pytest.TempPathFactory, name: str, architecture: str, *, umask: int = 0o022, **surroundings: str
) -> Path:
    """The folder of a build, made in these surroundings by whichever process asks first."""
    run = factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else factory.getbasetemp()
    folder = run / "packages" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "deploy.yaml").exists():
            build(folder, architecture, umask=umask, **surroundings)
    return folder


def build(folder: Path, architecture: str, *, umask: int = 0o022, **surroundings: str) -> None:
    """Run `make build`, which asks no registry."""
    command = ["make", "--no-print-directory", *SET_UP, "build", f"ARCH={architecture}", f"BUILD={folder}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    done = subprocess.run(
        command, cwd=ROOT, env=environment | surroundings, umask=umask, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
