"""Procedures done, and surgery of the past (CI-SIS FR-Acte; IHE PCC Procedure Entry)."""

from collections.abc import Iterator

from dmp.cda.absences import in_own_words, is_absence
from dmp.cda.concepts import Json, concept, labelled
from dmp.cda.entry import Entry, Readers
from dmp.cda.moments import period, start_of
from dmp.cda.remarks import notes, performers, reasons, sites
from dmp.domain.clinical_profile import Candidate, ProfileKind

_STATUSES = {
    "completed": "completed", "active": "in-progress", "aborted": "stopped", "cancelled": "not-done",
    "suspended": "on-hold", "held": "on-hold", "new": "preparation",
}  # fmt: skip
_EXAM_DONE = "MED-036"
"""`Examen réalisé`: stands before results where nothing is said of the exam itself (TA_ASIP)."""


def procedure(entry: Entry) -> Iterator[Candidate]:
    """A procedure that was done, or was not; what is planned is none."""
    if entry.is_event and entry.code not in (entry.section_code, _EXAM_DONE):
        yield from _procedure(entry, in_own_words(_code(entry), entry))


def told(entry: Entry) -> Iterator[Candidate]:
    """A procedure that an observation tells of as its value."""
    if entry.is_event:
        yield from _procedure(entry, concept(entry.act.first("value"), entry))


def _procedure(entry: Entry, code: Json | None) -> Iterator[Candidate]:
    if code is None or (entry.is_negated and is_absence(code)):
        return
    category = _category(entry)
    told = {"reasonCode": reasons(entry), "bodySite": sites(entry), "performer": performers(entry)}
    yield entry.candidate(
        ProfileKind.PROCEDURE,
        {
            "status": _status(entry, code),
            **({"category": category} if category else {}),
            "code": code,
            **_performed(entry),
            **{name: value for name, value in told.items() if value},
            **notes(entry),
        },
    )


def _code(entry: Entry) -> Json | None:
    """What was done: the value of a qualifier where the code itself only names a kind of procedure."""
    return _qualified(entry) or labelled(entry.act.first("code"), entry)


def _category(entry: Entry) -> Json | None:
    return concept(entry.act.first("code"), entry) if _qualified(entry) else None


def _qualified(entry: Entry) -> Json | None:
    code = entry.act.first("code")
    precisions = (one for one in code.elements("qualifier") if one.first("name") is None) if code else ()
    return next((found for one in precisions if (found := concept(one.first("value"), entry))), None)


def _status(entry: Entry, code: Json) -> str:
    if entry.is_negated or is_absence(code):
        return "not-done"
    status = entry.act.first("statusCode")
    if status is None:
        return "completed"
    return _STATUSES.get(status.get("code").lower(), "unknown")


def _performed(entry: Entry) -> Json:
    time = entry.act.first("effectiveTime")
    found = period(time)
    if "end" in found:
        return {"performedPeriod": found}
    start = start_of(time)
    return {"performedDateTime": start} if start else {}


READERS: Readers = {
    ("", "1.2.250.1.213.1.1.3.62"): procedure,
    ("", "1.3.6.1.4.1.19376.1.5.3.1.4.19"): procedure,
    ("47519-4", "procedure"): procedure,
    ("29554-3", "procedure"): procedure,
}
