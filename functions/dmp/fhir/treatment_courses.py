"""Whether a treatment goes on, as far as what was said of it still counts, and how that is told."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from dmp.domain.clinical_profile import ProfileKind
from dmp.fhir.statements import Statement
from dmp.fhir.summary_texts import date_text, filled, named
from dmp.fhir.times import parse_datetime

AT_ADMISSION, AT_DISCHARGE = "42346-7", "10183-2"
"""LOINC codes of the sections of a letter that list the treatments before and after a stay."""
_PRESCRIBED, _DISPENSED = "57828-6", "60590-7"
_GOING_ON = frozenset({"active", "intended", "unknown"})
_ORDERED = frozenset({"intended", "unknown"})
_LONGEST_ORDER = timedelta(days=731)
"""A prescription or dispensation without an end says nothing of today two years later."""
_NEWS = timedelta(days=365)
"""For so long what goes on is told without the date of whoever says so."""


def settled(statements: Iterable[Statement]) -> list[Statement]:
    """Statements, of which the treatments of an admission are past where their document lists those of the discharge.

    Their status becomes unknown: the list says what goes on.
    """
    told = list(statements)
    medicines = [one for one in told if one.kind is ProfileKind.MEDICATION]
    listed = {document for one in medicines for document, section in one.places if section == AT_DISCHARGE}
    return [_replaced(one) if _is_replaced(one, listed) else one for one in told]


def _is_replaced(statement: Statement, listed: set[str]) -> bool:
    places = statement.places if statement.kind is ProfileKind.MEDICATION else ()
    is_before = any(section == AT_ADMISSION and document in listed for document, section in places)
    return is_before and statement.resource.get("status") in _GOING_ON and not statement.is_of_nothing


def _replaced(statement: Statement) -> Statement:
    reasons = [*statement.resource.get("statusReason", []), {"text": filled("courses.replaced")}]
    resource = {**statement.resource, "status": "unknown", "statusReason": reasons}
    return replace(statement, resource=resource, is_replaced=True)


def is_handed_over(statement: Statement) -> bool:
    """Whether it is what a pharmacy handed over or an insurer paid, of which nobody says that it is taken."""
    resource = statement.resource
    is_one = statement.kind is ProfileKind.MEDICATION and statement.is_found and resource.get("status") == "unknown"
    if not is_one or statement.is_of_nothing or statement.is_replaced:
        return False
    return "effectivePeriod" not in resource or _DISPENSED in _sections(statement)


def goes_on(statement: Statement, now: datetime) -> bool:
    """Whether it is a treatment that counts as one of today."""
    is_one = statement.kind is ProfileKind.MEDICATION and not statement.is_of_nothing
    is_now = statement.resource.get("status") in _GOING_ON and not statement.is_over(now)
    return is_one and is_now and not is_stale(statement, now)


def is_stale(statement: Statement, now: datetime) -> bool:
    """Whether it is a prescription or a dispensation without an end, of more than 24 months ago."""
    status = statement.resource.get("status")
    is_order = status in _ORDERED or (status == "active" and _PRESCRIBED in _sections(statement))
    if statement.kind is not ProfileKind.MEDICATION or not is_order or statement.is_replaced:
        return False
    if statement.is_of_nothing or statement.is_over(now) or statement.resource.get("effectivePeriod", {}).get("end"):
        return False
    known = [found[1] for text in (statement.moment, _said(statement)) if (found := parse_datetime(text))]
    return bool(known) and max(known) <= now - _LONGEST_ORDER


def state_text(statement: Statement, now: datetime) -> str:
    """The status of a treatment as of today, in words; that of an old document with its date."""
    if statement.is_replaced:
        return filled("courses.replaced")
    state = _state(statement, now)
    return filled("courses.before", state=state) if AT_ADMISSION in _sections(statement) else state


def _state(statement: Statement, now: datetime) -> str:
    status = statement.resource.get("status", "")
    if status in _GOING_ON and statement.is_over(now):
        return named("states", "completed")
    state = named("states", status)
    if is_stale(statement, now):
        return filled("courses.stale", state=state)
    said = parse_datetime(_said(statement))
    is_old = status == "active" and said is not None and said[1] <= now - _NEWS
    return filled("courses.as_of", state=state, date=date_text(_said(statement))) if is_old else state


def _said(statement: Statement) -> str:
    """When it was said: the date of the statement or document, else of its last change."""
    meta = statement.resource.get("meta", {})
    return str(statement.resource.get("dateAsserted") or meta.get("lastUpdated", ""))


def _sections(statement: Statement) -> frozenset[str]:
    return frozenset(section for _, section in statement.places)
