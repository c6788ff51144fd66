"""Messages of the first access of each professional to a record, from the stream of the trace."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from dmp.adapters.aws import client
from dmp.adapters.first_access_store import FirstAccessStore, new_entry
from dmp.adapters.keys import partition
from dmp.adapters.lost_changes import LostChanges
from dmp.adapters.lost_queue import LostQueue
from dmp.composition import foundation
from dmp.domain.identifiers import SERVICE, Identifier
from dmp.domain.requester import Requester, RequesterKind
from dmp.services.call import Call
from dmp.services.first_accesses import FirstAccessesService
from dmp.settings import queue
from dmp.stream_batches import handle_batch
from dmp.stream_replays import replay

_BASE = foundation()
_ACCESSES = FirstAccessesService(FirstAccessStore(_BASE.records_table, _BASE.keyring), _BASE.ledger, _BASE.notices)
_LOST = LostQueue(lambda: client("sqs"), queue("LOST_MESSAGES"))
_REPLAYS = LostChanges(_BASE.audit_table, lambda: client("dynamodbstreams"), {"pk": partition("")})
_CONSUMER = Requester(
    kind=RequesterKind.SERVICE,
    identifier=Identifier(SERVICE, "first-accesses"),
    name="Information sur les premiers accès",
)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Tell of the first accesses of a batch; the mark of each keeps it from being told again."""
    call = Call(_CONSUMER, _BASE.clock(), context.aws_request_id)
    tell = partial(_tell, call)
    return replay(event, _REPLAYS, tell) or handle_batch(event, tell, _LOST.put)


def _tell(call: Call, change: Mapping[str, Any]) -> None:
    if entry := new_entry(change):
        _ACCESSES.tell(call, entry)
