"""`make run`: starts the local stack, says where it is and how to call it, and stops on SIGTERM or Ctrl-C."""

import errno
import os
import signal
import sys

from infra.local import seed
from infra.local.process import ANNOUNCEMENT
from infra.local.stack import LocalStack, Seed

HELP = """\
People, with a token each:  curl -s {url}/local/personas
A token of your own:        curl -s {url}/local/token -d '{{"issuer": "insurer", "claims": {{"role": "CNAM_FEED"}}}}'
A first call:               curl -s {url}/fhir/metadata
"""
STOPPING = {signal.SIGTERM, signal.SIGINT}
SEEDS: dict[str, Seed | None] = {"demo": seed.demo, "none": None}


def asked() -> tuple[int, Seed | None]:
    """Port and seed, as the environment says; ends the process where it says something else."""
    port, chosen = os.environ.get("PORT", "8000"), os.environ.get("SEED", "demo")
    if not port.isdecimal() or chosen not in SEEDS:
        sys.exit(f"PORT is a number, SEED one of {', '.join(SEEDS)}")
    return int(port), SEEDS[chosen]


def port_taken(port: int) -> str:
    """What to say of it."""
    return f"Port {port} is taken: try PORT=0, which finds a free one"


def main() -> int:
    """Run until told to stop."""
    port, chosen = asked()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        with LocalStack(port, seed=chosen) as stack:
            print(HELP.format(url=stack.url), f"{ANNOUNCEMENT}{stack.url}/fhir", sep="", flush=True)
            signal.sigwait(STOPPING)
    except OSError as failure:
        if failure.errno != errno.EADDRINUSE:
            raise
        sys.exit(port_taken(port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
