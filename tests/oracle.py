"""A second opinion on every access: the rules of access read anew, sharing no line with `dmp.domain`.

Where the contract is silent, silence is a denial; where it leaves the reason of a denial open, several are accepted.
"""

from dataclasses import dataclass

from tests.oracle_case import PATIENT, Action, Case, Directive, Kind, State, Who


@dataclass(frozen=True, slots=True)
class Verdict:
    """Permitted, or denied for one of these reasons."""

    permit: bool
    reasons: frozenset[str] = frozenset()


PERMIT = Verdict(True)
NO_RECORD = "no-record"
CLOSED = "record-closed"
BLOCKED = "blocked"
HIDDEN = "hidden"
NOT_HABILITATED = "not-habilitated"
EXPIRED = "authorisation-expired"
NOT_AUTHORISED = "not-authorised"
FORBIDDEN = frozenset({NOT_AUTHORISED, NOT_HABILITATED, EXPIRED})
"""A 403 whose precise reason the contract leaves open: the action is not the caller's, whatever may be read."""

TYPES = frozenset({"11490-0", "11502-2", "57833-6", "75496-0", "68599-0", "EXPPAT_3", "ATTEST-RESID"})
_PHARMACY = frozenset({"75496-0", "68599-0", "EXPPAT_3", "ATTEST-RESID"})
_WITHHELD = {
    "10": frozenset({"ATTEST-RESID"}),
    "21": _PHARMACY,
    "39": _PHARMACY,
    "60": frozenset({"75496-0", "68599-0"}),
    "40": frozenset({"75496-0", "68599-0"}),
}
UNPUBLISHED = frozenset({("60", "EXPPAT_3"), ("60", "ATTEST-RESID"), ("40", "EXPPAT_3"), ("40", "ATTEST-RESID")})
"""Cells whose published list may be incomplete: no case is made of them."""

_CHANGES = {Action.MASK, Action.DELETE, Action.REPLACE}
_PATIENT_CONSENTS = {
    "authorisation", "block", "attending-physician", "delegation",
    "opposition", "masked-in-emergency", "default-visibility",
}  # fmt: skip


def judge(case: Case) -> Verdict:
    """Say what the contract answers to this case."""
    if case.state is State.NONE:
        return _deny(NO_RECORD)
    role = _role(case)
    if role == "nobody":
        return _deny(NO_RECORD)
    if case.action is Action.REOPEN:
        return _reopen(case, role)
    if case.state is not State.OPEN:
        reads_trace = case.action is Action.READ_TRACE and role in {"owner", "representative"}
        return PERMIT if reads_trace else _deny(CLOSED)
    if role in {"owner", "representative", "caregiver"}:
        return _citizen(case, role)
    if _in_force(case, "block", *_names(case.who)):
        return _deny(BLOCKED)
    if role == "insurer":
        return _insurer(case)
    return _carer(case)


def _deny(*reasons: str) -> Verdict:
    return Verdict(False, frozenset(reasons))


def _role(case: Case) -> str:
    match case.who.kind:
        case Kind.CPAM_AGENT | Kind.CNAM_FEED:
            return "insurer"
        case Kind.CITIZEN if case.who.person == PATIENT:
            return "owner"
        case Kind.CITIZEN:
            relations = {d.relation for d in _in_force(case, "delegation", case.who.person)}
            return next((r for r in ("representative", "caregiver") if r in relations), "nobody")
        case _:
            return "carer"


def _names(who: Who) -> tuple[str | None, ...]:
    """How a directive can name the caller: an employee, only by the structure."""
    return (who.person if who.kind is Kind.PROFESSIONAL else None, who.structure)


def _in_force(case: Case, kind: str, *names: str | None) -> list[Directive]:
    actors = {name for name in names if name}
    return [
        d
        for d in case.directives
        if d.kind == kind and d.actor in actors and not d.revoked and d.start <= case.now < d.end
    ]


def _reopen(case: Case, role: str) -> Verdict:
    """Only what is not open is reopened; on an open record the state refuses, which is not the decision's to say."""
    entitled = role in {"owner", "representative"} or case.who.kind is Kind.CPAM_AGENT
    if entitled:
        return PERMIT
    return _deny(CLOSED) if case.state is not State.OPEN else _deny(BLOCKED, *FORBIDDEN)


def _citizen(case: Case, role: str) -> Verdict:
    hiding = {"INVISIBLE_PATIENT"} | (set() if role == "owner" else {"INVISIBLE_REPRESENTANTS_LEGAUX"})
    on_document = case.action is Action.READ or case.action in _CHANGES
    if on_document and case.document.labels & hiding:
        return _deny(HIDDEN)
    own = _deposited(case)
    allowed = {
        Action.READ: True,
        Action.SEARCH: True,
        Action.READ_PATIENT: True,
        Action.FEED: True,
        Action.READ_TRACE: role != "caregiver",
        Action.MASK: role != "caregiver" or own,
        Action.DELETE: own,
        Action.REPLACE: own,
        Action.CLOSE: role != "caregiver",
        Action.CONSENT: case.consent in _PATIENT_CONSENTS
        and role != "caregiver"
        and (role == "owner" or case.consent != "delegation"),
    }
    return PERMIT if allowed[case.action] else Verdict(False, FORBIDDEN)


