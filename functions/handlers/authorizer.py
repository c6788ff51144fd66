"""Lambda authorizer of every route: bearer token → Requester, or the reason why there is none (IHE IUA).

It lets every request through: the handlers answer what it found, as FHIR. It runs before each request, so it imports
neither boto3 nor Powertools.
"""

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from dmp.adapters.tokens import TokenVerifier, bearer_token
from dmp.domain.claims import requester_from
from dmp.domain.errors import DmpError, Unavailable
from dmp.domain.identifiers import ins_key_is_valid
from dmp.domain.requester import Requester
from dmp.domain.requester_context import context_of, context_of_refusal
from dmp.settings import AuthorizerSettings, Stage

_SETTINGS = AuthorizerSettings.from_environment()
_VERIFIER = TokenVerifier(_SETTINGS.issuers)
_WARNINGS_ARE_LOGGED = _SETTINGS.log_level in {"DEBUG", "INFO", "WARNING"}


def handler(event: Mapping[str, Any], _context: object) -> dict[str, object]:
    """Answer `isAuthorized: true` always, with the requester or the refusal as context (payload 2.0, simple)."""
    try:
        context = context_of(_requester(event))
    except DmpError as refusal:
        _warn(event, "request-refused", refusal.code)
        context = context_of_refusal(refusal)
    except Exception as failure:  # noqa: BLE001 - a crash here would answer 500 without an OperationOutcome
        _warn(event, "authorizer-failed", type(failure).__name__)
        context = context_of_refusal(Unavailable("authorizer-failed"))
    return {"isAuthorized": True, "context": context}


def _requester(event: Mapping[str, Any]) -> Requester:
    verified = _VERIFIER.verify(bearer_token(event.get("headers") or {}), time.time())
    test_identities = _SETTINGS.stage is not Stage.PROD
    requester = requester_from(verified.issuer.kind, verified.claims, test_identities=test_identities)
    if requester.ins and not ins_key_is_valid(requester.ins.value):
        _warn(event, "identity-doubtful", "ins-key-invalid")
    if requester.refusal:
        _warn(event, "request-refused", requester.refusal)
    return requester


def _warn(event: Mapping[str, Any], message: str, reason: str) -> None:
    if _WARNINGS_ARE_LOGGED:
        request_id = (event.get("requestContext") or {}).get("requestId", "")
        line = {"level": "WARNING", "message": message, "reason": reason, "request_id": request_id}
        sys.stdout.write(json.dumps(line) + "\n")
