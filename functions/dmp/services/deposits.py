"""Feeding a record: documents, SubmissionSet and Folders, all or nothing over S3 and DynamoDB (ITI-65, ITI-105)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import (
    Change,
    ClaimCriterion,
    Contention,
    RecordUnchanged,
)
from dmp.domain.clinical_document import unique_id_of
from dmp.domain.consent import PatientRef
from dmp.domain.deposit import Deposited, Plan, Receipt, check_depositor, check_patient, named_identifiers
from dmp.domain.document import DocumentEntry, DocumentStatus
from dmp.domain.document_list import ListEntry
from dmp.domain.document_notices import of_deposit
from dmp.domain.errors import DmpError, Invalid, PreconditionFailed, Refused, Unavailable
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.domain.submission import Publication, Submission
from dmp.services.attempts import attempts
from dmp.services.call import Call
from dmp.services.deposit_changes import deposit_changes
from dmp.services.deposit_entries import DepositContents, NewEntries
from dmp.services.deposit_lists import DepositLists
from dmp.services.deposit_relations import find_named
from dmp.services.deposit_repetitions import recognise, show_known
from dmp.services.deposit_targets import find_replaced
from dmp.services.document_access import existing, is_concealed, may_read
from dmp.services.document_sight import as_seen
from dmp.services.gate import Attempt, Gate, asking
from dmp.services.indexing import DepositIndex
from dmp.services.notices import Notices

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.object_store import ObjectStore
    from dmp.adapters.record_store import RecordStore


@dataclass(slots=True, kw_only=True)
class _Deposit:
    """One request to feed a record, however often it is tried."""

    call: Call
    submission: Submission
    interaction: Interaction
    condition: Identifier | None
    contents: DepositContents
    index: DepositIndex
    in_doubt: bool = False
    """Whether the transaction may stand, although nothing says so: then its bytes must stay."""

    @property
    def criterion(self) -> str:
        """The condition in the one form that all the ways of writing it have."""
        return f"DocumentReference?identifier={unique_id_of(self.condition)}" if self.condition else ""


class DepositsService:
    """Takes submissions in."""

    def __init__(
        self,
        gate: Gate,
        records: "RecordStore",
        documents: "DocumentStore",
        objects: "ObjectStore",
        ledger: "Ledger",
        entries: NewEntries,
        *,
        notices: Notices,
    ) -> None:
        self._gate = gate
        self._records = records
        self._documents = documents
        self._objects = objects
        self._ledger = ledger
        self._entries = entries
        self._notices = notices
        self._lists = DepositLists(documents, entries.entropy)

    def submit(self, call: Call, submission: Submission) -> Receipt:
        """Take an ITI-65 bundle in.

        Raises NotFound (`no-record`), Refused, Invalid (`ins-mismatch`, `unknown-reference`), Conflict
        (`duplicate-unique-id`, `not-current`), TooLarge; then nothing is stored.
        """
        return self._deposit(call, submission, Interaction.PROVIDE_BUNDLE, None)

    def publish(
        self,
        call: Call,
        patient: PatientRef,
        read: Callable[[], Publication],
        condition: Identifier | None = None,
    ) -> Deposited[DocumentEntry]:
        """Take one document in (ITI-105), unless the caller sees one with the identifier of the condition.

        `read` gives the document, or raises Invalid, which only those learn who may feed the record of `patient`.
        Raises as `submit`, and PreconditionFailed (`multiple-matches`) where several have that identifier.
        """
        try:
            publication = read()
        except Invalid:
            record = self._records.existing(self._records.named(patient))
            self._admit(call, record, Interaction.SIMPLIFIED_PUBLISH)
            raise
        submission = Submission(subject=publication.subject, documents=(publication.document,))
        receipt = self._deposit(call, submission, Interaction.SIMPLIFIED_PUBLISH, condition)
        return receipt.documents[0]

    def _deposit(
        self, call: Call, submission: Submission, interaction: Interaction, condition: Identifier | None
    ) -> Receipt:
        identifiers = named_identifiers(submission)
        record_id = self._records.named(submission.subject)
        deposit = _Deposit(
            call=call,
            submission=submission,
            interaction=interaction,
            condition=condition,
            contents=DepositContents(self._objects, self._entries.entropy),
            index=DepositIndex(self._entries.readers),
        )
        return self._settled(deposit, record_id, identifiers)

    def _settled(self, deposit: _Deposit, record_id: str, identifiers: list[Identifier]) -> Receipt:
        """Try until the deposit stands or cannot; leave no bytes that nothing names."""
        receipt = None
        try:
            for _ in attempts():
                receipt = self._attempt(deposit, record_id, identifiers)
                if receipt is not None:
                    deposit.contents.discard(receipt)
                    return receipt
            raise Unavailable("service-unavailable")
        except DmpError:
            if not deposit.in_doubt:
                deposit.contents.discard()
            raise

    def _attempt(self, deposit: _Deposit, record_id: str, identifiers: list[Identifier]) -> Receipt | None:
        """One attempt; None where somebody else changed what it relied on."""
        call, submission = deposit.call, deposit.submission
        found, claims, made = self._records.with_claims(record_id, identifiers, deposit.criterion)
        record = existing(found)
        attempt, decision = self._admit(call, record, deposit.interaction)
        match = self._match(deposit, record, made)
        if match:
            attempt = replace(attempt, what=(f"DocumentReference/{match.id}",), hides=is_concealed(match))
            self._gate.trace_access(call, record, attempt, decision)
            return Receipt(record=record.id, documents=(Deposited(match, created=False),))
        plan = Plan(record=record, submission=submission, claims=claims)
        try:
            self._complete(deposit, plan)
            return self._commit(deposit, plan, made, attempt, decision)
        except Refused as refused:
            self._gate.trace_refusal(call, record, attempt, Decision(permit=False, reason=refused.code))
            raise

    def _admit(self, call: Call, record: Record, interaction: Interaction) -> tuple[Attempt, Decision]:
        attempt = Attempt(interaction=interaction, action=AuditAction.CREATE, resource_type="DocumentReference")
        return attempt, self._gate.admit(call, asking(call, record, Action.FEED), attempt)

    def _complete(self, deposit: _Deposit, plan: Plan) -> None:
        """Check the submission against the record, and name what it will leave there."""
        call = deposit.call
        check_patient(plan.record, plan.submission)
        check_depositor(call.requester, plan.submission)
        recognise(self._documents, plan)
        show_known(self._documents, call, plan, is_answered=deposit.interaction is Interaction.SIMPLIFIED_PUBLISH)
        find_replaced(self._documents, call, plan)
        find_named(self._documents, call, plan)
        self._entries.name(call, plan, deposit.contents)

    def _match(self, deposit: _Deposit, record: Record, made: str | None) -> DocumentEntry | None:
        """What a conditional create finds: one that the caller sees, made under this condition or not."""
        if deposit.condition is None:
            return None
        locals_ = self._documents.identified(record.id, deposit.condition)
        _, entries = self._documents.with_documents(record.id, [*locals_, *([made] if made else [])])
        alive = [e for e in entries.values() if e.status is not DocumentStatus.ENTERED_IN_ERROR]
        seen = [e for e in alive if may_read(deposit.call, record, e)]
        if len(seen) > 1:
            raise PreconditionFailed("multiple-matches", "http.identifier")
        return next(iter(as_seen(deposit.call, record, seen, self._documents)), None)

    def _commit(
        self, deposit: _Deposit, plan: Plan, made: str | None, attempt: Attempt, decision: Decision
    ) -> Receipt | None:
        call = deposit.call
        submission_set, folders = self._lists.of(call, plan)
        lists = [item for item in (submission_set, *folders) if item and item.is_written]
        changes = [*deposit_changes(plan, lists, call.now), *_criteria(deposit, plan, made), *self._told(call, plan)]
        changes += deposit.index.changes(plan)
        hides = any(map(is_concealed, _named(plan)))
        attempt = replace(attempt, what=tuple(_references(plan, lists)), hides=hides)
        trace = self._gate.entry(call, plan.record, attempt, decision)
        deposit.contents.store(plan)
        try:
            self._ledger.commit([RecordUnchanged(plan.record), *changes, trace] if changes else [trace])
        except Contention:
            return None
        except Unavailable:
            deposit.in_doubt = True
            raise
        return plan.receipt(submission_set, folders, call.now)

    def _told(self, call: Call, plan: Plan) -> Iterator[Change]:
        """What tells the patient of the new documents, of those that may be known."""
        deposited = [(new, plan.replaced_by(plan.submission.documents[place])) for place, new in plan.fresh.items()]
        for notice in of_deposit(call.requester, plan.record, deposited):
            yield from self._notices.of(call, plan.record, notice)


def _criteria(deposit: _Deposit, plan: Plan, made: str | None) -> Iterator[Change]:
    """The claim of a conditional create, taken over from what it led to before, deleted meanwhile."""
    if deposit.criterion and plan.fresh:
        yield ClaimCriterion(plan.record.id, deposit.criterion, plan.fresh[0].local, made or "")


def _named(plan: Plan) -> Iterable[DocumentEntry]:
    """The documents that the trace tells of: the new ones, or those of a repetition."""
    return (plan.fresh or plan.known).values()


def _references(plan: Plan, lists: Sequence[Deposited[ListEntry]]) -> list[str]:
    return [f"List/{one.entry.id}" for one in lists] + [f"DocumentReference/{entry.id}" for entry in _named(plan)]
