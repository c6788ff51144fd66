"""What a deposit names in the record without replacing it: each must be there, and be the depositor's to see."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dmp.domain.deposit import Plan
from dmp.domain.document import Depositor, DocumentEntry
from dmp.domain.document_list import ListEntry
from dmp.domain.errors import Invalid
from dmp.domain.submission import SubmittedRelation
from dmp.services.call import Call
from dmp.services.document_access import is_listed, may_read
from dmp.services.list_sight import list_as_seen

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


def find_named(documents: "DocumentStore", call: Call, plan: Plan) -> None:
    """Find what new documents append to, transform, sign or relate to, and what new Lists hold of the record.

    Raises Invalid `unknown-reference` for what is not there, is in another record, or is not the depositor's to see:
    nobody learns from a refusal which it was.
    """
    if plan.is_repetition:
        return
    relations = [relation for _, document in plan.unknown() for relation in document.relations]
    relations += [relation for one in plan.submission.lists for relation in one.existing]
    _find_documents(documents, call, plan, relations)
    _find_lists(documents, call, plan, [one for wanted in plan.submission.lists for one in wanted.existing_lists])


def visible(documents: "DocumentStore", call: Call, plan: Plan, locals_: Sequence[str]) -> Mapping[str, DocumentEntry]:
    """Those of these documents that the caller may see; deleted ones are seen by none."""
    _, found = documents.with_documents(plan.record.id, locals_)
    alive = {local: entry for local, entry in found.items() if is_listed(entry)}
    return {local: entry for local, entry in alive.items() if may_read(call, plan.record, entry)}


def _find_documents(documents: "DocumentStore", call: Call, plan: Plan, relations: Sequence[SubmittedRelation]) -> None:
    locals_ = {relation: plan.local_of(relation.target) for relation in relations}
    seen = visible(documents, call, plan, list(dict.fromkeys(locals_.values()))) if locals_ else {}
    for relation, local in locals_.items():
        if local not in seen:
            raise Invalid("unknown-reference", relation.place)
        plan.named[relation.target] = local


def _find_lists(documents: "DocumentStore", call: Call, plan: Plan, relations: Sequence[SubmittedRelation]) -> None:
    if not relations:
        return
    locals_ = {relation: plan.local_of(relation.target) for relation in relations}
    found = documents.lists(plan.record.id, list(dict.fromkeys(locals_.values())))
    _, held = documents.with_documents(plan.record.id, sorted({d for one in found.values() for d in one.documents}))
    known = {
        local
        for local, one in found.items()
        if _is_own(call, one) or list_as_seen(call, plan.record, one, held) is not None
    }
    for relation, local in locals_.items():
        if local not in known:
            raise Invalid("unknown-reference", relation.place)
        plan.named[relation.target] = local


def _is_own(call: Call, held: ListEntry) -> bool:
    """A List is known to whoever fed it, whatever it holds."""
    return Depositor.of(call.requester).is_same_author(held.depositor)
