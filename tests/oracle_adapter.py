"""Puts a case of the oracle to the production's decision: with `tests/oracle_people.py`, what knows both sides."""

from datetime import UTC, datetime, timedelta
from typing import Any

from dmp.domain.access import decide, decide_opening, decide_opposition
from dmp.domain.access_request import AccessRequest, Decision
from dmp.domain.authorisation_state import authorisation_state
from dmp.domain.consent import ConsentKind, Grantor, Relationship
from dmp.domain.consent import Directive as Held
from dmp.domain.record import Identity, Record, RecordStatus
from dmp.domain.requester import Requester
from dmp.domain.rights import Action as Asked
from tests.oracle import OF_DOCUMENTS
from tests.oracle_case import PATIENT, Action, Case, Directive
from tests.oracle_people import asking, caller, document_entry, guardian, ins, named, opening

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ACTIONS = {
    Action.CLOSE: Asked.CLOSE,
    Action.REOPEN: Asked.REOPEN,
    Action.ERASE: Asked.ERASE,
    Action.STATUS: Asked.STATUS,
    Action.EMERGENCY: Asked.EMERGENCY,
    Action.READ_PATIENT: Asked.READ_PATIENT,
    Action.UPDATE_PATIENT: Asked.UPDATE_PATIENT,
    Action.PRINT_ATTESTATION: Asked.PRINT_ATTESTATION,
    Action.SEARCH: Asked.SEARCH,
    Action.READ: Asked.READ,
    Action.FEED: Asked.FEED,
    Action.REPLACE: Asked.REPLACE,
    Action.MASK: Asked.MASK,
    Action.HIDE: Asked.HIDE,
    Action.ARCHIVE: Asked.ARCHIVE,
    Action.DELETE: Asked.DELETE,
    Action.READ_TRACE: Asked.READ_TRACE,
    Action.EXPLAIN: Asked.EXPLAIN,
    Action.CONSENT: Asked.CREATE_CONSENT,
    Action.READ_CONSENT: Asked.READ_CONSENT,
    Action.REVOKE: Asked.REVOKE_CONSENT,
    Action.RENEW: Asked.RENEW_CONSENT,
    Action.READ_PERSON: Asked.READ_PERSON,
    Action.WRITE_PERSON: Asked.WRITE_PERSON,
    Action.NAME_DELEGATE: Asked.NAME_DELEGATE,
    Action.READ_MESSAGE: Asked.READ_MESSAGE,
    Action.SUBSCRIBE: Asked.SUBSCRIBE,
    Action.KEEP_SUBSCRIPTION: Asked.KEEP_SUBSCRIPTION,
}
_OF_PERSONS = frozenset({Action.READ_PERSON, Action.WRITE_PERSON})
_OF_CONSENTS = frozenset({Action.READ_CONSENT, Action.REVOKE, Action.RENEW})
_GRANTORS = {
    "patient": Grantor.PATIENT,
    "professional": Grantor.PROFESSIONAL,
    "representative": Grantor.REPRESENTATIVE,
}
_RELATIONS = {"representative": Relationship.LEGAL_REPRESENTATIVE, "caregiver": Relationship.CAREGIVER}
_DENIALS = frozenset({ConsentKind.BLOCK, ConsentKind.OPPOSITION})
_CHOICES = frozenset({ConsentKind.MASKED_IN_EMERGENCY, ConsentKind.DEFAULT_VISIBILITY})


def production_decision(case: Case) -> tuple[bool, str]:
    """Ask `decide` what the case asks; the reason of a denial is in the oracle's words."""
    decision = _decide(case)
    return decision.permit, reason_of(decision)


def production_standing(case: Case) -> str:
    """The state of the caller's authorisation as TD0.2 tells it."""
    return authorisation_state(_request(case)).value


def _decide(case: Case) -> Decision:
    requester = caller(case.who)
    if case.action is Action.OPEN:
        return decide_opening(requester, opening(case.guardian))
    if case.action is Action.OPPOSE:
        return decide_opposition(requester, ins(PATIENT), guardian(case.guardian))
    return decide(_request(case))


def reason_of(decision: Decision) -> str:
    """The reason of a denial in the oracle's words."""
    if decision.hidden:
        return "no-record" if decision.reason == "no-record" else "hidden"
    return decision.reason


def _request(case: Case) -> AccessRequest:
    return AccessRequest(
        requester=asking(case),
        resource_type=case.about,
        action=ACTIONS[case.action],
        record=_record(case),
        now=_instant(case.now),
        **question(case, caller(case.who)),
    )


def question(case: Case, requester: Requester) -> dict[str, Any]:
    """What an action asks about, beside the record."""
    if case.missing:
        return {"missing_document": True}
    if case.action in OF_DOCUMENTS | _OF_PERSONS:
        entry = document_entry(case.document)
        return {"folder": entry.depositor} if case.action in _OF_PERSONS else {"document": entry}
    if case.action in _OF_CONSENTS and case.subject:
        asked: dict[str, Any] = {"consent": held(case.subject, "subject"), "attested_by": named(case.subject.attester)}
        asked["is_secret"] = case.secret
        return asked | ({"consent_kind": asked["consent"].kind} if case.action is Action.RENEW else {})
    if case.action is Action.CONSENT:
        purposes = (case.purpose,) if case.consent in ("opposition", "masked-in-emergency", "emergency") else ()
        kind = ConsentKind(case.consent)
        return {"consent_kind": kind, "consent_actor": named(case.actor), "purposes": purposes}
    if case.action is Action.EMERGENCY:
        return {
            "consent_kind": ConsentKind.EMERGENCY,
            "consent_actor": requester.identifier,
            "purposes": (case.purpose,),
        }
    if case.action is Action.KEEP_SUBSCRIPTION:
        return {"belongs_to": _owner(case)}
    if case.action is Action.READ_MESSAGE:
        return {"belongs_to": _owner(case), "is_secret": case.secret}
    return {"is_secret": case.secret} if case.action is Action.READ_TRACE else {}


def _owner(case: Case) -> Any:
    if case.owner == PATIENT and case.action is Action.READ_MESSAGE:
        return None
    who = case.who
    return caller(who).identifier if case.owner == who.person else named(case.owner)


def _instant(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)


def _record(case: Case) -> Record:
    return Record(
        id="0" * 26,
        version=1,
        patient_version=1,
        updated=_EPOCH,
        status=RecordStatus(case.state.value),
        identity=Identity(
            ins=ins(PATIENT),
            birth_name="X",
            given_names=("Y",),
            usual_name="",
            birth_date="2020-01-01" if case.minor else "1980-01-01",
            gender="female",
            birth_place="75056",
        ),
        opened_at=_EPOCH,
        opened_by=caller(case.opened_by).identifier if case.opened_by else None,
        directives=tuple(held(d, str(n)) for n, d in enumerate(case.directives) if not d.revoked),
    )


def held(directive: Directive, local: str) -> Held:
    """A directive as the head of a record keeps it."""
    kind = ConsentKind(directive.kind)
    return Held(
        consent=local,
        kind=kind,
        permit=directive.choice == "permit" if kind in _CHOICES else kind not in _DENIALS,
        actor=named(directive.actor),
        start=_instant(directive.start),
        end=None if directive.end is None else _instant(directive.end),
        granted_by=_GRANTORS[directive.maker],
        purposes=directive.purposes if kind in (ConsentKind.EMERGENCY, ConsentKind.OPPOSITION) else (),
        relationship=_RELATIONS[directive.relation] if kind is ConsentKind.DELEGATION else None,
    )
