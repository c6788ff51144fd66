"""An image that stands in for AWS's of the Python runtime: this machine's Python and libraries, AWS's runtime client.

SAM CLI copies its emulator into an image and keeps the result under a tag that says so. The image made here bears that
tag and holds the emulator, so that nothing is to be built in it: it needs no shell.
"""

import hashlib
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from infra.sam_local.engine import Unavailable, architecture

NAME = "localhost/dmp-lambda"
RUNTIME = "var/runtime"
LANG = "var/lang"
PYTHON = f"/{LANG}/bin/python3.13"
EMULATOR = "var/rapid/aws-lambda-rie"
BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
PINS = Path(__file__).parents[2] / "pyproject.toml"
GLIBC = ("libanl.so.1", "libdl.so.2", "libm.so.6", "libpthread.so.0", "libresolv.so.2", "librt.so.1", "libutil.so.1")
"""What packages may be linked with beside what Python is."""
UNUSED = {"site-packages", "test", "idlelib", "tkinter", "turtledemo", "ensurepip"}
ENVIRONMENT = {
    "LAMBDA_RUNTIME_DIR": f"/{RUNTIME}",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LANG": "en_US.UTF-8",
    "LD_LIBRARY_PATH": f"/{LANG}/lib",
    "PATH": f"/{LANG}/bin",
    "TZ": "UTC",
}


def make(state: Path, sam: Path, environment: Mapping[str, str]) -> str:
    """Import the image unless podman has it already; return its name."""
    emulator = next(sam.parents[1].glob(f"lib/*/site-packages/samcli/local/rapid/aws-lambda-rie-{architecture()}"))
    image = f"{NAME}-{_recipe(emulator)}:rapid-{architecture()}"
    if subprocess.run(["podman", "image", "exists", image], env=environment, check=False).returncode == 0:
        return image
    print("Making an image of the Lambda runtime", flush=True)
    runtime = _client(state / "runtime")
    subprocess.run(["podman", "rmi", "--all", "--force"], env=environment, stdout=subprocess.DEVNULL, check=False)
    _import(image, runtime, emulator, environment)
    return image


def _import(image: str, runtime: Path, emulator: Path, environment: Mapping[str, str]) -> None:
    changes = [f"--change=ENV {name}={value}" for name, value in ENVIRONMENT.items()]
    command = ["podman", "import", "--quiet", *changes, "-", image]
    with tempfile.TemporaryFile() as content:
        with tarfile.open(fileobj=content, mode="w", dereference=True) as archive:
            _fill(archive, runtime, emulator)
        content.seek(0)
        run = subprocess.run(command, env=environment, stdin=content, capture_output=True, text=True, check=False)
    if run.returncode:
        raise Unavailable(f"podman takes no image: {run.stderr.strip()[-300:]}")


def _recipe(emulator: Path) -> str:
    """A name of all that goes into the image."""
    pins = tomllib.loads(PINS.read_text(encoding="utf-8"))["dependency-groups"]["stand-in"]
    parts = [Path(__file__).read_bytes(), BOOTSTRAP.read_bytes(), emulator.read_bytes()]
    return hashlib.sha256(b"".join([*parts, sys.version.encode(), *map(str.encode, pins)])).hexdigest()[:12]


def _client(folder: Path) -> Path:
    """The packages of /var/runtime, as AWS's image has them: the client of the runtime API, and boto3."""
    install = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "install",
    ]
    options = ["--only-binary=:all:", "--no-deps", "--upgrade", "--target", str(folder), "--group", f"{PINS}:stand-in"]
    subprocess.run([*install, *options], check=True)
    return folder


def _fill(archive: tarfile.TarFile, runtime: Path, emulator: Path) -> None:
    python = Path(sys.base_prefix, "bin", "python3.13")
    library = Path(sysconfig.get_path("stdlib"))
    for folder in ("tmp", "var/task"):
        entry = tarfile.TarInfo(folder)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(entry)
    archive.add(python, PYTHON.lstrip("/"))
    archive.add(library, f"{LANG}/lib/python3.13", filter=_used)
    archive.add(runtime, RUNTIME)
    archive.add(BOOTSTRAP, f"{RUNTIME}/bootstrap", filter=_executable)
    archive.add(emulator, EMULATOR, filter=_executable)
    binaries = [python, *library.glob("lib-dynload/*.so"), *runtime.rglob("*.so")]
    for path in sorted(set(_linked(binaries))):
        archive.add(path, path.lstrip("/") if _is_loader(path) else f"{LANG}/lib/{Path(path).name}")


def _used(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out what no function imports."""
    below = Path(entry.name).relative_to(f"{LANG}/lib/python3.13").parts
    return None if below and (below[0] in UNUSED or below[0].startswith("config-")) else entry


def _executable(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mode = 0o755
    return entry


def _linked(binaries: Iterable[Path]) -> Iterator[str]:
    """The shared libraries of programs and extensions, and the loader, by their paths on this machine."""
    told = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False).stdout
    for found in re.finditer(r"^\s+(?:\S+ => )?(/\S+) \(0x", told, re.MULTILINE):
        yield found[1]
        if found[1].endswith("/libc.so.6"):
            yield from (str(Path(found[1]).with_name(name)) for name in GLIBC)


def _is_loader(path: str) -> bool:
    return Path(path).name.startswith("ld-linux")
