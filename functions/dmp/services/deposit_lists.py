"""The Lists of a deposit: new ones, or those that a repeated submission came with (ITI-65 SubmissionSet, Folder)."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.deposit import Deposited, Plan
from dmp.domain.document import Depositor
from dmp.domain.document_list import ListEntry, ListKind
from dmp.domain.errors import Conflict, Invalid, Refused, TooLarge
from dmp.domain.identifiers import local_id
from dmp.domain.rights import Action
from dmp.domain.submission import SUBJECT, SubmittedList, with_references
from dmp.services.call import Call
from dmp.services.deposit_entries import body_of
from dmp.services.deposit_relations import visible
from dmp.services.gate import asking
from dmp.services.list_sight import list_as_seen

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore

MOST_HELD = 1_000
"""Documents of one Folder: whoever reads it has each looked at."""

type Listed = Deposited[ListEntry]


class DepositLists:
    """Makes the Lists of one attempt at a deposit."""

    def __init__(self, documents: "DocumentStore", entropy: Callable[[], bytes]) -> None:
        self._documents = documents
        self._entropy = entropy

    def of(self, call: Call, plan: Plan) -> tuple[Listed | None, tuple[Listed | None, ...]]:
        """The SubmissionSet, None for a document that came alone (ITI-105), and the Folders.

        Raises Conflict `duplicate-unique-id`, Invalid `unknown-reference`, Refused.
        """
        wanted = plan.submission.submission_set
        if wanted is None:
            return None, ()
        local = self._held(plan, wanted)
        if local:
            return self._repeated(plan, wanted, local)
        folders = tuple(self._folder(call, plan, one) for one in plan.submission.folders)
        return Deposited(self._list(call, plan, wanted, folders), created=True), folders

    @staticmethod
    def _held(plan: Plan, wanted: SubmittedList) -> str:
        """Local id of the SubmissionSet that holds an identifier, or that a repeated submission came with."""
        claim = plan.claim_of_list(wanted)
        if claim is None and plan.is_repetition:
            first = plan.claim_of(plan.submission.documents[0])
            return first.submission_set if first else ""
        return claim.local if claim else ""

    def _repeated(self, plan: Plan, wanted: SubmittedList, local: str) -> tuple[Listed, tuple[Listed | None, ...]]:
        """What the first submission of these documents came with: its Folders in its order, where they are as many."""
        submission_set = self._documents.with_list(plan.record.id, local)[1] if plan.is_repetition else None
        if submission_set is None or submission_set.kind is not ListKind.SUBMISSION_SET:
            raise Conflict("duplicate-unique-id", f"{wanted.place}.identifier")
        folders, brought = plan.submission.folders, submission_set.brought
        found = self._documents.lists(plan.record.id, brought) if brought and len(brought) == len(folders) else {}
        of_first = [found.get(one) for one in brought] if found else [None] * len(folders)
        repeated = tuple(Deposited(one, created=False) if one else None for one in of_first)
        return Deposited(submission_set, created=False), repeated

    def _folder(self, call: Call, plan: Plan, wanted: SubmittedList) -> Listed:
        local = self._folder_named(plan, wanted)
        if local is None:
            return Deposited(self._list(call, plan, wanted), created=True)
        former = self._documents.with_list(plan.record.id, local)[1] if wanted.updates else None
        if former is None or not Depositor.of(call.requester).is_same_author(former.depositor):
            former = self._seen(call, plan, former)
        if former is None or former.kind is not wanted.kind:
            raise _not_found(wanted)
        decision = decide(replace(asking(call, plan.record, Action.REPLACE), folder=former.depositor))
        if not decision.permit:
            raise Refused(decision.reason, wanted.place)
        return Deposited(self._next(call, plan, wanted, former), created=False, previous=former)

    def _seen(self, call: Call, plan: Plan, former: ListEntry | None) -> ListEntry | None:
        """A List of others, where the caller may know of it; one that is not there is looked for as long."""
        _, held = self._documents.with_documents(plan.record.id, former.documents if former else ())
        return former if former and list_as_seen(call, plan.record, former, held) else None

    @staticmethod
    def _folder_named(plan: Plan, wanted: SubmittedList) -> str | None:
        """Local id of the Folder that a PUT names, or that has an identifier of this one; None where it is new."""
        claims = {plan.claims[one].local for one in wanted.identifiers if one in plan.claims}
        target = wanted.target
        if target and (target.resource_id or target.identifier in plan.claims):
            claims.add(plan.local_of(target))
        if len(claims) > 1:
            raise Conflict("duplicate-unique-id", f"{wanted.place}.identifier")
        return next(iter(claims), None)

    def _next(self, call: Call, plan: Plan, wanted: SubmittedList, former: ListEntry) -> ListEntry:
        """The next version of a Folder; what it held that the caller may not see stays in it."""
        entry = self._list(call, plan, wanted)
        left_out = [one for one in former.documents if one not in entry.documents]
        seen = visible(self._documents, call, plan, left_out) if left_out else {}
        kept = (*entry.documents, *(one for one in left_out if one not in seen))
        if len(kept) > MOST_HELD:
            raise TooLarge("too-many", f"{wanted.place}.entry", f"a Folder holds {MOST_HELD} documents at most")
        return replace(
            entry,
            local=former.local,
            version=former.version + 1,
            identifiers=tuple(dict.fromkeys((*entry.identifiers, *former.identifiers))),
            documents=kept,
        )

    def _list(
        self, call: Call, plan: Plan, wanted: SubmittedList, folders: tuple[Listed | None, ...] = ()
    ) -> ListEntry:
        entries = {d.full_url: plan.entry_at(place) for place, d in enumerate(plan.submission.documents)}
        held = [entries[url].local for url in wanted.documents if url in entries]
        held += [plan.named[one.target] for one in wanted.existing]
        pairs = zip(plan.submission.folders, folders, strict=False)
        brought = {one.full_url: made.entry.local for one, made in pairs if made}
        lists = [brought[url] for url in wanted.lists if url in brought]
        lists += [plan.named[one.target] for one in wanted.existing_lists]
        return ListEntry(
            record=plan.record.id,
            local=local_id(wanted.date or call.now, self._entropy()),
            version=1,
            updated=call.now,
            kind=wanted.kind,
            status=str(wanted.resource.get("status", "current")),
            depositor=Depositor.of(call.requester),
            identifiers=wanted.identifiers,
            documents=tuple(dict.fromkeys(held)),
            lists=tuple(dict.fromkeys(lists)),
            brought=tuple(made.entry.local for made in folders if made),
            body=body_of(_resource(plan, wanted), wanted.place),
        )


def _resource(plan: Plan, wanted: SubmittedList) -> dict[str, object]:
    resource = with_references(wanted.resource, {SUBJECT: f"Patient/{plan.record.id}"})
    resource.pop("entry", None)
    return resource


def _not_found(wanted: SubmittedList) -> Conflict | Invalid:
    """An identifier that something else has; or an address of a List that is no Folder, or is not there."""
    if wanted.updates and wanted.target and wanted.target.resource_id:
        return Invalid("unknown-reference", f"{wanted.place.removesuffix('resource')}request.url")
    return Conflict("duplicate-unique-id", f"{wanted.place}.identifier")
