"""What takes orders for archives, for the function of records: nothing of it is loaded before the first order."""

from dmp.adapters.aws import client
from dmp.adapters.export_queue import ExportQueue
from dmp.adapters.export_store import ExportStore
from dmp.composition import Foundation
from dmp.services.exports import ExportRequestsService
from dmp.settings import queue


def requests(base: Foundation) -> ExportRequestsService:
    """What has archives built."""
    exports = ExportStore(base.records_table, base.keyring)
    return ExportRequestsService(
        base.gate, exports, base.ledger, ExportQueue(lambda: client("sqs"), queue("EXPORT_QUEUE"))
    )
