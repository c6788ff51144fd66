"""The new documents of a deposit: their bytes go to the bucket before entries name them."""

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dmp.domain.announcement import Announcement
from dmp.domain.deposit import Plan, Receipt
from dmp.domain.document import (
    Depositor,
    DocumentEntry,
    DocumentStatus,
    Labelling,
    Predecessor,
    StoredContent,
    Visibility,
)
from dmp.domain.errors import TooLarge, Unavailable
from dmp.domain.identifiers import local_id
from dmp.domain.submission import SUBJECT, SubmittedDocument, with_references
from dmp.services.call import Call

if TYPE_CHECKING:
    from dmp.adapters.object_store import ObjectStore

LARGEST_METADATA = 200_000
"""Bytes of one resource in UTF-8: DynamoDB holds 400 KB an item."""


class DepositContents:
    """The bytes of one deposit, by the place of their document in the submission, however often it is tried."""

    def __init__(self, objects: "ObjectStore", entropy: Callable[[], bytes]) -> None:
        self._objects = objects
        self._entropy = entropy
        self._named: dict[int, StoredContent] = {}
        self._stored: set[str] = set()

    def name(self, record: str, place: int, document: SubmittedDocument) -> StoredContent:
        """Say where the bytes of a document will lie."""
        if place not in self._named:
            self._named[place] = _described(document, f"{record}/{self._entropy().hex()}")
        return self._named[place]

    def store(self, plan: Plan) -> None:
        """Store the bytes of the new documents, each once; Unavailable where that fails."""
        for place, entry in plan.fresh.items():
            if entry.content.key not in self._stored:
                self._stored.add(entry.content.key)
                self._objects.put(entry.content, plan.submission.documents[place].content)

    def discard(self, receipt: Receipt | None = None) -> None:
        """Take back the bytes that no entry of the receipt names; what cannot be taken back now is swept later."""
        kept = {item.entry.content.key for item in receipt.documents} if receipt else set()
        for content in self._named.values():
            if content.key in self._stored - kept:
                with suppress(Unavailable):
                    self._objects.discard(content)


class NewEntries:
    """Makes the entries of new documents; `label` writes what hides them into their resource."""

    def __init__(self, entropy: Callable[[], bytes], label: Labelling, announcement: Announcement) -> None:
        self.entropy = entropy
        self._label = label
        self._announcement = announcement

    def name(self, call: Call, plan: Plan, contents: DepositContents) -> None:
        """Make the entries of a plan, their bytes not yet stored; TooLarge for metadata over 200,000 bytes."""
        references = {SUBJECT: f"Patient/{plan.record.id}"}
        for place, document in list(plan.unknown()):
            content = contents.name(plan.record.id, place, document)
            local = local_id(document.metadata.date, self.entropy())
            body = body_of(with_references(document.metadata.resource, references), document.place)
            entry = _entry(call, plan.record.id, local, document, content, body)
            plan.fresh[place] = self._hidden(call, plan, entry, plan.replaced_by(document))

    def _hidden(
        self, call: Call, plan: Plan, entry: DocumentEntry, replaced: Collection[DocumentEntry]
    ) -> DocumentEntry:
        """The entry as the patient's choices want it: by default masked or not, and kept from whom its formers are.

        What waits for an announcement goes on waiting, from when it began, until the author says that it took place.
        """
        inherited = {code for former in replaced for code in former.visibility}
        default = {Visibility.MASQUE_PS} if plan.record.masks_new_documents(call.now) else set()
        since = min((former.hidden_at for former in replaced if former.hidden_at), default=None)
        labelled = entry.labelled(entry.visibility | inherited | default, self._label)
        predecessors = tuple(Predecessor(former.local, former.visibility) for former in replaced)
        return self._announcement.scheduled(replace(labelled, hidden_at=since, predecessors=predecessors), call.now)


def body_of(resource: Mapping[str, Any], place: str) -> str:
    """A resource as the text that is stored."""
    text = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > LARGEST_METADATA:
        raise TooLarge("too-large", place)
    return text


def _described(document: SubmittedDocument, key: str) -> StoredContent:
    sha1 = hashlib.sha1(document.content, usedforsecurity=False).digest()
    return StoredContent(
        key=key,
        content_type=document.metadata.content_type,
        size=len(document.content),
        sha1=base64.b64encode(sha1).decode(),
        sha256=hashlib.sha256(document.content).hexdigest(),
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
        body=body,
    )
