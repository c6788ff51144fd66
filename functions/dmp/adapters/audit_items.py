"""Entries of the trace as items of the audit table: the canonical JSON that is stored is the one that is hashed."""

import hashlib
import json
from datetime import datetime

from dmp.adapters import keys
from dmp.adapters.record_items import Item, maybe_identifier, maybe_text
from dmp.domain.audit import AuditAction, AuditEntry, AuditOutcome, Interaction
from dmp.domain.identifiers import Identifier

_VERSION = 2


def canonical(entry: AuditEntry) -> str:
    """Sorted keys, no spaces, no floats: the same entry always gives the same text."""
    content = {
        "v": _VERSION,
        "p": entry.record,
        "id": entry.local,
        "t": keys.instant(entry.at),
        "act": entry.interaction,
        "action": entry.action,
        "type": entry.resource_type,
        "what": list(entry.what),
        "outcome": entry.outcome,
        "reason": entry.reason,
        "basis": list(entry.basis),
        "actor": str(entry.actor),
        "name": entry.actor_name,
        "role": entry.role,
        "profession": entry.profession,
        "structure": maybe_text(entry.structure),
        "structure_name": entry.structure_name,
        "purpose": entry.purpose,
        "query": entry.query,
        "req": entry.request_id,
        "software": entry.software,
        "secret": entry.is_secret,
        "hides": entry.hides,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def receipt(entry: AuditEntry) -> str:
    """What the caller keeps as witness of the entry: its id and the head of its hash."""
    return f"{entry.local}.{hashlib.sha256(canonical(entry).encode()).hexdigest()[:16]}"


def write_entry(entry: AuditEntry, pk: str) -> Item:
    """The item of an entry; partitions hold entries in the order of time."""
    return {"pk": {"S": pk}, "sk": {"S": entry.local}, "entry": {"S": canonical(entry)}}


def read_entry(item: Item) -> AuditEntry:
    """An entry from its item."""
    return read_text(item["entry"]["S"])


def read_text(text: str) -> AuditEntry:
    """An entry from its stored text."""
    content = json.loads(text)
    return AuditEntry(
        record=content["p"],
        local=content["id"],
        at=datetime.fromisoformat(content["t"]),
        interaction=Interaction(content["act"]),
        action=AuditAction(content["action"]),
        resource_type=content["type"],
        what=tuple(content["what"]),
        outcome=AuditOutcome(content["outcome"]),
        reason=content["reason"],
        basis=tuple(content["basis"]),
        actor=Identifier.parse(content["actor"]),
        actor_name=content["name"],
        role=content["role"],
        profession=content["profession"],
        structure=maybe_identifier(content["structure"]),
        structure_name=content["structure_name"],
        purpose=content["purpose"],
        query=content["query"],
        request_id=content["req"],
        software=content["software"],
        is_secret=content.get("secret", False),
        hides=content.get("hides", False),
    )
