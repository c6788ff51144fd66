"""From the stream of the trace to the chain of each record; whatever changes an entry is an alarm (R.1111-43)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from dmp.adapters.audit_items import read_entry
from dmp.adapters.aws import client
from dmp.adapters.chain_store import ChainStore
from dmp.adapters.keys import partition, record_of
from dmp.adapters.lost_changes import LostChanges
from dmp.adapters.lost_queue import LostQueue
from dmp.composition import foundation
from dmp.metrics import Metric
from dmp.observability import logger
from dmp.services.access_figures import figures_of
from dmp.services.audit_chain import AuditChain
from dmp.settings import queue
from dmp.stream_batches import handle_batch
from dmp.stream_replays import replay

_BASE = foundation()
_CHAINS = AuditChain(ChainStore(_BASE.audit_table, lambda: client("dynamodb"), _BASE.settings.audit_table), _BASE.clock)
_LOST = LostQueue(lambda: client("sqs"), queue("LOST_ENTRIES"))
_REPLAYS = LostChanges(_BASE.audit_table, lambda: client("dynamodbstreams"), {"pk": partition("")})


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Chain the new entries of a batch, each once however often it comes, and count what they tell."""
    told: Counter[tuple[Metric, str]] = Counter()
    chain = partial(_chain, told)
    answer = replay(event, _REPLAYS, chain) or handle_batch(event, chain, _LOST.put)
    for (metric, reason), number in told.items():
        _BASE.metrics.count(metric, number, reason=reason)
    return answer


def _chain(told: Counter[tuple[Metric, str]], change: Mapping[str, Any]) -> None:
    if change["eventName"] != "INSERT":
        logger.error("trace_changed", extra={"change": change["eventName"]})
        told[Metric.TRACE_TAMPERED, change["eventName"].lower()] += 1
        return
    image = change["dynamodb"]["NewImage"]
    if _CHAINS.append(record_of(image["pk"]["S"]), [(image["sk"]["S"], image["entry"]["S"])]):
        logger.info("entry_chained")
        told.update(_figures(image))


def _figures(image: dict[str, Any]) -> Iterable[tuple[Metric, str]]:
    """What an entry adds to the figures; nothing where it is not one that we wrote, which is chained all the same."""
    try:
        return figures_of(read_entry(image))
    except (KeyError, TypeError, ValueError):
        return ()
