"""Tells people by mail that a message waits for them: once, however often the stream brings it (R.1111-48).

A mail is claimed before it is sent. Where it surely did not leave, the claim is given back and the job mail_sweep tries
again, for a week; where nobody can tell, it is not sent again: the message itself stands in the portal anyway.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.errors import Invalid, Unavailable
from dmp.domain.mail import MailInDoubt, MailState, is_given_up, mail_of
from dmp.domain.notification import Message
from dmp.metrics import Metric, Metrics
from dmp.observability import logger

if TYPE_CHECKING:
    from dmp.adapters.mail_store import MailStore
    from dmp.adapters.mailer import Mailer


class NotificationsService:
    """Sends the mail of one message; `new_claim` draws a text that nobody else draws."""

    def __init__(
        self, mails: "MailStore", mailer: "Mailer", portal_url: str, new_claim: Callable[[], str], metrics: Metrics
    ) -> None:
        self._mails = mails
        self._metrics = metrics
        self._mailer = mailer
        self._portal_url = portal_url
        self._new_claim = new_claim

    def deliver(self, record: str, local: str, now: datetime) -> None:
        """Send the mail of a message unless it has left or may have; Unavailable where it must be tried again."""
        found = self._mails.find(record, local)
        if found is None:
            return
        message, state = found
        if state is MailState.CLAIMED:
            self._doubt()
        elif state is MailState.TO_SEND:
            claim = self._new_claim()
            if self._is_claimed(message, claim):
                self._send(message, claim, now)

    def _is_claimed(self, message: Message, claim: str) -> bool:
        try:
            return self._mails.claim(message, claim)
        except Unavailable:
            # the claim may stand, but nothing was sent under it
            self._mails.release(message, claim)
            raise

    def _send(self, message: Message, claim: str, now: datetime) -> None:
        state = MailState.SENT
        try:
            self._mailer.send(message.email, mail_of(message.kind, self._portal_url))
        except MailInDoubt:
            self._doubt()
            return
        except Unavailable:
            if not is_given_up(message.sent, now):
                self._mails.release(message, claim)
                raise
            logger.warning("mail_given_up")
            self._metrics.count(Metric.MAILS_FAILED, reason="given-up")
            state = MailState.UNDELIVERABLE
        except Invalid:
            self._metrics.count(Metric.MAILS_FAILED, reason="undeliverable")
            state = MailState.UNDELIVERABLE
        self._settle(message, claim, state)

    def _settle(self, message: Message, claim: str, state: MailState) -> None:
        """Mark the mail; where that fails, the claim alone keeps it from being sent again."""
        if state is MailState.SENT:
            logger.info("mail_sent")
        try:
            self._mails.settle(message, claim, state)
        except Unavailable:
            logger.warning("mail_not_marked", extra={"code": state.value})

    def _doubt(self) -> None:
        logger.warning("mail_in_doubt")
        self._metrics.count(Metric.MAILS_FAILED, reason="in-doubt")
