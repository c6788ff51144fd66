"""What every Observation takes from a statement: status, code, time, value, interpretation, ranges (CI-SIS)."""

from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from typing import Any

from dmp.cda.concepts import concept
from dmp.cda.entry import Entry
from dmp.cda.markup import Node
from dmp.cda.moments import period, start_of
from dmp.cda.passages import shortened
from dmp.cda.remarks import notes
from dmp.cda.values import interval, quantity, type_of, value_of
from dmp.cda.vocabulary import begins_with, named_code
from dmp.domain import code_lists

type Json = dict[str, Any]

_CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
_STATUSES = {"active": "preliminary", "aborted": "cancelled", "cancelled": "cancelled"}
_NEVER_WAS = "nullified"
_NORMAL = "N"
_MOST = 10
_INTERVALS = frozenset({"IVL_PQ", "IVL_REAL", "IVL_INT"})


class Category(StrEnum):
    """The kinds of observations that documents tell of (FHIR observation-category)."""

    LABORATORY = "laboratory"
    VITAL_SIGNS = "vital-signs"
    IMAGING = "imaging"
    EXAM = "exam"
    SURVEY = "survey"


def observation(entry: Entry, category: Category, code: Json | None = None, within: Entry | None = None) -> Json | None:
    """The Observation of a statement, without subject; None for what is not said of the person, or says nothing.

    `code`: what is observed, where it is not the statement's own code. `within`: the statement that tells the time of
    those in it that tell none.
    """
    told = code or concept(entry.act.first("code"), entry)
    if told is None or not is_said(entry):
        return None
    head = {"status": _status(entry), "category": [_category(category)], "code": told}
    return head | _effective(entry, within) | findings(entry)


def is_said(entry: Entry) -> bool:
    """Whether the statement tells what was observed of the person: no plan, no denial, nobody else's."""
    return entry.is_event and not entry.is_negated and not entry.is_of_another and _status_code(entry) != _NEVER_WAS


def component(entry: Entry) -> Json | None:
    """The statement as a component of another's Observation; None where it says nothing."""
    code = concept(entry.act.first("code"), entry)
    found = findings(entry)
    kept = {name: found[name] for name in found if name not in _OF_WHOLE}
    return {"code": code} | kept if code and kept and is_said(entry) else None


def findings(entry: Entry) -> Json:
    """The value and what is said of it, as far as it is said."""
    act = entry.act
    told = {
        "interpretation": _concepts(entry, "interpretationCode"),
        "bodySite": concept(act.first("targetSiteCode"), entry),
        "method": concept(act.first("methodCode"), entry),
        "referenceRange": list(islice(_ranges(entry), _MOST)),
    }
    return _value(entry) | notes(entry) | {name: value for name, value in told.items() if value}


def own_concept(name: str) -> Json:
    """The code of an observation that documents tell of without one, by its name in the data."""
    code, text = named_code(name)
    return {"coding": [{"system": code_lists.system_url("loinc"), "code": code}], "text": text}


_OF_WHOLE = frozenset({"note", "bodySite", "method"})


def _category(category: Category) -> Json:
    return {"coding": [{"system": _CATEGORIES, "code": category.value}]}


def _status(entry: Entry) -> str:
    return _STATUSES.get(_status_code(entry), "final")


def _status_code(entry: Entry) -> str:
    status = entry.act.first("statusCode")
    return status.get("code").lower() if status else ""


def _effective(entry: Entry, within: Entry | None) -> Json:
    for one in (entry, within):
        time = one.act.first("effectiveTime") if one else None
        interval_of_time = period(time) if time and time.first("low") and time.first("high") else {}
        if len(interval_of_time) == len(("start", "end")):
            return {"effectivePeriod": interval_of_time}
        if start := start_of(time):
            return {"effectiveDateTime": start}
    return {}


def _value(entry: Entry) -> Json:
    """The value; what stands in the results column of the narrative's table where no value is coded."""
    node = entry.act.first("value")
    found = (_limit(node) if node and type_of(node) in _INTERVALS else {}) or value_of(node, entry)
    if found:
        return found
    text = _result_text(entry)
    return {"valueString": text} if text else {}


def _limit(node: Node) -> Json:
    """An interval with one bound: a quantity below or above it."""
    low, high = node.first("low"), node.first("high")
    bounds = [(bound, sign) for bound, sign in ((low, ">"), (high, "<")) if quantity(bound)]
    if len(bounds) != 1:
        return {}
    [(bound, sign)] = bounds
    is_open = bound is not None and bound.get("inclusive").lower() in ("false", "0")
    return {"valueQuantity": (quantity(bound) or {}) | {"comparator": sign if is_open else f"{sign}="}}


def _result_text(entry: Entry) -> str:
    """The cell of results beside the words of the statement."""
    for name in ("text", "code"):
        node = entry.act.first(name)
        text = node.first("originalText") if node and name == "code" else node
        reference = text.first("reference") if text else None
        row = entry.passages.beside(reference.get("value"), entry.section) if reference else ()
        found = next((cell for heading, cell in row if begins_with(heading, "result")), "")
        if found:
            return found
    return ""


def _concepts(entry: Entry, name: str) -> list[Json]:
    found = (concept(node, entry) for node in entry.act.elements(name))
    return [one for one in islice(found, _MOST) if one]


def _ranges(entry: Entry) -> Iterator[Json]:
    """The ranges of reference; what one that is not of normal values is for, is its type."""
    for holder in entry.act.elements("referenceRange"):
        for one in holder.elements("observationRange"):
            found = _range(one)
            if found:
                meaning = one.first("interpretationCode")
                kind = concept(meaning, entry) if meaning and meaning.get("code") != _NORMAL else None
                yield found | ({"type": kind} if kind else {})


def _range(node: Node) -> Json:
    value, text = node.first("value"), node.first("text")
    words = shortened(text.content) if text else ""
    return (interval(value) or {} if value else {}) | ({"text": words} if words else {})
