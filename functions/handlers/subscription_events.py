"""Hooks for changes of documents, from the stream of the records table to the queue of hooks under way."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from dmp.adapters import keys
from dmp.adapters.aws import client
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.hook_queue import HookQueue
from dmp.adapters.lost_changes import LostChanges
from dmp.adapters.lost_queue import LostQueue
from dmp.adapters.subscription_store import SubscriptionStore, document_change
from dmp.composition import foundation
from dmp.observability import logger
from dmp.services.subscription_events import SubscriptionEventsService
from dmp.settings import queue
from dmp.stream_batches import handle_batch
from dmp.stream_replays import replay

_BASE = foundation()
_EVENTS = SubscriptionEventsService(
    SubscriptionStore(_BASE.records_table),
    DocumentStore(_BASE.records_table, _BASE.keyring),
    HookQueue(lambda: client("sqs"), queue("HOOK_QUEUE")),
)
_LOST = LostQueue(lambda: client("sqs"), queue("LOST_CHANGES"))
_REPLAYS = LostChanges(
    _BASE.records_table, lambda: client("dynamodbstreams"), {"pk": keys.partition(""), "sk": keys.DOCUMENTS}
)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Announce the changes of a batch; one that is announced again is the same event again."""
    now = _BASE.clock()
    listening = cache(partial(_EVENTS.listening, now=now))

    def announce(record: Mapping[str, Any]) -> None:
        change = document_change(record)
        if change and (hooks := _EVENTS.announce(change, listening(change.record), now)):
            logger.info("hooks_put", extra={"hooks": hooks})

    return replay(event, _REPLAYS, announce) or handle_batch(event, announce, _LOST.put)
