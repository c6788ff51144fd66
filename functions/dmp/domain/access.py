"""May this requester do this? The only place that permits or denies (api.md §3; L.1110-4, L.1111-14 to L.1111-19)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dmp.domain import access_matrix
from dmp.domain.consent import ConsentKind, Directive, EmergencyPurpose, Grantor, Relationship
from dmp.domain.document import Depositor, DocumentEntry, Visibility
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Opening, Record, RecordStatus
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.rights import (
    CONSENT_MAKERS,
    ENTITLED,
    OF_ATTENDING_PHYSICIAN,
    OF_AUTHOR,
    OF_AUTHORISED,
    OF_CAREGIVER,
    OF_PATIENT,
    OF_REPRESENTATIVE,
    REVOCABLE_BY_ATTENDING_PHYSICIAN,
    REVOCABLE_BY_CONCERNED,
    WHILE_CLOSED,
    Action,
    Capacity,
)

OCCUPATIONAL_PHYSICIAN = "SM25"
PHYSICIAN = "10"
_INVISIBLE = frozenset({Visibility.INVISIBLE_PATIENT, Visibility.INVISIBLE_REPRESENTANTS_LEGAUX})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """One question: may `requester` do `action` to `record` (or to its `document` or `consent`) at `now`?

    `missing_document` asks about a document that is not there: whoever may not see everything gets the same answer
    as for a masked one. `consent` is the one that is read or
    revoked; `consent_kind` and `consent_actor` tell of one about to be created.
    """

    requester: Requester
    action: Action
    record: Record
    now: datetime
    document: DocumentEntry | None = None
    missing_document: bool = False
    consent: Directive | None = None
    attested_by: Identifier | None = None
    consent_kind: ConsentKind | None = None
    consent_actor: Identifier | None = None

    def in_force(self, kind: ConsentKind) -> Iterator[Directive]:
        """Directives of a kind that hold now."""
        return self.record.in_force(kind, self.now)

    def naming_the_caller(self, kind: ConsentKind) -> tuple[Directive, ...]:
        """Directives of a kind, in force, whose actor is the caller or the caller's structure."""
        return tuple(d for d in self.in_force(kind) if d.actor in self.requester.actors)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, the rule that gave it, and the Consents (local ids) it rests on.

    `hidden` denials must look like something that does not exist.
    """

    permit: bool
    reason: str
    consents: tuple[str, ...] = ()
    hidden: bool = False


Rule = Callable[[AccessRequest], Decision | None]


def _permit(reason: str, directives: tuple[Directive, ...] = ()) -> Decision:
    return Decision(True, reason, tuple(d.consent for d in directives))


def _deny(reason: str, directives: tuple[Directive, ...] = (), *, hidden: bool = False) -> Decision:
    return Decision(False, reason, tuple(d.consent for d in directives), hidden)


def _is_subject(request: AccessRequest) -> bool:
    return request.requester.ins == request.record.identity.ins


def _delegations(request: AccessRequest, relationship: Relationship) -> tuple[Directive, ...]:
    ins = request.requester.ins
    return tuple(
        d
        for d in request.in_force(ConsentKind.DELEGATION)
        if ins is not None and not _is_subject(request) and d.actor == ins and d.relationship is relationship
    )


def _may_make(capacity: Capacity, kind: ConsentKind | None) -> bool:
    return kind is None or capacity in CONSENT_MAKERS.get(kind, frozenset())


def _visibility(request: AccessRequest) -> frozenset[Visibility]:
    return request.document.visibility if request.document else frozenset()


def not_ones_own(request: AccessRequest) -> Decision | None:
    """To a person, the record of somebody else does not exist."""
    if request.requester.kind is not RequesterKind.PATIENT or _is_subject(request):
        return None
    if any(_delegations(request, relationship) for relationship in Relationship):
        return None
    return _deny("no-record", hidden=True)


def existence(request: AccessRequest) -> Decision | None:
    """Whether a record exists and is open is told to everybody entitled to ask (TD0.2)."""
    return _permit("status") if request.action is Action.STATUS else None


def record_not_open(request: AccessRequest) -> Decision | None:
    """A closed or suspended record is neither read nor fed; the person may read the trace and reopen."""
    if request.record.status is RecordStatus.OPEN:
        return None
    person = _is_subject(request) or bool(_delegations(request, Relationship.LEGAL_REPRESENTATIVE))
    agent = request.requester.kind is RequesterKind.CPAM_AGENT and request.action is Action.REOPEN
    if agent or (person and request.action in WHILE_CLOSED):
        return None
    return _deny("record-closed")


def blocked(request: AccessRequest) -> Decision | None:
    """A blocked professional or structure is denied in every mode."""
    blocks = request.naming_the_caller(ConsentKind.BLOCK)
    return _deny("blocked", blocks) if blocks else None


def own_record(request: AccessRequest) -> Decision | None:
    """Patients have everything of their own record but what awaits an announcement consultation."""
    if not _is_subject(request):
        return None
    if Visibility.INVISIBLE_PATIENT in _visibility(request):
        return _deny("invisible", hidden=True)
    if request.action not in OF_PATIENT:
        return None
    if not _may_make(Capacity.PATIENT, request.consent_kind):
        return _deny("not-authorised")
    return _permit("patient")


def representative(request: AccessRequest) -> Decision | None:
    """A legal representative acts as the patient, less the invisible documents; a caregiver reads and adds."""
    legal = _delegations(request, Relationship.LEGAL_REPRESENTATIVE)
    held = legal or _delegations(request, Relationship.CAREGIVER)
    if not held:
        return None
    if _visibility(request) & _INVISIBLE:
        return _deny("invisible", held, hidden=True)
    permitted = request.action in (OF_REPRESENTATIVE if legal else OF_CAREGIVER)
    if permitted and _may_make(Capacity.LEGAL_REPRESENTATIVE, request.consent_kind):
        return _permit("representative", held)
    return None


def own_document(request: AccessRequest) -> Decision | None:
    """The depositor, person or structure, has the own documents; a named author reads."""
    if request.document is None:
        return None
    if request.action in OF_AUTHOR and Depositor.of(request.requester).is_same_author(request.document.depositor):
        return _permit("author")
    if request.action is Action.READ and request.requester.identifier in request.document.authors:
        return _permit("named-author")
    return None


def feeding(request: AccessRequest) -> Decision | None:
    """Feeding an open record needs no authorisation (R.1111-47)."""
    carers = (RequesterKind.PROFESSIONAL, RequesterKind.EMPLOYEE, RequesterKind.STRUCTURE)
    return _permit("feeding") if request.action is Action.FEED and request.requester.kind in carers else None


def _marks(request: AccessRequest) -> tuple[Directive, ...]:
    """The mark of a médecin traitant is the person's, never the structure's."""
    caller = request.requester.identifier
    return tuple(d for d in request.in_force(ConsentKind.ATTENDING_PHYSICIAN) if d.actor == caller)


def attending_physician(request: AccessRequest) -> Decision | None:
    """The médecin traitant sees everything, masked documents included, and manages blocks and masks (L.1111-16)."""
    marks = _marks(request)
    permitted = request.action in OF_ATTENDING_PHYSICIAN
    if request.action is Action.REVOKE_CONSENT and request.consent:
        permitted = request.consent.kind in REVOCABLE_BY_ATTENDING_PHYSICIAN
    if marks and permitted and _may_make(Capacity.ATTENDING_PHYSICIAN, request.consent_kind):
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
    revocable = request.consent.kind in REVOCABLE_BY_CONCERNED
    if (concerned or attested) and (request.action is Action.READ_CONSENT or revocable):
        return _permit("own-consent")
    return None


def _attestation(request: AccessRequest) -> Decision | None:
    """Any professional attests an authorisation, of a colleague too; only a physician the own mark."""
    if not _may_make(Capacity.PROFESSIONAL, request.consent_kind):
        return None
    own = request.consent_actor == request.requester.identifier and request.requester.profession == PHYSICIAN
    if request.consent_kind is ConsentKind.ATTENDING_PHYSICIAN and not own:
        return None
    return _permit("attestation")


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
    if Visibility.MASQUE_PS not in _visibility(request):
        return None
    shown = [d for d in request.in_force(ConsentKind.MASKED_IN_EMERGENCY) if d.permit]
    if shown and _emergencies(request):
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


def _authorisations(request: AccessRequest) -> tuple[Directive, ...]:
    if request.requester.kind is not RequesterKind.PROFESSIONAL:
        return ()
    return request.naming_the_caller(ConsentKind.AUTHORISATION)


def occupational(request: AccessRequest) -> Decision | None:
    """An occupational physician reads only under an authorisation that the patient made in person (L.1111-17 IV)."""
    if OCCUPATIONAL_PHYSICIAN not in request.requester.specialties:
        return None
    if any(d.granted_by is Grantor.PATIENT for d in _authorisations(request)):
        return None
    return _deny("not-authorised")


def authorised(request: AccessRequest) -> Decision | None:
    """An authorisation in force at this instant, personal or of the structure of the token."""
    held = _authorisations(request)
    return _permit("authorised", held) if held and request.action in OF_AUTHORISED else None


def _emergencies(request: AccessRequest) -> tuple[Directive, ...]:
    opposed = {d.purpose for d in request.in_force(ConsentKind.OPPOSITION) if not d.permit}
    return tuple(
        d
        for d in request.in_force(ConsentKind.EMERGENCY)
        if d.actor == request.requester.identifier and d.purpose not in opposed
        if d.purpose != EmergencyPurpose.ETREAT or request.requester.regulates_emergency_calls
    )


def emergency(request: AccessRequest) -> Decision | None:
    """Break-glass or centre 15, where the patient did not oppose it (R.1111-48)."""
    held = _emergencies(request)
    return _permit("emergency", held) if held and request.action in OF_AUTHORISED else None


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
            entitled = request.action in ENTITLED[request.requester.kind]
            return decision if entitled or not decision.permit else _deny("not-authorised")
    return _deny(_why_not(request))


def _why_not(request: AccessRequest) -> str:
    """Tell an authorisation that has run out from one that never was."""
    expired = any(
        d.kind is ConsentKind.AUTHORISATION and d.has_expired(request.now) and d.actor in request.requester.actors
        for d in request.record.directives
    )
    is_professional = request.requester.kind is RequesterKind.PROFESSIONAL
    if expired and is_professional and request.action in OF_AUTHORISED:
        return "authorisation-expired"
    return "not-authorised"


class AuthorisationState(StrEnum):
    """What TD0.2 tells a professional of the own authorisation (dmp-autorisation)."""

    VALID = "VALIDE"
    EXPIRED = "EXPIRE"
    NONE = "NON_EXISTE"
    FORBIDDEN = "INTERDIT"


def authorisation_state(request: AccessRequest) -> AuthorisationState:
    """The state of the caller's authorisation, blocks first."""
    if request.naming_the_caller(ConsentKind.BLOCK):
        return AuthorisationState.FORBIDDEN
    if _authorisations(request):
        return AuthorisationState.VALID
    has_expired = _why_not(request) == "authorisation-expired"
    return AuthorisationState.EXPIRED if has_expired else AuthorisationState.NONE


def is_attending_physician(request: AccessRequest) -> bool:
    """Whether the caller carries the médecin traitant mark now."""
    return bool(_marks(request))


def decide_opening(requester: Requester, opening: Opening) -> Decision:
    """May this requester open a record for this person? There is no record to ask yet."""
    if Action.OPEN not in ENTITLED[requester.kind]:
        return _deny("not-authorised")
    if requester.kind is not RequesterKind.PATIENT:
        return _permit("attested")
    if requester.ins == opening.identity.ins:
        return _permit("patient")
    guardian = opening.guardian.identifier if opening.guardian else None
    return _permit("representative") if guardian == requester.ins else _deny("not-authorised")
