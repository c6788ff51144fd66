"""Allergies and intolerances (CI-SIS FR-Liste-des-allergies and FR-Allergie-ou-hypersensibilite; IHE PCC)."""

from collections.abc import Iterator, Mapping

from dmp.cda.absences import absence, denial, is_absence, with_absence
from dmp.cda.concepts import Json, coded, concept, said, words
from dmp.cda.denials import Denied, names_something
from dmp.cda.entry import Entry, Readers
from dmp.cda.moments import end_of, is_after, start_of
from dmp.cda.passages import shortened
from dmp.cda.problems import STATUSES
from dmp.cda.remarks import ABOUT, CRITICALITY, SEVERITY, STATUS, findings, first_code, is_refuted, notes
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
_ASSERTIONS = frozenset({"ASSERTION", "75326-9", "55607006", SECTION})
"""Codes of statements that name nothing themselves: an assertion, a problem, the section."""
_DENIED = {"médicament": _MEDICATION, "aliment": _FOOD, "environnement": _ENVIRONMENT}


def concern(entry: Entry) -> Iterator[Candidate]:
    """A concern: every allergy in it, with the state of the concern."""
    for inner in entry.held() if entry.is_event else ():
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
    agents = _agents(entry)
    code = None if agents else _value(entry) or _nothing(entry) or _unnamed(entry)
    for one in agents or filter(None, [code]):
        if not (_is_refuted(entry) and _says_nothing(entry, one)):
            yield _candidate(entry, within, one, is_agent=bool(agents))


def _says_nothing(entry: Entry, code: Json) -> bool:
    """Whether it denies that there is no allergy: nobody knows what that means."""
    return is_absence(code) and (bool(_agents(entry)) or is_absence(with_absence(_coded_value(entry))))


def _candidate(entry: Entry, within: Entry | None, code: Json, *, is_agent: bool) -> Candidate:
    type_, category = _TYPES.get(entry.code, ("", ""))
    onset = start_of(entry.act.first("effectiveTime"))
    is_no_more = _is_refuted(entry) and not is_absence(code)
    reactions = _reactions(entry, _value(entry) if is_agent and not is_refuted(entry) else None)
    return entry.candidate(
        ProfileKind.ALLERGY,
        {
            "clinicalStatus": coded(CLINICAL, "inactive" if is_no_more else _status(entry, within, code)),
            "verificationStatus": coded(VERIFICATION, "refuted" if is_no_more else "unconfirmed"),
            **({"type": type_} if type_ and not is_absence(code) else {}),
            **({"category": [category]} if category and not is_absence(code) else {}),
            **_criticality(entry),
            "code": code,
            **({"onsetDateTime": onset} if onset else {}),
            **({"reaction": reactions} if reactions else {}),
            **notes(entry),
        },
    )


def _agents(entry: Entry) -> list[Json]:
    """What the person does not bear: the codes of participants that were taken, or their names, each once."""
    agents: list[Json] = []
    for participant in entry.act.elements("participant"):
        if participant.get("typeCode") not in ("", "CSM"):
            continue
        role = participant.first("participantRole")
        entity = role.first("playingEntity") if role else None
        name = entity.first("name") if entity else None
        found = concept(entity.first("code"), entry) if entity else None
        text = shortened(name.content) if name else ""
        agent = with_absence(found or {"text": text}) if found or text else None
        if agent and agent not in agents:
            agents.append(agent)
    return agents


def _value(entry: Entry) -> Json | None:
    """What the value names; one that is negated and names but a kind of allergy names nothing."""
    found = _coded_value(entry)
    if not found or (_is_refuted(entry) and _is_kind(found)):
        return None
    return with_absence(found)


def _is_refuted(entry: Entry) -> bool:
    """Whether the allergy itself is denied: what is known absent beside an agent may be but what it did."""
    return entry.is_negated or (is_refuted(entry) and (_is_kind(_coded_value(entry)) or not _agents(entry)))


def _coded_value(entry: Entry) -> Json:
    return concept(entry.act.first("value"), entry) or {}


def _is_kind(found: Json) -> bool:
    return any(one["code"] in _TYPES for one in found.get("coding", []))


def _nothing(entry: Entry) -> Json | None:
    """That there is no allergy: by negation of one that names nothing, or as the narrative alone says."""
    nothing = denial(entry, Denied.ALLERGY, (SECTION,))
    if _is_refuted(entry):
        return _denied(entry, nothing)
    kind = next((kind for word, kind in _DENIED.items() if word in nothing.lower()), "")
    return absence(_ABSENCES[kind], nothing) if nothing else None


def _denied(entry: Entry, nothing: str) -> Json:
    """What a negated statement denies: that which its words or its code name, or else all allergies of its kind."""
    code, value = entry.act.first("code"), entry.act.first("value")
    kinds = {node.get("displayName").casefold() for node in (code, value) if node}
    told = (said(entry), words(value, entry), words(code, entry))
    named = next((text for text in told if names_something(text, Denied.ALLERGY) and text.casefold() not in kinds), "")
    if named:
        return {"text": named}
    about = concept(code, entry) or {}
    if about.get("coding") and not _is_kind(about) and entry.code not in _ASSERTIONS:
        return about
    return absence(_ABSENCES[_TYPES.get(entry.code, ("", ""))[1]], nothing)


def _unnamed(entry: Entry) -> Json | None:
    """An allergy of which but words or its kind are told; where no passage tells of it, nothing is."""
    told = said(entry)
    return (concept(entry.act.first("code"), entry) or {}) | {"text": told} if told else None


def _status(entry: Entry, within: Entry | None, code: Json) -> str:
    told = first_code(findings(entry, STATUS), STATUSES)
    if told:
        return _CLINICAL.get(told, told)
    if is_absence(code):
        return "active"
    state = within.act.first("statusCode") if within else None
    end = end_of(entry.act.first("effectiveTime"))
    if end and not is_after(end, entry.written):
        return "resolved"
    if entry.was_given_up:
        return "inactive"
    return _CONCERNS.get(state.get("code").lower(), "active") if state else "active"


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
