"""Mails for new messages, from the stream of the records table."""

from collections.abc import Mapping
from typing import Any

from dmp.adapters.aws import client
from dmp.adapters.mailer import Mailer
from dmp.adapters.message_store import MessageStore, new_message
from dmp.observability import logger
from dmp.services.notifications import NotificationsService
from dmp.settings import NotificationSettings, RecordSettings

_SETTINGS = NotificationSettings.from_environment()
_NOTIFICATIONS = NotificationsService(
    MessageStore(lambda: client("dynamodb"), RecordSettings.from_environment().records_table),
    Mailer(lambda: client("sesv2"), _SETTINGS.mail_sender),
    _SETTINGS.portal_url,
)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Handle a batch in order; from the first failure on, Lambda brings the changes again."""
    for change in event["Records"]:
        message = new_message(change)
        if message is None:
            continue
        try:
            _NOTIFICATIONS.deliver(*message)
        except Exception as failure:  # noqa: BLE001 - whatever it is, this message is not to be lost
            logger.warning("mail_failed", extra={"message_id": ".".join(message), "failure": type(failure).__name__})
            return {"batchItemFailures": [{"itemIdentifier": change["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}
