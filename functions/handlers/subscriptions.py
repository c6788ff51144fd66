"""Subscriptions: create, read and delete of web hooks for the software of professionals (FHIR R4 Subscription)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dmp.adapters.subscription_store import SubscriptionStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.domain.errors import Malformed
from dmp.exchange import Answer, Request
from dmp.fhir.subscription import record_of, render_subscription
from dmp.rest import address, criterion, deferred, expected_version, one, require_body, version_headers
from dmp.services.subscriptions import SubscriptionsService
from dmp.settings import Stage

if TYPE_CHECKING:
    from dmp.domain.subscription import SubscriptionRequest

_BASE = foundation()
_SUBSCRIPTIONS = SubscriptionsService(
    _BASE.gate,
    _BASE.records,
    SubscriptionStore(_BASE.records_table),
    _BASE.ledger,
    months=_BASE.settings.authorisation_months,
)


def create(request: Request) -> Answer:
    """POST Subscription; whole even where a minimal answer is preferred, for it alone shows the secret."""
    from dmp.fhir.parsing import checked, parse_object

    if criterion(request):
        raise Malformed("unsupported-criterion", "http.If-None-Exist", "subscriptions are not found by criteria")
    resource = parse_object(require_body(request), "Subscription")
    asked = deferred(lambda: _asked(checked(resource)))
    record = record_of(resource.get("criteria")) or asked().record
    made = _SUBSCRIPTIONS.create(request.call, record, asked)
    secret = _BASE.keyring.web_hook_secret(made.id)
    location = f"{request.base_url}/Subscription/{made.id}/_history/{made.version}"
    return Answer(
        status=201,
        resource=render_subscription(made, request.call.now, secret),
        headers={**version_headers(made.version, made.updated), "Location": location},
    )


def _asked(resource: Mapping[str, Any]) -> "SubscriptionRequest":
    from dmp.fhir.subscription_reading import read_subscription

    return read_subscription(resource, may_loop_back=_BASE.settings.stage is Stage.LOCAL)


def read(request: Request) -> Answer:
    """GET Subscription/[id]."""
    subscription = _SUBSCRIPTIONS.read(request.call, *address(request))
    return one(render_subscription(subscription, request.call.now), subscription.version, subscription.updated)


def delete(request: Request) -> Answer:
    """DELETE Subscription/[id]."""
    _SUBSCRIPTIONS.delete(request.call, *address(request), expected=expected_version(request))
    return Answer(status=204)


ROUTES = (
    Route("POST", "Subscription", create),
    Route("GET", "Subscription/{id}", read),
    Route("DELETE", "Subscription/{id}", delete),
)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
