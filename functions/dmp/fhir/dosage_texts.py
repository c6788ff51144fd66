"""How a product is to be taken, in French: the words of a dosage, or its doses and times where it has none."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dmp.fhir.statements import label
from dmp.fhir.summary_texts import date_text, filled, quantity_text, range_text, texts

type Json = Mapping[str, Any]

_ROUNDED = len("08:00")


def dosage_texts(dosages: Iterable[Json]) -> list[str]:
    """The words of each way of taking; those that would sound alike with what sets them apart."""
    told = list(dosages)
    heard = Counter(one.get("text", "") for one in told)
    return list(filter(None, (_text(one, is_alone=heard[one.get("text", "")] == 1) for one in told)))


def _text(dosage: Json, *, is_alone: bool) -> str:
    text = dosage.get("text", "")
    parts = [text] if text and is_alone else [text, *_structured(dosage)]
    instructions = [*map(label, dosage.get("additionalInstruction", [])), dosage.get("patientInstruction", "")]
    most = dosage.get("maxDosePerPeriod")
    parts += [one for one in instructions if one not in text]
    parts += [filled("dosage.most", text=_ratio(most))] if most else []
    return " ".join(filter(None, parts))


def _structured(dosage: Json) -> Iterator[str]:
    for one in dosage.get("doseAndRate", []):
        yield _amount(one, "dose")
        rate = _amount(one, "rate")
        yield filled("dosage.rate", text=rate) if rate else ""
    yield from _timing(dosage.get("timing", {}))
    yield from _needed(dosage)
    yield from (label(dosage.get(name, {})) for name in ("route", "site", "method"))


def _amount(told: Json, name: str) -> str:
    quantity, bounds, ratio = (told.get(f"{name}{one}") for one in ("Quantity", "Range", "Ratio"))
    if quantity:
        return quantity_text(quantity)
    return range_text(bounds) if bounds else _ratio(ratio or {})


def _ratio(ratio: Json) -> str:
    parts = {name: _measured(ratio[name]) for name in ("numerator", "denominator") if name in ratio}
    return filled("dosage.ratio", **parts) if len(parts) > 1 else "".join(parts.values())


def _measured(quantity: Json) -> str:
    """A quantity, its unit of time in words."""
    units = texts()["dosage"]["units"]
    unit = quantity.get("unit") or quantity.get("code") or ""
    one, _, many = units.get(unit, (unit, "", unit))
    return quantity_text({**quantity, "unit": one if quantity.get("value") == 1 else many})


def _timing(timing: Json) -> Iterator[str]:
    repeat = timing.get("repeat", {})
    yield label(timing.get("code", {}))
    yield from _frequency(repeat)
    yield ", ".join(_named_when(one) for one in repeat.get("when", []))
    yield filled("dosage.offset", number=repeat["offset"]) if repeat.get("offset") else ""
    times = ", ".join(one[:_ROUNDED] for one in repeat.get("timeOfDay", []))
    yield filled("dosage.at", times=times) if times else ""
    yield ", ".join(texts()["dosage"]["days"].get(one, one) for one in repeat.get("dayOfWeek", []))
    dates = ", ".join(map(date_text, timing.get("event", [])))
    yield filled("dosage.on", dates=dates) if dates else ""
    yield filled("dosage.count", number=_span(repeat, "count")) if "count" in repeat else ""
    yield from _bounds(repeat)


def _named_when(code: str) -> str:
    """An event of the day, or its code."""
    return str(texts()["dosage"]["when"].get(code, code))


def _frequency(repeat: Json) -> Iterator[str]:
    unit, period = repeat.get("periodUnit", ""), _span(repeat, "period")
    one, every, many = texts()["dosage"]["units"].get(unit, (unit, "", unit))
    is_each = period == "1"
    times = _span(repeat, "frequency")
    if times and (is_each or times != "1" or not period):
        yield filled("dosage.times", number=times)
    if period:
        words = {"every": every, "number": period, "units": many}
        yield filled("dosage.per", unit=one) if is_each else filled("dosage.every", **words).strip()


def _span(repeat: Json, name: str) -> str:
    """A number, or a least and a most."""
    low, high = (_number(repeat.get(one)) for one in (name, f"{name}Max"))
    return filled("dosage.range", low=low, high=high) if low and high else low or high


def _number(value: float | None) -> str:
    return "" if value is None else str(value).removesuffix(".0").replace(".", ",")


def _bounds(repeat: Json) -> Iterator[str]:
    length = repeat.get("boundsRange")
    bounds = range_text(length) if length else _measured(repeat.get("boundsDuration", {}))
    duration = bounds or _duration(repeat)
    yield filled("dosage.for", text=duration) if duration else ""
    period = repeat.get("boundsPeriod", {})
    yield filled("dosage.from", date=date_text(period["start"])) if "start" in period else ""
    yield filled("until", date=date_text(period["end"])) if "end" in period else ""


def _duration(repeat: Json) -> str:
    """How long each taking lasts."""
    length, unit = _span(repeat, "duration"), repeat.get("durationUnit", "")
    one, _, many = texts()["dosage"]["units"].get(unit, (unit, "", unit))
    return f"{length} {one if length == '1' else many}" if length else ""


def _needed(dosage: Json) -> Iterator[str]:
    reason = label(dosage.get("asNeededCodeableConcept", {}))
    if reason:
        yield filled("dosage.needed_for", text=reason)
    elif dosage.get("asNeededBoolean"):
        yield filled("dosage.needed")
