"""The medicinal product of a statement as a CodeableConcept: CIS, CIP, UCD, ATC (CI-SIS, FR-Produit-de-sante)."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from dmp.cda.concepts import MOST_CODINGS, coding, codings, words
from dmp.cda.entry import Entry
from dmp.cda.markup import Node
from dmp.cda.passages import shortened
from dmp.domain import code_lists

type Json = dict[str, Any]

_HOLDERS = ("consumable", "product")
_PHARMACY = "urn:ihe:pharm:medication "
_CLASS = (f"{_PHARMACY}asSpecializedKind", f"{_PHARMACY}generalizedMedicineClass", f"{_PHARMACY}code")
_THERAPEUTIC_GROUPS = "urn:oid:1.2.250.1.215.200.1.2.1"
"""The insurer's groups of drugs: those of ATC, and some of its own, such as W99 for homeopathy."""
_ATC = re.compile(r"[ABCDGHJLMNPRSV]\d{2}([A-Z]([A-Z](\d{2})?)?)?", re.ASCII)


def product_of(entry: Entry) -> Json | None:
    """What is given or handed over: its codes, most precise first, in the document's words; None where nothing is."""
    material = _material(entry.act)
    code = material.first("code") if material else None
    found = list(islice(_once(_codings(material, code)), MOST_CODINGS)) if material else []
    text = words(code, entry) or _called(material, code) or _display(found)
    told: Json = ({"coding": found} if found else {}) | ({"text": text} if text else {})
    return told or None


def _called(material: Node | None, code: Node | None) -> str:
    """What the product's own code is called; else the name that goes with it."""
    name = material.first("name") if material else None
    return shortened(code.get("displayName") if code else "") or shortened(name.content if name else "")


def _material(act: Node) -> Node | None:
    holder = next((found for name in _HOLDERS if (found := act.first(name))), None)
    product = holder.first("manufacturedProduct") if holder else None
    return (product.first("manufacturedMaterial") or product.first("manufacturedLabeledDrug")) if product else None


def _codings(material: Node | None, code: Node | None) -> Iterator[Json]:
    """The codes of the product, those of what it is a case of, and those of what it is made of (insurer's lists)."""
    translations = list(code.elements("translation")) if code else []
    if code:
        yield from map(_of_atc, codings(code))
    for group in _along(material, _CLASS):
        found = coding(group)
        if found:
            yield found
    for translation in translations:
        yield from _within(translation)


def _within(translation: Node) -> Iterator[Json]:
    """The codes that a translation without a code of its own holds."""
    if not translation.get("code"):
        yield from codings(translation)


def _of_atc(found: Json) -> Json:
    is_atc = found.get("system") == _THERAPEUTIC_GROUPS and _ATC.fullmatch(found["code"])
    return found | {"system": code_lists.system_url("atc")} if is_atc else found


def _along(node: Node | None, path: tuple[str, ...]) -> Iterator[Node]:
    """Every element at the end of a path."""
    found = [node] if node else []
    for name in path:
        found = [child for one in found for child in one.elements(name)]
    return iter(found)


def _once(found: Iterator[Json]) -> Iterator[Json]:
    seen = set()
    for one in found:
        key = (one.get("system"), one["code"])
        if key not in seen:
            seen.add(key)
            yield one


def _display(found: list[Json]) -> str:
    return next((str(one["display"]) for one in found if "display" in one), "")
