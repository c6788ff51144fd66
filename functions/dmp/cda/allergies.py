"""Allergies and intolerances (CI-SIS FR-Liste-des-allergies and FR-Allergie-ou-hypersensibilite; IHE PCC)."""

from collections.abc import Iterator, Mapping

from dmp.cda.absences import absence, denial, is_absence, with_absence
from dmp.cda.concepts import Json, coded, concept, said
from dmp.cda.entry import Entry, Readers
from dmp.cda.moments import end_of, start_of
from dmp.cda.passages import shortened
from dmp.cda.problems import STATUSES
from dmp.cda.remarks import ABOUT, CRITICALITY, SEVERITY, STATUS, findings, first_code, notes
from dmp.domain.clinical_profile import Candidate, ProfileKind

CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
SECTION = "48765-2"
_CONCERNS = {"suspended": "inactive", "aborted": "inactive", "completed": "inactive"}
_CLINICAL = {"remission": "inactive", "recurrence": "active", "relapse": "active"}
"""States of problems that allergies know by another name."""
_SEVERITIES = {
    "255604002": "mild", "6736007": "moderate", "24484000": "severe", "399166001": "severe", "l": "mild",
    "m": "moderate", "h": "severe",
}  # fmt: skip
_CRITICALITIES = {"critl": "low", "crith": "high", "critu": "unable-to-assess", "62482003": "low", "75540009": "high"}
_ALLERGY, _INTOLERANCE = "allergy", "intolerance"
_MEDICATION, _FOOD, _ENVIRONMENT = "medication", "food", "environment"
_TYPES: Mapping[str, tuple[str, str]] = {
    "416098002": (_ALLERGY, _MEDICATION), "414285001": (_ALLERGY, _FOOD), "426232007": (_ALLERGY, _ENVIRONMENT),
    "609328004": (_ALLERGY, ""), "419199007": (_ALLERGY, ""), "106190000": (_ALLERGY, ""),
    "609398007": (_INTOLERANCE, _MEDICATION), "59037007": (_INTOLERANCE, _MEDICATION),
    "235719002": (_INTOLERANCE, _FOOD), "782415009": (_INTOLERANCE, ""), "419511003": ("", _MEDICATION),
    "418471000": ("", _FOOD), "ALG": (_ALLERGY, ""), "DALG": (_ALLERGY, _MEDICATION), "FALG": (_ALLERGY, _FOOD),
    "EALG": (_ALLERGY, _ENVIRONMENT), "DINT": (_INTOLERANCE, _MEDICATION), "FINT": (_INTOLERANCE, _FOOD),
    "EINT": (_INTOLERANCE, _ENVIRONMENT), "OINT": (_INTOLERANCE, ""), "DNAINT": (_INTOLERANCE, _MEDICATION),
    "FNAINT": (_INTOLERANCE, _FOOD), "ENAINT": (_INTOLERANCE, _ENVIRONMENT), "NAINT": (_INTOLERANCE, ""),
}  # fmt: skip
"""Type and category by the code of the statement (SNOMED CT, HL7 ObservationIntoleranceType)."""
_ABSENCES = {
    _MEDICATION: "no-known-medication-allergies",
    _FOOD: "no-known-food-allergies",
    _ENVIRONMENT: "no-known-environmental-allergies",
    "": "no-known-allergies",
}
_DENIED = {"médicament": _MEDICATION, "aliment": _FOOD, "environnement": _ENVIRONMENT}


def concern(entry: Entry) -> Iterator[Candidate]:
    """A concern: every allergy in it, with the state of the concern."""
    for inner in entry.inner("observation") if entry.is_event else ():
        yield from _allergy(inner, entry)


def allergy(entry: Entry) -> Iterator[Candidate]:
    """An allergy that stands by itself."""
    yield from _allergy(entry, None)


def untold(entry: Entry) -> Iterator[Candidate]:
    """That there is no allergy, of a section without entries whose narrative says nothing else."""
    yield from _allergy(entry, None)


