"""Entering, correcting, masking and deleting entries of the structured profile, each in a new version (L.1111-15)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.announcement import Announcement
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, ClaimCriterion, RecordUnchanged
from dmp.domain.clinical_profile import ProfileEntry, ProfileKind
from dmp.domain.consent import PatientRef
from dmp.domain.errors import Gone, PreconditionFailed, Unavailable
from dmp.domain.profile_changes import SaveProfileEntry
from dmp.domain.profile_request import ProfileRequest, changed, needed
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.attempts import attempts, is_committed
from dmp.services.call import Call
from dmp.services.document_access import attempt_on
from dmp.services.gate import Attempt, Gate, asking
from dmp.services.profile_access import asked_of, may_change, telling
from dmp.services.profile_sight import visible_entries

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.profile_store import ProfileStore
    from dmp.adapters.record_store import RecordStore

_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Condition:
    """The criterion of a conditional create: `same` tells what satisfies it, `described` writes it, of a record."""

    same: Callable[[ProfileEntry], bool]
    described: Callable[[str], str]


class ProfileChangesService:
    """Changes single entries; each change that is asked needs its own right."""

    def __init__(
        self,
        gate: Gate,
        records: "RecordStore",
        profile: "ProfileStore",
        ledger: "Ledger",
        announcement: Announcement,
    ) -> None:
        self._gate = gate
        self._records = records
        self._profile = profile
        self._ledger = ledger
        self._announcement = announcement

    def create(
        self,
        call: Call,
        kind: ProfileKind,
        patient: PatientRef,
        read: Callable[[], ProfileRequest],
        condition: Condition | None = None,
    ) -> tuple[ProfileEntry, bool]:
        """Enter something, which is feeding; the second value tells that it was made now, not there already.

        `read` gives what is said, once the decision stands. Raises Refused, NotFound, Invalid (`ins-mismatch`,
        `label-not-permitted`, …), PreconditionFailed (`multiple-matches`).
        """
        record_id = self._records.named(patient)
        criterion = condition.described(record_id) if condition else ""
        local = self._gate.new_local(call)
        attempt = attempt_on(kind, record_id, local, Interaction.CREATE, AuditAction.CREATE)
        for _ in attempts():
            record, made = self._found(record_id, criterion)
            question = replace(asking(call, record, Action.FEED), resource_type=kind)
            decision = self._gate.admit(call, question, attempt)
            request = read()
            request.check_record(record)
            if condition and (match := self._match(call, record, kind, condition, made)):
                about = replace(attempt, what=(f"{kind}/{match.id}",))
                self._gate.trace_access(call, record, telling(about, match), decision)
                return match, False
            entry = self._announcement.awaited(request.made(record, local, call.requester, call.now), call.now)
            claimed = [ClaimCriterion(record.id, criterion, local, made)] if criterion else []
            trace = self._gate.entry(call, record, telling(attempt, entry), decision)
            if is_committed(self._ledger, [RecordUnchanged(record), SaveProfileEntry(entry), *claimed, trace]):
                return entry, True
        raise Unavailable("service-unavailable")

    def _found(self, record_id: str, criterion: str) -> tuple[Record, str]:
        """The record, and what a conditional create made before."""
        return self._profile.with_claim(record_id, criterion) if criterion else (self._records.existing(record_id), "")

    def _match(
        self, call: Call, record: Record, kind: ProfileKind, condition: Condition, made: str
    ) -> ProfileEntry | None:
        """The one entry that the caller sees which satisfies a criterion, or was made under it."""
        entries = (one for one in self._entries(record.id, kind) if one.local == made or condition.same(one))
        found = list(visible_entries(call, record, entries))
        if len(found) > 1:
            raise PreconditionFailed("multiple-matches", "http.If-None-Exist")
        return found[0] if found else None

    def _entries(self, record: str, kind: ProfileKind) -> Iterator[ProfileEntry]:
        before: str | None = ""
        while before is not None:
            entries, before = self._profile.entries(record, kind, _CHUNK, before)
            yield from entries

    def amend(
        self,
        call: Call,
        kind: ProfileKind,
        record_id: str,
        local: str,
        apply: Callable[[ProfileEntry], ProfileRequest],
        *,
        interaction: Interaction,
        expected: int | None = None,
    ) -> ProfileEntry:
        """Say something else, or under other labels; what is the same already makes no version.

        Raises Refused, NotFound, Gone, PreconditionFailed (`version-conflict`), Invalid.
        """
        attempt = attempt_on(kind, record_id, local, interaction, AuditAction.UPDATE)
        for _ in attempts():
            record, entry = self._admitted(call, kind, attempt)
            if expected not in (None, entry.version):
                raise PreconditionFailed("version-conflict")
            request = apply(entry)
            request.check_record(record)
            asked = changed(entry, request, call.requester, record.identity.ins, call.now)
            after = self._announcement.awaited(asked, call.now)
            actions = tuple(needed(entry, after))
            changes = self._decided(call, record, _as_deletion(attempt, after), entry, after, actions)
            if is_committed(self._ledger, changes):
                return after if actions else entry
        raise Unavailable("service-unavailable")

    def _admitted(self, call: Call, kind: ProfileKind, attempt: Attempt) -> tuple[Record, ProfileEntry]:
        """Refuse whoever may make no change at all before anything is told of the entry."""
        record_id, _, local = attempt.what[0].removeprefix(f"{kind}/").partition(".")
        record, entry = self._with_entry(call, record_id, kind, local)
        attempt = telling(attempt, entry)
        decision = may_change(call, record, kind, entry)
        if entry is None or not decision.permit:
            self._gate.refuse(call, record, attempt, decision)
        if entry.is_deleted:
            self._gate.trace_access(call, record, attempt, decision)
            raise Gone("gone")
        return record, entry

    def _with_entry(
        self, call: Call, record_id: str, kind: ProfileKind, local: str
    ) -> tuple[Record, ProfileEntry | None]:
        """The record, and the entry as it is now."""
        record, entry = self._profile.with_entry(record_id, kind, local)
        return record, entry.at(call.now) if entry else None

    def _decided(
        self,
        call: Call,
        record: Record,
        attempt: Attempt,
        entry: ProfileEntry,
        after: ProfileEntry,
        actions: tuple[Action, ...],
    ) -> list[Change]:
        """Decide on each thing that is changed; what is to be written, then."""
        attempt = telling(attempt, entry, after)
        decisions = []
        for action in actions or (Action.READ,):
            decision = asked_of(call, record, action, entry.kind, entry)
            if not decision.permit:
                self._gate.refuse(call, record, attempt, decision)
            decisions.append(decision)
        trace = self._gate.entry(call, record, attempt, decisions[0])
        return [RecordUnchanged(record), SaveProfileEntry(after, entry), trace] if actions else [trace]

    def delete(self, call: Call, kind: ProfileKind, record_id: str, local: str, expected: int | None = None) -> None:
        """Logical deletion, by the author; a second one is answered like the first.

        Raises Refused, NotFound, PreconditionFailed (`version-conflict`).
        """
        attempt = attempt_on(kind, record_id, local, Interaction.DELETE, AuditAction.DELETE)
        for _ in attempts():
            record, entry = self._with_entry(call, record_id, kind, local)
            decision = asked_of(call, record, Action.DELETE, kind, entry)
            if entry is None or not decision.permit:
                self._gate.refuse(call, record, telling(attempt, entry), decision)
            if expected not in (None, entry.version) and not entry.is_deleted:
                raise PreconditionFailed("version-conflict")
            after = entry if entry.is_deleted else entry.deleted(call.now)
            actions = () if entry.is_deleted else (Action.DELETE,)
            if is_committed(self._ledger, self._decided(call, record, attempt, entry, after, actions)):
                return
        raise Unavailable("service-unavailable")


def _as_deletion(attempt: Attempt, after: ProfileEntry) -> Attempt:
    if not after.is_deleted:
        return attempt
    return replace(attempt, interaction=Interaction.DELETE, action=AuditAction.DELETE)
