"""Messages of the first access of each professional to a record, from the stream of the trace."""

from collections.abc import Mapping
from typing import Any

from dmp.adapters.first_access_store import FirstAccessStore, new_entry
from dmp.composition import foundation
from dmp.domain.identifiers import SERVICE, Identifier
from dmp.domain.requester import Requester, RequesterKind
from dmp.observability import logger
from dmp.services.call import Call
from dmp.services.first_accesses import FirstAccessesService

_BASE = foundation()
_ACCESSES = FirstAccessesService(FirstAccessStore(_BASE.records_table, _BASE.keyring), _BASE.ledger, _BASE.notices)
_CONSUMER = Requester(
    kind=RequesterKind.SERVICE,
    identifier=Identifier(SERVICE, "first-accesses"),
    name="Information sur les premiers accès",
)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Handle a whole batch, so that none waits for one that fails: Lambda brings that again, or sets it aside."""
    call, failed = Call(_CONSUMER, _BASE.clock(), context.aws_request_id), []
    for change in event["Records"]:
        try:
            entry = new_entry(change)
            if entry:
                _ACCESSES.tell(call, entry)
        except Exception as failure:  # noqa: BLE001 - whatever it is, neither this access nor the others are to be lost
            number = change["dynamodb"]["SequenceNumber"]
            logger.warning("first_access_failed", extra={"sequence_number": number, "failure": type(failure).__name__})
            failed.append({"itemIdentifier": number})
    return {"batchItemFailures": failed}
