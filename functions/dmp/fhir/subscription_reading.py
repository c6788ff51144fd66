"""A Subscription as a client asks for it: a rest-hook without content, about the documents of one record."""

from collections.abc import Mapping
from typing import Any

from dmp.domain.endpoint import check_endpoint
from dmp.domain.errors import Invalid
from dmp.domain.subscription import SubscriptionRequest
from dmp.fhir.subscription import record_of
from dmp.fhir.times import parse_instant
from dmp.fhir.validation import validate

LONGEST_REASON = 500
"""Characters."""
_CHANNEL = "Subscription.channel"


def read_subscription(resource: Mapping[str, Any], *, may_loop_back: bool) -> SubscriptionRequest:
    """Read a parsed Subscription; raises Invalid, with the place, for what no hook of ours is."""
    checked = validate(resource, "Subscription")
    if checked["status"] != "requested":
        raise Invalid("invalid-resource", "Subscription.status", "a subscription is created requested")
    if len(checked["reason"]) > LONGEST_REASON:
        raise Invalid("invalid-resource", "Subscription.reason", "the reason is too long")
    record = record_of(checked["criteria"])
    if record is None:
        raise Invalid("unsupported-criterion", "Subscription.criteria", "DocumentReference?patient=[id] is understood")
    return SubscriptionRequest(
        record=record,
        criteria=checked["criteria"],
        endpoint=_endpoint(checked["channel"], may_loop_back=may_loop_back),
        reason=checked["reason"],
        end=parse_instant(checked["end"]) if "end" in checked else None,
    )


def _endpoint(channel: Mapping[str, Any], *, may_loop_back: bool) -> str:
    if channel["type"] != "rest-hook":
        raise Invalid("invalid-resource", f"{_CHANNEL}.type", "the channel is a rest-hook")
    if "payload" in channel:
        raise Invalid("invalid-resource", f"{_CHANNEL}.payload", "a hook carries no content")
    if "header" in channel:
        raise Invalid("invalid-resource", f"{_CHANNEL}.header", "hooks are proved by their signature")
    endpoint = str(channel.get("endpoint", ""))
    check_endpoint(endpoint, may_loop_back=may_loop_back)
    return endpoint
