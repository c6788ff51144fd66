"""What each kind of requester, and each capacity towards a record, may do at all: data, not rules (L.1111-17)."""

from enum import StrEnum

from dmp.domain.consent import ConsentKind
from dmp.domain.requester import RequesterKind


class Action(StrEnum):
    """What is asked of a record, one of its documents, Consents or messages."""

    OPEN = "open"
    CLOSE = "close"
    REOPEN = "reopen"
    ERASE = "erase"
    """Ask that everything but the trace be deleted."""
    STATUS = "status"
    """Learn whether a record exists and is open (TD0.2)."""
    EMERGENCY = "emergency"
    """Declare an emergency, which opens the record for an hour."""
    READ_PATIENT = "read-patient"
    UPDATE_PATIENT = "update-patient"
    """Change contacts and preferences."""
    PRINT_ATTESTATION = "print-attestation"
    SEARCH = "search"
    READ = "read"
    FEED = "feed"
    REPLACE = "replace"
    MASK = "mask"
    HIDE = "hide"
    """Set or lift an INVISIBLE code."""
    ARCHIVE = "archive"
    DELETE = "delete"
    READ_TRACE = "read-trace"
    PROVE_TRACE = "prove-trace"
    """Have shown that nothing of the trace was changed, with the hash of what is hidden: not for representatives."""
    EXPLAIN = "explain"
    """Learn who may see what, and why."""
    READ_CONSENT = "read-consent"
    CREATE_CONSENT = "create-consent"
    REVOKE_CONSENT = "revoke-consent"
    RENEW_CONSENT = "renew-consent"
    """Make a Consent hold longer than it did."""
    READ_PERSON = "read-person"
    """See the RelatedPersons of the record."""
    WRITE_PERSON = "write-person"
    """Change or delete one, and what rests on it."""
    NAME_DELEGATE = "name-delegate"
    """Tell of a person with the INS by which they can act for the patient, once a delegation says so."""
    EXPORT = "export"
    """Take the whole record away."""
    FEED_REIMBURSEMENT = "feed-reimbursement"
    """Add a line to the history of reimbursements (R.1111-42)."""
    READ_MESSAGE = "read-message"
    SUBSCRIBE = "subscribe"
    """Have one's software told of new documents."""
    KEEP_SUBSCRIPTION = "keep-subscription"
    """See and end a Subscription."""


class Capacity(StrEnum):
    """As what the caller stands towards one record."""

    PATIENT = "patient"
    LEGAL_REPRESENTATIVE = "legal-representative"
    CAREGIVER = "caregiver"
    ATTENDING_PHYSICIAN = "attending-physician"
    PROFESSIONAL = "professional"
    AUTHOR = "author"
    AUTHORISED = "authorised"
    EMERGENCY = "emergency"


_READING = frozenset({Action.READ, Action.SEARCH, Action.READ_PATIENT})
_FEEDING = frozenset({Action.OPEN, Action.STATUS, Action.FEED, Action.PRINT_ATTESTATION, Action.NAME_DELEGATE})
_OF_PERSONS = frozenset({Action.READ_PERSON, Action.WRITE_PERSON})
_KEEPING = frozenset({Action.REPLACE, Action.MASK, Action.HIDE, Action.ARCHIVE, Action.DELETE})
_CONSENTING = frozenset({Action.READ_CONSENT, Action.CREATE_CONSENT, Action.REVOKE_CONSENT})
_SUBSCRIBING = frozenset({Action.SUBSCRIBE, Action.KEEP_SUBSCRIPTION})
_NEVER_A_PERSONS = _SUBSCRIBING | {Action.EMERGENCY, Action.FEED_REIMBURSEMENT, Action.HIDE}
_OF_THE_PERSON = frozenset(Action) - _NEVER_A_PERSONS - {Action.DELETE, Action.REPLACE}
"""Documents that others fed are not the patient's to delete, to replace or to hide."""

