"""May this requester do this? The only place that permits or denies (L.1110-4, L.1111-14 to L.1111-19)."""

from collections.abc import Callable
from dataclasses import replace

from dmp.domain import access_matrix, rights
from dmp.domain.access_request import AccessRequest, Decision
from dmp.domain.consent import ConsentKind, Directive, Grantor, Relationship
from dmp.domain.document import INVISIBLE, Depositor, Visibility
from dmp.domain.identifiers import STRUCT_IDNAT
from dmp.domain.record import Opening, RecordStatus
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.rights import Action, Capacity

OCCUPATIONAL_PHYSICIAN = "SM25"
PHYSICIAN = "10"


Rule = Callable[[AccessRequest], Decision | None]


def _permit(reason: str, directives: tuple[Directive, ...] = ()) -> Decision:
    return Decision(True, reason, tuple(d.consent for d in directives))


def _deny(reason: str, directives: tuple[Directive, ...] = (), *, hidden: bool = False) -> Decision:
    return Decision(False, reason, tuple(d.consent for d in directives), hidden)


def not_ones_own(request: AccessRequest) -> Decision | None:
    """To a person, the record of somebody else does not exist."""
    if request.requester.kind is not RequesterKind.PATIENT or request.concerns_own_record:
        return None
    if any(request.delegations(relationship) for relationship in Relationship):
        return None
    return _deny("no-record", hidden=True)


def existence(request: AccessRequest) -> Decision | None:
    """Whether a record exists and is open is told to everybody entitled to ask (TD0.2)."""
    return _permit("status") if request.action is Action.STATUS else None


def record_not_open(request: AccessRequest) -> Decision | None:
    """A closed or suspended record is neither read nor fed; the person may read the trace and reopen."""
    if request.record.status is RecordStatus.OPEN:
        return None
    person = request.concerns_own_record or bool(request.delegations(Relationship.LEGAL_REPRESENTATIVE))
    agent = request.requester.kind is RequesterKind.CPAM_AGENT and request.action is Action.REOPEN
    if agent or (person and request.action in rights.WHILE_CLOSED):
        return None
    return _deny("record-closed")


def blocked(request: AccessRequest) -> Decision | None:
    """A blocked professional or structure is denied in every mode."""
    blocks = request.naming_the_caller(ConsentKind.BLOCK)
    return _deny("blocked", blocks) if blocks else None


def own_record(request: AccessRequest) -> Decision | None:
    """Patients have everything of their own record but what awaits an announcement consultation."""
    if not request.concerns_own_record:
        return None
    if Visibility.INVISIBLE_PATIENT in request.visibility:
        return _deny("invisible", hidden=True)
    if request.action not in rights.OF_PATIENT:
        return None
    if not rights.may_make(Capacity.PATIENT, request.consent_kind):
        return _deny("not-authorised")
    return _permit("patient")


def representative(request: AccessRequest) -> Decision | None:
    """A legal representative acts as the patient, less the invisible documents; a caregiver reads and adds."""
    legal = request.delegations(Relationship.LEGAL_REPRESENTATIVE)
    held = legal or request.delegations(Relationship.CAREGIVER)
    if not held:
        return None
    if request.visibility & INVISIBLE:
        return _deny("invisible", held, hidden=True)
    permitted = request.action in (rights.OF_REPRESENTATIVE if legal else rights.OF_CAREGIVER)
    if permitted and rights.may_make(Capacity.LEGAL_REPRESENTATIVE, request.consent_kind):
        return _permit("representative", held)
    return None


def own_document(request: AccessRequest) -> Decision | None:
    """The depositor, person or structure, has the own documents and Folders; a named author reads."""
    document = request.document
    fed_by = document.depositor if document else request.folder
    if fed_by and request.action in rights.OF_AUTHOR and Depositor.of(request.requester).is_same_author(fed_by):
        return _permit("author")
    if document and request.action is Action.READ and request.requester.identifier in document.authors:
        return _permit("named-author")
    return None


def feeding(request: AccessRequest) -> Decision | None:
    """Feeding an open record needs no authorisation (R.1111-47)."""
    carers = (RequesterKind.PROFESSIONAL, RequesterKind.EMPLOYEE, RequesterKind.STRUCTURE)
    return _permit("feeding") if request.action is Action.FEED and request.requester.kind in carers else None


def attending_physician(request: AccessRequest) -> Decision | None:
    """The médecin traitant sees everything, masked documents included, and manages blocks and masks (L.1111-16)."""
    marks = request.marks()
    permitted = request.action in rights.OF_ATTENDING_PHYSICIAN
    if request.action is Action.REVOKE_CONSENT and request.consent:
        permitted = request.consent.kind in rights.REVOCABLE_BY_ATTENDING_PHYSICIAN
    if marks and permitted and rights.may_make(Capacity.ATTENDING_PHYSICIAN, request.consent_kind):
        return _permit("attending-physician", marks)
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
        return _permit("own-consent")
    return None


