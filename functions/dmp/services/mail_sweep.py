"""The scheduled job that sends the mails that still wait: the stream brings a message once, an outage lasts for hours.

Every mail that waits stands in the index of things due, from the transaction that made its message until it is
claimed. So neither SES nor the stream nor a defect of its consumer, however long it is down, loses one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dmp.domain.errors import Unavailable
from dmp.observability import logger
from dmp.services.notifications import NotificationsService

if TYPE_CHECKING:
    from dmp.adapters.mail_store import MailStore

_LOOK_BACK = timedelta(days=28)
"""Longer than any mail is tried, shorter than any two months: two of them hold all that waits."""
_ENOUGH_SECONDS = 10


@dataclass(slots=True)
class SweptMails:
    """What one run did; `waiting` could not leave now, `done` tells that nothing that was due is left."""

    handled: int = 0
    waiting: int = 0
    failed: int = 0
    done: bool = True

    @property
    def left(self) -> int:
        """What was due and is so still: what waits or failed, or one for all that it did not come to."""
        return self.waiting + self.failed or int(not self.done)


class MailSweepService:
    """Sweeps what waits, the longest due first, in bounded memory."""

    def __init__(self, mails: "MailStore", notifications: NotificationsService) -> None:
        self._mails = mails
        self._notifications = notifications

    def sweep(self, now: datetime, remaining: Callable[[], float]) -> SweptMails:
        """Send every mail that is due, until fewer than 10 seconds remain; one that fails does not stop the others."""
        swept = SweptMails()
        for record, local in self._due(now):
            if remaining() < _ENOUGH_SECONDS:
                swept.done = False
                break
            try:
                self._notifications.deliver(record, local, now)
                swept.handled += 1
            except Unavailable:
                swept.waiting += 1
            except Exception as failure:  # noqa: BLE001 - the others must not wait for a message that cannot be read
                logger.error("mail_failed", extra={"failure": type(failure).__name__})
                swept.failed += 1
        swept.done = swept.done and not swept.waiting and not swept.failed
        return swept

    def _due(self, now: datetime) -> Iterator[tuple[str, str]]:
        earlier = now - _LOOK_BACK
        months = [earlier, now] if earlier.month != now.month else [now]
        for month in months:
            for shard in range(self._mails.shards):
                yield from self._mails.due(month, shard, now)
