"""The attestation of opening, which whoever opened a record prints for the patient (TD1.1)."""

from typing import TYPE_CHECKING

from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import Gate, asking
from dmp.services.record_changes import as_operation
from dmp.services.records import patient_attempt

if TYPE_CHECKING:
    from dmp.adapters.record_store import RecordStore


class AttestationsService:
    """Attestations of opening."""

    def __init__(self, gate: Gate, records: "RecordStore") -> None:
        self._gate = gate
        self._records = records

    def attestation(self, call: Call, record_id: str) -> Record:
        """The record whose attestation of opening the caller may print. Raises NotFound, Refused, Conflict."""
        record = self._records.existing(record_id)
        attempt = patient_attempt(Interaction.READ, AuditAction.READ, f"{record_id}/$attestation")
        with as_operation():
            decision = self._gate.admit(call, asking(call, record, Action.PRINT_ATTESTATION), attempt)
        self._gate.trace_access(call, record, attempt, decision)
        return record
