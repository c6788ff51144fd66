"""Telling people what happened in a record, in the very transaction in which it happens (R.1111-48, R.1111-43)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dmp.domain.changes import Change, SendMessage
from dmp.domain.notification import Notice, messages_of
from dmp.domain.record import Record
from dmp.services.call import Call

if TYPE_CHECKING:
    from dmp.services.gate import Gate


class Notices:
    """Makes the messages of a notice; each is there with the change, and its mail leaves within a second."""

    def __init__(self, gate: "Gate", mail_domain: str) -> None:
        self._gate = gate
        self._mail_domain = mail_domain

    def of(self, call: Call, record: Record, notice: Notice) -> list[Change]:
        """The changes that tell the person, and whoever else the notice names."""
        messages = messages_of(notice, record, self._locals(call), call.now, self._mail_domain)
        return [SendMessage(message) for message in messages]

    def _locals(self, call: Call) -> Iterator[str]:
        while True:
            yield self._gate.new_local(call)
