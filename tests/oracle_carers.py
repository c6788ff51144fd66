"""The access oracle on professionals, employees and structures that nobody blocked, in a record that is open."""

from collections.abc import Callable

from tests.oracle_apps import reads_nothing
from tests.oracle_case import Action, Case, Directive, Kind
from tests.oracle_verdict import (
    BLOCKED,
    EXPIRED,
    FORBIDDEN,
    HIDDEN,
    NOT_AUTHORISED,
    NOT_HABILITATED,
    OPPOSED,
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

WISHES = ("advance-directives", "organ-donation")
_CHANGES = {Action.MASK, Action.HIDE, Action.ARCHIVE, Action.DELETE, Action.REPLACE}
_AS_THE_PATIENT = {Action.SEARCH, Action.READ_PATIENT, Action.READ_PERSON, Action.READ_TRACE, Action.EXPLAIN}
"""What a médecin traitant sees."""


def judge_carer(case: Case) -> Verdict:
    """What the contract answers to a carer."""
    attending = is_attending(case)
    if case.action in (Action.FEED, Action.NAME_DELEGATE) or (attending and case.action in _AS_THE_PATIENT):
        return PERMIT
    if case.action in _CHANGES:
        return _changes(case, attending)
    return _ANSWERS[case.action](case, attending) if case.action in _ANSWERS else REFUSED


def is_attending(case: Case) -> bool:
    """Whether the caller is the médecin traitant: a person, never a structure."""
    marks = in_force(case, "attending-physician", person_of(case.who))
    return case.who.kind is Kind.PROFESSIONAL and bool(marks)


def standing(case: Case) -> str:
    """The state of the caller's authorisation that TD0.2 tells."""
    if in_force(case, "block", names(case.who)):
        return "INTERDIT"
    if in_force(case, "authorisation", names(case.who)):
        return "VALIDE"
    return "EXPIRE" if _expiry(case) else "NON_EXISTE"


def _is_opener(case: Case) -> bool:
    opener, who = case.opened_by, case.who
    if opener is None or opener.kind is not who.kind:
        return False
    if who.kind is Kind.PROFESSIONAL:
        return opener.person == who.person
    return (opener.person, opener.structure) == (who.person, who.structure)


def _status(case: Case, _: bool) -> Verdict:
    return PERMIT if case.who.kind is Kind.PROFESSIONAL else unsaid(BLOCKED)


def _subscribes(case: Case, attending: bool) -> Verdict:
    return PERMIT if attending else _right_to_read(case, in_emergency=False)


def _prints(case: Case, attending: bool) -> Verdict:
    return unsaid() if attending and not _is_opener(case) else when(_is_opener(case))


def _own_post(case: Case, _: bool) -> Verdict:
    """A person's own; that of the structure of the token is nobody's by any sentence."""
    if case.who.kind is not Kind.PROFESSIONAL:
        return REFUSED
    if case.owner == case.who.structure:
        return unsaid()
    return when(case.owner == case.who.person)


def _declares(case: Case, _: bool) -> Verdict:
    """An identified professional, of centre 15 for ETREAT, where the patient did not oppose it; no occupational one."""
    who = case.who
    if who.kind is not Kind.PROFESSIONAL:
        return REFUSED
    reasons = {NOT_AUTHORISED, *_expiry(case)} if who.occupational else set()
    reasons |= set() if case.purpose == "BTG" or who.regulates else {NOT_AUTHORISED}
    reasons |= {OPPOSED} if case.purpose in _opposed(case) else set()
    return deny(*reasons) if reasons else PERMIT


def _consents(case: Case, attending: bool) -> Verdict:
    if case.action is Action.CONSENT:
        by_mark = attending and case.consent == "authorisation"
        return unsaid() if by_mark and not _creates(case, attending) else when(_creates(case, attending))
    subject = case.subject
    if subject is None:
        return REFUSED
    if case.action is Action.READ_CONSENT and subject.kind in WISHES:
        return PERMIT if attending else _right_to_read(case)
    professional = case.who.kind is Kind.PROFESSIONAL
    concerned = professional and subject.actor in names(case.who)
    attested = professional and subject.attester == case.who.person
    if case.action is Action.READ_CONSENT:
        return unsaid() if attested and not attending and not concerned else when(attending or concerned)
    if case.action is Action.RENEW:
        return REFUSED
    manages = attending and subject.kind == "block"
    if manages or (concerned and subject.kind in {"authorisation", "attending-physician"}):
        return PERMIT
    granted = subject.kind in {"authorisation", "attending-physician", "emergency"}
    return unsaid() if granted and (concerned or attested or attending) else REFUSED


def _creates(case: Case, attending: bool) -> bool:
    """Authorisations for oneself, a colleague or the own structure; the own mark; blocks by the médecin traitant."""
    who, named = case.who, case.actor or ""
    professional = who.kind is Kind.PROFESSIONAL
    match case.consent:
        case "authorisation":
            is_blocked = bool(in_force(case, "block", frozenset({named})))
            return professional and (named.startswith("P") or named == who.structure) and not is_blocked
        case "attending-physician":
            return professional and who.profession == "10" and named == who.person
        case "block":
            return attending
        case _:
            return False


def _reads(case: Case, attending: bool) -> Verdict:
    document, who = case.document, case.who
    named = who.kind is Kind.PROFESSIONAL and who.person in document.authors
    if deposited(case) or named or attending:
        return PERMIT
    right = _right_to_read(case)
    if "MASQUE_PS" in document.labels and not _sees_masked(case):
        return deny(HIDDEN)
    if who.kind is not Kind.PROFESSIONAL:
        return deny(NOT_HABILITATED, NOT_AUTHORISED)
    if not _habilitated(case):
        return deny(NOT_HABILITATED)
    if "MASQUE_PS" in document.labels and not right.permit:
        return Verdict(False, right.reasons | {HIDDEN})
    return right


def _changes(case: Case, attending: bool) -> Verdict:
    if deposited(case) or (attending and case.action in (Action.MASK, Action.ARCHIVE)):
        return PERMIT
    named = case.who.kind is Kind.PROFESSIONAL and case.who.person in case.document.authors
    masked = "MASQUE_PS" in case.document.labels
    if masked and not (named or attending or _sees_masked(case)):
        return deny(HIDDEN)
    is_seen = (named or attending) and not reads_nothing(case)
    return Verdict(False, FORBIDDEN | ({HIDDEN} if masked and not is_seen else set()))


def _habilitated(case: Case) -> bool:
    kind, profession = case.who.kind, case.who.profession
    known = kind is Kind.PROFESSIONAL and profession in _WITHHELD and case.document.type in TYPES
    return known and case.document.type not in _WITHHELD[profession]


def _opposed(case: Case) -> set[str]:
    held = (d for d in case.directives if d.kind == "opposition" and d.runs(case.now))
    return {purpose for d in held for purpose in d.purposes}


def _emergencies(case: Case) -> list[Directive]:
    """The emergency accesses that count: of the person, in force, of a purpose the patient does not oppose."""
    who = case.who
    if who.kind is not Kind.PROFESSIONAL:
        return []
    modes = {"BTG", "ETREAT"} if who.regulates else {"BTG"}
    modes -= _opposed(case)
    return [d for d in in_force(case, "emergency", person_of(who)) if modes.issuperset(d.purposes)]


def _sees_masked(case: Case) -> bool:
    choices = {d.choice for d in case.directives if d.kind == "masked-in-emergency" and d.runs(case.now)}
    return bool(_emergencies(case)) and choices == {"permit"}


def _right_to_read(case: Case, *, in_emergency: bool = True) -> Verdict:
    """Authorisation or emergency in force; an occupational physician needs the patient's own authorisation."""
    who = case.who
    if who.kind is not Kind.PROFESSIONAL:
        return Verdict(False, FORBIDDEN - {EXPIRED})
    granting = in_force(case, "authorisation", names(who))
    if who.occupational:
        in_person = any(d.maker == "patient" for d in granting)
        return PERMIT if in_person else deny(NOT_AUTHORISED, *_expiry(case))
    if granting or (in_emergency and _emergencies(case)):
        return PERMIT
    return deny(*(_expiry(case) or [NOT_AUTHORISED]))


def _expiry(case: Case) -> list[str]:
    """Whether the caller had an authorisation that time alone ended."""
    held = (d for d in case.directives if d.kind == "authorisation" and d.actor in names(case.who))
    return [EXPIRED] if any(d.expired(case.now) for d in held) else []


_ANSWERS: dict[Action, Callable[[Case, bool], Verdict]] = {
    Action.STATUS: _status,
    Action.EMERGENCY: _declares,
    Action.CONSENT: _consents,
    Action.READ_CONSENT: _consents,
    Action.REVOKE: _consents,
    Action.RENEW: _consents,
    Action.SEARCH: lambda case, _: _right_to_read(case),
    Action.READ_PATIENT: lambda case, _: _right_to_read(case),
    Action.READ_PERSON: lambda case, _: PERMIT if deposited(case) else _right_to_read(case),
    Action.WRITE_PERSON: lambda case, _: when(deposited(case)),
    Action.SUBSCRIBE: _subscribes,
    Action.READ: _reads,
    Action.PRINT_ATTESTATION: _prints,
    Action.READ_MESSAGE: _own_post,
    Action.KEEP_SUBSCRIPTION: _own_post,
}
