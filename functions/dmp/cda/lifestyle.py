"""Habits that bear on health, such as tobacco (CI-SIS FR-Habitus-Mode-de-vie; IHE PCC Social History Observation)."""

from collections.abc import Iterator

from dmp.cda.concepts import Json, coded, labelled, said
from dmp.cda.entry import Entry, Readers
from dmp.cda.moments import start_of
from dmp.cda.passages import shortened
from dmp.cda.remarks import notes
from dmp.cda.results import question
from dmp.cda.values import value_of
from dmp.domain.clinical_profile import Candidate, ProfileKind

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_SECTION = "29762-2"


def habit(entry: Entry) -> Iterator[Candidate]:
    """A habit with its value; without one nothing is said."""
    code, value = question(entry) or labelled(entry.act.first("code"), entry), _value(entry)
    if code is None or not value or not entry.is_event or entry.is_negated:
        return
    at = start_of(entry.act.first("effectiveTime"))
    yield entry.candidate(
        ProfileKind.OBSERVATION,
        {
            "status": "final",
            "category": [coded(CATEGORY, "social-history")],
            "code": code,
            **({"effectiveDateTime": at} if at else {}),
            **value,
            **notes(entry),
        },
    )


def _value(entry: Entry) -> Json:
    """The value; where its words are but those of the habit itself, by its code, or by what stands beside them."""
    found = value_of(entry.act.first("value"), entry)
    value = found.get("valueCodeableConcept", {})
    if not value or value.get("text") != said(entry):
        return found
    if name := next((one["display"] for one in value.get("coding", []) if "display" in one), ""):
        return {"valueCodeableConcept": value | {"text": name}}
    answer = _beside(entry)
    return {"valueString": answer} if answer else {}


def _beside(entry: Entry) -> str:
    """The rest of the row of the narrative that the statement refers to."""
    text = entry.act.first("text")
    reference = text.first("reference") if text else None
    cells = entry.passages.beside(reference.get("value"), entry.section) if reference else ()
    return shortened(", ".join(cell for _, cell in cells if cell not in ("", said(entry))))


READERS: Readers = {
    (_SECTION, "1.2.250.1.213.1.1.3.52"): habit,
    (_SECTION, "1.3.6.1.4.1.19376.1.5.3.1.4.13.4"): habit,
    (_SECTION, "observation"): habit,
}
