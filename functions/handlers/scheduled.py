"""Scheduled jobs: consent_expiry."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dmp.composition import foundation
from dmp.domain.identifiers import SERVICE, Identifier
from dmp.domain.requester import Requester, RequesterKind
from dmp.observability import logger
from dmp.services.call import Call
from dmp.services.expiry import ExpiryService

_BASE = foundation()
_EXPIRY = ExpiryService(_BASE.gate, _BASE.records, _BASE.ledger, _BASE.notices)
_EXPIRY_JOB = Requester(
    kind=RequesterKind.SERVICE,
    identifier=Identifier(SERVICE, "consent-expiry"),
    name="Expiration des autorisations",
)


def consent_expiry(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Mark what has expired and warn of what soon will; answers what was done, and whether anything is left."""
    call = Call(_EXPIRY_JOB, _BASE.clock(), context.aws_request_id)
    swept = asdict(_EXPIRY.sweep(call, lambda: context.get_remaining_time_in_millis() / 1000))
    logger.info("consents_swept", extra=swept)
    return swept
