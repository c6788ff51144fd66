"""The process that reads a PDF from its standard input and writes the text of its pages, one by one (pypdf)."""

import io
import resource
import sys
from contextlib import suppress

from pypdf import PdfReader, apply_configuration

MOST_PAGES = 500
MOST_CHARS = 1_000_000
MEMORY = 512 * 1024 * 1024
"""Bytes of all that it may ask the system for."""
CPU_SECONDS = 15
MOST_INFLATED = 16 * 1024 * 1024
"""Bytes of one stream, decoded."""
MOST_OPERATIONS = 500_000
"""Operators and operands of the content of one page."""


def main() -> None:
    """Write the text of one page after the other; whatever the file does, what was written stays."""
    content = sys.stdin.buffer.read()
    _limit()
    with suppress(Exception):
        _write_pages(content)


def _limit() -> None:
    """Let the system end this process where the library does not see an end."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _write_pages(content: bytes) -> None:
    apply_configuration(
        array_based_stream_maximum_output_length=MOST_INFLATED,
        lzw_maximum_output_length=MOST_INFLATED,
        run_length_maximum_output_length=MOST_INFLATED,
        zlib_maximum_output_length=MOST_INFLATED,
        stream_parsing_work_maximum_count=MOST_OPERATIONS,
        jbig2dec_binary=None,
    )
    room = MOST_CHARS
    for page in PdfReader(io.BytesIO(content)).pages[:MOST_PAGES]:
        text = ""
        with suppress(Exception):
            text = page.extract_text()[:room]
        sys.stdout.buffer.write(text.encode("utf-8", "ignore") + b"\n")
        sys.stdout.buffer.flush()
        room -= len(text)
        if room <= 0:
            return


if __name__ == "__main__":
    main()