ENTITLED: dict[RequesterKind, frozenset[Action]] = {
    RequesterKind.PROFESSIONAL: (
        (_READING | _FEEDING | _KEEPING | _CONSENTING | _SUBSCRIBING)
        | {Action.EMERGENCY, Action.EXPLAIN, Action.READ_TRACE, Action.PROVE_TRACE, Action.READ_MESSAGE}
        | _OF_PERSONS
    ),
    RequesterKind.EMPLOYEE: _READING | _FEEDING | _KEEPING | _OF_PERSONS | {Action.READ_CONSENT},
    RequesterKind.STRUCTURE: _READING | _FEEDING | _KEEPING | _OF_PERSONS | {Action.READ_CONSENT},
    RequesterKind.PATIENT: frozenset(Action) - _NEVER_A_PERSONS,
    RequesterKind.CPAM_AGENT: frozenset(
        {Action.OPEN, Action.STATUS, Action.PRINT_ATTESTATION, Action.CLOSE, Action.REOPEN, Action.READ_CONSENT}
    ),
    RequesterKind.CNAM_FEED: frozenset({Action.STATUS, Action.FEED_REIMBURSEMENT}),
    RequesterKind.SERVICE: frozenset(),
}
"""What a kind of requester may ever do, whatever the patient says: the cap on every rule."""

GRANTED: dict[Capacity, frozenset[Action]] = {
    Capacity.PATIENT: _OF_THE_PERSON,
    Capacity.LEGAL_REPRESENTATIVE: _OF_THE_PERSON - {Action.PROVE_TRACE},
    Capacity.CAREGIVER: _READING | {Action.FEED, Action.READ_PERSON},
    Capacity.ATTENDING_PHYSICIAN: (
        (_READING | _CONSENTING)
        | {Action.FEED, Action.MASK, Action.ARCHIVE, Action.READ_TRACE, Action.PROVE_TRACE, Action.PRINT_ATTESTATION}
        | {Action.EXPLAIN, Action.READ_PERSON, Action.SUBSCRIBE}
    ),
    Capacity.AUTHOR: _KEEPING | _OF_PERSONS | {Action.READ},
    Capacity.AUTHORISED: _READING | {Action.READ_PERSON, Action.SUBSCRIBE},
    Capacity.EMERGENCY: _READING | {Action.READ_PERSON},
}
"""What a capacity towards one record gives."""

WHILE_CLOSED = frozenset({Action.READ_TRACE, Action.PROVE_TRACE, Action.REOPEN, Action.ERASE})
"""What the person, and for reopening the CPAM agent, may still do with a closed record."""
ONCE_ERASED = frozenset({Action.READ_TRACE, Action.PROVE_TRACE})
"""What is left to the person of a record whose content is gone, or going."""

CONSENT_MAKERS: dict[ConsentKind, frozenset[Capacity]] = {
    ConsentKind.AUTHORISATION: frozenset(
        {Capacity.PATIENT, Capacity.LEGAL_REPRESENTATIVE, Capacity.ATTENDING_PHYSICIAN, Capacity.PROFESSIONAL}
    ),
    ConsentKind.BLOCK: frozenset({Capacity.PATIENT, Capacity.LEGAL_REPRESENTATIVE, Capacity.ATTENDING_PHYSICIAN}),
    ConsentKind.ATTENDING_PHYSICIAN: frozenset(
        {Capacity.PATIENT, Capacity.LEGAL_REPRESENTATIVE, Capacity.PROFESSIONAL}
    ),
    ConsentKind.OPPOSITION: frozenset({Capacity.PATIENT, Capacity.LEGAL_REPRESENTATIVE}),
    ConsentKind.MASKED_IN_EMERGENCY: frozenset({Capacity.PATIENT, Capacity.LEGAL_REPRESENTATIVE}),
    ConsentKind.DEFAULT_VISIBILITY: frozenset({Capacity.PATIENT, Capacity.LEGAL_REPRESENTATIVE}),
    ConsentKind.ADVANCE_DIRECTIVES: frozenset({Capacity.PATIENT, Capacity.LEGAL_REPRESENTATIVE}),
    ConsentKind.ORGAN_DONATION: frozenset({Capacity.PATIENT, Capacity.LEGAL_REPRESENTATIVE}),
    ConsentKind.DELEGATION: frozenset({Capacity.PATIENT}),
    ConsentKind.OPENING: frozenset(),
    ConsentKind.EMERGENCY: frozenset(),
}
"""Who may create a Consent of a kind; a kind that is not listed is not created by request."""

REVOCABLE_BY_CONCERNED = frozenset({ConsentKind.AUTHORISATION, ConsentKind.ATTENDING_PHYSICIAN, ConsentKind.EMERGENCY})
"""What a professional whom a Consent names, or who attested it, may give back."""
REVOCABLE_BY_ATTENDING_PHYSICIAN = REVOCABLE_BY_CONCERNED | {ConsentKind.BLOCK}


def may_make(capacity: Capacity, kind: ConsentKind | None) -> bool:
    """Whether somebody in this capacity creates Consents of a kind; True where none is about to be created."""
    return kind is None or capacity in CONSENT_MAKERS.get(kind, frozenset())
