"""`make sam-local`: SAM CLI serves the API and what is behind it from containers, with moto and issuers beside it."""

import fcntl
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import httpx

from infra.local.__main__ import asked, port_taken
from infra.local.process import ANNOUNCEMENT, ROOT
from infra.local.server import HOST
from infra.local.stack import Place, Seed
from infra.sam_local.command import SamLocal
from infra.sam_local.engine import Engine, Unavailable, architecture, docker
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
    api, functions = f"http://{HOST}:{_free(port)}", f"http://{HOST}:{_free(0)}"
    with ExitStack() as started:
        started.enter_context(_alone())
        found = started.enter_context(_engine())
        stack = started.enter_context(Surroundings(Place(found.listens, api), functions))
        sam = SamLocal(SAM, BUILDS / architecture(), STATE, found)
        sam.write(stack.variables)
        started.enter_context(sam.serving("start-lambda", functions))
        started.enter_context(sam.serving("start-api", api))
        stack.answers.set()
        if seed:
            with httpx.Client(base_url=f"{api}/fhir/", timeout=SEED_SECONDS) as client:
                seed(client, stack.issuers)
        print(HELP.format(engine=found.name, state=STATE.name, url=stack.url), end="")
        print(f"{ANNOUNCEMENT}{api}/fhir", flush=True)
        signal.pause()


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


def _free(port: int) -> int:
    """This port, or for 0 any; ends the process where it is taken."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError:
            sys.exit(port_taken(port))
        return int(attempt.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
