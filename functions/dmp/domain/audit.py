"""One entry of the trace: who did what to which record, on what basis, with which outcome (R.1111-43, BALP)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dmp.domain.identifiers import Identifier


class AuditAction(StrEnum):
    """AuditEvent.action."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class AuditOutcome(StrEnum):
    """AuditEvent.outcome: done, or refused."""

    SUCCESS = "0"
    REFUSED = "8"


class Interaction(StrEnum):
    """What was asked: the IHE or DMP transaction where there is one, else FHIR's interaction."""

    OPEN = "open"
    CLOSE = "close"
    REOPEN = "reopen"
    STATUS = "TD0.2"
    PROVIDE_BUNDLE = "ITI-65"
    SIMPLIFIED_PUBLISH = "ITI-105"
    FIND_LISTS = "ITI-66"
    FIND_DOCUMENTS = "ITI-67"
    RETRIEVE = "ITI-68"
    CREATE = "create"
    READ = "read"
    VREAD = "vread"
    HISTORY = "history"
    SEARCH = "search"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    EXPIRE = "expire"
    WARN = "warn"
    OPPOSE = "oppose"
    LIFT_OPPOSITION = "lift-opposition"
    EMERGENCY = "emergency-access"
    ERASE = "erase"
    """Somebody asks for it; the retention job does it."""
    ERASED = "erased"
    SUSPEND = "suspend"
    RESUME = "resume"
    EXPLAIN = "explain"
    PROOF = "proof"
    """What shows that nothing of the trace was changed."""
    EVERYTHING = "everything"
    EXPORT = "export"
    """Somebody asks for the archive of the record; a job of ours builds it."""
    EXPORTED = "exported"
    EXPORT_FETCHED = "export-fetched"
    EXPORT_REMOVED = "export-removed"
    RELEASE = "release"
    """A document becomes visible to the patient by itself."""
    SUBSCRIBE = "subscribe"
    GENERATE_METADATA = "ITI-106"
    UPLOAD_VERIFIED = "upload-verified"
    """The bytes of a document have come, and are what was announced."""
    SCANNED = "scanned"
    """The malware scanner found nothing in a document."""
    UPLOAD_FAILED = "upload-failed"
    """A document will never become available."""
    OPERATE = "operate"
    """An operator does something to the service; in the trace of the operators alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One access, refusal or change.

    `record` is the record it belongs to, or empty where none is concerned. `actor` never is an INS: a person is named
    by the record's id (`role` patient) or by a keyed hash. `what` are FHIR references. `query` is the search as it was
    understood, without any INS. `hides` tells that a document of `what` had an INVISIBLE code, so that whoever reads
    the trace may not learn of it. Carries no title and no content.
    """

    record: str
    local: str
    at: datetime
    interaction: Interaction
    action: AuditAction
    resource_type: str
    what: tuple[str, ...]
    outcome: AuditOutcome
    reason: str
    basis: tuple[str, ...]
    actor: Identifier
    actor_name: str
    role: str
    profession: str
    structure: Identifier | None
    structure_name: str
    purpose: str
    query: str
    request_id: str
    software: str = ""
    is_secret: bool = False
    """Done in a connexion secrète: representatives never learn of it."""
    hides: bool = False
