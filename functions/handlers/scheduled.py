"""Without a request: the jobs consent_expiry, visibility_release, retention, upload_sweep; suspension, by order."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from dmp.adapters.archive_store import ArchiveStore
from dmp.adapters.aws import client
from dmp.adapters.document_store import DocumentStore
from dmp.composition import foundation
from dmp.domain.announcement import Announcement
from dmp.domain.correlation import follow
from dmp.domain.errors import DmpError
from dmp.domain.identifiers import SERVICE, Identifier
from dmp.domain.requester import Requester, RequesterKind
from dmp.fhir.security_labels import relabelled
from dmp.metrics import Metric
from dmp.observability import logger
from dmp.services.call import Call
from dmp.services.expiry import ExpiryService
from dmp.services.retention import RetentionService
from dmp.services.suspensions import Order, SuspensionsService, read_order
from dmp.services.sweeping import left
from dmp.services.visibility_release import VisibilityReleaseService
from dmp.settings import optional

_BASE = foundation()
_EXPIRY = ExpiryService(_BASE.gate, _BASE.records, _BASE.ledger, _BASE.notices)
_EXPIRY_JOB = Requester(
    kind=RequesterKind.SERVICE,
    identifier=Identifier(SERVICE, "consent-expiry"),
    name="Expiration des autorisations",
)

_RELEASE = VisibilityReleaseService(
    _BASE.gate,
    _BASE.records,
    DocumentStore(_BASE.records_table, _BASE.keyring),
    _BASE.ledger,
    _BASE.notices,
    announcement=Announcement(_BASE.settings.announcement_notice_days, _BASE.settings.announcement_release_months),
    label=relabelled,
)
_RELEASE_JOB = Requester(
    kind=RequesterKind.SERVICE,
    identifier=Identifier(SERVICE, "visibility-release"),
    name="Fin d'attente des consultations d'annonce",
)

_ARCHIVE = ArchiveStore(
    lambda: client("dynamodb"),
    lambda: client("s3"),
    _BASE.settings.records_table,
    *filter(None, (_BASE.settings.documents_bucket, optional("REPLICA_BUCKET"))),
)
_RETENTION = RetentionService(
    _BASE.gate,
    _BASE.records,
    _BASE.ledger,
    _BASE.notices,
    _ARCHIVE,
    archive_years=_BASE.settings.archive_years,
)
_RETENTION_JOB = Requester(
    kind=RequesterKind.SERVICE,
    identifier=Identifier(SERVICE, "retention"),
    name="Conservation des dossiers",
)
_SWEEP_JOB = Requester(
    kind=RequesterKind.SERVICE,
    identifier=Identifier(SERVICE, "upload-sweep"),
    name="Suivi des documents attendus",
)
_SUSPENSIONS = SuspensionsService(
    _BASE.gate, _BASE.records, _BASE.ledger, _BASE.notices, weeks=_BASE.settings.suspension_weeks
)


def consent_expiry(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Mark what has expired and warn of what soon will; answers what was done, and whether anything is left."""
    call = Call(_EXPIRY_JOB, _BASE.clock(), context.aws_request_id)
    follow(call.request_id)
    swept = _EXPIRY.sweep(call, lambda: context.get_remaining_time_in_millis() / 1000)
    logger.info("consents_swept", extra=asdict(swept))
    _BASE.metrics.count(Metric.BACKLOG, left(swept), reason="consent-expiry")
    _BASE.metrics.measure(Metric.EXPIRY_LAG, timedelta(seconds=swept.waited_seconds))
    return asdict(swept)


def visibility_release(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Tell patients of what awaits an announcement, and show it in the end (R.1111-53); answers what was done."""
    call = Call(_RELEASE_JOB, _BASE.clock(), context.aws_request_id)
    follow(call.request_id)
    released = _RELEASE.sweep(call, lambda: context.get_remaining_time_in_millis() / 1000)
    logger.info("documents_released", extra=asdict(released))
    _BASE.metrics.count(Metric.BACKLOG, left(released), reason="visibility-release")
    return asdict(released)


def retention(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Close and erase the records that are due (R.1111-36); answers what was done, and whether anything is left."""
    call = Call(_RETENTION_JOB, _BASE.clock(), context.aws_request_id)
    follow(call.request_id)
    retained = _RETENTION.sweep(call, lambda: context.get_remaining_time_in_millis() / 1000)
    logger.info("records_retained", extra=asdict(retained))
    _BASE.metrics.count(Metric.BACKLOG, left(retained), reason="retention")
    return asdict(retained)


def upload_sweep(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Look after documents that are still awaited (ITI-105); answers what was done, and whether anything is left."""
    from dmp.services.upload_sweep import Outcome
    from dmp.upload_composition import sweep

    call = Call(_SWEEP_JOB, _BASE.clock(), context.aws_request_id)
    follow(call.request_id)
    swept = sweep(_BASE).sweep(call, lambda: context.get_remaining_time_in_millis() / 1000)
    logger.info("uploads_swept", extra=swept.summary())
    _BASE.metrics.count(Metric.BACKLOG, left(swept), reason="upload-sweep")
    _BASE.metrics.count(Metric.UPLOADS_GIVEN_UP, swept.counts[Outcome.GIVEN_UP])
    return swept.summary()


def suspension(event: object, context: Any) -> dict[str, Any]:
    """Suspend or resume one record by order of the operator; answers its state, or the code of what stands against it.

    The event: `{"record": id, "action": "suspend" | "resume", "reason": text, "operator": id}`.
    """
    follow(context.aws_request_id)
    try:
        order = read_order(event)
        status = _SUSPENSIONS.carry_out(Call(_operator(order), _BASE.clock(), context.aws_request_id), order)
    except DmpError as refusal:
        logger.info("suspension_refused", extra={"code": refusal.code})
        return {"error": refusal.code, "detail": refusal.detail or ""}
    logger.info("suspension_carried_out", extra={"status": status.value})
    return {"record": order.record, "status": status.value}


def _operator(order: Order) -> Requester:
    return Requester(
        kind=RequesterKind.SERVICE,
        identifier=Identifier(SERVICE, order.operator),
        name="Opérateur du service",
    )
