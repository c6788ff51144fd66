"""Make the package of the functions of what `sam build` made for one of them, since all have the same code.

Run as `python -m infra.package .aws-sam/arm64 arm64`, with the Python of the functions' runtime: the folder then holds
`functions`, `functions.zip`, `template.yaml` (for `sam local`) and `deploy.yaml` (for `sam deploy`).
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from infra.package import byte_code, contents, requirements, shared_objects, templates
from infra.package.archive import zipped

FOLDER, ARCHIVE = "functions", "functions.zip"
MOST_BYTES = 8 * 1024 * 1024
"""The largest package, zipped: its size counts at every cold start of a new version."""


def main(build: Path, architecture: str) -> None:
    """Make the package, write what is deployed, and say how large it became."""
    archive = make(build)
    templates.write(build, build / FOLDER, archive, architecture)
    content = archive.read_bytes()
    print(f"{archive}: {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")
    if len(content) > MOST_BYTES:
        sys.exit(f"{archive}: over {MOST_BYTES:,} bytes")


def make(build: Path) -> Path:
    """Turn the one function that was built into the package of all, and zip it; return the ZIP file."""
    [built] = [each.parent for each in build.glob("*/handlers")]
    package = built.rename(build / FOLDER)
    requirements.check(package)
    contents.prune(package)
    requirements.check(package, but=contents.ELSEWHERE)
    shared_objects.strip(package)
    compile_modules(package)
    archive = build / ARCHIVE
    archive.write_bytes(zipped(package))
    return archive


def compile_modules(package: Path) -> None:
    """Replace the sources of a package by byte code, in a process that nothing of this one changes."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [sys.executable, "-s", "-P", "-X", "no_debug_ranges", byte_code.__file__, str(package)]
    subprocess.run(command, env=inherited | {"PYTHONHASHSEED": "0"}, check=True)  # noqa: S603 - our own command


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
