"""Puts a case of the oracle to the production's decision: the only module that knows both sides."""

from datetime import UTC, datetime, timedelta

from dmp.domain.access import decide
from dmp.domain.access_request import AccessRequest, Decision
from dmp.domain.consent import ConsentKind, Grantor, Relationship
from dmp.domain.consent import Directive as Held
from dmp.domain.document import Coding, Depositor, DocumentEntry, DocumentStatus, StoredContent, Visibility
from dmp.domain.identifiers import INS_NIR_TEST, Identifier, professional, structure
from dmp.domain.record import Identity, Record, RecordStatus
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.rights import Action as Asked
from tests.oracle_case import Action, Case, Directive, Document, Kind, State, Who

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_KINDS = {
    Kind.PROFESSIONAL: RequesterKind.PROFESSIONAL,
    Kind.EMPLOYEE: RequesterKind.EMPLOYEE,
    Kind.STRUCTURE: RequesterKind.STRUCTURE,
    Kind.CITIZEN: RequesterKind.PATIENT,
    Kind.CPAM_AGENT: RequesterKind.CPAM_AGENT,
    Kind.CNAM_FEED: RequesterKind.CNAM_FEED,
}
_ACTIONS = {
    Action.READ: Asked.READ,
    Action.SEARCH: Asked.SEARCH,
    Action.READ_PATIENT: Asked.READ_PATIENT,
    Action.READ_TRACE: Asked.READ_TRACE,
    Action.FEED: Asked.FEED,
    Action.MASK: Asked.MASK,
    Action.DELETE: Asked.DELETE,
    Action.REPLACE: Asked.REPLACE,
    Action.CONSENT: Asked.CREATE_CONSENT,
    Action.CLOSE: Asked.CLOSE,
    Action.REOPEN: Asked.REOPEN,
}
_OF_DOCUMENTS = frozenset({Action.READ, Action.MASK, Action.DELETE, Action.REPLACE})
_GRANTORS = {
    "patient": Grantor.PATIENT,
    "professional": Grantor.PROFESSIONAL,
    "representative": Grantor.REPRESENTATIVE,
}
_RELATIONS = {"representative": Relationship.LEGAL_REPRESENTATIVE, "caregiver": Relationship.CAREGIVER}


def production_decision(case: Case) -> tuple[bool, str]:
    """Ask `decide` what the case asks; the reason of a denial is in the oracle's words."""
    if case.state is State.NONE:
        return False, "no-record"
    decision = decide(_request(case))
    return decision.permit, _reason(decision)


def _reason(decision: Decision) -> str:
    if decision.hidden:
        return "no-record" if decision.reason == "no-record" else "hidden"
    return decision.reason


def _request(case: Case) -> AccessRequest:
    requester = _requester(case.who)
    is_consent = case.action is Action.CONSENT
    return AccessRequest(
        requester=requester,
        action=_ACTIONS[case.action],
        record=_record(case),
        now=_instant(case.now),
        document=_document(case.document) if case.action in _OF_DOCUMENTS else None,
        consent_kind=ConsentKind(case.consent) if is_consent else None,
        consent_actor=requester.identifier if is_consent else None,
    )


def _instant(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)


def _requester(who: Who) -> Requester:
    return Requester(
        kind=_KINDS[who.kind],
        identifier=_caller(who),
        structure=structure(who.structure) if who.structure else None,
        profession=who.profession,
        specialties=("SM25",) if who.occupational else ("SM26",),
        regulates_emergency_calls=True,
    )


def _caller(who: Who) -> Identifier:
    match who.kind:
        case Kind.CITIZEN:
            return Identifier(INS_NIR_TEST, who.person or "")
        case Kind.STRUCTURE:
            return structure(who.structure or "")
        case Kind.EMPLOYEE:
            return professional(f"3{who.structure}/{who.person}")
        case _:
            return professional(who.person or who.kind.value)


def _named(name: str | None) -> Identifier | None:
    if name is None:
        return None
    if name.startswith("S"):
        return structure(name)
    if name.startswith("P"):
        return professional(name)
    return Identifier(INS_NIR_TEST, name)


def _record(case: Case) -> Record:
    return Record(
        id="0" * 26,
        version=1,
        patient_version=1,
        updated=_EPOCH,
        status=RecordStatus(case.state.value),
        identity=Identity(
            ins=Identifier(INS_NIR_TEST, "patient"),
            birth_name="X",
            given_names=("Y",),
            usual_name="",
            birth_date="1980-01-01",
            gender="female",
            birth_place="75056",
        ),
        opened_at=_EPOCH,
        directives=tuple(_directive(d, str(n)) for n, d in enumerate(case.directives) if not d.revoked),
    )


def _directive(directive: Directive, local: str) -> Held:
    kind = ConsentKind(directive.kind)
    denies = kind in (ConsentKind.BLOCK, ConsentKind.OPPOSITION)
    is_choice = kind is ConsentKind.MASKED_IN_EMERGENCY
    return Held(
        consent=local,
        kind=kind,
        permit=directive.choice == "permit" if is_choice else not denies,
        actor=_named(directive.actor),
        start=_instant(directive.start),
        end=_instant(directive.end),
        granted_by=_GRANTORS[directive.maker],
        purposes=(directive.purpose,),
        relationship=_RELATIONS[directive.relation] if kind is ConsentKind.DELEGATION else None,
    )


def _document(document: Document) -> DocumentEntry:
    return DocumentEntry(
        record="0" * 26,
        local="1" * 26,
        version=1,
        updated=_EPOCH,
        status=DocumentStatus.CURRENT,
        type=Coding("http://loinc.org", document.type) if document.type else None,
        visibility=frozenset(map(Visibility, document.labels)),
        depositor=_depositor(document),
        authors=frozenset(a for a in map(_named, document.authors) if a),
        content=StoredContent(key="k", content_type="text/plain", size=1, sha1="", sha256=""),
        master_identifier=None,
        body="{}",
    )


def _depositor(document: Document) -> Depositor:
    who = Who(kind=document.depositor_kind, person=document.depositor, structure=document.depositor_structure)
    return Depositor.of(_requester(who))
