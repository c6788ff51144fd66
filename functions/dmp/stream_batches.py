"""A batch of a table's stream: all of it is handled whatever fails, and nothing waits behind what can never succeed.

Lambda tries a batch again from the lowest number on that is reported, and nothing behind it goes on meanwhile: only
what fails because something is down (Unavailable), and the others with it, is reported. Everything else is set aside
at once. So whatever is handled must bear to be handled again.
"""

from collections.abc import Callable, Mapping
from typing import Any

from dmp.adapters.correlations import id_of_change
from dmp.domain.correlation import follow
from dmp.domain.errors import Unavailable
from dmp.observability import logger

type StreamRecord = Mapping[str, Any]


def handle_batch(
    event: Mapping[str, Any],
    handle: Callable[[StreamRecord], object],
    set_aside: Callable[[StreamRecord, str], object],
) -> dict[str, Any]:
    """Handle every change of an event; the answer reports those to be brought again.

    `set_aside` takes a change that failed and the name of its failure; it raises Unavailable where it cannot.
    """
    left = [one["dynamodb"]["SequenceNumber"] for one in event["Records"] if not _is_done(one, handle, set_aside)]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in left]}


def _is_done(
    change: StreamRecord, handle: Callable[[StreamRecord], object], set_aside: Callable[[StreamRecord, str], object]
) -> bool:
    number = change["dynamodb"]["SequenceNumber"]
    follow(id_of_change(change) or str(change.get("eventID", number)))
    try:
        _handle_or_set_aside(change, handle, set_aside)
    except Unavailable:
        logger.warning("change_put_off", extra={"sequence_number": number})
        return False
    return True


def _handle_or_set_aside(
    change: StreamRecord, handle: Callable[[StreamRecord], object], set_aside: Callable[[StreamRecord, str], object]
) -> None:
    try:
        handle(change)
    except Unavailable:
        raise
    except Exception as failure:  # noqa: BLE001 - whatever it is, neither this change nor the others are to be lost
        name = type(failure).__name__
        logger.error(
            "change_set_aside", extra={"sequence_number": change["dynamodb"]["SequenceNumber"], "failure": name}
        )
        set_aside(change, name)
