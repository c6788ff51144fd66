"""May this requester do this? The only place that permits or denies (L.1110-4, L.1111-14 to L.1111-19)."""

from collections.abc import Callable
from dataclasses import replace

from dmp.domain import rights
from dmp.domain.access_request import AccessRequest, Decision, deny, permit
from dmp.domain.app_rules import out_of_scope
from dmp.domain.consent import Grantor
from dmp.domain.document import Visibility
from dmp.domain.document_rules import awaited, not_habilitated, own_document
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Opening
from dmp.domain.record_rules import (
    addressee,
    archive_of_another,
    attending_physician,
    authorised,
    blocked,
    emergency,
    emergency_declared,
    existence,
    feeding,
    not_ones_own,
    occupational,
    opener,
    outside_care,
    own_consent,
    own_record,
    record_not_open,
    reimbursing,
    representative,
)
from dmp.domain.related_person import PersonRequest
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.rights import Action
from dmp.domain.wish_rules import is_reading_a_wish, personal_wish

Rule = Callable[[AccessRequest], Decision | None]


def masked(request: AccessRequest) -> Decision | None:
    """To all others a masked document does not exist, unless the patient shows it in emergencies."""
    if request.missing_document:
        return deny("masked", hidden=True)
    if Visibility.MASQUE_PS not in request.visibility:
        return None
    if request.shown_in_emergencies() and request.emergencies():
        return None
    if request.action is not Action.READ and decide(replace(request, action=Action.READ)).permit:
        return None
    return deny("masked", hidden=True)


def wish(request: AccessRequest) -> Decision | None:
    """Wishes are read by whoever reads of the people around the person: a carer must know of them (L.1111-11)."""
    if not is_reading_a_wish(request):
        return None
    return decide(replace(request, action=Action.READ_PERSON, consent=None, attested_by=None))


RULES: tuple[Rule, ...] = (
    not_ones_own,
    outside_care,
    out_of_scope,
    existence,
    record_not_open,
    blocked,
    awaited,
    archive_of_another,
    own_record,
    personal_wish,
    representative,
    addressee,
    own_document,
    feeding,
    reimbursing,
    attending_physician,
    own_consent,
    opener,
    wish,
    masked,
    not_habilitated,
    occupational,
    emergency,
    authorised,
    emergency_declared,
)


def decide(request: AccessRequest) -> Decision:
    """The first rule that speaks decides; where none does, the request is denied.

    No rule permits a kind of requester what it never does, whatever the patient says.
    """
    for rule in RULES:
        decision = rule(request)
        if decision is not None:
            entitled = request.action in rights.ENTITLED[request.requester.kind]
            return decision if entitled or not decision.permit else deny("not-authorised")
    return deny(_why_not(request))


def _why_not(request: AccessRequest) -> str:
    """Tell an authorisation that has run out from one that never was."""
    reading = rights.GRANTED[rights.Capacity.AUTHORISED]
    ran_out = request.action in reading and request.has_expired_authorisation()
    return "authorisation-expired" if ran_out else "not-authorised"


def decide_across_records(requester: Requester) -> Decision:
    """May this requester ask what names them in all records at once? Each thing found is decided by itself."""
    if requester.refusal:
        return deny(requester.refusal)
    return permit("addressee") if requester.kind is RequesterKind.PROFESSIONAL else deny("not-authorised")


def decide_opening(requester: Requester, opening: Opening) -> Decision:
    """May this requester open a record for this person? There is no record to ask yet."""
    if requester.refusal:
        return deny(requester.refusal)
    if Action.OPEN not in rights.ENTITLED[requester.kind]:
        return deny("not-authorised")
    if requester.kind is not RequesterKind.PATIENT:
        return permit("attested")
    return _for_oneself_or_a_child(requester, opening.identity.ins, opening.guardian)


def decide_generation(requester: Requester) -> Decision:
    """May this requester have a document described (ITI-106)? Whoever may feed a record at all: none is asked."""
    if requester.refusal:
        return deny(requester.refusal)
    return permit("description") if Action.FEED in rights.ENTITLED[requester.kind] else deny("not-authorised")


def decide_reimbursing(requester: Requester) -> Decision:
    """May this requester feed reimbursements at all? Each line is then decided by the record that it names."""
    if requester.refusal:
        return deny(requester.refusal)
    is_entitled = Action.FEED_REIMBURSEMENT in rights.ENTITLED[requester.kind]
    return permit("reimbursing") if is_entitled else deny("not-authorised")


def decide_opposition(
    requester: Requester, ins: Identifier, guardian: PersonRequest | None, lifted: Grantor | None = None
) -> Decision:
    """May this requester oppose, or no longer oppose, the opening of a record for this person (R.1111-28)?

    `lifted` tells who made the opposition that is to end: a guardian ends none but a guardian's.
    """
    if requester.refusal:
        return deny(requester.refusal)
    if requester.kind is RequesterKind.CPAM_AGENT:
        return permit("agent")
    if requester.kind is not RequesterKind.PATIENT:
        return deny("not-authorised")
    decision = _for_oneself_or_a_child(requester, ins, guardian)
    is_anothers = decision.reason == "representative" and lifted not in (None, Grantor.REPRESENTATIVE)
    return deny("not-authorised") if is_anothers else decision


def _for_oneself_or_a_child(requester: Requester, ins: Identifier, guardian: PersonRequest | None) -> Decision:
    if requester.ins == ins:
        return permit("patient")
    is_guardian = guardian is not None and guardian.identifier == requester.ins
    return permit("representative") if is_guardian else deny("not-authorised")
