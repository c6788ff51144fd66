"""Codes of clinical statements as FHIR CodeableConcepts: the code, its translations, and the words that were chosen."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from dmp.cda.entry import Entry
from dmp.cda.markup import Node
from dmp.cda.passages import is_code, is_uri, shortened
from dmp.domain import code_lists
from dmp.domain.clinical_document import root_uri

type Json = dict[str, Any]

MOST_CODINGS = 10
_TEXTS = Path(__file__).parent.parent / "data" / "statements_fr.json"


def concept(node: Node | None, entry: Entry) -> Json | None:
    """The CodeableConcept of a code: its own coding, those of its translations, its words.

    The words are those of the original text, or of the passage that it refers to, else what the codes are called. None
    where neither a code nor a word is said (nullFlavor).
    """
    if node is None:
        return None
    found = list(codings(node))
    text = words(node, entry) or next((one["display"] for one in found if "display" in one), "")
    told: Json = ({"coding": found} if found else {}) | ({"text": text} if text else {})
    return told or None


def codings(node: Node) -> Iterator[Json]:
    """The coding of a code, then those of its translations, each once."""
    seen = set()
    for one in (node, *node.elements("translation")):
        found = coding(one)
        key = found and (found.get("system"), found["code"])
        if found and key not in seen:
            seen.add(key)
            yield found
        if len(seen) == MOST_CODINGS:
            return


def coding(node: Node) -> Json | None:
    """The Coding that an element's attributes tell; None where there is no code, or none that FHIR can write."""
    code = shortened(node.get("code"))
    if not is_code(code):
        return None
    system = system_of(node.get("codeSystem"))
    display = shortened(node.get("displayName"))
    return ({"system": system} if system else {}) | {"code": code} | ({"display": display} if display else {})


def system_of(root: str) -> str:
    """The FHIR URL of a code system, or its OID as a URI; an empty text for what is no OID."""
    uri = root_uri(root)
    return code_lists.canonical_system(uri) if is_uri(uri) else ""


def coded(system: str, code: str) -> Json:
    """A concept of one code of FHIR's own."""
    return {"coding": [{"system": system, "code": code}]}


def words(node: Node | None, entry: Entry) -> str:
    """The words of a code's original text, or of the passage it refers to; an empty text where there are none.

    The answer to a question, such as no, is none of them: it does not tell what it is about.
    """
    original = node.first("originalText") if node else None
    found = referred(original, entry) if original else ""
    return "" if found.lower() in texts()["answers"] else found


@cache
def texts() -> Json:
    """The French texts of statements that have no words of their own."""
    return dict(json.loads(_TEXTS.read_bytes()))


def said(entry: Entry) -> str:
    """The text of a statement: what it says itself, or the passage it refers to."""
    text = entry.act.first("text")
    return referred(text, entry) if text else ""


def labelled(node: Node | None, entry: Entry) -> Json | None:
    """The concept of a code, called as its statement is where the code itself has no words for it."""
    found = concept(node, entry)
    if found is None or "text" not in found:
        text = said(entry)
        return (found or {}) | {"text": text} if text else found
    return found


def referred(text: Node, entry: Entry) -> str:
    """A text as it stands there, or else the passage of the narrative that it refers to."""
    own = shortened(text.content)
    reference = text.first("reference")
    return own or (entry.passages.text(reference.get("value"), entry.section) if reference else "")
