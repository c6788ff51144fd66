"""To be written by its owner."""

from collections.abc import Mapping
from typing import Any


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Rebuild what is known of one record."""
    return {"record": event.get("record", "")}
