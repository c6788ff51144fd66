"""A change that a consumer gave up, handled once more by order of the operator: it fails as a whole, or is done."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dmp.domain.errors import DmpError, Unavailable
from dmp.observability import logger
from dmp.stream_batches import StreamRecord, handle_batch

if TYPE_CHECKING:
    from dmp.adapters.lost_changes import LostChanges


def replay(
    event: Mapping[str, Any], lost: "LostChanges", handle: Callable[[StreamRecord], object]
) -> dict[str, Any] | None:
    """Handle what `{"lost": message}` is about; None for the event of a stream.

    The answer tells how many changes were handled, or the code of what stands against it: then the message stays.
    """
    if "lost" not in event:
        return None
    try:
        changes = lost.of(event["lost"])
    except DmpError as refusal:
        return {"error": refusal.code}
    left = handle_batch({"Records": changes}, handle, _leave)["batchItemFailures"]
    logger.info("changes_replayed", extra={"changes": len(changes), "left": len(left)})
    return {"error": "service-unavailable"} if left else {"replayed": len(changes)}


def _leave(_change: StreamRecord, _failure: str) -> None:
    """It lies among the lost already."""
    raise Unavailable("service-unavailable")
