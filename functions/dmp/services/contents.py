"""The bytes of one document (ITI-68, TD3.2)."""

from typing import TYPE_CHECKING

from dmp.domain.audit import Interaction
from dmp.domain.document import DocumentEntry
from dmp.services.call import Call
from dmp.services.document_access import attempt_on
from dmp.services.document_admission import DocumentAdmission
from dmp.services.gate import Gate

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.object_store import ObjectStore


class ContentsService:
    """Retrieves what was deposited."""

    def __init__(self, gate: Gate, documents: "DocumentStore", objects: "ObjectStore") -> None:
        self._admission = DocumentAdmission(gate, documents)
        self._objects = objects

    def retrieve(self, call: Call, record_id: str, local: str) -> tuple[DocumentEntry, bytes]:
        """The bytes as they were deposited; Unavailable (`content-damaged`) where they are so no more."""
        attempt = attempt_on("Binary", record_id, local, Interaction.RETRIEVE)
        entry = self._admission.alive(call, record_id, local, attempt).entry
        return entry, self._objects.get(entry.content)
