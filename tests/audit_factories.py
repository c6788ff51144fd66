"""Entries of the trace for tests."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from dmp.domain.audit import AuditAction, AuditEntry, AuditOutcome, Interaction
from dmp.domain.identifiers import local_id, professional, structure

RECORD_ID = "0123456789abcdefghjkmnpqrs"
AT = datetime(2026, 3, 2, 12, 0, 0, 123000, tzinfo=UTC)
LOCAL = local_id(AT, bytes(16))
DOCUMENT = f"{RECORD_ID}.{local_id(AT, bytes([1] * 16))}"


def audit_entry(**fields: Any) -> AuditEntry:
    """A physician reads a document under an authorisation."""
    entry = AuditEntry(
        record=RECORD_ID,
        local=LOCAL,
        at=AT,
        interaction=Interaction.READ,
        action=AuditAction.READ,
        resource_type="DocumentReference",
        what=(f"DocumentReference/{DOCUMENT}",),
        outcome=AuditOutcome.SUCCESS,
        reason="authorised",
        basis=(local_id(AT, bytes([2] * 16)),),
        actor=professional("810101234567"),
        actor_name="Alix MARTIN",
        role="professional",
        profession="10",
        structure=structure("1750100125"),
        structure_name="Cabinet du Parc",
        purpose="TREAT",
        query="",
        request_id="request-7",
        software="Cabinet 3.1",
    )
    return replace(entry, **fields)
