"""Orders for archives, from their queue: each is a hint of which export to build, in one run or in several.

An order may come before its export stands, or without that it ever does: it is dropped after some looks.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dmp import export_pages
from dmp.adapters.audit_store import AuditStore, Position
from dmp.adapters.aws import client
from dmp.adapters.correlations import id_of_message
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.export_queue import ExportQueue, Taken, taken
from dmp.adapters.export_store import ExportStore
from dmp.adapters.object_store import ObjectStore
from dmp.adapters.zip_archive import ZipArchives
from dmp.composition import foundation
from dmp.domain.correlation import follow
from dmp.domain.export import LEASE
from dmp.domain.identifiers import SERVICE, Identifier, split_resource_id
from dmp.domain.record import Record
from dmp.domain.requester import Requester, RequesterKind
from dmp.everything_composition import contents
from dmp.fhir.audit_event import render_audit_event
from dmp.observability import logger
from dmp.record_rendering import archived
from dmp.services.call import Call
from dmp.services.export_building import Builder, ExportBuildingService, Outcome
from dmp.services.record_archive import RecordArchive, WholeTrace, Writing
from dmp.settings import export_days, queue

_BASE = foundation()
_SETTINGS = _BASE.settings
_DOCUMENTS = DocumentStore(_BASE.records_table, _BASE.keyring)
_QUEUE = ExportQueue(lambda: client("sqs"), queue("EXPORT_QUEUE"))
_BUILDER = Requester(
    kind=RequesterKind.SERVICE,
    identifier=Identifier(SERVICE, "export-builder"),
    name="Préparation des copies de dossiers",
)
_NOT_YET_SECONDS = (1, 5, 25)
"""After each look at an order whose export is not there: together, longer than a request may take."""
_LATER_SECONDS = 60
_KEPT_SECONDS = int(LEASE.total_seconds()) + 30
"""How long nobody else takes an order: where this process ends in the midst of it, it comes again after that."""


def _json(resource: Mapping[str, Any]) -> bytes:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()


def _proof(call: Call, record: Record) -> Iterator[tuple[str, list[bytes]]]:
    from dmp.proof_answers import proofs

    proof = proofs(_BASE).archived(call, record)
    if proof is not None:
        yield "proof.json", [_json(proof)]


_WRITING = Writing(
    resource=lambda thing, base_url, file: _json(archived(thing, base_url, file)),
    event=lambda entry, base_url: _json(render_audit_event(entry, base_url)),
    trace=export_pages.trace,
    index=export_pages.index,
    name=export_pages.name_of,
    readable=export_pages.readable,
)
_ARCHIVE = RecordArchive(
    contents(_BASE),
    ObjectStore(lambda: client("s3"), _SETTINGS.documents_bucket, _SETTINGS.data_key),
    WholeTrace(AuditStore(_BASE.audit_table), Position, _DOCUMENTS),
    _WRITING,
    _proof,
)
_BUILDING = ExportBuildingService(
    _BASE.gate,
    ExportStore(_BASE.records_table, _BASE.keyring),
    _BASE.ledger,
    _BASE.notices,
    ZipArchives(lambda: client("s3"), _SETTINGS.documents_bucket, _SETTINGS.data_key),
    _ARCHIVE,
    days=export_days(),
)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Build what the messages tell of; what is not done comes again."""
    failed = [message["messageId"] for message in event["Records"] if not _is_done(message, context)]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _is_done(message: Mapping[str, Any], context: Any) -> bool:
    call = Call(_BUILDER, _BASE.clock(), context.aws_request_id)
    builder = Builder(call=call, remaining=lambda: context.get_remaining_time_in_millis() / 1000)
    follow(id_of_message(message) or call.request_id)
    try:
        order = taken(message)
        place = split_resource_id(order.export)
        if place is None:
            raise ValueError("no export has such an id")
        _QUEUE.keep(order, _KEPT_SECONDS)
        return _is_settled(order, _BUILDING.build(builder, *place))
    except Exception as failure:  # noqa: BLE001 - whatever it is, this order is not to be lost
        what = {"sqs_message": message["messageId"], "failure": type(failure).__name__}
        logger.warning("export_put_off", extra=what)
        return False


def _is_settled(order: Taken, outcome: Outcome) -> bool:
    """Whether nothing is left to do for an order; else it comes again after a while."""
    match outcome:
        case Outcome.DONE:
            return True
        case Outcome.BUSY:
            return False
        case Outcome.LATER:
            _QUEUE.keep(order, _LATER_SECONDS)
            return False
        case Outcome.UNKNOWN:
            if order.attempt > len(_NOT_YET_SECONDS):
                logger.info("export_never_asked")
                return True
            _QUEUE.keep(order, _NOT_YET_SECONDS[order.attempt - 1])
            return False
