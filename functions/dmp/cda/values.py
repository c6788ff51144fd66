"""Values of observations as FHIR data types: quantities (UCUM), codes, numbers, texts and times (HL7 V3 data types)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from dmp.cda.concepts import concept, referred
from dmp.cda.entry import Entry
from dmp.cda.markup import Node
from dmp.cda.moments import moment, period
from dmp.cda.passages import shortened

type Json = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
_TYPE = "http://www.w3.org/2001/XMLSchema-instance type"
_DECIMAL = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_UNIT = re.compile(r"[!-~]{1,50}")
_ANNOTATION = re.compile(r"\{[^{}]+\}")
"""A unit of its own name, such as {tablet}."""
_PLAIN = "1"
"""The unit of a number without one (UCUM)."""


def type_of(node: Node) -> str:
    """The data type that a value declares (`xsi:type`), without prefix; an empty text where it declares none."""
    return node.get(_TYPE).rpartition(":")[2]


def value_of(node: Node | None, entry: Entry) -> Json:
    """The `value[x]` of an observation; empty where it says nothing, or nothing that is known here."""
    kind = _KINDS.get(type_of(node), "") if node else ""
    found = _read(node, kind, entry) if node and kind else None
    return {} if found in (None, "", {}) else {f"value{kind}": found}


def _read(node: Node, kind: str, entry: Entry) -> Any:
    match kind:
        case "CodeableConcept":
            return concept(node, entry)
        case "String":
            return referred(node, entry)
        case _:
            return _READ[kind](node)


def quantity(node: Node | None) -> Json | None:
    """The Quantity of a PQ or REAL; None where there is no number. What is no unit of UCUM stays as it is written."""
    number = decimal(node.get("value")) if node else None
    if node is None or number is None:
        return None
    unit = node.get("unit")
    if not unit or unit == _PLAIN:
        return {"value": number}
    if _UNIT.fullmatch(unit):
        shown = unit[1:-1] if _ANNOTATION.fullmatch(unit) else unit
        return {"value": number, "unit": shown, "system": UCUM, "code": unit}
    shown = shortened(unit)
    return {"value": number} | ({"unit": shown} if shown else {})


def interval(node: Node) -> Json | None:
    """The Range of an interval of quantities, as far as it is bounded; None where it is not, or is not in order."""
    bounds = ((name, quantity(node.first(part))) for name, part in (("low", "low"), ("high", "high")))
    found = {name: bound for name, bound in bounds if bound}
    if len(found) == len(("low", "high")) and found["low"]["value"] > found["high"]["value"]:
        return None
    return found or None


def decimal(text: str) -> float | int | None:
    """A number as it is written, or None for what is none, such as one with a comma: it might mean either of two."""
    if not _DECIMAL.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def integer(node: Node) -> int | None:
    """The number of an INT, or None."""
    text = node.get("value")
    return int(text) if _INTEGER.fullmatch(text) else None


def _ratio(node: Node) -> Json | None:
    found = {name: quantity(node.first(name)) for name in ("numerator", "denominator")}
    return found if all(found.values()) else None


_KINDS = {
    **dict.fromkeys(("PQ", "REAL", "MO"), "Quantity"),
    **dict.fromkeys(("CD", "CE", "CV", "CO", "CS"), "CodeableConcept"),
    **dict.fromkeys(("IVL_PQ", "IVL_REAL", "IVL_INT"), "Range"),
    **dict.fromkeys(("RTO", "RTO_PQ_PQ", "RTO_QTY_QTY"), "Ratio"),
    **dict.fromkeys(("ST", "ED"), "String"),
    **dict.fromkeys(("TS", "EIVL_TS"), "DateTime"),
    "INT": "Integer",
    "BL": "Boolean",
    "IVL_TS": "Period",
}
"""The type of FHIR for a data type of HL7 V3."""
_READ: Mapping[str, Callable[[Node], Any]] = {
    "Quantity": quantity,
    "Integer": integer,
    "Boolean": lambda node: {"true": True, "false": False}.get(node.get("value").lower()),
    "Range": interval,
    "DateTime": lambda node: moment(node.get("value")),
    "Period": period,
    "Ratio": _ratio,
}
