"""Results of biology, imaging, examinations and scores as Observations (CI-SIS: CR-BIO, Résultats, Examen physique)."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from dmp.cda.concepts import concept
from dmp.cda.entry import Entry
from dmp.cda.markup import Node
from dmp.cda.observations import Category, component, is_said, observation, own_concept
from dmp.cda.passages import shortened
from dmp.cda.values import type_of
from dmp.domain import code_lists
from dmp.domain.clinical_profile import Candidate, ProfileKind

type Json = dict[str, Any]

_RESULT, _FRENCH_RESULT = "1.3.6.1.4.1.19376.1.3.1.6", "1.2.250.1.213.1.1.3.80"
_ISOLATE, _FRENCH_ISOLATE = "1.3.6.1.4.1.19376.1.3.1.5", "1.2.250.1.213.1.1.3.79"
_SIMPLE = "1.3.6.1.4.1.19376.1.5.3.1.4.13"
_BLOOD_GROUP, _FRENCH_BLOOD_GROUP = "1.3.6.1.4.1.19376.1.5.3.1.4.13.6", "1.2.250.1.213.1.1.3.57"
_EVALUATION, _FRENCH_EVALUATION = "1.3.6.1.4.1.19376.1.5.3.1.1.12.3.6", "1.2.250.1.213.1.1.3.25"
_FRENCH_EXAM = "1.2.250.1.213.1.1.3.209"
_EXAMS = "30954-2"
_SCORES = frozenset({"35088-4", "46006-3", "47420-5", "70182-1", "75859-9"})
_PHYSICAL_EXAMS = frozenset(
    {"10190-7", "10191-5", "10193-1", "10195-6", "10196-4", "10197-2", "10199-8", "10200-4", "10201-2", "10202-0"}
    | {"10203-8", "10204-6", "10205-3", "10207-9", "10208-7", "10210-3", "11392-8", "11393-6", "11400-9", "11410-8"}
    | {"11411-6", "11412-4", "11447-0", "29302-7", "29307-6", "29545-1"}
)
_BIOLOGY = frozenset(
    {"18717-9", "18718-7", "18719-5", "18720-3", "18721-1", "18722-9", "18723-7", "18724-5", "18725-2", "18727-8"}
    | {"18728-6", "18729-4", "18767-4", "18768-2", "18769-0", "26435-8", "26436-6", "26437-4", "26438-2"}
)
SECTIONS = _BIOLOGY | _PHYSICAL_EXAMS | _SCORES | {_EXAMS}
"""The sections of results."""
_QUANTITIES = frozenset({"PQ", "REAL", "IVL_PQ", "IVL_REAL"})
_LOINC = "2.16.840.1.113883.6.1"
_CCAM = "1.2.250.1.215.300.1"
_IMAGING_TECHNIQUES = frozenset("HJKLMN")
"""The fourth letter of a CCAM code: radiology, ultrasound, scintigraphy, magnetic resonance."""
_ANSWER = "LA"
_MOST_COMPONENTS = 50
_DEEPEST = 3


def biology(entry: Entry) -> Iterator[Candidate]:
    """A result of medical biology, whatever the battery or the chapter that it stands in."""
    yield from _offered(entry, observation(entry, Category.LABORATORY))


def isolate(entry: Entry) -> Iterator[Candidate]:
    """A microorganism that was found, with what was counted and its antibiogram as components; else its results."""
    organism = concept(_organism(entry.act), entry)
    results = list(islice(_results(entry), _MOST_COMPONENTS))
    if organism is None:
        for result in results:
            yield from biology(result)
        return
    found = observation(entry, Category.LABORATORY, own_concept("isolate"))
    if found:
        parts = [part for part in map(component, results) if part]
        head = {name: value for name, value in found.items() if not name.startswith("value")}
        told = head | {"valueCodeableConcept": organism} | ({"component": parts} if parts else {})
        yield entry.candidate(ProfileKind.OBSERVATION, told)


def exam(entry: Entry) -> Iterator[Candidate]:
    """A result of an examination: biology where it is measured as biology is, imaging by the technique of its act."""
    unmeasured = Category.IMAGING if _is_imaging(entry) else Category.EXAM
    category = Category.LABORATORY if _is_biology(entry) else unmeasured
    yield from _offered(entry, observation(entry, category))


def physical_exam(entry: Entry) -> Iterator[Candidate]:
    """What was seen or measured of the body."""
    yield from _offered(entry, observation(entry, Category.EXAM, question(entry)))


def score(entry: Entry) -> Iterator[Candidate]:
    """A score or an answer about autonomy, with what it is made of."""
    code = _section_concept(entry) if entry.code.startswith(_ANSWER) else question(entry)
    found = observation(entry, Category.SURVEY, code)
    if found is None:
        return
    inner = (one for one in entry.inner("observation") if one.link.get("typeCode") == "COMP")
    parts = [part for part in map(component, islice(inner, _MOST_COMPONENTS)) if part]
    answer = concept(entry.act.first("code"), entry) if entry.code.startswith(_ANSWER) else None
    meanings = [*found.get("interpretation", []), *([answer] if answer else [])]
    told = ({"component": parts} if parts else {}) | ({"interpretation": meanings} if meanings else {})
    yield from _offered(entry, found | told)


READERS: Mapping[tuple[str, str], Callable[[Entry], Iterator[Candidate]]] = {
    **{("", one): biology for one in (_RESULT, _FRENCH_RESULT, _BLOOD_GROUP, _FRENCH_BLOOD_GROUP)},
    **{(chapter, "observation"): biology for chapter in _BIOLOGY},
    **{("", one): isolate for one in (_ISOLATE, _FRENCH_ISOLATE)},
    **{("", one): score for one in (_EVALUATION, _FRENCH_EVALUATION)},
    ("", _FRENCH_EXAM): exam,
    **{(_EXAMS, one): exam for one in (_SIMPLE, "observation")},
    **{(section, one): score for section in _SCORES for one in (_SIMPLE, "observation")},
    **{(section, one): physical_exam for section in _PHYSICAL_EXAMS for one in (_SIMPLE, "observation")},
}
"""By (section code or nothing, template id or name of the element)."""


def _offered(entry: Entry, found: Json | None) -> Iterator[Candidate]:
    """The Observation, unless it tells nothing that was observed."""
    if found and (any(name.startswith("value") for name in found) or found.keys() & _TELLING):
        yield entry.candidate(ProfileKind.OBSERVATION, found)


_TELLING = frozenset({"interpretation", "note", "component"})


def _results(entry: Entry, depth: int = 0) -> Iterator[Entry]:
    """The results of an isolate and of the batteries in it."""
    for inner in entry.inner("observation", "organizer"):
        if inner.act.name == "observation":
            yield inner
        elif depth < _DEEPEST and is_said(inner):
            yield from _results(inner, depth + 1)


def _organism(act: Node) -> Node | None:
    node: Node | None = act
    for name in ("specimen", "specimenRole", "specimenPlayingEntity", "code"):
        node = node.first(name) if node else None
    return node


def _is_biology(entry: Entry) -> bool:
    """Whether it has a range of reference, or is a quantity of a code of LOINC."""
    code, value = entry.act.first("code"), entry.act.first("value")
    is_loinc = code is not None and code.get("codeSystem") == _LOINC
    is_quantity = value is not None and type_of(value) in _QUANTITIES
    return entry.act.first("referenceRange") is not None or (is_loinc and is_quantity)


def _is_imaging(entry: Entry) -> bool:
    code = entry.act.first("code")
    is_act = code is not None and code.get("codeSystem") == _CCAM
    return is_act and entry.code[3:4] in _IMAGING_TECHNIQUES


def question(entry: Entry) -> Json | None:
    """The code of what is asked where a qualifier makes it precise: that of the qualifier first, in its words."""
    code = entry.act.first("code")
    qualifier = code.first("qualifier") if code else None
    name = qualifier.first("name") if qualifier else None
    asked, whole = concept(name, entry), concept(code, entry)
    if not asked or not whole:
        return whole
    return asked | {"coding": [*asked.get("coding", []), *whole.get("coding", [])]}


def _section_concept(entry: Entry) -> Json | None:
    """The code of the section, for an entry that names but the answer."""
    section = entry.section.code
    if section is None:
        return None
    text = shortened(section.display) or shortened(entry.section.title)
    return {"coding": [{"system": code_lists.system_url("loinc"), "code": section.code}], "text": text or section.code}
