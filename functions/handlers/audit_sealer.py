"""Without a request: every minute a seal over the records whose trace grew, every hour one over all records."""

from collections.abc import Mapping
from typing import Any

from dmp.adapters.aws import client
from dmp.adapters.chain_store import ChainStore
from dmp.adapters.seal_store import SealStore
from dmp.composition import foundation
from dmp.observability import logger
from dmp.services.audit_chain import AuditChain
from dmp.services.audit_sealer import AuditSealer
from dmp.settings import seals

_BASE = foundation()
_CHAINS = ChainStore(_BASE.audit_table, lambda: client("dynamodb"), _BASE.settings.audit_table)
_SEALS = SealStore(lambda: client("s3"), lambda: client("kms"), *seals())
_SEALER = AuditSealer(_CHAINS, _SEALS, _BASE.keyring.sealed_record)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Seal what grew; with `{"whole": true}`, all records; with `{"record": id}`, chain first what is not chained."""
    record = event.get("record")
    missing = AuditChain(_CHAINS, _BASE.clock).complete(record) if isinstance(record, str) else 0
    if missing:
        logger.warning("trace_completed", extra={"entries": missing})
    now = _BASE.clock()
    shards = _SEALER.seal_whole(now) if event.get("whole") else 0
    return {"sealed": _SEALER.seal(now), "completed": missing, "shards": shards}
