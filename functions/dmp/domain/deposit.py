"""One deposit: what it finds in the record, what it leaves there, the rules that need no store (ITI-65, ITI-105)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dmp.domain.changes import Claim, SaveDocument
from dmp.domain.clinical_document import unique_id_of
from dmp.domain.content import PATIENT_LIMIT, is_accepted
from dmp.domain.document import INVISIBLE, DocumentEntry, DocumentStatus, ReplacesTarget
from dmp.domain.document_list import ListEntry
from dmp.domain.edition_set import EditionSet
from dmp.domain.errors import Conflict, Invalid, TooLarge
from dmp.domain.identifiers import INS_SYSTEMS, Identifier, split_resource_id
from dmp.domain.record import Record
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.submission import Remark, Submission, SubmittedDocument, SubmittedList, SubmittedRelation


@dataclass(frozen=True, slots=True)
class Deposited[T]:
    """One resource of a deposit, whether it was made now, and what it was before where it was changed."""

    entry: T
    created: bool
    previous: T | None = None

    @property
    def is_written(self) -> bool:
        """Whether this deposit writes it."""
        return self.created or self.previous is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a deposit left in the record, in the order of the submission; `superseded` by what targeted it.

    `remarks` are on each document. A Folder of a repeated submission is None where nothing tells which it was.
    """

    record: str
    documents: tuple[Deposited[DocumentEntry], ...]
    submission_set: Deposited[ListEntry] | None = None
    folders: tuple[Deposited[ListEntry] | None, ...] = ()
    superseded: Mapping[ReplacesTarget, DocumentEntry] = field(default_factory=dict)
    remarks: tuple[tuple[Remark, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """The later versions of a document: those of the record, the latest first, and the place of one of the submission.

    The place is None where none of the submission is the newest of all.
    """

    held: tuple[DocumentEntry, ...] = ()
    place: int | None = None


@dataclass(slots=True, kw_only=True)
class Plan:
    """One attempt at a deposit: what the record holds of it, and what is to be written.

    `targets` are to be superseded, `superseded` were by the submission that this one repeats. `named` are the local ids
    of what is named without being replaced. `known`, `fresh` and `unheld`, which are those whose content replaces what
    is not here, are by the place of the document in the submission.
    """

    record: Record
    submission: Submission
    claims: Mapping[Identifier, Claim]
    targets: dict[ReplacesTarget, DocumentEntry] = field(default_factory=dict)
    superseded: dict[ReplacesTarget, DocumentEntry] = field(default_factory=dict)
    named: dict[ReplacesTarget, str] = field(default_factory=dict)
    unheld: set[int] = field(default_factory=set)
    outdated: dict[int, Later] = field(default_factory=dict)
    """What is later of the documents, by their places, of which the record or the submission has a later version."""
    editions: dict[Identifier, EditionSet] = field(default_factory=dict)
    """What the depositor has fed of each set that a new document is of."""
    known: dict[int, DocumentEntry] = field(default_factory=dict)
    fresh: dict[int, DocumentEntry] = field(default_factory=dict)
    renewed: list[SaveDocument] = field(default_factory=list)
    """What is awaited anew, because its announcement came again."""

    def claim_of(self, document: SubmittedDocument) -> Claim | None:
        """Who holds the unique id of a document."""
        master = document.metadata.master_identifier
        return self.claims.get(master) if master else None

    def local_of(self, target: ReplacesTarget) -> str:
        """The local id of what a reference names in this record, by its id or else by a unique id.

        Where it names nothing here it is empty, which is nowhere: looked for all the same, as long.
        """
        if target.identifier and not target.resource_id:
            claim = self.claims.get(target.identifier)
            return claim.local if claim else ""
        parts = split_resource_id(target.resource_id or "")
        return parts[1] if parts and parts[0] == self.record.id else ""

    def claim_of_list(self, wanted: SubmittedList) -> Claim | None:
        """Who holds an identifier of a List."""
        return next((self.claims[one] for one in wanted.identifiers if one in self.claims), None)

    @property
    def is_repetition(self) -> bool:
        """Whether the record holds every document of the submission already."""
        return len(self.known) == len(self.submission.documents)

    def unknown(self) -> Iterator[tuple[int, SubmittedDocument]]:
        """The documents that the record does not hold yet."""
        return ((index, d) for index, d in enumerate(self.submission.documents) if index not in self.known)

    def replaced_by(self, document: SubmittedDocument) -> list[DocumentEntry]:
        """The documents of the record that this one replaces."""
        named = [*document.metadata.replaces, *(ReplacesTarget(identifier=i) for i in document.predecessors)]
        return [self.targets[target] for target in named if target in self.targets]

    def successors_of(self, former: DocumentEntry) -> tuple[str, ...]:
        """Local ids of the new documents that replace one of the record."""
        documents = self.submission.documents
        return tuple(new.local for place, new in self.fresh.items() if former in self.replaced_by(documents[place]))

    def later_than(self, place: int) -> tuple[DocumentEntry, ...]:
        """The later versions of a new document, the latest first; that of the submission once it has its entry."""
        later = self.outdated.get(place, Later())
        return later.held if later.place is None else (self.fresh[later.place], *later.held)

    def earlier_than(self, newest: int) -> list[int]:
        """The places of the earlier versions that come with the newest one."""
        return [place for place, later in self.outdated.items() if later.place == newest]

    def entry_at(self, index: int) -> DocumentEntry:
        """The entry of a document of the submission."""
        return self.known.get(index) or self.fresh[index]

    @property
    def ended(self) -> dict[ReplacesTarget, DocumentEntry]:
        """What this deposit supersedes now: what a document replaces that is not yet available goes on until then."""
        kept = {
            former.local
            for place, new in self.fresh.items()
            if new.awaits
            for former in self.replaced_by(self.submission.documents[place])
        }
        return {target: entry for target, entry in self.targets.items() if entry.local not in kept}

    def former(self, now: datetime) -> dict[ReplacesTarget, DocumentEntry]:
        """What is superseded, as it is from now on."""
        return {target: entry.with_status(DocumentStatus.SUPERSEDED, now) for target, entry in self.ended.items()}

    def receipt(
        self,
        submission_set: Deposited[ListEntry] | None,
        folders: tuple[Deposited[ListEntry] | None, ...],
        now: datetime,
    ) -> Receipt:
        """What this attempt leaves in the record."""
        places = range(len(self.submission.documents))
        return Receipt(
            record=self.record.id,
            documents=tuple(Deposited(self.entry_at(place), created=place in self.fresh) for place in places),
            submission_set=submission_set,
            folders=folders,
            superseded=self.superseded | self.former(now),
            remarks=tuple(self._remarks(place) for place in places),
        )

    def _remarks(self, place: int) -> tuple[Remark, ...]:
        document = self.submission.documents[place]
        unheld = Remark("related-document-unknown", f"{document.place}.relatesTo")
        return (*document.remarks, *([unheld] if place in self.unheld else []))


def named_identifiers(submission: Submission) -> list[Identifier]:
    """Every unique id that tells something of this deposit: its own, and those of what it replaces or names.

    Raises Conflict `duplicate-unique-id` where two of its resources have the same.
    """
    own = [(d.metadata.master_identifier, f"{d.place}.masterIdentifier") for d in submission.documents]
    for one in submission.lists:
        own += [(identifier, f"{one.place}.identifier") for identifier in one.identifiers]
    seen: set[str] = set()
    for identifier, place in own:
        unique = unique_id_of(identifier) if identifier else ""
        if unique and unique in seen:
            raise Conflict("duplicate-unique-id", place)
        seen.add(unique)
    wanted = [identifier for identifier, _ in own]
    for document in submission.documents:
        wanted += [target.identifier for target in document.metadata.replaces]
        wanted += document.predecessors
    wanted += [patch.target.identifier for patch in submission.patches]
    wanted += [relation.target.identifier for relation in relations_of(submission)]
    wanted += [one.target.identifier for one in submission.lists if one.target]
    return list(dict.fromkeys(identifier for identifier in wanted if identifier))


def relations_of(submission: Submission) -> list[SubmittedRelation]:
    """What of the record the documents and Lists of a submission name, without replacing it."""
    relations = [relation for document in submission.documents for relation in document.relations]
    return relations + [relation for one in submission.lists for relation in (*one.existing, *one.existing_lists)]


def check_patient(record: Record, submission: Submission) -> None:
    """Every INS that the request or a document names must be the record's; Invalid `ins-mismatch`."""
    if submission.subject.ins not in (None, record.identity.ins):
        raise Invalid("ins-mismatch", "DocumentReference.subject")
    for document in submission.documents:
        named = set(document.content_patients)
        source = document.metadata.source_patient
        if source and source.system in INS_SYSTEMS:
            named.add(source)
        if named - {record.identity.ins}:
            raise Invalid("ins-mismatch", document.place)


def check_depositor(requester: Requester, submission: Submission) -> None:
    """Patients deposit plain files up to 5 MiB, and hide nothing from themselves."""
    if requester.kind is not RequesterKind.PATIENT:
        return
    for document in submission.documents:
        if not is_accepted(document.metadata.content_type, by_patient=True):
            raise Invalid("unsupported-content", f"{document.place}.content[0].attachment.contentType")
        if document.size > PATIENT_LIMIT:
            raise TooLarge("too-large", f"{document.place}.content[0].attachment")
        if document.metadata.visibility & INVISIBLE:
            raise Invalid("label-not-permitted", f"{document.place}.securityLabel")
