"""What decides about a record whatever the document: its people, its state, blocks, roles (L.1111-14 to L.1111-19)."""

from dmp.domain import rights
from dmp.domain.access_request import AccessRequest, Decision, deny, permit
from dmp.domain.consent import ConsentKind, Grantor, Relationship
from dmp.domain.document import INVISIBLE, Visibility
from dmp.domain.identifiers import STRUCT_IDNAT
from dmp.domain.purpose import is_outside_care
from dmp.domain.record import RecordStatus
from dmp.domain.requester import RequesterKind
from dmp.domain.rights import Action, Capacity

PHYSICIAN = "10"
OCCUPATIONAL_PHYSICIAN = "SM25"


def outside_care(request: AccessRequest) -> Decision | None:
    """Whoever asks for another purpose than care is refused, even where the patient agrees (L.1111-18)."""
    if request.requester.refusal:
        return deny(request.requester.refusal)
    if any(map(is_outside_care, request.purposes)):
        return deny("purpose-outside-care")
    return None


def not_ones_own(request: AccessRequest) -> Decision | None:
    """To a person, the record of somebody else does not exist."""
    if request.requester.kind is not RequesterKind.PATIENT or request.concerns_own_record:
        return None
    if any(request.delegations(relationship) for relationship in Relationship):
        return None
    return deny("no-record", hidden=True)


def existence(request: AccessRequest) -> Decision | None:
    """Whether a record exists and is open is told to everybody entitled to ask (TD0.2)."""
    return permit("status") if request.action is Action.STATUS else None


def record_not_open(request: AccessRequest) -> Decision | None:
    """A closed or suspended record is neither read nor fed; the person may read the trace and reopen."""
    if request.record.status is RecordStatus.OPEN:
        return None
    person = request.concerns_own_record or bool(request.delegations(Relationship.LEGAL_REPRESENTATIVE))
    if request.record.status is RecordStatus.ERASED:
        return None if person and request.action in rights.ONCE_ERASED else deny("no-record", hidden=True)
    agent = request.requester.kind is RequesterKind.CPAM_AGENT and request.action is Action.REOPEN
    if agent or (person and request.action in rights.WHILE_CLOSED):
        return None
    is_for_closed_ones = request.action in (Action.REOPEN, Action.ERASE)
    return deny("not-authorised" if is_for_closed_ones else "record-closed")


def blocked(request: AccessRequest) -> Decision | None:
    """A blocked professional or structure is denied in every mode."""
    blocks = request.naming_the_caller(ConsentKind.BLOCK)
    return deny("blocked", blocks) if blocks else None


def archive_of_another(request: AccessRequest) -> Decision | None:
    """The archive of a record shows what whoever asked for it may see: to everybody else it does not exist."""
    if request.action is not Action.EXPORT or request.belongs_to in (None, request.requester.identifier):
        return None
    return deny("no-export", hidden=True)


def own_record(request: AccessRequest) -> Decision | None:
    """Patients have everything of their own record but what awaits an announcement consultation."""
    if not request.concerns_own_record:
        return None
    if Visibility.INVISIBLE_PATIENT in request.visibility:
        return deny("invisible", hidden=True)
    if request.action not in rights.GRANTED[Capacity.PATIENT] or _is_for_a_carer(request):
        return None
    if not rights.may_make(Capacity.PATIENT, request.consent_kind):
        return deny("not-authorised")
    return permit("patient")


def representative(request: AccessRequest) -> Decision | None:
    """A legal representative acts as the patient, less the invisible documents; a caregiver reads and adds."""
    legal = request.delegations(Relationship.LEGAL_REPRESENTATIVE)
    held = legal or request.delegations(Relationship.CAREGIVER)
    if not held:
        return None
    if request.visibility & INVISIBLE or request.is_secret:
        return deny("invisible", held, hidden=True)
    granted = request.action in rights.GRANTED[Capacity.LEGAL_REPRESENTATIVE if legal else Capacity.CAREGIVER]
    permitted = granted and not _is_for_a_carer(request)
    if permitted and rights.may_make(Capacity.LEGAL_REPRESENTATIVE, request.consent_kind):
        return permit("representative", held)
    return None


def _is_for_a_carer(request: AccessRequest) -> bool:
    """Whether a message is in a professional's mailbox, to be read and marked there."""
    return request.action is Action.READ_MESSAGE and request.belongs_to is not None


def feeding(request: AccessRequest) -> Decision | None:
    """Feeding an open record needs no authorisation (R.1111-47)."""
    carers = (RequesterKind.PROFESSIONAL, RequesterKind.EMPLOYEE, RequesterKind.STRUCTURE)
    feeds = request.action in (Action.FEED, Action.NAME_DELEGATE)
    return permit("feeding") if feeds and request.requester.kind in carers else None


def reimbursing(request: AccessRequest) -> Decision | None:
    """The insurer's feed adds to an open record what was reimbursed (R.1111-42)."""
    if request.action is not Action.FEED_REIMBURSEMENT:
        return None
    return permit("reimbursing") if request.requester.kind is RequesterKind.CNAM_FEED else deny("not-authorised")