def _allergy(entry: Entry, within: Entry | None) -> Iterator[Candidate]:
    if not entry.is_event or entry.is_of_another or entry.code in ABOUT:
        return
    agent = _agent(entry)
    code = agent or _value(entry) or _nothing(entry) or _unnamed(entry)
    if code is None:
        return
    type_, category = _TYPES.get(entry.code, ("", ""))
    onset = start_of(entry.act.first("effectiveTime"))
    is_refuted = entry.is_negated and not is_absence(code)
    reactions = _reactions(entry, _value(entry) if agent else None)
    yield entry.candidate(
        ProfileKind.ALLERGY,
        {
            "clinicalStatus": coded(CLINICAL, "inactive" if is_refuted else _status(entry, within, code)),
            "verificationStatus": coded(VERIFICATION, "refuted" if is_refuted else "unconfirmed"),
            **({"type": type_} if type_ and not is_absence(code) else {}),
            **({"category": [category]} if category and not is_absence(code) else {}),
            **_criticality(entry),
            "code": code,
            **({"onsetDateTime": onset} if onset else {}),
            **({"reaction": reactions} if reactions else {}),
            **notes(entry),
        },
    )


def _agent(entry: Entry) -> Json | None:
    """What the person does not bear: the code of a participant that was taken, or its name."""
    for participant in entry.act.elements("participant"):
        if participant.get("typeCode") not in ("", "CSM"):
            continue
        role = participant.first("participantRole")
        entity = role.first("playingEntity") if role else None
        name = entity.first("name") if entity else None
        found = concept(entity.first("code"), entry) if entity else None
        text = shortened(name.content) if name else ""
        if found or text:
            return with_absence(found or {"text": text})
    return None


def _value(entry: Entry) -> Json | None:
    """What the value names; one that is negated and names but a kind of allergy names nothing."""
    found = concept(entry.act.first("value"), entry)
    if found is None or (entry.is_negated and any(one["code"] in _TYPES for one in found.get("coding", []))):
        return None
    return with_absence(found)


def _nothing(entry: Entry) -> Json | None:
    """That there is no allergy: by negation of one that names nothing, or as the narrative alone says."""
    if entry.is_negated:
        return absence(_ABSENCES[_TYPES.get(entry.code, ("", ""))[1]], denial(entry))
    nothing = denial(entry)
    kind = next((kind for word, kind in _DENIED.items() if word in nothing.lower()), "")
    return absence(_ABSENCES[kind], nothing) if nothing else None


def _unnamed(entry: Entry) -> Json | None:
    """An allergy of which but words or its kind are told; where no passage tells of it, nothing is."""
    words = said(entry)
    return (concept(entry.act.first("code"), entry) or {}) | {"text": words} if words else None


def _status(entry: Entry, within: Entry | None, code: Json) -> str:
    told = first_code(findings(entry, STATUS), STATUSES)
    if told:
        return _CLINICAL.get(told, told)
    if is_absence(code):
        return "active"
    state = within.act.first("statusCode") if within else None
    over = "resolved" if end_of(entry.act.first("effectiveTime")) else ""
    return over or (_CONCERNS.get(state.get("code").lower(), "active") if state else "active")


def _criticality(entry: Entry) -> Json:
    found = first_code(findings(entry, CRITICALITY), _CRITICALITIES)
    return {"criticality": found} if found else {}


def _reactions(entry: Entry, value: Json | None) -> list[Json]:
    """What was observed: manifestations within, and the value where the agent is named beside it."""
    shown = [one for one in entry.inner("observation") if one.link.get("typeCode") == "MFST" and not one.is_negated]
    severity = first_code(findings(entry, SEVERITY), _SEVERITIES)
    found = [reaction for one in shown[:5] if (reaction := _reaction(one, severity))]
    if value and not is_absence(value):
        found.append({"manifestation": [value]} | ({"severity": severity} if severity and not found else {}))
    return found


def _reaction(entry: Entry, severity: str) -> Json | None:
    manifestation, onset = concept(entry.act.first("value"), entry), start_of(entry.act.first("effectiveTime"))
    severity = first_code(findings(entry, SEVERITY), _SEVERITIES) or severity
    if manifestation is None:
        return None
    return {
        "manifestation": [manifestation],
        **({"onset": onset} if onset else {}),
        **({"severity": severity} if severity else {}),
    }


READERS: Readers = {
    ("", "1.2.250.1.213.1.1.3.40"): concern,
    ("", "1.3.6.1.4.1.19376.1.5.3.1.4.5.3"): concern,
    ("", "1.2.250.1.213.1.1.3.41"): allergy,
    ("", "1.3.6.1.4.1.19376.1.5.3.1.4.6"): allergy,
    (SECTION, "1.2.250.1.213.1.1.3.37"): allergy,
    (SECTION, "1.3.6.1.4.1.19376.1.5.3.1.4.5"): allergy,
    (SECTION, "act"): concern,
    (SECTION, "observation"): allergy,
}
