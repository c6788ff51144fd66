"""What is addressed to a professional or the own structure, in whatever record (`Communication?recipient=me`)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dmp.domain.access import decide, decide_across_records
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.notification import Message
from dmp.domain.record import Record
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate
from dmp.services.message_access import as_seen, of_message

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.message_store import MessageStore

MOST_A_PAGE = 25
_MOST_LOOKED_AT = 100
"""Candidates that one page reads again: where many are for nobody any more, a page may hold less than was asked for."""
_ATTEMPT = Attempt(interaction=Interaction.SEARCH, action=AuditAction.EXECUTE, resource_type="Communication")


@dataclass(frozen=True, slots=True)
class _Found:
    """A message as the strong read has it, and why the caller may see it."""

    record: Record
    message: Message
    decision: Decision


class InboxService:
    """Walks the index of addressees, newest first; it only proposes, each message is read again strongly."""

    def __init__(self, gate: Gate, messages: "MessageStore", documents: "DocumentStore") -> None:
        self._gate = gate
        self._messages = messages
        self._documents = documents

    def page(
        self, call: Call, wanted: Callable[[Message], bool], *, after: str, count: int, query: str
    ) -> tuple[list[Message], str | None]:
        """At most `count` messages to the caller, one trace entry a record, and where to go on."""
        decision = decide_across_records(call.requester)
        if not decision.permit:
            self._gate.refuse(call, None, _ATTEMPT, decision)
        found: list[_Found] = []
        onward: str | None = None
        hints = self._messages.addressed_to(call.requester.actors, after, count + 1)
        for looked_at, (place, record, local) in enumerate(hints):
            if len(found) == count or looked_at == _MOST_LOOKED_AT:
                break
            onward = place
            one = self._confirmed(call, record, local)
            if one and wanted(one.message):
                found.append(one)
        else:
            onward = None
        self._trace(call, found, query)
        return [one.message for one in found], onward

    def _confirmed(self, call: Call, record_id: str, local: str) -> _Found | None:
        record, message = self._messages.with_message(record_id, local)
        if record is None or message is None:
            return None
        seen = as_seen(call, record, [message], self._documents)
        return _Found(record, seen[0], decide(of_message(call, record, message))) if seen else None

    def _trace(self, call: Call, found: list[_Found], query: str) -> None:
        """One entry a record, and another of what representatives never learn of."""
        for record_id, is_secret in dict.fromkeys((one.record.id, one.message.is_secret) for one in found):
            told = [one for one in found if (one.record.id, one.message.is_secret) == (record_id, is_secret)]
            attempt = Attempt(
                interaction=_ATTEMPT.interaction,
                action=_ATTEMPT.action,
                resource_type=_ATTEMPT.resource_type,
                what=tuple(f"Communication/{one.message.id}" for one in told),
                query=query,
                is_secret=is_secret,
            )
            self._gate.trace_access(call, told[0].record, attempt, told[0].decision)
