"""To be written by its owner."""

from collections.abc import Mapping
from typing import Any


def handler(_event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Take messages."""
    return {"batchItemFailures": []}
