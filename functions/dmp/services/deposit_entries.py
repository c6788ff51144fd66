"""The new documents of a deposit: their bytes go to the bucket before entries name them."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dmp.domain.announcement import Announcement
from dmp.domain.deposit import Plan, Receipt
from dmp.domain.document import (
    Awaited,
    Depositor,
    DocumentEntry,
    DocumentStatus,
    Labelling,
    Predecessor,
    StoredContent,
    Visibility,
)
from dmp.domain.errors import TooLarge, Unavailable
from dmp.domain.identifiers import local_id, resource_id
from dmp.domain.record import Record
from dmp.domain.submission import NAMED, SUBJECT, SubmittedDocument, with_references
from dmp.domain.upload import MOST_REPLACED, Place, awaited_until, awaits_content, next_look
from dmp.services.call import Call
from dmp.services.indexing import Readers

if TYPE_CHECKING:
    from dmp.adapters.object_store import ObjectStore

LARGEST_METADATA = 200_000
"""Bytes of one resource in UTF-8: DynamoDB holds 400 KB an item."""


class DepositContents:
    """The bytes of one deposit, by the place of their document in the submission, however often it is tried."""

    def __init__(self, objects: "ObjectStore", entropy: Callable[[], bytes]) -> None:
        self._objects = objects
        self._entropy = entropy
        self._locals: dict[int, str] = {}
        self._named: dict[int, StoredContent] = {}
        self._stored: dict[str, str] = {}
        """The version of what lies under each key, empty where it is not known."""

    def local(self, place: int, document: SubmittedDocument) -> str:
        """The local id of a document, drawn once: by it the key of its bytes leads to its entry."""
        if place not in self._locals:
            self._locals[place] = local_id(document.metadata.date, self._entropy())
        return self._locals[place]

    def name(self, record: str, place: int, document: SubmittedDocument) -> StoredContent:
        """Say where the bytes of a document will lie."""
        if place not in self._named:
            key = Place(record, self.local(place, document), is_upload=document.is_upload).key
            self._named[place] = _described(document, key)
        return self._named[place]

    def store(self, plan: Plan) -> None:
        """Store the bytes of the new documents, and of those that await theirs, each once.

        Raises Unavailable where that fails.
        """
        for place, entry in plan.known.items():
            document = plan.submission.documents[place]
            if awaits_content(entry) and not document.is_upload:
                self._put(replace(entry.content, sha256=document.sha256), document)
        for place, entry in plan.fresh.items():
            document = plan.submission.documents[place]
            if not document.is_upload:
                self._put(entry.content, document)

    def _put(self, content: StoredContent, document: SubmittedDocument) -> None:
        if content.key not in self._stored:
            self._stored[content.key] = ""
            self._stored[content.key] = self._objects.put(content, document.content)

    def discard(self, receipt: Receipt | None = None) -> None:
        """Take back the bytes that no entry of the receipt names; what cannot be taken back now is swept later."""
        kept = {item.entry.content.key for item in receipt.documents} if receipt else set()
        for content in self._named.values():
            if content.key in self._stored.keys() - kept:
                with suppress(Unavailable):
                    self._take_back(content)

    def _take_back(self, content: StoredContent) -> None:
        if version := self._stored[content.key]:
            self._objects.remove(content.key, version)
        else:
            self._objects.discard(content)


class NewEntries:
    """Makes the entries of new documents; `label` writes what hides them into their resource.

    `readers` read what is kept of them beside. `is_scanned`: each awaits the verdict of the malware scanner.
    """

    def __init__(
        self,
        entropy: Callable[[], bytes],
        label: Labelling,
        announcement: Announcement,
        readers: Readers,
        *,
        is_scanned: bool = False,
    ) -> None:
        self.entropy = entropy
        self.readers = readers
        self._label = label
        self._announcement = announcement
        self._is_scanned = is_scanned

    def name(self, call: Call, plan: Plan, contents: DepositContents) -> None:
        """Make the entries of a plan, their bytes not yet stored.

        Raises TooLarge for metadata over 200,000 bytes, and for more replaced documents than can end later, at once.
        """
        unknown = list(plan.unknown())
        locals_ = {place: contents.local(place, document) for place, document in unknown}
        references = dict(_references(plan, locals_))
        for place, document in sorted(unknown, key=lambda one: one[0] in plan.outdated):
            content, local = contents.name(plan.record.id, place, document), locals_[place]
            named = {f"{NAMED}{n}": _address(plan, plan.named[r.target]) for n, r in enumerate(document.relations)}
            body = body_of(with_references(document.metadata.resource, references | named), document.place)
            entry = self._awaiting(_entry(call, plan.record.id, local, document, content, body), call.now)
            if place in plan.outdated:
                entry = replace(entry.with_status(DocumentStatus.SUPERSEDED, call.now), version=entry.version)
            entry = self._hidden_as_earlier(plan, place, entry)
            plan.fresh[place] = self.hidden(
                call, plan.record, entry, plan.replaced_by(document), plan.later_than(place)
            )
            _check_replaced(plan.fresh[place], document.place)
        plan.fresh = {place: _preceded(plan, place, entry) for place, entry in sorted(plan.fresh.items())}

    def _hidden_as_earlier(self, plan: Plan, place: int, entry: DocumentEntry) -> DocumentEntry:
        """The newest version, kept from whom the earlier ones that come with it are."""
        earlier = [plan.submission.documents[one].metadata.visibility for one in plan.earlier_than(place)]
        return entry.labelled(entry.visibility.union(*earlier), self._label)

    def _awaiting(self, entry: DocumentEntry, now: datetime) -> DocumentEntry:
        """The entry with what it awaits, if anything."""
        came = {Awaited.CONTENT: not entry.is_uploaded, Awaited.VERDICT: not self._is_scanned}
        awaits = frozenset(awaited for awaited, is_there in came.items() if not is_there)
        if not awaits:
            return entry
        awaiting = replace(entry, awaits=awaits, awaited_until=awaited_until(now))
        return replace(awaiting, due=next_look(awaiting, now))

    def hidden(
        self,
        call: Call,
        record: Record,
        entry: DocumentEntry,
        replaced: Collection[DocumentEntry],
        later: Sequence[DocumentEntry] = (),
    ) -> DocumentEntry:
        """The entry as the patient's choices want it: by default masked or not, and kept from whom its formers are.

        An earlier version that comes late is kept from whom the `later` ones are, and knows the latest of them.

        What waits for an announcement goes on waiting, from when it began, until the author says that it took place.
        """
        others = (*replaced, *later)
        inherited = {code for other in others for code in other.visibility}
        default = {Visibility.MASQUE_PS} if record.masks_new_documents(call.now) else set()
        since = min((other.hidden_at for other in others if other.hidden_at), default=None)
        labelled = entry.labelled(entry.visibility | inherited | default, self._label)
        predecessors = tuple(Predecessor(former.local, former.visibility) for former in replaced)
        successors = tuple(dict.fromkeys((*entry.successors, *(one.local for one in later[:1]))))
        tied = replace(labelled, hidden_at=since, predecessors=predecessors, successors=successors)
        return self._announcement.scheduled(tied, call.now)


def _check_replaced(entry: DocumentEntry, place: str) -> None:
    if entry.awaits and len(entry.predecessors) > MOST_REPLACED:
        detail = f"what is still to become available replaces {MOST_REPLACED} documents at most"
        raise TooLarge("too-many", f"{place}.relatesTo", detail)


def _preceded(plan: Plan, place: int, entry: DocumentEntry) -> DocumentEntry:
    """An entry that knows the earlier versions which come with it."""
    for one in plan.earlier_than(place):
        entry = entry.following(plan.fresh[one])
    return entry


def _references(plan: Plan, locals_: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    """Where what stands for the patient, and the full URLs of the documents, will lead."""
    yield SUBJECT, f"Patient/{plan.record.id}"
    for place, document in enumerate(plan.submission.documents):
        if document.full_url:
            yield document.full_url, _address(plan, locals_[place] if place in locals_ else plan.known[place].local)


def _address(plan: Plan, local: str) -> str:
    return f"DocumentReference/{resource_id(plan.record.id, local)}"


def body_of(resource: Mapping[str, Any], place: str) -> str:
    """A resource as the text that is stored."""
    text = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > LARGEST_METADATA:
        raise TooLarge("too-large", place)
    return text


def _described(document: SubmittedDocument, key: str) -> StoredContent:
    return StoredContent(
        key=key,
        content_type=document.metadata.content_type,
        size=document.size,
        sha1=document.sha1,
        sha256=document.sha256,
    )


def _entry(
    call: Call, record: str, local: str, document: SubmittedDocument, content: StoredContent, body: str
) -> DocumentEntry:
    metadata = document.metadata
    return DocumentEntry(
        record=record,
        local=local,
        version=1,
        updated=call.now,
        status=DocumentStatus.CURRENT,
        type=metadata.type,
        visibility=metadata.visibility,
        depositor=Depositor.of(call.requester),
        is_secret=call.requester.is_secret,
        authors=frozenset(metadata.authors),
        content=content,
        master_identifier=metadata.master_identifier,
        identifiers=metadata.identifiers,
        is_archived=metadata.is_archived,
        edition=document.edition,
        is_uploaded=document.is_upload,
        body=body,
    )
