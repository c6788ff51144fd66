"""The bytes of one document (ITI-68, TD3.2)."""

from typing import TYPE_CHECKING, Literal

from dmp.domain.audit import Interaction
from dmp.domain.document import DocumentEntry, StoredContent
from dmp.domain.errors import Gone, NotFound
from dmp.services.call import Call
from dmp.services.document_access import attempt_on
from dmp.services.document_admission import DocumentAdmission
from dmp.services.gate import Gate

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.object_store import ObjectStore
    from dmp.adapters.presigner import Presigner


class ContentsService:
    """Lets callers through to what was deposited."""

    def __init__(self, gate: Gate, documents: "DocumentStore", objects: "ObjectStore", presigner: "Presigner") -> None:
        self._admission = DocumentAdmission(gate, documents)
        self._objects = objects
        self._presigner = presigner

    def retrieve(self, call: Call, record_id: str, local: str) -> DocumentEntry:
        """The document whose content the caller may have, traced: what follows needs no further decision.

        Raises NotFound (`content-pending` where its depositor asks for it too early), Refused or Gone.
        """
        attempt = attempt_on("Binary", record_id, local, Interaction.RETRIEVE)
        entry = self._admission.alive(call, record_id, local, attempt).entry
        if entry.awaits:
            raise NotFound("content-pending")
        if entry.upload_error:
            raise Gone("gone")
        return entry

    def bytes_of(self, content: StoredContent) -> bytes:
        """The bytes as they were deposited; Unavailable (`content-damaged`) where they are so no more."""
        return self._objects.get(content)

    def address_of(self, content: StoredContent, *, method: Literal["GET", "HEAD"], disposition: str) -> str:
        """Where whoever holds the address reads the bytes from S3, for one minute."""
        return self._presigner.download(content, method=method, disposition=disposition)
