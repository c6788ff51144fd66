"""The archive that a person takes away: asked for, looked at, fetched, given up; by who asked alone (L.1111-15)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import RecordUnchanged
from dmp.domain.clinical_profile import ProfileEntry
from dmp.domain.document import DocumentEntry, StoredContent
from dmp.domain.errors import Gone, NotFound, Unavailable
from dmp.domain.export import ClaimExport, Export, ExportState, SaveExport
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.domain.search_terms import Order, Stretch, instant_position
from dmp.services.attempts import attempts, is_committed
from dmp.services.call import Call
from dmp.services.document_access import is_listed, may_read
from dmp.services.gate import Attempt, Gate, asking
from dmp.services.profile_sight import of_entry, visible_entries
from dmp.services.record_changes import as_operation

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.export_queue import ExportQueue
    from dmp.adapters.export_store import ExportStore
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.object_store import ObjectStore
    from dmp.adapters.presigner import Presigner
    from dmp.adapters.profile_store import ProfileStore

_NO_EXPORT = Decision(permit=False, reason="no-export", hidden=True)
_AT_ONCE = 99
"""Documents changed since an archive was made, that one read brings."""
_ENTRIES_AT_ONCE = 400
_ENDED = {ExportState.FAILED: "export-failed", ExportState.REMOVED: "gone"}


class ExportRequestsService:
    """Takes orders for archives."""

    def __init__(self, gate: Gate, exports: "ExportStore", ledger: "Ledger", queue: "ExportQueue") -> None:
        self._gate = gate
        self._exports = exports
        self._ledger = ledger
        self._queue = queue

    def ask(self, call: Call, record_id: str, base_url: str) -> Export:
        """Have an archive built, or wait for the one that the caller has under way.

        The message goes before the order stands: where it leads to none, it is dropped; an order without a message
        would never be carried out. Whoever asks again sends another, in case that the first was lost. Raises NotFound
        `no-record`, Refused, Conflict `record-closed`.
        """
        attempt = export_attempt(Interaction.EXPORT, record_id)
        local = self._gate.new_local(call)
        for _ in attempts():
            record, latest, export = self._exports.with_latest(record_id, call.requester.identifier)
            with as_operation():
                decision = self._gate.admit(call, asking(call, record, Action.EXPORT), attempt)
            if export and export.is_under_way(call.now):
                if not export.is_leased(call.now):
                    self._queue.put(export.id)
                self._gate.trace_access(call, record, attempt, decision)
                return export
            asked = Export(record=record.id, local=local, requester=call.requester, base_url=base_url, asked=call.now)
            self._queue.put(asked.id)
            claim = ClaimExport(record.id, call.requester.identifier, local, latest)
            trace = self._gate.entry(call, record, attempt, decision)
            if is_committed(self._ledger, [RecordUnchanged(record), SaveExport(asked), claim, trace]):
                return asked
        raise Unavailable("service-unavailable")


@dataclass(frozen=True, slots=True)
class _Admitted:
    record: Record
    export: Export
    decision: Decision


class ExportsService:
    """Lets those who asked for an archive through to it, as long as they might ask for it still."""

    def __init__(
        self,
        gate: Gate,
        exports: "ExportStore",
        documents: "DocumentStore",
        ledger: "Ledger",
        objects: "ObjectStore",
        presigner: "Presigner",
        *,
        profile: "ProfileStore",
    ) -> None:
        self._gate = gate
        self._exports = exports
        self._documents = documents
        self._profile = profile
        self._ledger = ledger
        self._objects = objects
        self._presigner = presigner

    def fetch(self, call: Call, record_id: str, local: str) -> tuple[Export, StoredContent | None]:
        """An export, with its content once that is ready, which is traced then.

        Raises NotFound (`no-export`), Refused, Gone (`export-expired`, `export-failed`, `gone`).
        """
        attempt = export_attempt(Interaction.EXPORT_FETCHED, record_id)
        admitted = self._admit(call, record_id, local, attempt)
        export = admitted.export
        if export.state in _ENDED:
            raise Gone(_ENDED[export.state])
        if export.content is None:
            if not export.is_under_way(call.now):
                raise Gone("export-failed")
            return export, None
        if export.has_expired(call.now) or self._shows_what_is_hidden(call, admitted.record, export):
            raise Gone("export-expired")
        self._gate.trace_access(call, admitted.record, attempt, admitted.decision)
        return export, export.content

    def remove(self, call: Call, record_id: str, local: str) -> None:
        """Give an export up: it is fetched no more, and built no further; a second time is answered like the first."""
        attempt = export_attempt(Interaction.EXPORT_REMOVED, record_id, AuditAction.DELETE)
        for _ in attempts():
            admitted = self._admit(call, record_id, local, attempt)
            export = admitted.export
            trace = self._gate.entry(call, admitted.record, attempt, admitted.decision)
            is_new = export.state is not ExportState.REMOVED
            saved = [SaveExport(export.removed(), export)] if is_new else []
            if is_committed(self._ledger, [*saved, RecordUnchanged(admitted.record), trace]):
                if export.content:
                    self._objects.remove(export.content.key, export.content.version)
                return
        raise Unavailable("service-unavailable")

    def bytes_of(self, content: StoredContent) -> bytes:
        """The archive; Unavailable (`content-damaged`) where it is not what was built."""
        return self._objects.get(content)

    def address_of(self, content: StoredContent, *, method: Literal["GET", "HEAD"], disposition: str) -> str:
        """Where whoever holds the address reads the archive from S3, for one minute."""
        return self._presigner.download(content, method=method, disposition=disposition)

    def _admit(self, call: Call, record_id: str, local: str, attempt: Attempt) -> _Admitted:
        """The export of the caller; one of somebody else looks as if there were none."""
        record, export = self._exports.with_export(record_id, local)
        question = asking(call, record, Action.EXPORT)
        decision = self._gate.admit(call, question, attempt)
        asker = export.requester.identifier if export else None
        if export is None or not decide(replace(question, belongs_to=asker)).permit:
            self._gate.trace_refusal(call, record, attempt, _NO_EXPORT)
            raise NotFound("no-export")
        return _Admitted(record, export, decision)

    def _shows_what_is_hidden(self, call: Call, record: Record, export: Export) -> bool:
        """Whether an archive holds what was hidden from its asker since: two queries, where nothing changed.

        It is answered as if its time were over: nothing tells of what is hidden. Lines of reimbursement never change,
        and what people and Consents are hidden by neither.
        """
        then = export.taken or export.asked
        return self._shows_hidden_document(call, record, then) or self._shows_hidden_entry(call, record, then)

    def _shows_hidden_document(self, call: Call, record: Record, then: datetime) -> bool:
        since = instant_position(then)
        after: str | None = ""
        while after is not None:
            stretch = Stretch(Order.FIRST_CHANGED, low=since, after=after)
            changed, after = self._documents.changed(record.id, statuses=(), limit=_AT_ONCE, stretch=stretch)
            locals_ = [position.rpartition("#")[2] for position in changed]
            found = self._documents.with_documents(record.id, locals_)[1] if locals_ else {}
            hidden = [one for one in found.values() if not may_read(call, record, one)]
            if any(self._was_shown(call, record, one, then) for one in hidden):
                return True
        return False

    def _was_shown(self, call: Call, record: Record, hidden: DocumentEntry, then: datetime) -> bool:
        """Whether the asker saw a document at a moment that they see no more."""
        versions = self._documents.former_documents(record.id, hidden.local)
        at_that_time = [one for one in versions if one.updated <= then][-1:]
        return any(is_listed(one) and may_read(call, record, one) for one in at_that_time)

    def _shows_hidden_entry(self, call: Call, record: Record, then: datetime) -> bool:
        """The same of entries of the profile, of which no index tells when they changed: all are looked at."""
        after: str | None = ""
        while after is not None:
            entries, after = self._profile.all_entries(record.id, _ENTRIES_AT_ONCE, after)
            changed = (one for one in entries if one.updated >= then)
            hidden = [one for one in changed if not decide(of_entry(call, record, Action.READ, one)).permit]
            if any(self._entry_was_shown(call, record, one, then) for one in hidden):
                return True
        return False

    def _entry_was_shown(self, call: Call, record: Record, hidden: ProfileEntry, then: datetime) -> bool:
        versions = self._profile.formers(record.id, hidden.kind, hidden.local)
        return any(visible_entries(call, record, [one for one in versions if one.updated <= then][-1:]))


def export_attempt(interaction: Interaction, record: str, action: AuditAction = AuditAction.READ) -> Attempt:
    """What the trace tells of an export."""
    what = (f"Patient/{record}/$export",)
    return Attempt(interaction=interaction, action=action, resource_type="Patient", what=what)
