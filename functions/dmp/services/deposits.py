"""Feeding a record: documents, their SubmissionSet and Folders, all or nothing over S3 and DynamoDB (ITI-65, ITI-105)."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dmp.domain.access import AccessRequest, Decision, decide
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import (
    Change,
    Claim,
    ClaimCriterion,
    ClaimIdentifier,
    Contention,
    RecordUnchanged,
    SaveDocument,
    SaveList,
)
from dmp.domain.clinical_document import unique_id_of
from dmp.domain.content import PATIENT_LIMIT, is_accepted
from dmp.domain.document import Depositor, DocumentEntry, DocumentStatus, ReplacesTarget, StoredContent, Visibility
from dmp.domain.document_list import ListEntry
from dmp.domain.errors import Conflict, DmpError, Invalid, NotFound, Refused, TooLarge, Unavailable
from dmp.domain.identifiers import INS_SYSTEMS, Identifier, local_id, resource_id, split_resource_id
from dmp.domain.record import Record
from dmp.domain.requester import RequesterKind
from dmp.domain.rights import Action
from dmp.domain.submission import SUBJECT, Publication, Submission, SubmittedDocument, SubmittedList, with_references
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate
from dmp.services.records import ATTEMPTS

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.object_store import ObjectStore
    from dmp.adapters.record_store import RecordStore

LARGEST_METADATA = 200_000
"""Characters of one resource: DynamoDB holds 400 KB an item."""
_INVISIBLE = frozenset({Visibility.INVISIBLE_PATIENT, Visibility.INVISIBLE_REPRESENTANTS_LEGAUX})


@dataclass(frozen=True, slots=True)
class Deposited[T]:
    """One resource of a deposit, and whether it was made now or was there already."""

    entry: T
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a deposit left in the record, in the order of the submission; `superseded` by what targeted it."""

    record: str
    documents: tuple[Deposited[DocumentEntry], ...]
    submission_set: Deposited[ListEntry] | None = None
    folders: tuple[Deposited[ListEntry], ...] = ()
    superseded: Mapping[ReplacesTarget, DocumentEntry] = field(default_factory=dict)


@dataclass(slots=True)
class _Plan:
    """One attempt at a deposit: what is there, and what is to be written."""

    record: Record
    claims: Mapping[Identifier, Claim]
    targets: dict[ReplacesTarget, DocumentEntry] = field(default_factory=dict)
    known: dict[int, DocumentEntry] = field(default_factory=dict)
    fresh: dict[int, DocumentEntry] = field(default_factory=dict)


