"""What runs the containers of SAM CLI, and how it is asked: Docker here, else what stands in for it (stand_in.py)."""

import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

DOCKER_HOST = "unix:///var/run/docker.sock"
RUNTIME_IMAGE = "public.ecr.aws/lambda/python"
RUNTIME_TAG = "3.13"
PULL_SECONDS = 600
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class Unavailable(Exception):
    """This machine runs no containers; the text says why."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine in service: `listens` is where containers reach this machine, by the name `reached`."""

    name: str
    listens: str
    reached: str
    environment: Mapping[str, str] = field(default_factory=dict)
    """What SAM CLI is told of it by variables, and by options below."""
    options: tuple[str, ...] = ("--skip-pull-image",)


def architecture() -> str:
    """This machine's, as Lambda names it."""
    machine = platform.machine().lower()
    if machine not in ARCHITECTURES:
        raise Unavailable(f"Lambda has no functions for {machine}")
    return ARCHITECTURES[machine]


def docker() -> Engine | None:
    """The Docker engine, with the image of the runtime at hand; None where none answers."""
    try:
        with connection(os.environ.get("DOCKER_HOST") or DOCKER_HOST) as api:
            api.get("/_ping").raise_for_status()
            _fetch_image(api)
            return _reachable(gateway(api, "bridge"))
    except httpx.HTTPError:
        return None


def connection(host: str) -> httpx.Client:
    """A client of an engine's API, at `unix://…` or `tcp://…`."""
    if host.startswith("unix://"):
        return httpx.Client(transport=httpx.HTTPTransport(uds=host.removeprefix("unix://")), base_url="http://engine")
    return httpx.Client(base_url=host.replace("tcp://", "http://", 1))


def gateway(api: httpx.Client, network: str) -> str:
    """The address of this machine in a network of the engine."""
    found = api.get(f"/networks/{network}").raise_for_status().json()
    return str(found["IPAM"]["Config"][0]["Gateway"])


def _reachable(address: str) -> Engine:
    """On Linux the gateway is an address of this machine; elsewhere Docker forwards a name to the loopback."""
    with socket.socket() as attempt:
        try:
            attempt.bind((address, 0))
        except OSError:
            return Engine("Docker", listens="127.0.0.1", reached="host.docker.internal")
    return Engine("Docker", listens=address, reached=address)


def _fetch_image(api: httpx.Client) -> None:
    """Have the image before the first request waits for it."""
    tag = f"{RUNTIME_TAG}-{architecture()}"
    if api.get(f"/images/{RUNTIME_IMAGE}:{tag}/json").is_success:
        return
    print(f"Fetching {RUNTIME_IMAGE}:{tag}", flush=True)
    answer = api.post("/images/create", params={"fromImage": RUNTIME_IMAGE, "tag": tag}, timeout=PULL_SECONDS)
    if answer.is_error or '"error"' in answer.text:
        raise Unavailable(f"Docker could not fetch {RUNTIME_IMAGE}:{tag}")