def _deposited(case: Case) -> bool:
    """Whether the document is the caller's: deposited by that person, or by or for the caller's structure."""
    who, document = case.who, case.document
    same_structure = who.structure is not None and who.structure == document.depositor_structure
    if who.kind is Kind.CITIZEN:
        return document.depositor_kind is Kind.CITIZEN and who.person == document.depositor
    if who.kind is Kind.PROFESSIONAL and document.depositor_kind is Kind.PROFESSIONAL:
        return who.person == document.depositor or same_structure
    return same_structure


def _insurer(case: Case) -> Verdict:
    """The desk opens and closes, the feed writes reimbursements: no content, and no hint of what is masked."""
    if case.action is Action.CLOSE and case.who.kind is Kind.CPAM_AGENT:
        return PERMIT
    concerned = case.action is Action.READ or case.action in _CHANGES
    if concerned and "MASQUE_PS" in case.document.labels:
        return _deny(HIDDEN)
    return Verdict(False, FORBIDDEN)


def _carer(case: Case) -> Verdict:
    attending = case.who.kind is Kind.PROFESSIONAL and bool(_in_force(case, "attending-physician", case.who.person))
    match case.action:
        case Action.FEED:
            return PERMIT
        case Action.CONSENT:
            return _carer_consents(case, attending)
        case Action.CLOSE:
            return Verdict(False, FORBIDDEN)
        case Action.READ_TRACE:
            return PERMIT if attending else Verdict(False, FORBIDDEN)
        case Action.SEARCH | Action.READ_PATIENT:
            return PERMIT if attending else _right_to_read(case)
        case Action.READ:
            return _carer_reads(case, attending)
        case _:
            return _carer_changes(case, attending)


def _carer_consents(case: Case, attending: bool) -> Verdict:
    who = case.who
    professional = who.kind is Kind.PROFESSIONAL
    physician = professional and who.profession == "10"
    may = {"authorisation": professional, "attending-physician": physician, "block": attending}
    return PERMIT if may.get(case.consent, False) else Verdict(False, FORBIDDEN)


def _carer_reads(case: Case, attending: bool) -> Verdict:
    document, who = case.document, case.who
    named = who.kind is Kind.PROFESSIONAL and who.person in document.authors
    if _deposited(case) or named or attending:
        return PERMIT
    right = _right_to_read(case)
    if "MASQUE_PS" in document.labels and not _sees_masked(case):
        return _deny(HIDDEN)
    if who.kind is not Kind.PROFESSIONAL:
        return _deny(NOT_HABILITATED, NOT_AUTHORISED)
    if not _habilitated(case):
        return _deny(NOT_HABILITATED)
    if "MASQUE_PS" in document.labels and not right.permit:
        return Verdict(False, right.reasons | {HIDDEN})
    return right


def _carer_changes(case: Case, attending: bool) -> Verdict:
    if _deposited(case) or (attending and case.action is Action.MASK):
        return PERMIT
    named = case.who.kind is Kind.PROFESSIONAL and case.who.person in case.document.authors
    masked = "MASQUE_PS" in case.document.labels
    if masked and not (named or attending or _sees_masked(case)):
        return _deny(HIDDEN)
    return Verdict(False, FORBIDDEN | ({HIDDEN} if masked and not (named or attending) else set()))


def _habilitated(case: Case) -> bool:
    kind, profession = case.who.kind, case.who.profession
    known = kind is Kind.PROFESSIONAL and profession in _WITHHELD and case.document.type in TYPES
    return known and case.document.type not in _WITHHELD[profession]


def _emergencies(case: Case) -> list[Directive]:
    """The emergency accesses that count: of the person, in force, of a purpose the patient does not oppose."""
    if case.who.kind is not Kind.PROFESSIONAL:
        return []
    opposed = {d.purpose for d in case.directives if d.kind == "opposition" and _runs(d, case.now)}
    return [d for d in _in_force(case, "emergency", case.who.person) if d.purpose not in opposed]


def _sees_masked(case: Case) -> bool:
    choices = [d.choice for d in case.directives if d.kind == "masked-in-emergency" and _runs(d, case.now)]
    return bool(_emergencies(case)) and choices == ["permit"]


def _runs(directive: Directive, now: int) -> bool:
    return not directive.revoked and directive.start <= now < directive.end


def _right_to_read(case: Case) -> Verdict:
    """Authorisation or emergency in force; an occupational physician needs the patient's own authorisation."""
    who = case.who
    if who.kind is not Kind.PROFESSIONAL:
        return Verdict(False, FORBIDDEN - {EXPIRED})
    granting = _in_force(case, "authorisation", who.person, who.structure)
    if who.occupational:
        in_person = any(d.maker == "patient" for d in granting)
        return PERMIT if in_person else _deny(NOT_AUTHORISED, *_expiry(case))
    if granting or _emergencies(case):
        return PERMIT
    return _deny(*(_expiry(case) or [NOT_AUTHORISED]))


def _expiry(case: Case) -> list[str]:
    """Whether the caller had an authorisation that time alone ended."""
    names = {name for name in _names(case.who) if name}
    ended = any(
        d.kind == "authorisation" and d.actor in names and not d.revoked and d.end <= case.now for d in case.directives
    )
    return [EXPIRED] if ended else []
