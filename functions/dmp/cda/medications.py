"""Treatments, prescriptions and dispensations as MedicationStatements (CI-SIS: Traitement, Prescription)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dmp.cda.absences import absence, denial, in_own_words
from dmp.cda.concepts import concept, said
from dmp.cda.denials import Denied
from dmp.cda.dosages import dosages_of
from dmp.cda.entry import Entry
from dmp.cda.markup import Node
from dmp.cda.moments import end_of, period, start_of
from dmp.cda.passages import shortened
from dmp.cda.products import product_of
from dmp.cda.remarks import notes, reasons
from dmp.cda.vocabulary import speaks_of
from dmp.domain import code_lists
from dmp.domain.clinical_profile import Candidate, ProfileKind

type Json = dict[str, Any]

_TREATMENT, _FRENCH_TREATMENT = "1.3.6.1.4.1.19376.1.5.3.1.4.7", "1.2.250.1.213.1.1.3.42"
_PRESCRIPTION, _FRENCH_PRESCRIPTION = "1.3.6.1.4.1.19376.1.9.1.3.2", "1.2.250.1.213.1.1.3.83"
_DISPENSATION, _FRENCH_DISPENSATION = "1.3.6.1.4.1.19376.1.9.1.3.4", "1.2.250.1.213.1.1.3.204"
SECTION = "10160-0"
"""The treatments that are current."""
_AT_ADMISSION, _AT_DISCHARGE, _ADMINISTERED = "42346-7", "10183-2", "18610-6"
_PRESCRIBED, _DISPENSED = "57828-6", "60590-7"
SECTIONS = frozenset({SECTION, _AT_ADMISSION, _AT_DISCHARGE, _ADMINISTERED, _PRESCRIBED, _DISPENSED})
_NO_TREATMENT = "no-known-medications"
_STOPPED = "MED-052"
_OF_THE_STATUS = {"aborted": "stopped", "cancelled": "stopped", "held": "on-hold", "suspended": "on-hold"}
_NEVER_WAS = "nullified"


def treatment(entry: Entry) -> Iterator[Candidate]:
    """What a treatment or the line of a prescription states, or that there is none; nothing of another person's."""
    product = product_of(entry)
    medication = product or _absence(entry)
    if not medication or _is_void(entry):
        return
    stop = _stop(entry)
    yield _statement(
        entry,
        medication,
        status=_status(entry, stop) if product else "unknown",
        statusReason=_why(stop) if stop else [],
        **_effective(entry),
        reasonCode=reasons(entry),
        **notes(entry),
        dosage=dosages_of(entry, product.get("text", "")) if product else [],
    )


def untold(entry: Entry) -> Iterator[Candidate]:
    """That there is no treatment, as but the narrative of a section without entries says."""
    found = _denial(entry)
    if found:
        yield _statement(entry, found, status="unknown")


def dispensation(entry: Entry) -> Iterator[Candidate]:
    """What a pharmacy handed over: nothing says whether it is taken; how it is to be taken stands within."""
    product = product_of(entry)
    if not product or _is_void(entry):
        return
    posology = next((one for one in entry.inner("substanceAdministration") if one.link.get("typeCode") == "COMP"), None)
    yield _statement(
        entry,
        product,
        status="not-taken" if entry.is_negated else "unknown",
        effectiveDateTime=_handed_over(entry),
        **notes(entry),
        dosage=dosages_of(posology, product.get("text", "")) if posology else [],
    )


READERS: Mapping[tuple[str, str], Callable[[Entry], Iterator[Candidate]]] = {
    **{("", one): treatment for one in (_TREATMENT, _FRENCH_TREATMENT, _PRESCRIPTION, _FRENCH_PRESCRIPTION)},
    **{("", one): dispensation for one in (_DISPENSATION, _FRENCH_DISPENSATION)},
    **{
        (section, "substanceAdministration"): treatment
        for section in (SECTION, _AT_ADMISSION, _AT_DISCHARGE, _ADMINISTERED, _PRESCRIBED)
    },
    (_DISPENSED, "supply"): dispensation,
}
"""By (section code or nothing, template id or name of the element)."""


