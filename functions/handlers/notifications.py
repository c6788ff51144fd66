"""Mails for new messages, from the stream of the records table."""

import secrets
from collections.abc import Mapping
from typing import Any

from dmp.adapters.aws import client
from dmp.adapters.mail_store import MailStore, new_message
from dmp.adapters.mailer import Mailer
from dmp.observability import logger
from dmp.services.notifications import NotificationsService
from dmp.settings import NotificationSettings, RecordSettings

_SETTINGS = NotificationSettings.from_environment()
_NOTIFICATIONS = NotificationsService(
    MailStore(lambda: client("dynamodb"), RecordSettings.from_environment().records_table),
    Mailer(lambda: client("sesv2"), _SETTINGS.mail_sender),
    _SETTINGS.portal_url,
    lambda: secrets.token_hex(16),
)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Handle a whole batch, so that none waits for one that fails: Lambda brings that again, or sets it aside."""
    failed = []
    for change in event["Records"]:
        try:
            message = new_message(change)
            if message:
                _NOTIFICATIONS.deliver(*message)
        except Exception as failure:  # noqa: BLE001 - whatever it is, neither this message nor the others are to be lost
            number = change["dynamodb"]["SequenceNumber"]
            logger.warning("mail_failed", extra={"sequence_number": number, "failure": type(failure).__name__})
            failed.append({"itemIdentifier": number})
    return {"batchItemFailures": failed}
