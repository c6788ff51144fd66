"""The access oracle on third-party apps: what the scopes of a token cover, read anew from SMART App Launch."""

from dataclasses import replace

from tests.oracle_case import PATIENT, Action, Case, Kind, Who

_CONTEXTS = {
    Kind.CITIZEN: ("patient", "user"),
    Kind.PROFESSIONAL: ("user",), Kind.EMPLOYEE: ("user",), Kind.CPAM_AGENT: ("user",),
    Kind.STRUCTURE: ("system",), Kind.CNAM_FEED: ("system",),
}  # fmt: skip
_NAMED_TO_BE_WRITTEN = {"Consent", "Patient", "Subscription"}
_WRITES = {
    Action.FEED, Action.REPLACE, Action.MASK, Action.HIDE, Action.ARCHIVE, Action.DELETE,
    Action.CONSENT, Action.REVOKE, Action.RENEW, Action.UPDATE_PATIENT, Action.WRITE_PERSON, Action.NAME_DELEGATE,
}  # fmt: skip


def is_out_of_scope(case: Case) -> bool:
    """Whether the app that asks, if one does, was not granted what it asks, or the type of what is decided about."""
    if case.who.scopes is None:
        return False
    replaces = case.action is Action.REPLACE
    wanted = "u" if replaces else "cud" if case.action in _WRITES else "rs"
    about = case.about or (case.asks[0] if replaces else "")
    is_about = not about or any(_covers(case.who, about, letter) for letter in wanted)
    return not (_covers(case.who, *case.asks) and is_about)


def reads_nothing(case: Case) -> bool:
    """Whether the app that asks may not read what it would change: what is masked is not there for it."""
    return is_out_of_scope(replace(case, action=Action.READ))


def _covers(who: Who, resource_type: str, letter: str) -> bool:
    for context, named, letters in who.scopes or ():
        is_own = context != "patient" or who.person == PATIENT
        if context not in _CONTEXTS[who.kind] or not is_own or letter not in letters:
            continue
        if named == resource_type or (resource_type == "Binary" and named == "DocumentReference"):
            return True
        if named == "*" and not (letter in "cud" and resource_type in _NAMED_TO_BE_WRITTEN):
            return True
    return False