def _attestation(request: AccessRequest) -> Decision | None:
    """Professionals attest an authorisation, of a colleague or of the own structure; a physician the own mark."""
    requester, actor = request.requester, request.consent_actor
    if not rights.may_make(Capacity.PROFESSIONAL, request.consent_kind):
        return None
    if request.consent_kind is ConsentKind.ATTENDING_PHYSICIAN:
        own = actor == requester.identifier and requester.profession == PHYSICIAN
        return _permit("attestation") if own else None
    foreign = actor is not None and actor.system == STRUCT_IDNAT and actor != requester.structure
    return None if foreign else _permit("attestation")


def opener(request: AccessRequest) -> Decision | None:
    """Whoever opened the record prints its attestation."""
    if request.action is Action.CLOSE or request.action is Action.REOPEN:
        return _permit("agent") if request.requester.kind is RequesterKind.CPAM_AGENT else None
    if request.action is Action.PRINT_ATTESTATION and request.requester.identifier == request.record.opened_by:
        return _permit("opener")
    return None


def masked(request: AccessRequest) -> Decision | None:
    """To all others a masked document does not exist, unless the patient shows it in emergencies."""
    if request.missing_document:
        return _deny("masked", hidden=True)
    if Visibility.MASQUE_PS not in request.visibility:
        return None
    shown = [d for d in request.in_force(ConsentKind.MASKED_IN_EMERGENCY) if d.permit]
    if shown and request.emergencies():
        return None
    if request.action is not Action.READ and decide(replace(request, action=Action.READ)).permit:
        return None
    return _deny("masked", hidden=True)


def not_habilitated(request: AccessRequest) -> Decision | None:
    """The habilitation matrix: profession by type of document; what it does not know is denied (R.1111-46)."""
    if request.document is None or request.action is not Action.READ:
        return None
    code = request.document.type.code if request.document.type else None
    is_professional = request.requester.kind is RequesterKind.PROFESSIONAL
    if is_professional and access_matrix.permits(request.requester.profession, code):
        return None
    return _deny("not-habilitated")


def occupational(request: AccessRequest) -> Decision | None:
    """An occupational physician reads only under an authorisation that the patient made in person (L.1111-17 IV)."""
    if OCCUPATIONAL_PHYSICIAN not in request.requester.specialties:
        return None
    if any(d.granted_by is Grantor.PATIENT for d in request.authorisations()):
        return None
    return _deny("not-authorised")


def authorised(request: AccessRequest) -> Decision | None:
    """An authorisation in force at this instant, personal or of the structure of the token."""
    held = request.authorisations()
    return _permit("authorised", held) if held and request.action in rights.OF_AUTHORISED else None


def emergency(request: AccessRequest) -> Decision | None:
    """Break-glass or centre 15, where the patient did not oppose it (R.1111-48)."""
    held = request.emergencies()
    return _permit("emergency", held) if held and request.action in rights.OF_AUTHORISED else None


RULES: tuple[Rule, ...] = (
    not_ones_own,
    existence,
    record_not_open,
    blocked,
    own_record,
    representative,
    own_document,
    feeding,
    attending_physician,
    own_consent,
    opener,
    masked,
    not_habilitated,
    occupational,
    authorised,
    emergency,
)


def decide(request: AccessRequest) -> Decision:
    """The first rule that speaks decides; where none does, the request is denied.

    No rule permits a kind of requester what it never does, whatever the patient says.
    """
    for rule in RULES:
        decision = rule(request)
        if decision is not None:
            entitled = request.action in rights.ENTITLED[request.requester.kind]
            return decision if entitled or not decision.permit else _deny("not-authorised")
    return _deny(_why_not(request))


def _why_not(request: AccessRequest) -> str:
    """Tell an authorisation that has run out from one that never was."""
    ran_out = request.action in rights.OF_AUTHORISED and request.has_expired_authorisation()
    return "authorisation-expired" if ran_out else "not-authorised"


def decide_opening(requester: Requester, opening: Opening) -> Decision:
    """May this requester open a record for this person? There is no record to ask yet."""
    if Action.OPEN not in rights.ENTITLED[requester.kind]:
        return _deny("not-authorised")
    if requester.kind is not RequesterKind.PATIENT:
        return _permit("attested")
    if requester.ins == opening.identity.ins:
        return _permit("patient")
    guardian = opening.guardian.identifier if opening.guardian else None
    return _permit("representative") if guardian == requester.ins else _deny("not-authorised")
