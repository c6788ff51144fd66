"""By order of the operator alone: what operators do is traced, and all that is stored inspected, page by page."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from dmp.adapters import audit_items, keys
from dmp.adapters.audit_store import AuditStore
from dmp.adapters.aws import client
from dmp.adapters.chain_store import ChainStore
from dmp.adapters.inspection_store import InspectionStore
from dmp.adapters.object_inspection import ObjectInspection
from dmp.adapters.seal_store import SealStore
from dmp.composition import foundation
from dmp.domain.correlation import follow
from dmp.domain.errors import DmpError, Invalid
from dmp.domain.identifiers import is_local_id
from dmp.domain.inspection import Problem
from dmp.domain.operation import OPERATORS
from dmp.metrics import Metric
from dmp.observability import logger
from dmp.services.inspection import Inspection
from dmp.services.inspection_objects import ObjectsInspection
from dmp.services.inspection_seals import SealPosition, SealsInspection
from dmp.services.inspection_trace import TraceInspection
from dmp.services.operations import OperatorsTrace, RecordsInspection
from dmp.services.sweeping import months_until
from dmp.settings import seals

_BASE = foundation()
_CHAINS = ChainStore(_BASE.audit_table, lambda: client("dynamodb"), _BASE.settings.audit_table)
_SEALS = SealStore(lambda: client("s3"), lambda: client("kms"), *seals())
_STORE = InspectionStore(lambda: client("dynamodb"), _BASE.settings.records_table)
_OBJECTS = ObjectInspection(lambda: client("s3"), _BASE.settings.documents_bucket, _BASE.settings.data_key)
_TRACE = OperatorsTrace(_BASE.ledger, AuditStore(_BASE.audit_table), _BASE.entropy)
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
    trace = TraceInspection(_CHAINS, _SEALS, name_of=_BASE.keyring.sealed_record, read=audit_items.read_text)
    inspection = RecordsInspection(_STORE, Inspection(_STORE, _OBJECTS, trace), _BASE.clock)
    page = inspection.page(event, remaining)
    return {**asdict(page.tally), "problems": _told(page.tally.problems), "cursor": page.cursor}


def _objects(event: Mapping[str, Any], _remaining: Callable[[], float]) -> Json:
    sweeps = event.get("sweep") is True
    inspection = ObjectsInspection(_STORE, _OBJECTS)
    seen, marker = inspection.page(event.get("cursor"), _BASE.clock(), sweeps=sweeps)
    if sweeps:
        _BASE.metrics.count(Metric.ORPHANS_SWEPT, seen.swept)
    return {**asdict(seen), "cursor": marker}


def _seals(event: Mapping[str, Any], _remaining: Callable[[], float]) -> Json:
    """A page of seals; with the first, the trace of the operators."""
    from dmp.adapters.seal_signature import is_signed

    given, problems = event.get("cursor"), list[Problem]()
    if not given:
        trace = TraceInspection(_CHAINS, _SEALS, name_of=_BASE.keyring.sealed_record, read=audit_items.read_text)
        problems = trace.of_operators(OPERATORS, _BASE.clock())[1]
    number, found, position = SealsInspection(_CHAINS, _SEALS, is_signed).page(_position(given))
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
    return SealPosition(int(given["number"]), datetime.fromisoformat(given["until"]), str(given["digest"]))


def _written(position: SealPosition | None) -> Json | None:
    if position is None:
        return None
    return {"number": position.number, "until": position.until.isoformat(), "digest": position.digest}


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
