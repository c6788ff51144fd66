"""Behind a deposit: the text of what came inline, told by the bucket, and by upload, told by its verification.

Both are hints of which document to look at; a message that cannot be handled comes again, and is set aside in the end.
Bytes that no document came to are deleted: the bucket told of them too.
"""

from collections.abc import Mapping
from typing import Any

from dmp.adapters.aws import client
from dmp.adapters.correlations import id_of_message
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.extraction_queue import ExtractionQueue, places_of
from dmp.adapters.object_store import ObjectStore
from dmp.composition import foundation
from dmp.domain.correlation import follow
from dmp.metrics import Metric
from dmp.observability import logger
from dmp.reader_composition import all_readers
from dmp.services.extractions import ExtractionsService, Reading
from dmp.settings import optional, queue

_BASE = foundation()
_QUEUE = ExtractionQueue(lambda: client("sqs"), queue("EXTRACTION_QUEUE"))
_EXTRACTIONS = ExtractionsService(
    DocumentStore(_BASE.records_table, _BASE.keyring),
    ObjectStore(
        lambda: client("s3"), _BASE.settings.documents_bucket, _BASE.settings.data_key, optional("REPLICA_BUCKET")
    ),
    _BASE.ledger,
    all_readers(),
)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Handle a batch of messages, each for itself; what failed alone comes again."""
    failed = [message["messageId"] for message in event["Records"] if not _is_done(message)]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _is_done(message: Mapping[str, Any]) -> bool:
    own = id_of_message(message) or message["messageId"]
    follow(own)
    try:
        for place in places_of(message):
            follow(own)
            _tell(_EXTRACTIONS.read(place, _BASE.clock()))
    except Exception as failure:  # noqa: BLE001 - whatever it is, this message is not to be lost, and the others go on
        what = {"sqs_message": message["messageId"], "failure": type(failure).__name__}
        logger.warning("extraction_put_off", extra=what)
        _put_off(message)
        return False
    return True


def _tell(reading: Reading) -> None:
    if reading is Reading.READ:
        logger.info("document_read")
    if reading is Reading.SWEPT:
        logger.warning("orphan_swept")
        _BASE.metrics.count(Metric.ORPHANS_SWEPT)


def _put_off(message: Mapping[str, Any]) -> None:
    try:
        _QUEUE.put_off(message)
    except Exception as failure:  # noqa: BLE001 - then it comes again when the queue says, later
        what = {"sqs_message": message["messageId"], "failure": type(failure).__name__}
        logger.warning("extraction_not_put_off", extra=what)
