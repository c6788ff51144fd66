"""Containers on a Debian machine without Docker, for root: podman, told all by files of ours and nothing below /etc.

runc, because crun fails on machines that mount both versions of cgroups; iptables and the network plug-ins, because
podman asks for them only when a container starts.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from infra.sam_local import lambda_image
from infra.sam_local.engine import Engine, Unavailable, connection, gateway

PACKAGES = ("podman", "runc", "iptables", "containernetworking-plugins")
NETWORK = "podman"
CANNOT_RUN = {125, 126}
"""How podman ends when the container did not start; any other number is of what ran in it."""
START_SECONDS = 20
# no systemd, hence no journal and no cgroups of its; 1,024 files and processes are what Lambda gives a function, while
# what podman asks for by itself not every root may grant
SETTINGS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "{state}/libpod"
[network]
network_backend = "cni"
network_config_dir = "{state}/networks"
"""
STORAGE = """\
[storage]
driver = "{driver}"
graphroot = "{state}/storage"
runroot = "{state}/run"
[storage.options.overlay]
skip_mount_home = "true"
"""


@contextmanager
def stand_in(state: Path, sam: Path) -> Iterator[Engine]:
    """Set podman up, make the image, serve podman's API as Docker's; raises Unavailable where that cannot be."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unavailable("no Docker answers, and only root on Debian can set up something in its place")
    _install([each for each in PACKAGES if not _is_installed(each)])
    environment = _settings(state)
    image = lambda_image.make(state, sam, environment)
    _try_out(image, environment)
    with tempfile.TemporaryDirectory(prefix="dmp-podman-") as folder:
        host = f"unix://{folder}/podman.sock"
        with _service(host, environment, state):
            with connection(host) as api:
                address = gateway(api, NETWORK)
            yield Engine(
                "podman",
                listens=address,
                reached=address,
                environment={"DOCKER_HOST": host},
                options=("--skip-pull-image", "--invoke-image", image),
            )


def _is_installed(package: str) -> bool:
    command = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout == "installed"


def _install(packages: Sequence[str]) -> None:
    if not packages:
        return
    print(f"Installing {', '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        run = subprocess.run(["apt-get", "-qq", *command], env=environment, capture_output=True, text=True, check=False)
        if run.returncode:
            raise Unavailable(f"no Docker answers, and apt-get {command[0]} failed: {run.stderr.strip()[-200:]}")


def _settings(state: Path) -> dict[str, str]:
    """Write what podman reads in place of its files below /etc; return the environment that says where."""
    (state / "networks").mkdir(parents=True, exist_ok=True)
    files = {"CONTAINERS_CONF": ("containers.conf", SETTINGS), "CONTAINERS_STORAGE_CONF": ("storage.conf", STORAGE)}
    for name, content in files.values():
        (state / name).write_text(content.format(state=state, driver=_driver(state)), encoding="utf-8")
    return {**os.environ, **{variable: str(state / name) for variable, (name, _) in files.items()}}


def _driver(state: Path) -> str:
    """How podman keeps images: in layers, but where the folder is itself one of a container."""
    command = ["stat", "--file-system", "--format=%T", str(state)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return "vfs" if told == "overlayfs" else "overlay"


def _try_out(image: str, environment: Mapping[str, str]) -> None:
    """Run one container: it shows what this machine allows, and leaves the bridge that the stack listens at."""
    command = ["podman", "run", "--rm", "--entrypoint", lambda_image.PYTHON, image, "-c", "import ssl"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode in CANNOT_RUN:
        raise Unavailable(f"this machine runs no containers: {run.stderr.strip()[-300:]}")
    run.check_returncode()


@contextmanager
def _service(host: str, environment: Mapping[str, str], state: Path) -> Iterator[None]:
    command = ["podman", "system", "service", "--time=0", host]
    with (state / "podman.log").open("w") as log:
        # a session of its own: Ctrl-C ends SAM CLI first, which still needs the service
        service = subprocess.Popen(command, cwd=state, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _await(host)
        yield
    finally:
        subprocess.run(
            ["podman", "rm", "--all", "--force", "--time=0"], env=environment, stdout=subprocess.DEVNULL, check=False
        )
        service.terminate()
        service.wait()


def _await(host: str) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with connection(host) as api:
                api.get("/_ping").raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > end:
                raise Unavailable("podman's service does not answer") from None
            time.sleep(0.1)
