"""The French texts of a summary, and how it writes dates and quantities."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from dmp.domain.civil_time import PARIS

_TEXTS = Path(__file__).parent.parent / "data" / "summary_fr.json"
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
NOTHING = "—"


@cache
def texts() -> Mapping[str, Any]:
    """All texts."""
    return dict(json.loads(_TEXTS.read_bytes()))


def named(group: str, code: str) -> str:
    """The text of a code in a group of texts; the code itself where there is none."""
    return str(texts()[group].get(code, code))


def filled(text: str, /, **values: object) -> str:
    """A text by its name, its places filled; a dot leads into a group."""
    found: Any = texts()
    for part in text.split("."):
        found = found[part]
    return str(found).format(**values)


def date_text(moment: str) -> str:
    """A FHIR date or dateTime as it is written in France, to the day; another text as it is."""
    match = _DATE.match(moment)
    if not match:
        return moment
    return "/".join(part for part in reversed(match.groups()) if part)


def moment_text(moment: datetime) -> str:
    """An instant as it is written in France, to the minute."""
    return moment.astimezone(PARIS).strftime("%d/%m/%Y à %H:%M")


def quantity_text(quantity: Mapping[str, Any]) -> str:
    """A Quantity with its decimal comma and its unit."""
    value = str(quantity.get("value", "")).replace(".", ",")
    unit = named("units", quantity.get("unit") or quantity.get("code") or "")
    return " ".join(part for part in (quantity.get("comparator", ""), value, unit) if part)


def range_text(bounds: Mapping[str, Any]) -> str:
    """A Range with its bounds, of which one may be missing; the unit once where both have the same."""
    low, high = bounds.get("low", {}), bounds.get("high", {})
    if low and high:
        is_alike = low.get("unit") == high.get("unit") or not low.get("unit")
        first = str(low.get("value", "")).replace(".", ",") if is_alike else quantity_text(low)
        return filled("dosage.range", low=first, high=quantity_text(high))
    if low:
        return filled("dosage.at_least", low=quantity_text(low))
    return filled("dosage.at_most", high=quantity_text(high)) if high else ""
