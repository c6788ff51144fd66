"""`make run`: starts the local stack, says where it is and how to call it, and stops on SIGTERM or Ctrl-C."""

import errno
import os
import signal
import sys

from infra.local import seed
from infra.local.process import ANNOUNCEMENT
from infra.local.stack import LocalStack

HELP = """\
People, with a token each:  curl -s {url}/local/personas
A token of your own:        curl -s {url}/local/token -d '{{"issuer": "insurer", "claims": {{"role": "CNAM_FEED"}}}}'
A first call:               curl -s {url}/fhir/metadata
"""
STOPPING = {signal.SIGTERM, signal.SIGINT}
SEEDS = {"demo": seed.demo, "none": None}


def main() -> int:
    """Run until told to stop."""
    port, chosen = os.environ.get("PORT", "8000"), os.environ.get("SEED", "demo")
    if not port.isdecimal() or chosen not in SEEDS:
        sys.exit(f"PORT is a number, SEED one of {', '.join(SEEDS)}")
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        with LocalStack(int(port), seed=SEEDS[chosen]) as stack:
            print(HELP.format(url=stack.url), f"{ANNOUNCEMENT}{stack.url}/fhir", sep="", flush=True)
            signal.sigwait(STOPPING)
    except OSError as failure:
        if failure.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"Port {port} is taken: try PORT=0, which finds a free one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
