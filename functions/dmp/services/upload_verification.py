"""The bytes that came by upload against what was announced, as an inline document is checked (ITI-105)."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.changes import Change, Claim, ClaimIdentifier
from dmp.domain.consent import PatientRef
from dmp.domain.deposit import Plan, check_depositor, check_patient, named_identifiers
from dmp.domain.document import Awaited, DocumentEntry, DocumentStatus, ReplacesTarget, StoredContent
from dmp.domain.errors import Conflict, Refused
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.domain.submission import SUBJECT, Submission, SubmittedDocument, with_references
from dmp.domain.upload import next_version, requester_of
from dmp.services.call import Call
from dmp.services.deposit_entries import body_of
from dmp.services.deposit_repetitions import is_void
from dmp.services.deposit_targets import find_replaced
from dmp.services.document_editions import edition_changes
from dmp.services.document_release import DocumentRelease, Reason
from dmp.services.gate import asking
from dmp.services.indexing import Readers, deposited_changes

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.record_store import RecordStore

type Read = Callable[[Call, DocumentEntry, bytes], SubmittedDocument]
"""From an announced document and its bytes to the document; raises Invalid or TooLarge."""


class UploadVerification:
    """Makes of announced documents what they would be had they come with their bytes."""

    def __init__(
        self,
        records: "RecordStore",
        documents: "DocumentStore",
        release: DocumentRelease,
        read: Read,
        readers: Readers,
    ) -> None:
        self._records = records
        self._documents = documents
        self._release = release
        self._read = read
        self._readers = readers

    def changes(self, call: Call, record: Record, entry: DocumentEntry, content: bytes, version: str) -> list[Change]:
        """What is written of a document whose bytes are those that were announced.

        Raises Invalid, TooLarge, Refused or Conflict as the deposit of an inline document does.
        """
        depositor = replace(call, requester=requester_of(entry.depositor))
        decision = decide(asking(depositor, record, Action.FEED))
        if not decision.permit:
            raise Refused(decision.reason)
        document = self._read(call, entry, content)
        plan = self._plan(depositor, record, entry, document)
        formers = self._formers(depositor, plan, entry)
        stored = replace(entry.content, sha256=hashlib.sha256(content).hexdigest(), version=version)
        claim = self._claim(plan, entry, document, stored)
        after = _verified(call, plan, entry, document, stored)
        step = self._release.step(call, record, entry, after, formers, Reason.UPLOAD, later=plan.later_than(0))
        return [*step, claim, *edition_changes(plan, {0: after}), *deposited_changes(after, content, self._readers)]

    def _plan(self, call: Call, record: Record, entry: DocumentEntry, document: SubmittedDocument) -> Plan:
        """The document as a submission of its own; what it replaces by its metadata was found when it was announced."""
        alone = replace(document, metadata=replace(document.metadata, replaces=()))
        submission = Submission(subject=PatientRef(record=record.id), documents=(alone,))
        check_patient(record, submission)
        check_depositor(call.requester, submission)
        _, claims, _ = self._records.with_claims(record.id, named_identifiers(submission))
        known = {one.local for one in entry.predecessors}
        unknown = tuple(one for one in alone.predecessors if _holder(claims, one) not in known)
        submission = replace(submission, documents=(replace(alone, predecessors=unknown),))
        return Plan(record=record, submission=submission, claims=claims)

    def _formers(self, call: Call, plan: Plan, entry: DocumentEntry) -> list[DocumentEntry]:
        """What it replaces: by its metadata, and by what the bytes say."""
        announced = {ReplacesTarget(resource_id=one.id): one for one in self._release.formers_of(entry)}
        plan.targets |= announced
        find_replaced(self._documents, call, plan)
        return list({former.local: former for former in plan.targets.values()}.values())

    def _claim(self, plan: Plan, entry: DocumentEntry, document: SubmittedDocument, stored: StoredContent) -> Change:
        """The claim on its unique id, which from now on tells the SHA-256 of the bytes."""
        master = document.metadata.master_identifier
        assert master is not None  # nosec B101 # noqa: S101 - reading it has made sure
        held = _holder(plan.claims, master)
        if held not in ("", entry.local):
            _, holder = self._documents.with_document(entry.record, held)
            if holder is None or not is_void(holder):
                raise Conflict("duplicate-unique-id")
        return ClaimIdentifier(entry.record, master, entry.local, stored.sha256, previous=held)


def _holder(claims: Mapping[Identifier, Claim], identifier: Identifier) -> str:
    claim = claims.get(identifier)
    return claim.local if claim else ""


def _verified(
    call: Call, plan: Plan, entry: DocumentEntry, document: SubmittedDocument, stored: StoredContent
) -> DocumentEntry:
    """The next version of the entry, with what the bytes add to it."""
    metadata = document.metadata
    resource = with_references(metadata.resource, {SUBJECT: f"Patient/{plan.record.id}"})
    verified = replace(
        next_version(entry, Awaited.CONTENT, call.now),
        content=stored,
        type=metadata.type,
        visibility=metadata.visibility,
        authors=frozenset(metadata.authors),
        master_identifier=metadata.master_identifier,
        identifiers=metadata.identifiers,
        is_archived=metadata.is_archived,
        edition=document.edition,
        body=body_of(resource, document.place),
    )
    if not plan.outdated:
        return verified
    return replace(verified.with_status(DocumentStatus.SUPERSEDED, call.now), version=verified.version)