class DepositsService:
    """Takes submissions in."""

    def __init__(
        self,
        gate: Gate,
        records: "RecordStore",
        documents: "DocumentStore",
        objects: "ObjectStore",
        ledger: "Ledger",
        *,
        entropy: Callable[[], bytes],
    ) -> None:
        self._gate = gate
        self._records = records
        self._documents = documents
        self._objects = objects
        self._ledger = ledger
        self._entropy = entropy

    def submit(self, call: Call, submission: Submission) -> Receipt:
        """Take an ITI-65 bundle in.

        Raises NotFound (`no-record`), Refused, Invalid (`ins-mismatch`, `unresolved-reference`), Conflict
        (`duplicate-unique-id`, `not-current`), TooLarge; then nothing is stored.
        """
        return self._deposit(call, submission, Interaction.PROVIDE_BUNDLE, "")

    def publish(self, call: Call, publication: Publication, criterion: str = "") -> Deposited[DocumentEntry]:
        """Take one document in (ITI-105); a conditional create of the same criterion succeeds once."""
        submission = Submission(subject=publication.subject, documents=(publication.document,))
        return self._deposit(call, submission, Interaction.SIMPLIFIED_PUBLISH, criterion).documents[0]

    def _deposit(self, call: Call, submission: Submission, interaction: Interaction, criterion: str) -> Receipt:
        record_id = submission.subject.record
        if record_id is None and submission.subject.ins:
            record_id = self._records.id_of(submission.subject.ins)
        if record_id is None:
            raise NotFound("no-record")
        stored: dict[int, StoredContent] = {}
        try:
            for _ in range(ATTEMPTS):
                receipt = self._attempt(call, record_id, submission, interaction, criterion, stored)
                if receipt is not None:
                    self._discard(stored.values(), keep=receipt)
                    return receipt
        except Unavailable:
            # The transaction may stand for all we know: its bytes must stay.
            raise
        except DmpError:
            self._discard(stored.values())
            raise
        self._discard(stored.values())
        raise Unavailable("service-unavailable")

    def _discard(self, contents: Iterable[StoredContent], keep: Receipt | None = None) -> None:
        """Take back the bytes that no entry names; what cannot be taken back now is swept later."""
        named = {item.entry.content.key for item in keep.documents} if keep else set()
        for content in contents:
            if content.key not in named:
                with suppress(Unavailable):
                    self._objects.discard(content)

    def _attempt(
        self,
        call: Call,
        record_id: str,
        submission: Submission,
        interaction: Interaction,
        criterion: str,
        stored: dict[int, StoredContent],
    ) -> Receipt | None:
        """One attempt; None where somebody else changed what it relied on."""
        record, claims, made = self._records.with_claims(record_id, _unique_ids(submission), criterion)
        if record is None:
            raise NotFound("no-record")
        attempt = Attempt(interaction=interaction, action=AuditAction.CREATE, resource_type="DocumentReference")
        decision = self._gate.admit(call, _asking(call, record, Action.FEED), attempt)
        if made:
            return self._made_before(call, record, made, attempt, decision)
        plan = _Plan(record, claims)
        _check_patient(record, submission)
        _check_depositor(call, submission)
        self._find_known(plan, submission)
        self._find_targets(call, plan, submission)
        self._prepare(call, plan, submission, stored)
        lists = self._lists(call, plan, submission)
        fresh_lists = [item.entry for item in lists if item.created]
        attempt = replace(attempt, what=tuple(_references(plan, fresh_lists)))
        trace = self._gate.entry(call, record, attempt, decision)
        changes = self._changes(call, plan, submission, lists, criterion)
        try:
            self._ledger.commit([RecordUnchanged(record), *changes, trace] if changes else [trace])
        except Contention:
            return None
        return _receipt(plan, submission, lists)

    def _made_before(
        self, call: Call, record: Record, local: str, attempt: Attempt, decision: Decision
    ) -> Receipt:
        _, entry = self._documents.with_document(record.id, local)
        if entry is None or not decide(_asking(call, record, Action.READ, entry)).permit:
            raise Conflict("duplicate-unique-id")
        self._gate.trace_access(call, record, replace(attempt, what=(f"DocumentReference/{entry.id}",)), decision)
        return Receipt(record=record.id, documents=(Deposited(entry, created=False),))

    def _find_known(self, plan: _Plan, submission: Submission) -> None:
        """Recognise documents deposited before: the same bytes are there already, other bytes clash."""
        locals_: dict[int, str] = {}
        for index, document in enumerate(submission.documents):
            claim = _claim_of(plan, document)
            if claim is None:
                continue
            if claim.sha256 != hashlib.sha256(document.content).hexdigest():
                raise Conflict("duplicate-unique-id", f"{document.place}.masterIdentifier")
            locals_[index] = claim.local
        if locals_:
            _, entries = self._documents.with_documents(plan.record.id, list(locals_.values()))
            plan.known = {index: entries[local] for index, local in locals_.items() if local in entries}

    def _find_targets(self, call: Call, plan: _Plan, submission: Submission) -> None:
        """Find what the new documents replace, and make sure that it is theirs to replace."""
        new = [d for index, d in enumerate(submission.documents) if index not in plan.known]
        wanted = {target: d.place for d in new for target in d.metadata.replaces}
        wanted |= {p.target: p.place for p in submission.patches if new}
        named = {i: ReplacesTarget(identifier=i) for d in new for i in d.predecessors if _claim(plan, i)}
        locals_ = {target: self._local_of(plan, target, place) for target, place in wanted.items()}
        locals_ |= {target: plan.claims[i].local for i, target in named.items()}
        if not locals_:
            return
        _, entries = self._documents.with_documents(plan.record.id, list(locals_.values()))
        for target, local in locals_.items():
            entry = entries.get(local)
            place = wanted.get(target, "ClinicalDocument.relatedDocument")
            plan.targets[target] = self._replaceable(call, plan.record, entry, place)

    @staticmethod
    def _local_of(plan: _Plan, target: ReplacesTarget, place: str) -> str:
        if target.identifier:
            claim = _claim(plan, target.identifier)
            if claim is None:
                raise Invalid("unresolved-reference", f"{place}.relatesTo")
            return claim.local
        parts = split_resource_id(target.resource_id or "")
        if parts is None:
            raise Invalid("unresolved-reference", f"{place}.relatesTo")
        if parts[0] != plan.record.id:
            raise Refused("not-authorised", f"{place}.relatesTo")
        return parts[1]

    @staticmethod
    def _replaceable(call: Call, record: Record, entry: DocumentEntry | None, place: str) -> DocumentEntry:
        decision = decide(_asking(call, record, Action.REPLACE, entry)) if entry else None
        if entry is None or decision is None or decision.hidden:
            raise Invalid("unresolved-reference", f"{place}.relatesTo")
        if not decision.permit:
            raise Refused(decision.reason, f"{place}.relatesTo")
        if entry.status is not DocumentStatus.CURRENT:
            raise Conflict("not-current", f"{place}.relatesTo")
        return entry

    def _prepare(
        self, call: Call, plan: _Plan, submission: Submission, stored: dict[int, StoredContent]
    ) -> None:
        """Name the new documents and store their bytes, before anything names them."""
        references = {SUBJECT: f"Patient/{plan.record.id}"}
        for index, document in enumerate(submission.documents):
            if index in plan.known:
                continue
            local = local_id(document.metadata.date, self._entropy())
            if index not in stored:
                content = _stored_content(document, f"{plan.record.id}/{self._entropy().hex()}")
                self._objects.put(content, document.content)
                stored[index] = content
            plan.fresh[index] = self._entry(call, plan, document, local, stored[index], references)

    @staticmethod
    def _entry(
        call: Call,
        plan: _Plan,
        document: SubmittedDocument,
        local: str,
        content: StoredContent,
        references: Mapping[str, str],
    ) -> DocumentEntry:
        metadata = document.metadata
        body = _body(with_references(metadata.resource, references), document.place)
        return DocumentEntry(
            record=plan.record.id,
            local=local,
            version=1,
            updated=call.now,
            status=DocumentStatus.CURRENT,
            type=metadata.type,
            visibility=metadata.visibility,
            depositor=Depositor.of(call.requester),
            authors=frozenset(metadata.authors),
            content=content,
            master_identifier=metadata.master_identifier,
            identifiers=metadata.identifiers,
            is_archived=metadata.is_archived,
            body=body,
        )

    def _lists(self, call: Call, plan: _Plan, submission: Submission) -> list[Deposited[ListEntry]]:
        """The SubmissionSet, then the Folders: new ones, or the one that a repeated submission came with."""
        if submission.submission_set is None:
            return []
        existing = self._existing_set(plan, submission, submission.submission_set)
        if existing is not None:
            return [Deposited(existing, created=False)]
        return [
            Deposited(self._list(call, plan, submission, item), created=True)
            for item in (submission.submission_set, *submission.folders)
        ]

    def _existing_set(self, plan: _Plan, submission: Submission, wanted: SubmittedList) -> ListEntry | None:
        claims = [_claim(plan, i) for i in wanted.identifiers]
        local = next((claim.local for claim in claims if claim), None)
        if local is None and not plan.fresh and plan.known:
            first = _claim_of(plan, submission.documents[0])
            local = first.submission_set if first else None
        if not local:
            return None
        if plan.fresh:
            raise Conflict("duplicate-unique-id", f"{wanted.place}.identifier")
        return self._documents.with_list(plan.record.id, local)[1]

    def _list(self, call: Call, plan: _Plan, submission: Submission, item: SubmittedList) -> ListEntry:
        if item.updates:
            raise Invalid("folder-update-unsupported", item.place)
        entries = {d.full_url: _entry_at(plan, i) for i, d in enumerate(submission.documents)}
        held = [entries[url].local for url in item.documents if url in entries]
        held += [self._existing_local(plan, reference, item.place) for reference in item.existing]
        resource = with_references(item.resource, {SUBJECT: f"Patient/{plan.record.id}"})
        resource.pop("entry", None)
        return ListEntry(
            record=plan.record.id,
            local=local_id(item.date or call.now, self._entropy()),
            version=1,
            updated=call.now,
            kind=item.kind,
            status=str(resource.get("status", "current")),
            depositor=Depositor.of(call.requester),
            identifiers=item.identifiers,
            documents=tuple(held),
            body=_body(resource, item.place),
        )

    def _existing_local(self, plan: _Plan, reference: str, place: str) -> str:
        parts = split_resource_id(reference)
        if parts is None or parts[0] != plan.record.id:
            raise Invalid("unresolved-reference", f"{place}.entry")
        return parts[1]

    def _changes(
        self,
        call: Call,
        plan: _Plan,
        submission: Submission,
        lists: Sequence[Deposited[ListEntry]],
        criterion: str,
    ) -> list[Change]:
        made = [item.entry for item in lists if item.created]
        submission_set = made[0].local if made else ""
        changes: list[Change] = []
        for index, entry in plan.fresh.items():
            changes.append(SaveDocument(entry))
            master = submission.documents[index].metadata.master_identifier
            if master:
                changes.append(
                    ClaimIdentifier(
                        entry.record, master, entry.local, entry.content.sha256, submission_set
                    )
                )
        if criterion and plan.fresh:
            changes.append(ClaimCriterion(plan.record.id, criterion, plan.fresh[0].local))
        replaced = {entry.local: entry for entry in plan.targets.values()} if plan.fresh else {}
        changes += [SaveDocument(e.with_status(DocumentStatus.SUPERSEDED, call.now), e) for e in replaced.values()]
        for item in made:
            changes.append(SaveList(item))
            changes += [ClaimIdentifier(item.record, i, item.local, "", item.local) for i in item.identifiers[:1]]
        return changes