def _statement(entry: Entry, medication: Json, **told: Any) -> Candidate:
    written = entry.written.date().isoformat() if entry.written else ""
    whole = {**told, "medicationCodeableConcept": medication, "dateAsserted": written}
    return entry.candidate(ProfileKind.MEDICATION, {name: value for name, value in whole.items() if value})


def _absence(entry: Entry) -> Json | None:
    """What says that there is no treatment, or that none is known, where no product is named: a code, or a denial."""
    code = entry.act.first("code")
    found = concept(code, entry) if not entry.is_negated else None
    systems = {one.get("system") for one in found.get("coding", [])} if found else set()
    if systems and code_lists.system_url("act") not in systems:
        return in_own_words(found, entry)
    return _denial(entry)


def _denial(entry: Entry) -> Json | None:
    """That there is no treatment, where the section of current ones says so and nothing else."""
    text = denial(entry, Denied.TREATMENT, (SECTION,)) if entry.section_code == SECTION else ""
    return absence(_NO_TREATMENT, text) if text else None


def _is_void(entry: Entry) -> bool:
    return entry.is_of_another or _status_code(entry) == _NEVER_WAS


def _status(entry: Entry, stop: Entry | None) -> str:
    """What the document says of the taking as of its own date: a status of FHIR (MedicationStatement.status)."""
    if entry.is_negated:
        return "not-taken"
    if stated := _OF_THE_STATUS.get(_status_code(entry)):
        return stated
    if not entry.is_event:
        return "intended"
    if entry.section_code == _ADMINISTERED:
        return "stopped" if speaks_of(entry.section.title, "stopped") else "completed"
    if stop:
        return "stopped"
    if _is_past(end_of(_interval(entry)), entry):
        return "completed"
    return "unknown" if _dispensed(entry) and not period(_interval(entry)) else "active"


def _stop(entry: Entry) -> Entry | None:
    """What says that the treatment was stopped, unless it is to be only after the date of the document."""
    found = next((one for one in entry.inner("observation") if one.code == _STOPPED), None)
    day = start_of(found.act.first("effectiveTime")) if found else ""
    return found if not day or _is_past(day, entry) else None


def _is_past(moment: str, entry: Entry) -> bool:
    """Whether a day, month or year was over when the document was written."""
    day = moment[: len("YYYY-MM-DD")]
    return bool(day and entry.written) and day < str(entry.written)[: len(day)]


def _effective(entry: Entry) -> Json:
    """When it is, was or is to be taken; for want of it, when it was handed over."""
    interval = period(_interval(entry))
    dispensed = _dispensed(entry)
    if interval or not dispensed:
        return {"effectivePeriod": interval}
    return {"effectiveDateTime": _handed_over(dispensed)}


def _interval(entry: Entry) -> Node | None:
    """The time that is no rhythm."""
    times = (time for time in entry.act.elements("effectiveTime") if not time.first("period"))
    return next((time for time in times if start_of(time)), None)


def _dispensed(entry: Entry) -> Entry | None:
    """The dispensation that a line of the insurer's data tells of."""
    return next((one for one in entry.inner("supply") if one.is_event), None)


def _handed_over(entry: Entry) -> str:
    performer = entry.act.first("performer")
    author = entry.act.first("author")
    times = (entry.act.first("effectiveTime"), *(one.first("time") for one in (performer, author) if one))
    return next((found for time in times if (found := start_of(time))), "")


def _why(stop: Entry) -> list[Json]:
    """Why a treatment was stopped, in the words of the narrative where it refers to them."""
    text = said(stop)
    found = {"text": text} if text else concept(stop.act.first("value"), stop) or _worded(stop)
    return [found] if found else []


def _worded(stop: Entry) -> Json | None:
    value = stop.act.first("value")
    text = shortened(value.content) if value else ""
    return {"text": text} if text else None


def _status_code(entry: Entry) -> str:
    status = entry.act.first("statusCode")
    return status.get("code").lower() if status else ""
