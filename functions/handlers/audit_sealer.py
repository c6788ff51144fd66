"""Without a request: every minute a seal over the records whose trace grew, every hour one over all records."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from dmp.adapters.aws import client
from dmp.adapters.chain_store import ChainStore
from dmp.adapters.seal_store import SealStore
from dmp.composition import foundation
from dmp.domain.correlation import follow
from dmp.metrics import Metric
from dmp.observability import logger
from dmp.services.audit_chain import AuditChain
from dmp.services.audit_sealer import AuditSealer
from dmp.settings import seals

_BASE = foundation()
_CHAINS = ChainStore(_BASE.audit_table, lambda: client("dynamodb"), _BASE.settings.audit_table)
_SEALS = SealStore(lambda: client("s3"), lambda: client("kms"), *seals())
_SEALER = AuditSealer(_CHAINS, _SEALS, _BASE.keyring.sealed_record, _BASE.metrics)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Seal what grew; with `{"whole": true}`, all records; with `{"record": id}`, chain first what is not chained."""
    follow(context.aws_request_id)
    record = event.get("record")
    missing = AuditChain(_CHAINS, _BASE.clock).complete(record) if isinstance(record, str) else 0
    if missing:
        logger.warning("trace_completed", extra={"entries": missing})
        _BASE.metrics.count(Metric.TRACE_COMPLETED, missing)
    now = _BASE.clock()
    shards = _SEALER.seal_whole(now) if event.get("whole") else 0
    sealed = _SEALER.seal(now)
    _BASE.metrics.measure(Metric.SEAL_LAG, now - sealed.since if sealed.since else timedelta(0))
    return {"sealed": sealed.heads, "completed": missing, "shards": shards}
