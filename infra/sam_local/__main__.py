"""`make sam-local`: SAM CLI serves the API and what is behind it from containers, with moto and issuers beside it."""

import errno
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from urllib.parse import urlsplit

import httpx

from infra.local.__main__ import asked, port_taken
from infra.local.process import ANNOUNCEMENT, ROOT
from infra.local.server import HOST
from infra.local.stack import Place, Seed
from infra.sam_local.command import SamLocal
from infra.sam_local.engine import Engine, Unavailable, architecture, docker
from infra.sam_local.front import Front
from infra.sam_local.stand_in import stand_in
from infra.sam_local.surroundings import Surroundings

STATE = ROOT / ".sam-local"
BUILDS = ROOT / ".aws-sam"
SAM = ROOT / ".sam" / "bin" / "sam"
CANNOT = os.EX_UNAVAILABLE
"""How the process ends where the machine runs no containers: nothing is wrong with the application."""
SEED_SECONDS = 60
HELP = """\
{engine} runs the functions, {state} holds what they read.
People, with a token each:  curl -s {url}/local/personas
One function, one event:    .sam-local/invoke Records --event infra/events/Records.json
"""


def main() -> int:
    """Run until told to stop."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        serve(*asked())
    except Unavailable as reason:
        print(f"sam local cannot run here: {reason}", flush=True)
        return CANNOT
    except KeyboardInterrupt:
        pass
    return 0


def serve(port: int, seed: Seed | None) -> None:
    """Start everything, say where it is, and wait for the end; what was started first ends last."""
    STATE.mkdir(exist_ok=True)
    with ExitStack() as started:
        front = _front(port)
        started.callback(front.stop)
        started.enter_context(_alone())
        found = started.enter_context(_engine())
        api, functions = _free(), _free()
        stack = started.enter_context(Surroundings(Place(found.listens, front.url), functions))
        sam = SamLocal(SAM, BUILDS / architecture(), STATE, found)
        sam.write(stack.variables)
        started.enter_context(sam.serving("start-lambda", functions))
        started.enter_context(sam.serving("start-api", api))
        stack.answers.set()
        front.start(controls=urlsplit(stack.url).netloc, api=urlsplit(api).netloc)
        if seed:
            with httpx.Client(base_url=f"{front.url}/fhir/", timeout=SEED_SECONDS) as client:
                seed(client, stack.issuers)
        print(HELP.format(engine=found.name, state=STATE.name, url=front.url), end="")
        print(f"{ANNOUNCEMENT}{front.url}/fhir", flush=True)
        signal.pause()


def _front(port: int) -> Front:
    """Listen at this port, or for 0 at any; ends the process where it is taken."""
    try:
        return Front(port)
    except OSError as failure:
        if failure.errno != errno.EADDRINUSE:
            raise
        sys.exit(port_taken(port))


@contextmanager
def _alone() -> Iterator[None]:
    """Nobody else may run from this folder meanwhile: containers and files are of one stack."""
    with (STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("sam local runs from this folder already")
        yield


@contextmanager
def _engine() -> Iterator[Engine]:
    """Docker if it answers, else what stands in for it; raises Unavailable."""
    if found := docker():
        yield found
        return
    with stand_in(STATE, SAM) as made:
        yield made


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _free() -> str:
    """An address of this machine whose port nobody uses."""
    with socket.socket() as attempt:
        attempt.bind((HOST, 0))
        return f"http://{HOST}:{attempt.getsockname()[1]}"


if __name__ == "__main__":
    sys.exit(main())