def attending_physician(request: AccessRequest) -> Decision | None:
    """The médecin traitant sees everything, masked documents included, and manages blocks and masks (L.1111-16)."""
    marks = request.marks()
    permitted = request.action in rights.GRANTED[Capacity.ATTENDING_PHYSICIAN]
    if request.action is Action.REVOKE_CONSENT and request.consent:
        permitted = request.consent.kind in rights.REVOCABLE_BY_ATTENDING_PHYSICIAN
    if marks and permitted and rights.may_make(Capacity.ATTENDING_PHYSICIAN, request.consent_kind):
        return permit("attending-physician", marks)
    return None


def own_consent(request: AccessRequest) -> Decision | None:
    """A professional attests the patient's agreement, and handles the Consents that name or came from them."""
    if request.requester.kind is not RequesterKind.PROFESSIONAL:
        return None
    if request.action is Action.CREATE_CONSENT:
        return _attestation(request)
    if request.action not in (Action.READ_CONSENT, Action.REVOKE_CONSENT) or request.consent is None:
        return None
    concerned = request.consent.actor in request.requester.actors
    attested = request.attested_by is not None and request.attested_by == request.requester.identifier
    revocable = request.consent.kind in rights.REVOCABLE_BY_CONCERNED
    if (concerned or attested) and (request.action is Action.READ_CONSENT or revocable):
        return permit("own-consent")
    return None


def _attestation(request: AccessRequest) -> Decision | None:
    """Professionals attest an authorisation, of a colleague or of the own structure; a physician the own mark.

    Not of somebody whom the patient blocks: it would come alive with the unblocking, which restores nothing.
    """
    requester, actor = request.requester, request.consent_actor
    if not rights.may_make(Capacity.PROFESSIONAL, request.consent_kind):
        return None
    if request.consent_kind is ConsentKind.ATTENDING_PHYSICIAN:
        own = actor == requester.identifier and requester.profession == PHYSICIAN
        return permit("attestation") if own else None
    foreign = actor is not None and actor.system == STRUCT_IDNAT and actor != requester.structure
    is_blocked = any(d.actor == actor for d in request.in_force(ConsentKind.BLOCK))
    return None if foreign or is_blocked else permit("attestation")


def opener(request: AccessRequest) -> Decision | None:
    """Whoever opened the record prints its attestation, and finds the Consent that says so."""
    if request.action is Action.CLOSE or request.action is Action.REOPEN:
        return permit("agent") if request.requester.kind is RequesterKind.CPAM_AGENT else None
    if request.action is Action.PRINT_ATTESTATION and request.requester.identifier == request.record.opened_by:
        return permit("opener")
    is_opening = request.consent is not None and request.consent.kind is ConsentKind.OPENING
    if request.action is Action.READ_CONSENT and is_opening and request.attested_by == request.requester.identifier:
        return permit("opener")
    return None


def addressee(request: AccessRequest) -> Decision | None:
    """Professionals see the messages that are addressed to them or their structure, and keep their Subscriptions."""
    is_meant = request.belongs_to is not None and request.belongs_to in request.requester.actors
    if is_meant and request.action in (Action.READ_MESSAGE, Action.KEEP_SUBSCRIPTION):
        return permit("addressee")
    return None


def occupational(request: AccessRequest) -> Decision | None:
    """An occupational physician reads only under an authorisation that the patient made in person (L.1111-17 IV)."""
    if OCCUPATIONAL_PHYSICIAN not in request.requester.specialties:
        return None
    if any(d.granted_by is Grantor.PATIENT for d in request.authorisations()):
        return None
    return deny("not-authorised")


def authorised(request: AccessRequest) -> Decision | None:
    """An authorisation in force at this instant, personal or of the structure of the token."""
    held = request.authorisations()
    return permit("authorised", held) if held and request.action in rights.GRANTED[Capacity.AUTHORISED] else None


def emergency(request: AccessRequest) -> Decision | None:
    """Break-glass or centre 15, where the patient did not oppose it (R.1111-48).

    Whoever declared one is in it, whatever else they hold: the trace shows such an access apart.
    """
    held = request.emergencies()
    if not held or request.action not in rights.GRANTED[Capacity.EMERGENCY]:
        return None
    is_masked = Visibility.MASQUE_PS in request.visibility
    return permit("emergency", held + (request.shown_in_emergencies() if is_masked else ()))


def emergency_declared(request: AccessRequest) -> Decision | None:
    """An identified professional declares an emergency, unless the patient opposed it (R.1111-48)."""
    if request.action is not Action.EMERGENCY or request.requester.kind is not RequesterKind.PROFESSIONAL:
        return None
    opposed = request.oppositions(request.purposes)
    if opposed:
        return deny("emergency-opposed", opposed)
    is_occupational = OCCUPATIONAL_PHYSICIAN in request.requester.specialties
    permitted = request.may_declare(request.purposes) and not is_occupational
    return permit("emergency-declared") if permitted else None
