"""Tells people by mail that a message waits for them; a mail may come twice, never not at all (R.1111-48)."""

from typing import TYPE_CHECKING

from dmp.domain.errors import Invalid
from dmp.domain.mail import mail_of

if TYPE_CHECKING:
    from dmp.adapters.mailer import Mailer
    from dmp.adapters.message_store import MessageStore


class NotificationsService:
    """Sends the mail of one message, and marks it."""

    def __init__(self, messages: "MessageStore", mailer: "Mailer", portal_url: str) -> None:
        self._messages = messages
        self._mailer = mailer
        self._portal_url = portal_url

    def deliver(self, record: str, local: str) -> None:
        """Send the mail of a message that still waits and has an address; Unavailable where it must be tried again."""
        message = self._messages.waiting(record, local)
        if message is None or not message.email:
            return
        try:
            self._mailer.send(message.email, mail_of(message.kind, self._portal_url))
        except Invalid:
            self._messages.undeliverable(message)
        else:
            self._messages.sent(message)
