"""One deposit: what it finds in the record, what it leaves there, the rules that need no store (ITI-65, ITI-105)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dmp.domain.changes import Claim
from dmp.domain.clinical_document import unique_id_of
from dmp.domain.content import PATIENT_LIMIT, is_accepted
from dmp.domain.document import INVISIBLE, DocumentEntry, ReplacesTarget
from dmp.domain.document_list import ListEntry
from dmp.domain.errors import Conflict, Invalid, TooLarge
from dmp.domain.identifiers import INS_SYSTEMS, Identifier
from dmp.domain.record import Record
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.submission import Submission, SubmittedDocument, SubmittedList


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

    A Folder of a repeated submission is None where it has no identifier to recognise it by.
    """

    record: str
    documents: tuple[Deposited[DocumentEntry], ...]
    submission_set: Deposited[ListEntry] | None = None
    folders: tuple[Deposited[ListEntry] | None, ...] = ()
    superseded: Mapping[ReplacesTarget, DocumentEntry] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Plan:
    """One attempt at a deposit: what the record holds of it, and what is to be written.

    `known` and `fresh` are by the place of the document in the submission.
    """

    record: Record
    submission: Submission
    claims: Mapping[Identifier, Claim]
    targets: dict[ReplacesTarget, DocumentEntry] = field(default_factory=dict)
    known: dict[int, DocumentEntry] = field(default_factory=dict)
    fresh: dict[int, DocumentEntry] = field(default_factory=dict)

    def claim_of(self, document: SubmittedDocument) -> Claim | None:
        """Who holds the unique id of a document."""
        master = document.metadata.master_identifier
        return self.claims.get(master) if master else None

    def claim_of_list(self, wanted: SubmittedList) -> Claim | None:
        """Who holds the identifier of a List."""
        return self.claims.get(wanted.identifiers[0]) if wanted.identifiers else None

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

    def entry_at(self, index: int) -> DocumentEntry:
        """The entry of a document of the submission."""
        return self.known.get(index) or self.fresh[index]

    def receipt(
        self, submission_set: Deposited[ListEntry] | None, folders: tuple[Deposited[ListEntry] | None, ...]
    ) -> Receipt:
        """What this attempt leaves in the record."""
        places = range(len(self.submission.documents))
        return Receipt(
            record=self.record.id,
            documents=tuple(Deposited(self.entry_at(place), created=place in self.fresh) for place in places),
            submission_set=submission_set,
            folders=folders,
            superseded=self.targets,
        )


def named_identifiers(submission: Submission) -> list[Identifier]:
    """Every unique id that tells something of this deposit: its own, and those of what it replaces.

    Raises Conflict `duplicate-unique-id` where two of its resources have the same.
    """
    own = [(d.metadata.master_identifier, f"{d.place}.masterIdentifier") for d in submission.documents]
    lists = [*([submission.submission_set] if submission.submission_set else []), *submission.folders]
    own += [(one.identifiers[0], f"{one.place}.identifier") for one in lists if one.identifiers]
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
    return list(dict.fromkeys(identifier for identifier in wanted if identifier))


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
        if len(document.content) > PATIENT_LIMIT:
            raise TooLarge("too-large", f"{document.place}.content[0].attachment")
        if document.metadata.visibility & INVISIBLE:
            raise Invalid("label-not-permitted", f"{document.place}.securityLabel")
