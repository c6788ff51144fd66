"""The text of a PDF, read by pypdf in a process of its own: without our credentials, and with little time and memory.

What a hostile file makes of that process ends with it; the pages that were read until then are the text.
"""

import os
import subprocess  # nosec B404 # one command, below
import sys

from dmp.domain.errors import Unavailable

SECONDS = 20
"""Of the clock, for one document."""
_READER = "dmp.adapters.pdf_pages"


def text_of_pdf(content: bytes, *, libraries: str = "") -> str:
    """The text of the pages of a PDF as far as it can be read; an image of a text has none.

    `libraries` is where the system finds those of Python itself, as `LD_LIBRARY_PATH` says it. Raises Unavailable where
    the process cannot be begun.
    """
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"LD_LIBRARY_PATH": libraries} if libraries else {}
    try:
        run = subprocess.run(  # nosec B603 # noqa: S603 - nothing of the command comes from outside
            [sys.executable, "-m", _READER],
            input=content,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as cut:
        return (cut.stdout or b"").decode("utf-8", "ignore")
    if run.returncode > 0:
        raise Unavailable("service-unavailable")
    return run.stdout.decode("utf-8", "ignore")
