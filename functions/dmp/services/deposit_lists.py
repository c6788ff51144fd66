"""The Lists of a deposit: new ones, or those that a repeated submission came with (ITI-65 SubmissionSet, Folder)."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.deposit import Deposited, Plan
from dmp.domain.document import Depositor
from dmp.domain.document_list import ListEntry
from dmp.domain.errors import Conflict, Invalid, Refused
from dmp.domain.identifiers import local_id, split_resource_id
from dmp.domain.rights import Action
from dmp.domain.submission import SUBJECT, SubmittedList, with_references
from dmp.services.call import Call
from dmp.services.deposit_entries import body_of
from dmp.services.gate import asking

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


class DepositLists:
    """Makes the Lists of one attempt at a deposit."""

    def __init__(self, documents: "DocumentStore", entropy: Callable[[], bytes]) -> None:
        self._documents = documents
        self._entropy = entropy

    def submission_set(self, call: Call, plan: Plan) -> Deposited[ListEntry] | None:
        """The SubmissionSet; None for a document that came alone (ITI-105)."""
        wanted = plan.submission.submission_set
        if wanted is None:
            return None
        local = self._held(plan, wanted)
        if local:
            return self._existing(plan, wanted, local)
        return Deposited(self._list(call, plan, wanted), created=True)

    def folders(self, call: Call, plan: Plan, *, repeated: bool) -> tuple[Deposited[ListEntry] | None, ...]:
        """The Folders; of a repeated submission, those that an identifier tells."""
        return tuple(self._folder(call, plan, wanted, repeated=repeated) for wanted in plan.submission.folders)

    def _folder(self, call: Call, plan: Plan, wanted: SubmittedList, *, repeated: bool) -> Deposited[ListEntry] | None:
        claim = plan.claim_of_list(wanted)
        if claim is None:
            return None if repeated else Deposited(self._list(call, plan, wanted), created=True)
        if repeated or not wanted.updates:
            return self._existing(plan, wanted, claim.local)
        former = self._documents.with_list(plan.record.id, claim.local)[1]
        if former is None or former.kind is not wanted.kind:
            raise Conflict("duplicate-unique-id", f"{wanted.place}.identifier")
        decision = decide(replace(asking(call, plan.record, Action.REPLACE), folder=former.depositor))
        if not decision.permit:
            raise Refused(decision.reason, wanted.place)
        entry = replace(self._list(call, plan, wanted), local=former.local, version=former.version + 1)
        return Deposited(entry, created=False, previous=former)

    @staticmethod
    def _held(plan: Plan, wanted: SubmittedList) -> str:
        """Local id of the SubmissionSet that holds the identifier, or that a repeated submission came with."""
        claim = plan.claim_of_list(wanted)
        if claim is None and not plan.fresh:
            first = plan.claim_of(plan.submission.documents[0])
            return first.submission_set if first else ""
        return claim.local if claim else ""

    def _existing(self, plan: Plan, wanted: SubmittedList, local: str) -> Deposited[ListEntry]:
        entry = None if plan.fresh else self._documents.with_list(plan.record.id, local)[1]
        if entry is None:
            raise Conflict("duplicate-unique-id", f"{wanted.place}.identifier")
        return Deposited(entry, created=False)

    def _list(self, call: Call, plan: Plan, wanted: SubmittedList) -> ListEntry:
        entries = {d.full_url: plan.entry_at(place) for place, d in enumerate(plan.submission.documents)}
        held = [entries[url].local for url in wanted.documents if url in entries]
        held += [_local_of(plan, reference, wanted.place) for reference in wanted.existing]
        resource = with_references(wanted.resource, {SUBJECT: f"Patient/{plan.record.id}"})
        resource.pop("entry", None)
        return ListEntry(
            record=plan.record.id,
            local=local_id(wanted.date or call.now, self._entropy()),
            version=1,
            updated=call.now,
            kind=wanted.kind,
            status=str(resource.get("status", "current")),
            depositor=Depositor.of(call.requester),
            identifiers=wanted.identifiers,
            documents=tuple(held),
            body=body_of(resource, wanted.place),
        )


def _local_of(plan: Plan, reference: str, place: str) -> str:
    parts = split_resource_id(reference)
    if parts is None or parts[0] != plan.record.id:
        raise Invalid("unknown-reference", f"{place}.entry")
    return parts[1]
