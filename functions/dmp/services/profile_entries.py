"""Entries of the structured profile as they stand: read, in all their versions, and found in documents (L.1111-15)."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import Interaction
from dmp.domain.clinical_profile import Candidate, Extraction, ProfileEntry, ProfileKind, candidate_local
from dmp.domain.document import DocumentEntry, DocumentStatus
from dmp.domain.errors import Gone, NotFound
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import attempt_on, is_concealed, is_listed, ruled
from dmp.services.gate import Attempt, Gate
from dmp.services.profile_access import asked_of, telling
from dmp.services.profile_sight import Offered, of_candidate

if TYPE_CHECKING:
    from dmp.adapters.profile_store import ProfileStore


@dataclass(frozen=True, slots=True, kw_only=True)
class _Admitted:
    record: Record
    entry: ProfileEntry
    attempt: Attempt
    decision: Decision


class ProfileEntriesService:
    """Reads of single entries, each traced before anything of it leaves."""

    def __init__(self, gate: Gate, profile: "ProfileStore") -> None:
        self._gate = gate
        self._profile = profile

    def read(self, call: Call, kind: ProfileKind, record_id: str, local: str) -> ProfileEntry:
        """An entry as it stands; Refused, NotFound, or Gone where it was deleted."""
        admitted = self._admit(call, kind, record_id, local, Interaction.READ)
        self._trace(call, admitted)
        return _alive(admitted.entry)

    def version(self, call: Call, kind: ProfileKind, record_id: str, local: str, number: int) -> ProfileEntry:
        """One version; NotFound (`no-version`) where it never was, or was hidden from the caller; Gone as `read`."""
        admitted = self._admit(call, kind, record_id, local, Interaction.VREAD)
        is_current = number == admitted.entry.version
        found = admitted.entry if is_current else self._profile.former(record_id, kind, local, number)
        self._trace(call, admitted)
        if found is None or not _is_seen(call, admitted, found):
            raise NotFound("no-version")
        return _alive(found.at(call.now))

    def history(self, call: Call, kind: ProfileKind, record_id: str, local: str) -> list[ProfileEntry]:
        """Every version that the caller may see, newest first; of a deleted entry too, to whoever could read it."""
        admitted = self._admit(call, kind, record_id, local, Interaction.HISTORY)
        formers = self._profile.formers(record_id, kind, local) if admitted.entry.version > 1 else []
        self._trace(call, admitted)
        seen = [version.at(call.now) for version in reversed(formers) if _is_seen(call, admitted, version)]
        return [admitted.entry, *seen]

    def _admit(self, call: Call, kind: ProfileKind, record_id: str, local: str, interaction: Interaction) -> _Admitted:
        record, kept = self._profile.with_entry(record_id, kind, local)
        entry = kept.at(call.now) if kept else None
        attempt = telling(attempt_on(kind, record_id, local, interaction), entry)
        decision = asked_of(call, record, Action.READ, kind, entry)
        if entry is None or not decision.permit:
            self._gate.refuse(call, record, attempt, decision)
        return _Admitted(record=record, entry=entry, attempt=attempt, decision=decision)

    def _trace(self, call: Call, admitted: _Admitted) -> None:
        self._gate.trace_access(call, admitted.record, admitted.attempt, admitted.decision)

    def candidate(
        self,
        call: Call,
        kind: ProfileKind,
        record_id: str,
        place: tuple[str, int],
        interaction: Interaction = Interaction.READ,
        version: int | None = None,
    ) -> Offered:
        """What a document (its local id) offers at a place, while it is offered; its version is the document's.

        Raises Refused, NotFound: whatever is not shown looks like an entry that is not there.
        """
        record, document, extraction = self._profile.with_extraction(record_id, place[0])
        found = _offered(kind, document, extraction, place[1])
        local = candidate_local(*place)
        attempt = replace(
            attempt_on(kind, record_id, local, interaction), hides=found is not None and is_concealed(document)
        )
        decision = ruled(of_candidate(call, record, kind, document if found else None))
        if document is None or found is None or not decision.permit:
            self._gate.refuse(call, record, attempt, decision)
        self._gate.trace_access(call, record, attempt, decision)
        if version not in (None, document.version):
            raise NotFound("no-version")
        return Offered(candidate=found, number=place[1], document=document)


def _offered(
    kind: ProfileKind, document: DocumentEntry | None, extraction: Extraction | None, number: int
) -> Candidate | None:
    if document is None or document.status is not DocumentStatus.CURRENT or not is_listed(document):
        return None
    candidates = extraction.candidates if extraction else ()
    found = candidates[number] if number < len(candidates) else None
    return found if found and found.kind is kind else None


def _is_seen(call: Call, admitted: _Admitted, version: ProfileEntry) -> bool:
    """Whether a version did not hide the entry from the caller: that it was hidden is not told either."""
    return asked_of(call, admitted.record, Action.READ, version.kind, version).permit


def _alive(entry: ProfileEntry) -> ProfileEntry:
    if entry.is_deleted:
        raise Gone("gone")
    return entry
