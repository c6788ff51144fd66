"""A second opinion on every access: the rules of access read anew, sharing no line with `dmp.domain`.

Where the contract is silent, silence is a denial; where it leaves the reason of a denial open, several are accepted.
The few `unsaid` verdicts are what the production permits without a sentence for it, and states of a record that refuse
what the decision need not.
"""

from tests.oracle_apps import is_out_of_scope, reads_nothing
from tests.oracle_carers import WISHES, judge_carer
from tests.oracle_case import PATIENT, Action, Case, Kind, State
from tests.oracle_verdict import (
    BLOCKED,
    CLOSED,
    FORBIDDEN,
    HIDDEN,
    NO_RECORD,
    OUT_OF_SCOPE,
    PERMIT,
    REFUSED,
    Verdict,
    deny,
    deposited,
    in_force,
    names,
    person_of,
    unsaid,
    when,
)

OF_DOCUMENTS = frozenset(
    {Action.READ, Action.MASK, Action.HIDE, Action.ARCHIVE, Action.DELETE, Action.REPLACE},
)
OF_SECRETS = frozenset(
    {Action.READ_TRACE, Action.READ_MESSAGE, Action.READ_CONSENT, Action.REVOKE, Action.RENEW},
)
CONSENTING = {Action.CONSENT, Action.REVOKE, Action.RENEW}
_PATIENT_CONSENTS = {
    "authorisation", "block", "attending-physician", "delegation",
    "opposition", "masked-in-emergency", "default-visibility", *WISHES,
}  # fmt: skip
_READS_AND_ADDS = {
    Action.READ, Action.SEARCH, Action.READ_PATIENT, Action.READ_PERSON, Action.STATUS, Action.FEED,
}  # fmt: skip
_RULES_THE_RECORD = {
    Action.CLOSE, Action.UPDATE_PATIENT, Action.EXPLAIN, Action.WRITE_PERSON, Action.NAME_DELEGATE,
    Action.PRINT_ATTESTATION,
    Action.READ_TRACE, Action.MASK, Action.ARCHIVE, Action.REVOKE, Action.READ_CONSENT,
    Action.READ_MESSAGE,
}  # fmt: skip


def judge(case: Case) -> Verdict:
    """Say what the contract answers to this case."""
    if case.action in (Action.OPEN, Action.OPPOSE):
        return _before_any_record(case)
    role = _role(case)
    if case.who.refusal:
        return deny(case.who.refusal, *([NO_RECORD] if role == "nobody" else []))
    if role == "nobody":
        return deny(NO_RECORD)
    if is_out_of_scope(case):
        return deny(OUT_OF_SCOPE)
    if case.action in (Action.REOPEN, Action.ERASE):
        return _brought_back_or_erased(case, role)
    return _open(case, role) if case.state is State.OPEN else _not_open(case, role)


def _open(case: Case, role: str) -> Verdict:
    """What never became available exists for its depositor alone: to these, all else applies."""
    is_citizen = role in {"owner", "representative", "caregiver"}
    if not is_citizen and in_force(case, "block", names(case.who)) and case.action is not Action.STATUS:
        return deny(BLOCKED)
    if case.action in OF_DOCUMENTS and case.document.awaited and not deposited(case):
        return deny(HIDDEN)
    if is_citizen:
        return _citizen(case, role)
    return _insurer(case) if role == "insurer" else judge_carer(case)


def _role(case: Case) -> str:
    match case.who.kind:
        case Kind.CPAM_AGENT | Kind.CNAM_FEED:
            return "insurer"
        case Kind.CITIZEN if case.who.person == PATIENT:
            return "owner"
        case Kind.CITIZEN:
            relations = {d.relation for d in in_force(case, "delegation", person_of(case.who))}
            return next((r for r in ("representative", "caregiver") if r in relations), "nobody")
        case _:
            return "carer"


def _before_any_record(case: Case) -> Verdict:
    """Opening, or opposing it: a citizen for the own person or for a child that is represented, an agent for all."""
    who, action = case.who, case.action
    if who.refusal:
        return deny(who.refusal)
    if who.kind is Kind.CITIZEN:
        mine = who.person in (PATIENT, case.guardian)
        return PERMIT if mine else Verdict(False, FORBIDDEN | {NO_RECORD, "not-own-record"})
    if who.kind is Kind.CPAM_AGENT:
        return PERMIT
    opens = action is Action.OPEN and who.kind in (Kind.PROFESSIONAL, Kind.EMPLOYEE, Kind.STRUCTURE)
    return PERMIT if opens else Verdict(False, FORBIDDEN | {"not-own-record"})


