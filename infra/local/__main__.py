"""`make run`: starts the local stack, says where it is and how to call it, and stops on SIGTERM or Ctrl-C."""

import os
import signal
import sys
from threading import Event

from infra.local import seed
from infra.local.process import ANNOUNCEMENT
from infra.local.stack import LocalStack

HELP = """\
People, with a token each:  curl -s {url}/local/personas
A token of your own:        curl -s {url}/local/token -d '{{"issuer": "insurer", "claims": {{"role": "CNAM_FEED"}}}}'
A first call:               curl -s {url}/fhir/metadata
"""


def main() -> int:
    """Run until told to stop."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    seeds = {"demo": seed.demo, "none": None}
    with LocalStack(int(os.environ.get("PORT", "8000")), seed=seeds[os.environ.get("SEED", "demo")]) as stack:
        print(HELP.format(url=stack.url), f"{ANNOUNCEMENT}{stack.url}/fhir", sep="", flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
