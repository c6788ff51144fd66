"""Mails for new messages, from the stream of the records table; and the job mail_sweep, for those that had to wait."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from dmp.adapters import keys
from dmp.adapters.aws import client
from dmp.adapters.lost_changes import LostChanges
from dmp.adapters.lost_queue import LostQueue
from dmp.adapters.mail_store import MailStore, new_message
from dmp.adapters.mailer import Mailer
from dmp.adapters.table import Table
from dmp.domain.correlation import follow
from dmp.domain.errors import Unavailable
from dmp.metrics import Metric, Metrics
from dmp.observability import logger
from dmp.services.mail_sweep import MailSweepService
from dmp.services.notifications import NotificationsService
from dmp.settings import NotificationSettings, RecordSettings, queue
from dmp.stream_batches import handle_batch
from dmp.stream_replays import replay

_SETTINGS = NotificationSettings.from_environment()
_METRICS = Metrics(_SETTINGS.stage, lambda: datetime.now(UTC))
_MAILS = MailStore(lambda: client("dynamodb"), RecordSettings.from_environment().records_table)
_NOTIFICATIONS = NotificationsService(
    _MAILS,
    Mailer(lambda: client("sesv2"), _SETTINGS.mail_sender),
    _SETTINGS.portal_url,
    lambda: secrets.token_hex(16),
    _METRICS,
)
_SWEEP = MailSweepService(_MAILS, _NOTIFICATIONS)
_LOST = LostQueue(lambda: client("sqs"), queue("LOST_MESSAGES"))
_RECORDS = Table(lambda: client("dynamodb"), RecordSettings.from_environment().records_table)
_REPLAYS = LostChanges(_RECORDS, lambda: client("dynamodbstreams"), {"pk": keys.partition(""), "sk": keys.MESSAGES})


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Send the mails of a batch; what cannot leave now waits for the sweep, and holds up no other."""
    return replay(event, _REPLAYS, _deliver) or handle_batch(event, _deliver, _LOST.put)


def mail_sweep(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Send the mails that still wait; answers what was done, and whether anything is left."""
    follow(context.aws_request_id)
    swept = _SWEEP.sweep(datetime.now(UTC), lambda: context.get_remaining_time_in_millis() / 1000)
    logger.info("mails_swept", extra=asdict(swept))
    _METRICS.count(Metric.BACKLOG, swept.left, reason="mail-sweep")
    return asdict(swept)


def _deliver(change: Mapping[str, Any]) -> None:
    if message := new_message(change):
        try:
            _NOTIFICATIONS.deliver(*message, datetime.now(UTC))
        except Unavailable:
            logger.warning("mail_put_off")
            _METRICS.count(Metric.MAILS_PUT_OFF)