def _brought_back_or_erased(case: Case, role: str) -> Verdict:
    """Only what is closed is reopened or erased; otherwise the state refuses, which is not the decision's to say."""
    entitled = role in {"owner", "representative"}
    entitled |= case.action is Action.REOPEN and case.who.kind is Kind.CPAM_AGENT
    if not entitled:
        gone = {NO_RECORD} if case.state is State.ERASED else set()
        return deny(*gone, *FORBIDDEN) if case.state is not State.OPEN else deny(BLOCKED, *FORBIDDEN)
    if case.state is State.CLOSED or (case.action is Action.REOPEN and case.state is State.SUSPENDED):
        return PERMIT
    return unsaid(*_shut(case))


def _shut(case: Case) -> set[str]:
    """Why nobody gets into a record that is not open: of an erased one nothing is left to be known."""
    return {CLOSED, NO_RECORD} if case.state is State.ERASED else {CLOSED}


def _not_open(case: Case, role: str) -> Verdict:
    """Nobody reads or feeds; the trace stays readable, and TD0.2 says that it is closed."""
    if case.action is Action.READ_TRACE and role in {"owner", "representative"}:
        return deny(HIDDEN) if case.secret and role == "representative" else PERMIT
    if case.action is Action.STATUS:
        return PERMIT if case.who.kind in (Kind.PROFESSIONAL, Kind.CITIZEN) else unsaid(CLOSED)
    return deny(*_shut(case))


def _citizen(case: Case, role: str) -> Verdict:
    if _is_hidden(case, role):
        return deny(HIDDEN)
    action, own, rules = case.action, deposited(case), role != "caregiver"
    if action in _READS_AND_ADDS or (action in (OF_DOCUMENTS | {Action.WRITE_PERSON}) - {Action.HIDE} and own):
        return PERMIT
    kind = case.subject.kind if case.subject and action is not Action.CONSENT else case.consent
    if action in CONSENTING and kind == "organ-donation" and role != "owner" and not case.minor:
        return REFUSED
    if action is Action.READ_CONSENT and kind in WISHES:
        return PERMIT
    if action in (Action.CONSENT, Action.RENEW):
        appoints = kind == "delegation"
        return when(rules and kind in _PATIENT_CONSENTS and (role == "owner" or not appoints))
    opened = case.opened_by is not None and case.opened_by.person == case.who.person
    if action is Action.PRINT_ATTESTATION and opened:
        return PERMIT
    theirs = (
        action is not Action.READ_MESSAGE or case.owner == PATIENT
    )  # a professional's mailbox is the professional's
    if rules and action in _RULES_THE_RECORD and theirs:
        return PERMIT
    is_unseen = action in OF_DOCUMENTS and "MASQUE_PS" in case.document.labels and reads_nothing(case)
    return Verdict(False, FORBIDDEN | {HIDDEN}) if is_unseen else REFUSED


def _is_hidden(case: Case, role: str) -> bool:
    """What the INVISIBLE codes and a connexion secrète keep from citizens."""
    if role != "owner" and case.secret and case.action in OF_SECRETS:
        return True
    hiding = {"INVISIBLE_PATIENT"} | (set() if role == "owner" else {"INVISIBLE_REPRESENTANTS_LEGAUX"})
    return case.action in OF_DOCUMENTS and bool(case.document.labels & hiding)


def _insurer(case: Case) -> Verdict:
    """The desk opens and closes, the feed writes reimbursements: no content, and no hint of what is masked."""
    agent = case.who.kind is Kind.CPAM_AGENT
    if case.action is Action.CLOSE and agent:
        return PERMIT
    if case.action is Action.STATUS:
        return unsaid()
    if case.action is Action.PRINT_ATTESTATION and agent:
        return when(case.opened_by is not None and case.opened_by.kind is case.who.kind)
    if case.action in OF_DOCUMENTS and "MASQUE_PS" in case.document.labels:
        return deny(HIDDEN)
    return REFUSED
