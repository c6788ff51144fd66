"""A Subscription as it is answered, and the record that its criteria name (FHIR R4 Subscription)."""

import re
from datetime import datetime
from typing import Any

from dmp.domain.subscription import Subscription, SubscriptionStatus
from dmp.fhir.systems import DMP_WEB_HOOK_SECRET
from dmp.fhir.times import instant_text

_CRITERIA = re.compile(r"DocumentReference\?patient=(?:Patient/)?([A-Za-z0-9\-.]{1,64})", re.ASCII)
_ERROR = "Le point de terminaison n'a pas répondu comme attendu, malgré plusieurs tentatives."


def record_of(criteria: object) -> str | None:
    """The record whose documents these criteria are about: its documents, all of them, are what one subscribes to."""
    match = _CRITERIA.fullmatch(criteria) if isinstance(criteria, str) else None
    return match[1] if match else None


def render_subscription(subscription: Subscription, now: datetime, secret: str = "") -> dict[str, Any]:  # nosec B107
    """The Subscription; with the secret that its hooks are signed by only in the answer to its creation."""
    status = subscription.status_at(now)
    rendered: dict[str, Any] = {
        "resourceType": "Subscription",
        "id": subscription.id,
        "meta": {"versionId": str(subscription.version), "lastUpdated": instant_text(subscription.updated)},
        "extension": [{"url": DMP_WEB_HOOK_SECRET, "valueString": secret}] if secret else [],
        "status": status.value,
        "end": instant_text(subscription.end),
        "reason": subscription.reason,
        "criteria": subscription.criteria,
        "error": _ERROR if status is SubscriptionStatus.ERROR else "",
        "channel": {"type": "rest-hook", "endpoint": subscription.endpoint},
    }
    return {key: value for key, value in rendered.items() if value}
