"""How a product is to be taken, as FHIR Dosages: the document's words, and doses and times where they are simple."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from dmp.cda.concepts import concept, referred, said
from dmp.cda.entry import Entry
from dmp.cda.markup import Node
from dmp.cda.passages import shortened
from dmp.cda.values import decimal, interval, quantity
from dmp.cda.vocabulary import begins_with

type Json = dict[str, Any]

MOST_DOSAGES = 10
_PERIOD_UNITS = frozenset({"s", "min", "h", "d", "wk", "mo", "a"})
"""The units of UCUM that a timing may have (FHIR UnitsOfTime)."""
_FOR_THE_PATIENT = "PINSTRUCT"
_NOTHING = frozenset({"", "-", "--"})


def dosages_of(entry: Entry, product: str = "") -> list[Json]:
    """The ways of taking that a treatment states: one for each of its steps, or one for all of it; none where none is.

    The words are those of the steps, or of the columns of the table where the product stands, or what else the
    treatment says than the words of its product.
    """
    shared = _shared(entry)
    steps = (inner for inner in entry.inner("substanceAdministration") if inner.link.get("typeCode") == "COMP")
    told = enumerate(islice(steps, MOST_DOSAGES), 1)
    found = [{"sequence": n} | shared | _shared(step) | _own(step, _step_text(step)) for n, step in told]
    if found:
        return found
    text = _row_text(entry, without_way="route" in shared) or _step_text(entry) or _else_said(entry, product)
    one = shared | _own(entry, text)
    return [one] if one else []


def _own(entry: Entry, text: str) -> Json:
    """What a treatment or a step of it says of doses and times."""
    act = entry.act
    told = {"text": text, "timing": _timing(act), "doseAndRate": _dose_and_rate(act)}
    return {name: value for name, value in told.items() if value}


def _shared(entry: Entry) -> Json:
    """What holds for every step too: the way, the place, the condition, the most, what the patient is told."""
    act = entry.act
    told = {
        "additionalInstruction": [{"text": text} for text in islice(_conditions(entry), MOST_DOSAGES)],
        "patientInstruction": next(_instructions(entry), ""),
        "site": concept(act.first("approachSiteCode"), entry),
        "route": concept(act.first("routeCode"), entry),
        "maxDosePerPeriod": _most(act),
    }
    return {name: value for name, value in told.items() if value}


def _timing(act: Node) -> Json | None:
    """The rhythm of a periodic time that has but a period."""
    for time in _times(act):
        period = time.first("period")
        length = decimal(period.get("value")) if period else None
        if period and length and length > 0 and period.get("unit") in _PERIOD_UNITS:
            return {"repeat": {"frequency": 1, "period": length, "periodUnit": period.get("unit")}}
    return None


def _times(act: Node) -> Iterator[Node]:
    for time in act.elements("effectiveTime"):
        yield time
        yield from time.elements("comp")


def _dose_and_rate(act: Node) -> list[Json]:
    told = _amount(act.first("doseQuantity"), "dose") | _amount(act.first("rateQuantity"), "rate")
    return [told] if told else []


def _amount(node: Node | None, name: str) -> Json:
    """A quantity, or a range where its bounds differ."""
    bounds = interval(node) if node else None
    if node and not bounds:
        one = quantity(node)
        return {f"{name}Quantity": one} if one else {}
    if bounds and bounds.get("low") == bounds.get("high"):
        return {f"{name}Quantity": bounds["low"]}
    return {f"{name}Range": bounds} if bounds else {}


def _most(act: Node) -> Json | None:
    ratio = act.first("maxDoseQuantity")
    parts = {name: quantity(ratio.first(name)) for name in ("numerator", "denominator")} if ratio else {}
    return parts if parts and all(parts.values()) else None


def _conditions(entry: Entry) -> Iterator[str]:
    for condition in entry.act.elements("precondition"):
        for criterion in condition.elements("criterion"):
            text = criterion.first("text")
            words = referred(text, entry) if text else ""
            if words not in _NOTHING:
                yield words


def _instructions(entry: Entry) -> Iterator[str]:
    return (words for one in entry.inner("act") if one.code == _FOR_THE_PATIENT and (words := said(one)))


def _row_text(entry: Entry, *, without_way: bool) -> str:
    """The columns about doses and times of the row that the product stands in; a single one without its heading."""
    cells = [
        (heading, cell)
        for heading, cell in _row(entry)
        if _is_of_dosage(heading, without_way=without_way) and cell not in _NOTHING
    ]
    if len(cells) == 1:
        return cells[0][1]
    return shortened(" ; ".join(f"{heading} : {cell}" for heading, cell in cells))


def _row(entry: Entry) -> tuple[tuple[str, str], ...]:
    found = (entry.passages.beside(reference, entry.section) for reference in _references(entry.act))
    return next((row for row in found if row), ())


def _is_of_dosage(heading: str, *, without_way: bool) -> bool:
    return begins_with(heading, "dosage") and not (without_way and begins_with(heading, "route"))


def _step_text(entry: Entry) -> str:
    """The words of the doses and times themselves, each once; those of a least and a most with a dash between."""
    parts = (part for name in ("doseQuantity", "effectiveTime", "rateQuantity") for part in entry.act.elements(name))
    return shortened(" ; ".join(filter(None, (_words(part, entry) for part in parts))))


def _else_said(entry: Entry, product: str) -> str:
    text = said(entry)
    return "" if text == product or text in _NOTHING else text


def _words(part: Node, entry: Entry) -> str:
    texts = (entry.passages.text(reference, entry.section) for reference in _references(part))
    return " - ".join(text for text in dict.fromkeys(texts) if text not in _NOTHING)


def _references(root: Node) -> Iterator[str]:
    """The passages that an element refers to, in its order, other statements left out."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.name == "reference" and node.get("value"):
            yield node.get("value")
        stack.extend(child for child in reversed(list(node.elements())) if child.name != "entryRelationship")
