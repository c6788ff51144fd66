"""Without a request: the job index_rebuild, by order of the operator."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dmp.adapters.aws import client
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.object_store import ObjectStore
from dmp.composition import foundation
from dmp.domain.correlation import follow
from dmp.domain.errors import DmpError
from dmp.observability import logger
from dmp.reader_composition import all_readers
from dmp.services.extractions import ExtractionsService
from dmp.services.index_rebuild import IndexRebuildService, read_rebuild

_BASE = foundation()
_STORE = DocumentStore(_BASE.records_table, _BASE.keyring)
_OBJECTS = ObjectStore(lambda: client("s3"), _BASE.settings.documents_bucket, _BASE.settings.data_key)
_REBUILD = IndexRebuildService(_BASE.records, _STORE, ExtractionsService(_STORE, _OBJECTS, _BASE.ledger, all_readers()))


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Read the documents of one record anew; answers what was done, and behind which document to go on.

    The event: `{"record": id, "after": local id}`, the second one where a former run was not done.
    """
    follow(context.aws_request_id)
    try:
        order = read_rebuild(event)
        done = asdict(_REBUILD.rebuild(order, lambda: context.get_remaining_time_in_millis() / 1000))
    except DmpError as refusal:
        logger.info("index_rebuild_refused", extra={"code": refusal.code})
        return {"error": refusal.code, "detail": refusal.detail or ""}
    logger.info("index_rebuilt", extra=done)
    return {"record": order.record, **done}
