"""The Subscription that clients send: the schema that its JSON is checked against (FHIR R4 Subscription)."""

from typing import Literal

from dmp.fhir import primitives as p
from dmp.fhir.actors import DomainResource
from dmp.fhir.datatypes import ContactPoint, Element


class SubscriptionChannel(Element):
    """How and where to tell."""

    type: Literal["rest-hook", "websocket", "email", "sms", "message"]
    endpoint: p.Url | None = None
    payload: p.Code | None = None
    header: list[p.String] | None = None


class Subscription(DomainResource):
    """What to be told of."""

    resourceType: Literal["Subscription"]
    status: Literal["requested", "active", "error", "off"]
    contact: list[ContactPoint] | None = None
    end: p.Instant | None = None
    reason: p.String
    criteria: p.String
    error: p.String | None = None
    channel: SubscriptionChannel
