"""What the authorizer hands to every handler: the Requester as flat JSON, or why there is none."""

import json
from collections.abc import Mapping
from dataclasses import fields

from dmp.domain.errors import DmpError, NotAuthenticated, Refused, Unavailable
from dmp.domain.identifiers import Identifier
from dmp.domain.requester import Requester, RequesterKind

_OUTCOMES: dict[str, type[DmpError]] = {
    "not-authenticated": NotAuthenticated,
    "refused": Refused,
    "unavailable": Unavailable,
}


def to_json(requester: Requester) -> str:
    """Write a requester as one flat object, without what has its default value."""
    values = {field.name: getattr(requester, field.name) for field in fields(requester)}
    defaults = {field.name: field.default for field in fields(requester)}
    return json.dumps({name: value for name, value in values.items() if value != defaults[name]}, default=str)


def from_json(text: str) -> Requester:
    """Read what `to_json` wrote; ValueError, KeyError or TypeError when it did not."""
    values = json.loads(text)
    values["kind"] = RequesterKind(values["kind"])
    values["specialties"] = tuple(values.get("specialties", ()))
    if "scopes" in values:
        values["scopes"] = tuple(values["scopes"])
    for name in ("identifier", "structure"):
        if name in values:
            values[name] = Identifier.parse(values[name])
    return Requester(**values)


def context_of(requester: Requester) -> dict[str, str]:
    """The authorizer's context of a caller who is known."""
    return {"requester": to_json(requester)}


def context_of_refusal(refusal: DmpError) -> dict[str, str]:
    """The authorizer's context of a caller who is not: the reason code, and which kind of failure it is."""
    outcome = next((name for name, error in _OUTCOMES.items() if isinstance(refusal, error)), "not-authenticated")
    return {"refusal": refusal.code, "outcome": outcome, "detail": refusal.detail or ""}


def requester_of(context: Mapping[str, object] | None) -> Requester:
    """The caller of an event, out of `requestContext.authorizer.lambda`.

    Raises what the authorizer met: NotAuthenticated, Refused or Unavailable; NotAuthenticated when it said nothing.
    """
    context = context or {}
    if "refusal" in context:
        error = _OUTCOMES.get(str(context.get("outcome")), NotAuthenticated)
        raise error(str(context["refusal"]), detail=str(context.get("detail") or "") or None)
    if "requester" not in context:
        raise NotAuthenticated("token-missing")
    try:
        return from_json(str(context["requester"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise NotAuthenticated("requester-unreadable") from None