def _unique_ids(submission: Submission) -> list[Identifier]:
    wanted = [d.metadata.master_identifier for d in submission.documents]
    masters = [unique_id_of(i) for i in wanted if i]
    if len(set(masters)) != len(masters):
        raise Conflict("duplicate-unique-id", "Bundle.entry")
    wanted += submission.submission_set.identifiers if submission.submission_set else ()
    for document in submission.documents:
        wanted += [t.identifier for t in document.metadata.replaces]
        wanted += document.predecessors
    wanted += [p.target.identifier for p in submission.patches]
    return list(dict.fromkeys(i for i in wanted if i))


def _claim(plan: _Plan, identifier: Identifier) -> Claim | None:
    return plan.claims.get(identifier)


def _claim_of(plan: _Plan, document: SubmittedDocument) -> Claim | None:
    master = document.metadata.master_identifier
    return _claim(plan, master) if master else None


def _entry_at(plan: _Plan, index: int) -> DocumentEntry:
    return plan.known.get(index) or plan.fresh[index]


def _asking(call: Call, record: Record, action: Action, document: DocumentEntry | None = None) -> AccessRequest:
    return AccessRequest(requester=call.requester, action=action, record=record, now=call.now, document=document)


def _check_patient(record: Record, submission: Submission) -> None:
    """Every INS that the request or a document names must be the record's."""
    if submission.subject.ins not in (None, record.identity.ins):
        raise Invalid("ins-mismatch", "DocumentReference.subject")
    for document in submission.documents:
        named = set(document.content_patients)
        source = document.metadata.source_patient
        if source and source.system in INS_SYSTEMS:
            named.add(source)
        if named - {record.identity.ins}:
            raise Invalid("ins-mismatch", document.place)


