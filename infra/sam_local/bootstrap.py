#!/var/lang/bin/python3.13
"""What the emulator starts in the stand-in image: AWS's client of the runtime API, for the handler of the function."""

import os
import sys
from importlib import import_module
from typing import Any

TASK, RUNTIME = "/var/task", "/var/runtime"


def main() -> None:
    """Serve invocations until the container ends."""
    sys.path[0:1] = [TASK, RUNTIME]
    os.chdir(TASK)
    client: Any = import_module("awslambdaric.bootstrap")
    make_error = client.make_error

    def make_known_error(*arguments: Any, **options: Any) -> dict[str, Any]:
        """SAM CLI takes an error for an answer, and 500 for 200, if it also tells the id of the request."""
        told = make_error(*arguments, **options)
        return {name: value for name, value in told.items() if name != "requestId"}

    client.make_error = make_known_error
    import_module("awslambdaric.__main__").main([sys.argv[0], os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
