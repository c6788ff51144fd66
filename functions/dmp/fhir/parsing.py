"""From the bytes of a request to one FHIR JSON object, or a clear refusal: nothing here trusts its input."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from dmp.domain.errors import Invalid, Malformed, TooLarge
from dmp.domain.visible_text import is_visible

MAX_BYTES = 4_718_592
MAX_DEPTH = 32
_DOCUMENTS = frozenset({"DocumentReference", "List"})
MAX_NODES = 100_000
MOST_ELEMENTS = 400_000
"""Of a batch, which holds up to a thousand resources, each with its own elements."""


def parse_resource(body: bytes, *resource_types: str, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Read a body as one resource of one of these types.

    Raises TooLarge above `max_bytes`; Malformed where it is not JSON, or of another type; Invalid where it is JSON
    but not FHIR's (empty values, nulls out of place).
    """
    return checked(parse_object(body, *resource_types, max_bytes=max_bytes))


def parse_object(
    body: bytes, *resource_types: str, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES
) -> dict[str, Any]:
    """As `parse_resource`, but nothing is Invalid yet: that is for `checked` to say, to whoever may learn it."""
    resource = parse_json(body, max_bytes=max_bytes, max_nodes=max_nodes)
    if not isinstance(resource, dict):
        raise Malformed("malformed-request", detail="the body is not a JSON object")
    found = resource.get("resourceType")
    if found not in resource_types:
        expected = " or ".join(resource_types)
        raise Malformed("malformed-request", "resourceType", f"the body is not a resource of type {expected}")
    return resource


def is_batch(bundle: dict[str, Any]) -> bool:
    """Whether a parsed Bundle is a batch that may be the insurer's: documents in one are an ITI-65 gone wrong."""
    entries = bundle.get("entry")
    listed = entries if isinstance(entries, list) else []
    resources = [entry.get("resource") for entry in listed if isinstance(entry, dict)]
    found = [resource.get("resourceType") for resource in resources if isinstance(resource, dict)]
    types = {one for one in found if isinstance(one, str)}
    is_of_documents = not types.isdisjoint(_DOCUMENTS) and "ExplanationOfBenefit" not in types
    return bundle.get("type") == "batch" and not is_of_documents


def checked(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource; raises Invalid where its values are not FHIR's."""
    check_values(resource, str(resource["resourceType"]))
    return resource


def parse_json(body: bytes, *, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES) -> Any:
    """Read a body as JSON, in UTF-8, without repeated keys, infinities or exaggerated depth."""
    if len(body) > max_bytes:
        raise TooLarge("too-large", detail=f"the body is larger than {max_bytes} bytes")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("malformed-json", detail="the body is not UTF-8") from None
    try:
        value = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise Malformed("malformed-json", detail="the JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise Malformed("malformed-json", detail=f"the body is not JSON: {place}") from None
    except ValueError:
        raise Malformed("malformed-json", detail="a number is too long") from None
    check_size(value, max_nodes)
    return value


def check_values(value: Any, path: str) -> None:
    """Refuse what FHIR's JSON never holds: empty strings, arrays and objects, nulls, control characters.

    Texts that deceive their reader are refused, too: a line turned round, or nothing that shows.
    A null may stand in an array beside others: it keeps the place of a primitive that has only extensions.
    """
    for place, node, is_beside in _nodes(value, path):
        if node is None or node in ("", [], {}) or (not is_beside and isinstance(node, dict) and node.keys() == {"id"}):
            raise Invalid("invalid-resource", place, "an element has no value")
        if isinstance(node, str) and not is_visible(node):
            raise Invalid("invalid-resource", place, "a text holds characters that are forbidden")
        if isinstance(node, list) and all(item is None for item in node):
            raise Invalid("invalid-resource", place, "an array holds nothing but nulls")


def place_in(parent: str, key: str | int) -> str:
    """The FHIRPath of an element within its parent; a name that no element could have is left out."""
    if isinstance(key, int):
        return f"{parent}[{key}]"
    return f"{parent}.{key}" if key.isascii() and key.isalpha() and len(key) < 64 else parent


def _nodes(value: Any, path: str) -> Iterator[tuple[str, Any, bool]]:
    """Every value with its place, and whether it stands beside a primitive (`_birthDate`): there an id is enough."""
    stack: list[tuple[str, Any, bool]] = [(path, value, False)]
    while stack:
        place, node, is_beside = stack.pop()
        yield place, node, is_beside
        if isinstance(node, dict):
            stack.extend((place_in(place, key), item, key.startswith("_")) for key, item in node.items())
        elif isinstance(node, list):
            stack.extend((place_in(place, i), item, is_beside) for i, item in enumerate(node) if item is not None)


def check_size(value: Any, most: int = MAX_NODES) -> None:
    """Refuse what has more than so many elements, or is nested too deeply."""
    level, depth, count = [value], 0, 0
    while level:
        depth, count = depth + 1, count + len(level)
        if depth > MAX_DEPTH:
            raise Malformed("malformed-json", detail="the JSON is nested too deeply")
        if count > most:
            raise Malformed("malformed-json", detail="the JSON has too many elements")
        level = [child for node in level for child in _children(node)]


def _children(node: Any) -> Any:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise Malformed("malformed-json", detail="a key is repeated within one object")
    if not all(map(is_visible, content)):
        raise Malformed("malformed-json", detail="a key holds characters that are forbidden")
    return content


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise Malformed("malformed-json", detail="a number is out of range")
    return number


def _no_number(_: str) -> NoReturn:
    raise Malformed("malformed-json", detail="NaN and infinities are not JSON")