def _check_depositor(call: Call, submission: Submission) -> None:
    """Patients deposit plain files up to 5 MiB, and hide nothing from themselves."""
    if call.requester.kind is not RequesterKind.PATIENT:
        return
    for document in submission.documents:
        if not is_accepted(document.metadata.content_type, by_patient=True):
            raise Invalid("unsupported-content", f"{document.place}.content[0].attachment.contentType")
        if len(document.content) > PATIENT_LIMIT:
            raise TooLarge("too-large", f"{document.place}.content[0].attachment")
        if document.metadata.visibility & _INVISIBLE:
            raise Invalid("label-not-permitted", f"{document.place}.securityLabel")


def _stored_content(document: SubmittedDocument, key: str) -> StoredContent:
    sha1 = hashlib.sha1(document.content, usedforsecurity=False).digest()
    return StoredContent(
        key=key,
        content_type=document.metadata.content_type,
        size=len(document.content),
        sha1=base64.b64encode(sha1).decode(),
        sha256=hashlib.sha256(document.content).hexdigest(),
    )


def _body(resource: Mapping[str, Any], place: str) -> str:
    text = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
    if len(text) > LARGEST_METADATA:
        raise TooLarge("too-large", place)
    return text


def _references(plan: _Plan, lists: Sequence[ListEntry]) -> list[str]:
    submission_sets = [f"List/{entry.id}" for entry in lists]
    documents = [f"DocumentReference/{entry.id}" for entry in plan.fresh.values()]
    return submission_sets + documents or [
        f"DocumentReference/{resource_id(entry.record, entry.local)}" for entry in plan.known.values()
    ]


def _receipt(plan: _Plan, submission: Submission, lists: Sequence[Deposited[ListEntry]]) -> Receipt:
    documents = tuple(
        Deposited(_entry_at(plan, index), created=index in plan.fresh) for index in range(len(submission.documents))
    )
    return Receipt(
        record=plan.record.id,
        documents=documents,
        submission_set=lists[0] if lists else None,
        folders=tuple(lists[1:]),
        superseded=plan.targets,
    )
