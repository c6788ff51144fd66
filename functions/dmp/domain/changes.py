"""What one transaction writes, as values: services compose them, one adapter commits them all or none."""

from dataclasses import dataclass

from dmp.domain.audit import AuditEntry
from dmp.domain.consent import Consent, Grantor
from dmp.domain.document import DocumentEntry
from dmp.domain.document_list import ListEntry
from dmp.domain.edition_set import EditionSet
from dmp.domain.export import ExportChange
from dmp.domain.identifiers import Identifier
from dmp.domain.notification import Message
from dmp.domain.profile_changes import ProfileChange
from dmp.domain.record import Record
from dmp.domain.reimbursement import SaveReimbursement
from dmp.domain.subscription import Subscription


@dataclass(frozen=True, slots=True)
class SaveRecord:
    """Write the head of a record in place of `previous`, or create it; the former Patient is kept as a version."""

    record: Record
    previous: Record | None = None


@dataclass(frozen=True, slots=True)
class RecordUnchanged:
    """Fail unless the head of the record still has this version."""

    record: Record


@dataclass(frozen=True, slots=True)
class LinkIns:
    """Tie an INS to its only record."""

    ins: Identifier
    record: str


@dataclass(frozen=True, slots=True)
class SaveConsent:
    """Write a Consent in place of `previous`, which is kept as a version, or create it."""

    consent: Consent
    previous: Consent | None = None


@dataclass(frozen=True, slots=True)
class SaveDocument:
    """Write a document entry in place of `previous`, which is kept where it was another version, or create it.

    Fails where anybody has written the entry since `previous` was read, in the same version too.
    """

    entry: DocumentEntry
    previous: DocumentEntry | None = None


@dataclass(frozen=True, slots=True)
class SaveList:
    """Write a SubmissionSet or a Folder in place of `previous`, which is kept as a version, or create it."""

    entry: ListEntry
    previous: ListEntry | None = None


@dataclass(frozen=True, slots=True)
class SaveEditions:
    """Write the versions of a set; fails where anybody has written them since their last revision was read."""

    editions: EditionSet


@dataclass(frozen=True, slots=True)
class ClaimIdentifier:
    """Make a unique id the name of one resource of the record; `sha256` tells a repetition from a clash.

    Of bytes that are still to come it is the announced SHA-1, as `announced_digest` writes it. `previous` is the local
    id of what held the name before, where that is this resource itself or does not count any more.
    """

    record: str
    identifier: Identifier
    local: str
    sha256: str
    submission_set: str = ""
    previous: str = ""


@dataclass(frozen=True, slots=True)
class ClaimCriterion:
    """Let a conditional create (`If-None-Exist`) of this criterion succeed once.

    `previous` is the local id of what it made before, where that does not count any more.
    """

    record: str
    criterion: str
    local: str
    previous: str = ""


@dataclass(frozen=True, slots=True)
class SaveSubscription:
    """Create a Subscription, or write it in place of `previous`."""

    subscription: Subscription
    previous: Subscription | None = None


@dataclass(frozen=True, slots=True)
class RemoveSubscription:
    """Leave nothing of a Subscription that tells nobody any more: it never does again."""

    subscription: Subscription


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Create a message; where it has an address, its mail leaves once the transaction stands."""

    message: Message


@dataclass(frozen=True, slots=True)
class SaveMessage:
    """Write a message in place of `previous`."""

    message: Message
    previous: Message


@dataclass(frozen=True, slots=True)
class FirstAccess:
    """Remember that a professional has been in a record; fails where that is known.

    `is_secret` remembers a connexion secrète, which is apart: it changes nothing of what representatives are told.
    """

    record: str
    actor: Identifier
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Oppose:
    """Keep everybody from opening a record for an INS; fails where one is there.

    `by` is who opposes, `previous` who did so far; it fails where that is another.
    """

    ins: Identifier
    by: Grantor
    previous: Grantor | None


@dataclass(frozen=True, slots=True)
class LiftOpposition:
    """Let a record be opened again for an INS; fails where another than `previous` opposes it."""

    ins: Identifier
    previous: Grantor | None


@dataclass(frozen=True, slots=True)
class NotOpposed:
    """Fail where the person opposes the opening of a record."""

    ins: Identifier


@dataclass(frozen=True, slots=True)
class UnlinkIns:
    """Let an INS lead to this record no more."""

    ins: Identifier
    record: str


@dataclass(frozen=True, slots=True)
class Trace:
    """Append an entry to the audit trail."""

    entry: AuditEntry


InsChange = LinkIns | Oppose | LiftOpposition | NotOpposed | UnlinkIns
Change = (
    SaveRecord
    | InsChange
    | RecordUnchanged
    | SaveConsent
    | SaveDocument
    | SaveList
    | SaveEditions
    | ClaimIdentifier
    | ClaimCriterion
    | ProfileChange
    | ExportChange
    | SaveReimbursement
    | SaveSubscription
    | RemoveSubscription
    | SendMessage
    | SaveMessage
    | FirstAccess
    | Trace
)


class Contention(Exception):
    """Nothing was written: somebody else changed what `failed` relied on. Read again and decide again."""

    def __init__(self, failed: tuple[Change, ...]) -> None:
        super().__init__("contention")
        self.failed = failed


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a unique id: the resource, the hash of its bytes and the submission set it came with."""

    local: str
    sha256: str
    submission_set: str
