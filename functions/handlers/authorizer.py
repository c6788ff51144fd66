"""Lambda authorizer of every route: bearer token → Requester, or the reason why there is none (IHE IUA).

It lets every request through that came by a watched door: the handlers answer what it found, as FHIR. It runs before
each request, so it imports neither boto3 nor Powertools.
"""

import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dmp.adapters.tokens import TokenVerifier, bearer_token
from dmp.domain.claims import requester_from
from dmp.domain.correlation import correlation_id, follow, followed
from dmp.domain.errors import DmpError, Unavailable
from dmp.domain.identifiers import ins_key_is_valid
from dmp.domain.requester import Requester
from dmp.domain.requester_context import context_of, context_of_refusal
from dmp.edge import Doors
from dmp.metrics import Metric, Metrics
from dmp.settings import AuthorizerSettings, Stage

_SETTINGS = AuthorizerSettings.from_environment()
_DOORS = Doors(_SETTINGS.edge_secret)
_VERIFIER = TokenVerifier(_SETTINGS.issuers, _SETTINGS.revoked_keys)
_METRICS = Metrics(_SETTINGS.stage, lambda: datetime.now(UTC))
_WARNINGS_ARE_LOGGED = _SETTINGS.log_level != "ERROR"


def handler(event: Mapping[str, Any], _context: object) -> dict[str, object]:
    """Answer `isAuthorized: true`, with the requester or the refusal as context (payload 2.0, simple).

    False, which the gateway answers by its own 403, is for what went round the edge and its firewall.
    """
    if not _DOORS.watched(event):
        _METRICS.count(Metric.UNAUTHENTICATED, reason="past-the-edge")
        return {"isAuthorized": False}
    follow("")
    try:
        follow(_correlation_id(event))
        context = context_of(_requester(event))
    except DmpError as refusal:
        _warn("request_refused", refusal.code)
        _METRICS.count(Metric.UNAUTHENTICATED, reason=refusal.code)
        context = context_of_refusal(refusal)
    except Exception as failure:  # noqa: BLE001 - a crash here would answer 500 without an OperationOutcome
        _warn("authorizer_failed", type(failure).__name__)
        _METRICS.count(Metric.AUTHORIZER_FAILURES)
        context = context_of_refusal(Unavailable("authorizer-failed"))
    return {"isAuthorized": True, "context": context}


def _requester(event: Mapping[str, Any]) -> Requester:
    verified = _VERIFIER.verify(bearer_token(event.get("headers") or {}), time.time())
    test_identities = _SETTINGS.stage is not Stage.PROD
    requester = requester_from(verified.issuer.kind, verified.claims, test_identities=test_identities)
    if requester.ins and not ins_key_is_valid(requester.ins.value):
        _warn("identity_doubtful", "ins-key-invalid")
    if requester.refusal:
        _warn("request_refused", requester.refusal)
    return requester


def _correlation_id(event: Mapping[str, Any]) -> str:
    """As `dmp.api` finds it: the lines of both tell of one request."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return correlation_id(headers.get("x-request-id", ""), (event.get("requestContext") or {}).get("requestId", ""))


def _warn(message: str, reason: str) -> None:
    if _WARNINGS_ARE_LOGGED:
        line = {"level": "WARNING", "message": message, "code": reason, "correlation_id": followed()}
        sys.stdout.write(json.dumps(line) + "\n")
