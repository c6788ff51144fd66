"""A Bundle of type batch: its entries, each of which creates one line of reimbursement by itself (FHIR R4 REST)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from dmp.domain.errors import DmpError, Invalid, Malformed, NotAllowed, TooLarge
from dmp.domain.identifiers import Identifier
from dmp.domain.reimbursement import RESOURCE_TYPE, BrokenLine, LineRequest
from dmp.fhir.explanation_of_benefit_reading import line_said

MOST_ENTRIES = 1_000


def entries_of(bundle: Mapping[str, Any]) -> list[Any]:
    """The entries of a batch.

    Raises TooLarge `too-many` for more than a thousand, Malformed where there are none.
    """
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries:
        raise Malformed("malformed-request", "Bundle.entry", "a batch has entries")
    if len(entries) > MOST_ENTRIES:
        raise TooLarge("too-many", "Bundle.entry", f"a batch has {MOST_ENTRIES} entries at most")
    return entries


def entry_said(entry: Any, place: str, base_url: str) -> LineRequest | BrokenLine:
    """What one entry asks for, or what is wrong with it by itself."""
    try:
        resource, condition = _asked(entry, place, base_url)
    except DmpError as failure:
        return BrokenLine(None, failure, f"{place}.resource")
    return line_said(resource, base_url, condition, f"{place}.resource")


def _asked(entry: Any, place: str, base_url: str) -> tuple[dict[str, Any], Identifier | None]:
    match entry:
        case {"request": {"method": str(method), "url": str(url)} as request}:
            pass
        case _:
            raise Invalid("invalid-resource", f"{place}.request", "a required element is missing")
    if method != "POST" or url.removeprefix(f"{base_url}/").removeprefix("/") != RESOURCE_TYPE:
        raise NotAllowed("method-not-allowed", f"{place}.request", f"a batch takes POST {RESOURCE_TYPE} alone")
    resource = entry.get("resource")
    if not isinstance(resource, dict) or resource.get("resourceType") != RESOURCE_TYPE:
        raise Malformed("malformed-request", f"{place}.resource", f"not a resource of type {RESOURCE_TYPE}")
    return resource, _condition(request.get("ifNoneExist"), f"{place}.request.ifNoneExist")


def _condition(criterion: Any, place: str) -> Identifier | None:
    """The identifier of a conditional create; Malformed for another condition."""
    if criterion is None:
        return None
    text = criterion.partition("?")[2] or criterion if isinstance(criterion, str) else ""
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=2) if text.count("&") < 2 else []
    if len(pairs) != 1 or pairs[0][0] != "identifier" or not pairs[0][1]:
        raise Malformed("unsupported-criterion", place, "a condition is one identifier: system|value")
    return Identifier.parse(pairs[0][1])
