"""From the stream of the trace to the chain of each record; whatever changes an entry is an alarm (R.1111-43)."""

from collections.abc import Mapping
from typing import Any

from dmp.adapters.aws import client
from dmp.adapters.chain_store import ChainStore
from dmp.adapters.keys import record_of
from dmp.adapters.lost_queue import LostQueue
from dmp.composition import foundation
from dmp.observability import logger
from dmp.services.audit_chain import AuditChain
from dmp.settings import queue
from dmp.stream_batches import handle_batch

_BASE = foundation()
_CHAINS = AuditChain(ChainStore(_BASE.audit_table, lambda: client("dynamodb"), _BASE.settings.audit_table), _BASE.clock)
_LOST = LostQueue(lambda: client("sqs"), queue("LOST_ENTRIES"))


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Chain the new entries of a batch, each once however often it comes."""
    return handle_batch(event, _chain, _LOST.put)


def _chain(change: Mapping[str, Any]) -> None:
    if change["eventName"] != "INSERT":
        logger.error("trace_changed", extra={"change": change["eventName"]})
        return
    image = change["dynamodb"]["NewImage"]
    _CHAINS.append(record_of(image["pk"]["S"]), [(image["sk"]["S"], image["entry"]["S"])])
