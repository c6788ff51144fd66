"""Problems and antecedents as Conditions (CI-SIS FR-Liste-des-problemes and FR-Probleme; IHE PCC Problem Concern)."""

from collections.abc import Iterator

from dmp.cda import procedures
from dmp.cda.absences import absence, denial, is_absence, with_absence
from dmp.cda.concepts import Json, coded, concept
from dmp.cda.denials import Denied
from dmp.cda.entry import Entry, Readers
from dmp.cda.moments import end_of, is_after, start_of
from dmp.cda.remarks import ABOUT, SEVERITY, STATUS, findings, first_code, is_refuted, notes, sites
from dmp.domain import code_lists
from dmp.domain.clinical_profile import Candidate, ProfileKind

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
STATUSES = {
    "active": "active", "recurrence": "recurrence", "relapse": "relapse", "inactive": "inactive",
    "remission": "remission", "resolved": "resolved", "55561003": "active", "90734009": "active",
    "7087005": "active", "255227004": "recurrence", "73425007": "inactive", "413322009": "resolved",
}  # fmt: skip
"""What a statement of status means, by its code of HL7 or of SNOMED CT."""

_CONCERNS = {"active": "active", "suspended": "inactive", "aborted": "inactive", "completed": "inactive"}
_ACTIVE, _PAST = "11450-4", "11348-0"
_DIAGNOSES = frozenset({"46241-6", "11535-2", "8651-2", "42347-5"})
_OVER = frozenset({"inactive", "remission", "resolved"})
_SURGICAL = "47519-4"


def concern(entry: Entry) -> Iterator[Candidate]:
    """A concern: every problem in it, with the state of the concern."""
    for inner in entry.held() if entry.is_event else ():
        yield from _problem(inner, entry)


def problem(entry: Entry) -> Iterator[Candidate]:
    """A problem that stands by itself."""
    yield from _problem(entry, None)


def history(entry: Entry) -> Iterator[Candidate]:
    """What a request for imaging tells of the person's past, and against the exam (FR-Antecedent of the CI-SIS)."""
    yield from procedures.told(entry) if entry.code == _SURGICAL else _problem(entry, None)


def _problem(entry: Entry, within: Entry | None) -> Iterator[Candidate]:
    code = _code(entry) if entry.is_event and not entry.is_of_another and entry.code not in ABOUT else None
    if code is None or _is_heading(code):
        return
    time = entry.act.first("effectiveTime")
    onset, end = start_of(time), end_of(time)
    is_no_more = is_refuted(entry)
    status = "inactive" if is_no_more else _status(entry, within, "" if is_after(end, entry.written) else end)
    yield entry.candidate(
        ProfileKind.CONDITION,
        {
            "clinicalStatus": coded(CLINICAL, status),
            "verificationStatus": coded(VERIFICATION, "refuted" if is_no_more else "unconfirmed"),
            "category": [coded(CATEGORY, _category(entry))],
            **_severity(entry),
            "code": code,
            **_sites(entry),
            **({"onsetDateTime": onset} if onset else {}),
            **({"abatementDateTime": end} if end and status in _OVER else {}),
            **notes(entry),
        },
    )


def _code(entry: Entry) -> Json | None:
    found = concept(entry.act.first("value"), entry)
    if found:
        told = with_absence(found)
        return None if is_absence(told) and is_refuted(entry) else told
    nothing = denial(entry, Denied.PROBLEM, (_ACTIVE, _PAST))
    return absence("no-known-problems", nothing) if nothing else None


def _is_heading(code: Json) -> bool:
    """Whether it only names a section of documents (LOINC), as some models do where nothing is said."""
    return any(one.get("system") == code_lists.system_url("loinc") for one in code.get("coding", [])[:1])


def _status(entry: Entry, within: Entry | None, end: str) -> str:
    """As it says itself; else as its end, its concern and its section do: a list of active problems has none over."""
    told = first_code(findings(entry, STATUS), STATUSES) or ("resolved" if end else "")
    told = told or ("inactive" if entry.was_given_up else "")
    concern_state = within.act.first("statusCode") if within else None
    state = concern_state.get("code").lower() if concern_state else ""
    if entry.section_code == _ACTIVE and state == "completed":
        state = ""
    return told or _CONCERNS.get(state) or ("inactive" if _PAST in (entry.section_code, entry.code) else "active")


def _category(entry: Entry) -> str:
    return "encounter-diagnosis" if entry.section_code in _DIAGNOSES else "problem-list-item"


def _severity(entry: Entry) -> Json:
    found = next(findings(entry, SEVERITY), None)
    return {"severity": found} if found else {}


def _sites(entry: Entry) -> Json:
    found = sites(entry)
    return {"bodySite": found} if found else {}


_BY_SECTION = ("11450-4", "11348-0", "46241-6", "11535-2", "72135-7")
SECTIONS = frozenset(_BY_SECTION)
READERS: Readers = {
    ("", "1.2.250.1.213.1.1.3.39"): concern,
    ("", "1.3.6.1.4.1.19376.1.5.3.1.4.5.2"): concern,
    ("", "1.2.250.1.213.1.1.3.37"): problem,
    ("", "1.3.6.1.4.1.19376.1.5.3.1.4.5"): problem,
    ("11329-0", "1.2.250.1.213.1.1.3.150"): history,
    **{(section, "act"): concern for section in _BY_SECTION},
    **{(section, "observation"): problem for section in _BY_SECTION},
}
