"""What the relatives of a person had (CI-SIS FR-Antecedents-familiaux; IHE PCC Family History Organizer)."""

from collections.abc import Iterator

from dmp.cda.concepts import Json, coded, concept, texts
from dmp.cda.entry import Entry, Readers
from dmp.cda.markup import Node
from dmp.cda.remarks import notes
from dmp.domain import code_lists
from dmp.domain.clinical_profile import Candidate, ProfileKind

GENDERS = "http://hl7.org/fhir/administrative-gender"
_GENDERS = {"M": "male", "F": "female", "UN": "other"}
SECTION = "10157-6"
_MOST_CONDITIONS = 50


def relative(entry: Entry) -> Iterator[Candidate]:
    """What one relative had; what none of them had is not said in FHIR's terms, and is left out."""
    conditions = [found for one in entry.inner("observation") if (found := _condition(one))]
    if not conditions or not entry.is_event:
        return
    subject = entry.act.first("subject")
    related = subject.first("relatedSubject") if subject else None
    yield entry.candidate(
        ProfileKind.FAMILY_HISTORY,
        {
            "status": "completed",
            "relationship": (concept(related.first("code"), entry) if related else None) or _unnamed(),
            **_sex(related),
            "condition": conditions[:_MOST_CONDITIONS],
            **notes(entry),
        },
    )


def illness(entry: Entry) -> Iterator[Candidate]:
    """An illness in the family that no relative is named for."""
    condition = _condition(entry)
    if condition:
        yield entry.candidate(
            ProfileKind.FAMILY_HISTORY,
            {"status": "completed", "relationship": _unnamed(), "condition": [condition]},
        )


def _condition(entry: Entry) -> Json | None:
    code = concept(entry.act.first("value"), entry)
    if code is None or entry.is_negated or not entry.is_event:
        return None
    return {"code": code, **notes(entry)}


def _sex(related: Node | None) -> Json:
    person = related.first("subject") if related else None
    code = person.first("administrativeGenderCode") if person else None
    found = _GENDERS.get(code.get("code").upper(), "") if code else ""
    return {"sex": coded(GENDERS, found)} if found else {}


def _unnamed() -> Json:
    display = str(texts()["relative"])
    return {
        "coding": [{"system": code_lists.system_url("role"), "code": "FAMMEMB", "display": display}],
        "text": display,
    }


READERS: Readers = {
    ("", "1.2.250.1.213.1.1.3.59"): relative,
    ("", "1.3.6.1.4.1.19376.1.5.3.1.4.15"): relative,
    (SECTION, "organizer"): relative,
    (SECTION, "observation"): illness,
}
