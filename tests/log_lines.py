"""What functions write: their log lines as they leave, and the figures among them."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dmp.observability import logger

type Json = dict[str, Any]


class Lines:
    """The lines written so far, whole and parsed."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def parsed(self) -> list[Json]:
        return [json.loads(line) for line in self.text.splitlines()]

    def events_of(self, correlation_id: str) -> list[str]:
        """The events that belong to one id, in the order in which they were written."""
        return [line["message"] for line in self.parsed if line["correlation_id"] == correlation_id]


@contextmanager
def written() -> Iterator[Lines]:
    """The lines from INFO on, as the formatter of the functions writes them."""
    lines, level = Lines(), logger.log_level
    handler = logging.StreamHandler(lines.stream)
    handler.setFormatter(logger.registered_formatter)
    logger.setLevel("INFO")
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.handlers.remove(handler)
        logger.setLevel(level)


def figures(output: str) -> list[Json]:
    """The lines of an output that CloudWatch makes figures of."""
    return [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
