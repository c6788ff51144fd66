"""What a document says there is none of: no known allergy, problem, vaccination or procedure (IPS, absent-unknown)."""

import re
from collections.abc import Collection
from functools import cache

from dmp.cda.concepts import Json, said, texts
from dmp.cda.denials import Denied, denies
from dmp.cda.entry import Entry
from dmp.domain import code_lists

_SNOMED = {
    "716186003": "no-known-allergies",
    "160244002": "no-known-allergies",
    "409137002": "no-known-medication-allergies",
    "428607008": "no-known-environmental-allergies",
    "429625007": "no-known-food-allergies",
    "160245001": "no-known-problems",
}


def absence(code: str, text: str = "") -> Json:
    """The concept that there is none, in the document's words where it has any."""
    display = str(texts()["absences"][code])
    return {"coding": [{"system": _system(), "code": code, "display": display}], "text": text or display}


def with_absence(concept: Json) -> Json:
    """A concept with the code for an absence beside its own where SNOMED CT says one; else as it is."""
    codings = concept.get("coding", [])
    if any(one.get("system") == _system() for one in codings):
        return concept
    snomed = code_lists.system_url("snomed")
    found = next(
        (_SNOMED[one["code"]] for one in codings if one.get("system") == snomed and one["code"] in _SNOMED), ""
    )
    return concept | {"coding": [*codings, *absence(found)["coding"]]} if found else concept


def is_absence(concept: Json | None) -> bool:
    """Whether a concept says that there is none."""
    return any(one.get("system") == _system() for one in (concept or {}).get("coding", []))


def in_own_words(concept: Json | None, entry: Entry) -> Json | None:
    """An absence as the narrative tells of it: of what it speaks, and of which time."""
    words = said(entry) if is_absence(concept) else ""
    return (concept or {}) | {"text": words} if _pattern("denials").match(words) else concept


def denial(entry: Entry, kind: Denied, sections: Collection[str]) -> str:
    """What a statement, or the narrative of one of some sections, says where it is but that there is none."""
    narrative = entry.passages.narrative(entry.section) if entry.section_code in sections else ""
    return next((text for text in (said(entry), narrative) if denies(text, kind)), "")


def _system() -> str:
    return code_lists.system_url("absent-unknown")


@cache
def _pattern(name: str) -> re.Pattern[str]:
    words = "|".join(re.escape(word) + (r"\b" if word[-1].isalpha() else "") for word in texts()[name])
    return re.compile(rf"\b(?:{words})", re.IGNORECASE)
