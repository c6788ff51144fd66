"""By order of the operator alone: what operators do is traced, and all that is stored inspected, page by page."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from dmp.adapters import audit_items, keys
from dmp.adapters.aws import client
from dmp.adapters.inspection_rows import TraceRows
from dmp.adapters.inspection_seal_objects import SealObjects
from dmp.adapters.inspection_store import InspectionStore
from dmp.adapters.object_inspection import ObjectInspection
from dmp.adapters.seal_store import SealStore
from dmp.composition import foundation
from dmp.domain.correlation import follow
from dmp.domain.document import Metadata
from dmp.domain.errors import DmpError, Invalid
from dmp.domain.identifiers import is_local_id
from dmp.domain.inspection import Problem
from dmp.domain.operation import OPERATORS
from dmp.metrics import Metric
from dmp.observability import logger
from dmp.reader_composition import cda_readers
from dmp.services.inspection import Inspection
from dmp.services.inspection_objects import ObjectsInspection
from dmp.services.inspection_offers import OffersInspection
from dmp.services.inspection_seals import SealPosition, SealsInspection, chains_cut
from dmp.services.inspection_trace import TraceInspection
from dmp.services.operations import OperatorsTrace, RecordsInspection
from dmp.services.sweeping import months_until
from dmp.settings import optional, seals

_BASE = foundation()
_ROWS = TraceRows(_BASE.audit_table)
_SEALS = SealObjects(SealStore(lambda: client("s3"), lambda: client("kms"), *seals()))
_STORE = InspectionStore(lambda: client("dynamodb"), _BASE.settings.records_table, _BASE.keyring)
_OBJECTS = ObjectInspection(
    lambda: client("s3"), _BASE.settings.documents_bucket, _BASE.settings.data_key, optional("REPLICA_BUCKET")
)
_TRACE = OperatorsTrace(_BASE.ledger, _ROWS, audit_items.read_text, _BASE.entropy)
_OFFERS = OffersInspection(_OBJECTS, cda_readers().statements)
_MOST_ACTS = 100
_MOST_OVERDUE = 1_000

type Json = dict[str, Any]


def handler(event: Mapping[str, Any], context: Any) -> Json:
    """Carry out one order; answers what came of it, or the code of what stands against it.

    The event: `{"order": "note" | "acts" | "records" | "objects" | "seals" | "overdue", …}`.
    """
    follow(context.aws_request_id)
    try:
        order = _ORDERS.get(str(event.get("order")))
        if order is None:
            raise Invalid("invalid-parameter", "order")
        return order(event, lambda: context.get_remaining_time_in_millis() / 1000)
    except DmpError as refusal:
        logger.info("order_refused", extra={"code": refusal.code})
        return {"error": refusal.code, "detail": refusal.expression or refusal.detail or ""}


def _note(event: Mapping[str, Any], _remaining: Callable[[], float]) -> Json:
    _TRACE.note(event, _BASE.clock())
    return {"noted": True}


def _acts(event: Mapping[str, Any], _remaining: Callable[[], float]) -> Json:
    before, limit = str(event.get("before") or ""), event.get("limit", 20)
    if (before and not is_local_id(before)) or type(limit) is not int or not 1 <= limit <= _MOST_ACTS:
        raise Invalid("invalid-parameter", "before")
    acts, more = _TRACE.acts(before, limit)
    return {"acts": acts, "more": more}


def _records(event: Mapping[str, Any], remaining: Callable[[], float]) -> Json:
    inspection = RecordsInspection(_STORE, Inspection(_STORE, _OBJECTS, _trace(), _OFFERS, _metadata), _BASE.clock)
    page = inspection.page(event, remaining)
    return {**asdict(page.tally), "problems": _told(page.tally.problems), "cursor": page.cursor}


def _metadata(body: str) -> Metadata:
    from dmp.fhir.document_metadata import metadata_of

    return metadata_of(json.loads(body))


def _trace() -> TraceInspection:
    """It remembers seals, as long as one page takes."""
    return TraceInspection(
        _ROWS, _SEALS, name_of=_BASE.keyring.sealed_record, read=audit_items.read_text, is_signed=_is_signed
    )


def _is_signed(text: str, signature: str, key: str) -> bool:
    from dmp.adapters.seal_signature import is_signed

    return is_signed(text, signature, key)


def _objects(event: Mapping[str, Any], _remaining: Callable[[], float]) -> Json:
    sweeps = event.get("sweep") is True
    inspection = ObjectsInspection(_STORE, _OBJECTS, _noted(event))
    seen, marker = inspection.page(event.get("cursor"), _BASE.clock(), sweeps=sweeps)
    if sweeps:
        _BASE.metrics.count(Metric.ORPHANS_SWEPT, seen.swept)
    return {**asdict(seen), "problems": _told(seen.problems), "cursor": marker}


def _noted(event: Mapping[str, Any]) -> Callable[[int], None]:
    """Deletes nothing that the trace of the operators does not tell, whoever invokes this and however."""
    given = {name: str(event.get(name) or standing) for name, standing in (("operator", "unknown"), ("run", ""))}

    def note(orphans: int) -> None:
        told = {"command": "sweep", "target": "objects", "stage": "begun", "detail": f"objects {orphans}"}
        _TRACE.note(given | told, _BASE.clock())

    return note


def _seals(event: Mapping[str, Any], _remaining: Callable[[], float]) -> Json:
    """A page of seals; with the first, the trace of the operators, and the ends of the chains that grew lately."""
    given, problems = event.get("cursor"), list[Problem]()
    if not given:
        now = _BASE.clock()
        problems = [*_trace().of_operators(OPERATORS, now)[1], *chains_cut(_ROWS, now)]
    number, found, position = SealsInspection(_ROWS, _SEALS, _is_signed).page(_position(given))
    return {"seals": number, "problems": _told([*problems, *found]), "cursor": _written(position)}


def _overdue(_event: Mapping[str, Any], _remaining: Callable[[], float]) -> Json:
    now = _BASE.clock()
    months = [datetime(year, month, 1, tzinfo=now.tzinfo) for year, month in months_until(now)]
    return {
        "overdue": {
            kind.name.lower(): sum(_STORE.overdue(kind, month, now, _MOST_OVERDUE) for month in months)
            for kind in keys.Due
        }
    }


def _position(given: Mapping[str, Any] | None) -> SealPosition:
    if not given:
        return SealPosition()
    return SealPosition(int(given["number"]), str(given["key"]), str(given["digest"]))


def _written(position: SealPosition | None) -> Json | None:
    if position is None:
        return None
    return asdict(position)


def _told(problems: list[Problem]) -> list[Json]:
    return [{"fault": one.fault.value, "record": one.record, "what": one.what} for one in problems]


_ORDERS: dict[str, Callable[[Mapping[str, Any], Callable[[], float]], Json]] = {
    "note": _note,
    "acts": _acts,
    "records": _records,
    "objects": _objects,
    "seals": _seals,
    "overdue": _overdue,
}
