"""What comes with the results of a search: documents and the Patient of the record, as the caller may see them."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.document import DocumentEntry
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.domain.search_terms import Naming, nothing_named
from dmp.services.call import Call
from dmp.services.document_access import is_listed, may_include
from dmp.services.document_sight import MOST_RELATED, as_seen
from dmp.services.gate import asking

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


@dataclass(frozen=True, slots=True)
class IncludedPatient:
    """The record whose Patient comes with the results; `own` shows the preferences too."""

    record: Record
    own: bool


def included_patient(call: Call, record: Record) -> IncludedPatient | None:
    """The Patient, to whoever may read it."""
    question = replace(asking(call, record, Action.READ_PATIENT), resource_type="Patient")
    if not decide(question).permit:
        return None
    return IncludedPatient(record, own=decide(asking(call, record, Action.UPDATE_PATIENT)).permit)


def included_documents(
    call: Call, record: Record, named: Naming, shown: Iterable[DocumentEntry], documents: "DocumentStore"
) -> list[DocumentEntry]:
    """The documents that others name, as the caller sees these, and that are not among them; one read for all."""
    if named is nothing_named:
        return []
    matches = list(shown)
    ids = {one for entry in matches for one in named(json.loads(entry.body))} - {entry.id for entry in matches}
    locals_ = [local for held, _, local in (one.partition(".") for one in sorted(ids)) if held == record.id]
    if not locals_:
        return []
    _, found = documents.with_documents(record.id, locals_[:MOST_RELATED])
    return visible_among(call, record, found.values(), documents)


def visible_among(
    call: Call, record: Record, entries: Collection[DocumentEntry], documents: "DocumentStore"
) -> list[DocumentEntry]:
    """Those of some documents that the caller may see, as the caller sees them, newest first."""
    visible = [entry for entry in entries if is_listed(entry) and may_include(call, record, entry)]
    return as_seen(call, record, sorted(visible, key=lambda entry: entry.local, reverse=True), documents)
