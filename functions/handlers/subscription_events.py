"""Hooks for changes of documents, from the stream of the records table to the queue of hooks under way."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from dmp.adapters.aws import client
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.hook_queue import HookQueue
from dmp.adapters.subscription_store import SubscriptionStore, document_change
from dmp.composition import foundation
from dmp.observability import logger
from dmp.services.subscription_events import SubscriptionEventsService
from dmp.settings import HookSettings

_BASE = foundation()
_EVENTS = SubscriptionEventsService(
    SubscriptionStore(_BASE.records_table),
    DocumentStore(_BASE.records_table, _BASE.keyring),
    HookQueue(lambda: client("sqs"), HookSettings.from_environment().hook_queue),
)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Handle a batch in order; from the first failure on, Lambda brings the changes again."""
    now = _BASE.clock()
    listening = cache(partial(_EVENTS.listening, now=now))
    for record in event["Records"]:
        try:
            if change := document_change(record):
                _EVENTS.announce(change, listening(change.record), now)
        except Exception as failure:  # noqa: BLE001 - whatever it is, this change is not to be lost
            number = record["dynamodb"]["SequenceNumber"]
            logger.warning("change_not_announced", extra={"change": number, "failure": type(failure).__name__})
            return {"batchItemFailures": [{"itemIdentifier": number}]}
    return {"batchItemFailures": []}
