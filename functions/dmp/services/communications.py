"""The messages of one record: read, found and marked by whoever they are for (R.1111-48, R.1111-43)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, Contention, RecordUnchanged, SaveMessage
from dmp.domain.consent import PatientRef
from dmp.domain.errors import NotFound, PreconditionFailed, Unavailable
from dmp.domain.notification import Message, MessageStatus
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.attempts import attempts
from dmp.services.call import Call
from dmp.services.document_access import existing
from dmp.services.gate import Attempt, Gate, asking, failure_of
from dmp.services.message_access import as_seen, of_message

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.message_store import MessageStore
    from dmp.adapters.record_store import RecordStore

MOST_READ = 400
"""Messages that one page may read."""
_CHUNK = 100
_FOR_SOMEBODY_ELSE = frozenset({"not-authorised", "invisible"})
"""Denials that a message of that id may not differ in from one that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQuery:
    """A page of the messages to a record's person; `described` gives the query for the trace, without any INS."""

    patient: PatientRef
    wanted: Callable[[Message], bool]
    described: Callable[[str], str]
    count: int
    after: str = ""
    accurate_total: bool = False


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages, newest first; `total` where it is known, `next` where there are more."""

    record: str
    messages: tuple[Message, ...]
    total: int | None
    next: str | None


@dataclass(frozen=True, slots=True)
class _Admitted:
    """A message as it is stored and as the caller sees it, with what permits it."""

    record: Record
    message: Message
    seen: Message
    decision: Decision


class CommunicationsService:
    """Reads and marks of messages."""

    def __init__(
        self,
        gate: Gate,
        records: "RecordStore",
        messages: "MessageStore",
        documents: "DocumentStore",
        ledger: "Ledger",
    ) -> None:
        self._gate = gate
        self._records = records
        self._messages = messages
        self._documents = documents
        self._ledger = ledger

    def read(self, call: Call, record_id: str, local: str) -> Message:
        """One message; NotFound for whoever it is not for, Refused where the record as a whole is denied."""
        attempt = message_attempt(Interaction.READ, record_id, local)
        admitted = self._admit(call, record_id, local, attempt)
        attempt = replace(attempt, is_secret=admitted.message.is_secret)
        self._gate.trace_access(call, admitted.record, attempt, admitted.decision)
        return admitted.seen

    def mark(
        self, call: Call, record_id: str, local: str, read: Callable[[], MessageStatus], expected: int | None
    ) -> Message:
        """Mark a message as read or unread; `read` gives the status, once the decision stands.

        Raises NotFound, Refused, PreconditionFailed (`version-conflict`), Invalid.
        """
        attempt = message_attempt(Interaction.PATCH, record_id, local, AuditAction.UPDATE)
        for _ in attempts():
            admitted = self._admit(call, record_id, local, attempt)
            if expected not in (None, admitted.message.version):
                raise PreconditionFailed("version-conflict")
            marked, changes = _marked(admitted.message, read(), call.now)
            secretly = replace(attempt, is_secret=marked.is_secret)
            trace = self._gate.entry(call, admitted.record, secretly, admitted.decision)
            try:
                self._ledger.commit([*changes, RecordUnchanged(admitted.record), trace])
            except Contention:
                continue
            return replace(marked, about=admitted.seen.about)
        raise Unavailable("service-unavailable")

    def _admit(self, call: Call, record_id: str, local: str, attempt: Attempt) -> _Admitted:
        """The message as the caller sees it; what is missing, and what is for others, is refused alike."""
        found, message = self._messages.with_message(record_id, local)
        record = existing(found)
        question = of_message(call, record, message) if message else asking(call, record, Action.READ_MESSAGE)
        decision = decide(question)
        seen = as_seen(call, record, [message], self._documents) if message and decision.permit else []
        if message and seen:
            return _Admitted(record, message, seen[0], decision)
        if decision.permit or decision.reason in _FOR_SOMEBODY_ELSE:
            self._gate.trace_refusal(call, record, attempt, Decision(False, "no-message"))
            raise NotFound("no-message")
        self._gate.trace_refusal(call, record, attempt, decision)
        raise failure_of(decision)

    def search(self, call: Call, query: MessageQuery) -> MessagePage:
        """A page of the messages to the person of a record; NotFound `no-record`, Refused."""
        record = self._records.existing(self._records.named(query.patient))
        attempt = Attempt(
            interaction=Interaction.SEARCH,
            action=AuditAction.EXECUTE,
            resource_type="Communication",
            what=(f"Patient/{record.id}",),
            query=query.described(record.id),
        )
        decision = self._gate.admit(call, asking(call, record, Action.READ_MESSAGE), attempt)
        page = self._page(call, record, query)
        self._gate.trace_access(call, record, attempt, decision)
        return page

    def _page(self, call: Call, record: Record, query: MessageQuery) -> MessagePage:
        """Fill a page with what may be seen, one more to know whether there is a next, within the reading limit."""
        found: list[Message] = []
        looked_at, last = 0, None
        for messages, more in self._chunks(record.id, "" if query.accurate_total else query.after):
            found += as_seen(call, record, list(filter(query.wanted, messages)), self._documents)
            looked_at, last = looked_at + len(messages), more
            if not query.accurate_total and (len(found) > query.count or looked_at >= MOST_READ):
                break
        left = [m for m in found if not query.after or m.local < query.after]
        shown = left[: query.count]
        onward = shown[-1].local if len(left) > query.count else last
        is_whole = query.accurate_total or (onward is None and not query.after)
        return MessagePage(record.id, tuple(shown), len(found) if is_whole else None, onward)

    def _chunks(self, record: str, after: str) -> Iterator[tuple[list[Message], str | None]]:
        before: str | None = after
        while before is not None:
            messages, before = self._messages.page(record, before, _CHUNK)
            yield messages, before


def _marked(message: Message, status: MessageStatus, now: datetime) -> tuple[Message, list[Change]]:
    """The message in a status, and the change that it takes."""
    if status is message.status:
        return message, []
    marked = message.marked(status, now)
    return marked, [SaveMessage(marked, message)]


def message_attempt(
    interaction: Interaction, record: str, local: str, action: AuditAction = AuditAction.READ
) -> Attempt:
    """What the trace tells of a request for one message."""
    what = (f"Communication/{record}.{local}",)
    return Attempt(interaction=interaction, action=action, resource_type="Communication", what=what)
