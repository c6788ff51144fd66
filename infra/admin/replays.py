"""`replay`: what was set aside is handled again, and leaves the queue of the lost only when that is done.

Killed anywhere, a message is still there, or was handled; handled twice, it comes to the same as once.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.admin.acts import traced
from infra.admin.installation import FAILURES, Installation, NotNow, Refused
from infra.admin.message_forms import MALFORMED, has_form
from infra.admin.report import Report

_BATCH = 10
_HIDDEN_SECONDS = 1_000
"""Longer than a function may run: nobody takes a message again while it is handled."""
_SOURCES = {
    "uploads": ("LostUploads", "UploadQueue"),
    "extractions": ("LostExtractions", "ExtractionQueue"),
    "exports": ("LostExports", "ExportQueue"),
    "hooks": ("LostHooks", "HookQueue"),
}
"""Queues whose messages go back to where they came from."""
_CONSUMED = {"messages": "LostMessages", "changes": "LostChanges", "entries": "LostEntries", "runs": "LostRuns"}
"""Queues whose messages tell what a function gave up."""
QUEUES = (*_SOURCES, *_CONSUMED)
_FOR_EVER = frozenset({"invalid-parameter", "stream-forgot"})
_JOBS = ("ConsentExpiry", "VisibilityRelease", "Retention", "UploadSweep", "MailSweep", "AuditSealer")

type Message = Mapping[str, Any]


@dataclass
class Replayed:
    """What came of the messages of a queue."""

    replayed: int = 0
    dropped: int = 0
    left: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    poison: dict[str, int] = field(default_factory=dict)

    def leave(self, reason: str) -> None:
        """Count a message that stays where it is."""
        self.left += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    @staticmethod
    def told(reasons: Mapping[str, int]) -> str:
        """Reasons with their numbers, as the trace tells them."""
        return ", ".join(f"{reason} {number}" for reason, number in sorted(reasons.items()))


def replay(installation: Installation, queue: str, limit: int, *, drops: bool = False) -> Report:
    """Handle again what lies in a queue of the lost, `limit` messages at most, each once.

    With `drops`, what can never be handled is deleted: counted by its reason, in the report and in the trace.
    """
    lost = _SOURCES[queue][0] if queue in _SOURCES else _CONSUMED[queue]
    handle = _back_to(installation, queue) if queue in _SOURCES else _again(installation, queue)
    done = Replayed()
    with traced(installation, "replay", lost) as act:
        url, client = installation.resource(lost), installation.client("sqs")
        hidden, left = _hidden(client, url), list[Message]()
        try:
            for message in _messages(client, url, limit):
                if not _is_settled(handle, message, done, drops=drops):
                    left.append(message)
                    continue
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        finally:
            _show(client, url, left)
        act.outcome = f"replayed {done.replayed}, dropped {done.dropped}, left {done.left + hidden}"
        if done.dropped:
            act.outcome += f": {done.told(done.poison)}"
    if hidden:
        done.reasons["being handled by another replay, or left by one that was killed"] = hidden
    reasons = [{"reason": reason, "messages": number} for reason, number in sorted(done.reasons.items())]
    notes = [_GONE_ON] if "stream-forgot" in done.reasons else []
    dropped = [{"reason": reason, "messages": number} for reason, number in sorted(done.poison.items())]
    if not drops and any(map(_is_poison, done.reasons)):
        notes.append("what has no form of ours can never be handled: --drop-poison deletes it")
    figures = {"replayed": done.replayed, "dropped": done.dropped, "left": done.left + hidden}
    return Report(figures, {"left because": reasons, "dropped because": dropped}, not figures["left"], notes)


def _is_settled(handle: Callable[[Message], None], message: Message, done: Replayed, *, drops: bool) -> bool:
    """Whether a message may go: it was handled, or is dropped."""
    try:
        handle(message)
    except (Refused, NotNow, *FAILURES) as failure:
        reason = str(failure) if isinstance(failure, (Refused, NotNow)) else type(failure).__name__
    except (AttributeError, LookupError, TypeError, ValueError):
        reason = MALFORMED
    else:
        done.replayed += 1
        return True
    if drops and _is_poison(reason):
        done.dropped += 1
        done.poison[reason] = done.poison.get(reason, 0) + 1
        return True
    done.leave(reason)
    return False


def _is_poison(reason: str) -> bool:
    """Whether what stands against a message will for ever."""
    return reason.partition(" ")[0] in _FOR_EVER or reason == MALFORMED


def _hidden(client: Any, url: str) -> int:
    """How many messages somebody took before, and neither deleted nor gave back."""
    name = "ApproximateNumberOfMessagesNotVisible"
    return int(client.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"].get(name, 0))


def _show(client: Any, url: str, left: list[Message]) -> None:
    """Let what was left be seen at once: whoever may not do so leaves it hidden for a while."""
    for message in left:
        try:
            client.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
        except FAILURES:
            return


_GONE_ON = (
    "stream-forgot: a stream keeps its changes for a day, and these messages tell no key; mails are sent by MailSweep "
    "for a week, entries of the trace that are not chained are found by fsck"
)


def _messages(client: Any, url: str, limit: int) -> Iterator[Message]:
    """Each message once: what was received stays hidden for as long as this runs."""
    seen = 0
    while seen < limit:
        page = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(_BATCH, limit - seen),
            VisibilityTimeout=_HIDDEN_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=1,
        ).get("Messages", [])
        if not page:
            return
        seen += len(page)
        yield from page


def _back_to(installation: Installation, queue: str) -> Callable[[Message], None]:
    """Send a message to the queue that it came from, if its consumer can understand it."""
    url = installation.resource(_SOURCES[queue][1])

    def send(message: Message) -> None:
        if not has_form(queue, _content(message)):
            raise Refused(MALFORMED)
        attributes = message.get("MessageAttributes", {})
        told = {"MessageAttributes": attributes} if attributes else {}
        installation.client("sqs").send_message(QueueUrl=url, MessageBody=message["Body"], **told)

    return send


def _again(installation: Installation, queue: str) -> Callable[[Message], None]:
    """Let a message be handled by the function that gave it up."""

    def handle(message: Message) -> None:
        lost = _content(message)
        if queue == "runs":
            installation.invoke(_job(message, lost), lost)
        elif queue == "entries" and lost.get("keys") and lost.get("eventName", "INSERT") == "INSERT":
            # the chain knows the entries of a day; whatever is older is held against all of it
            installation.invoke("AuditSealer", {"record": _record(lost)})
        else:
            installation.invoke(_consumer(queue, lost), {"lost": lost})

    return handle


def _record(lost: Mapping[str, Any]) -> str:
    """The record to whose trace an entry belongs."""
    begin, _, record = str(lost["keys"]["pk"]["S"]).partition("#")
    if begin != "R" or not record:
        raise Refused("no entry of a record")
    return record


def _content(message: Message) -> dict[str, Any]:
    try:
        content = json.loads(message["Body"])
    except ValueError:
        raise Refused(MALFORMED) from None
    if not isinstance(content, dict):
        raise Refused(MALFORMED)
    return content


def _consumer(queue: str, lost: Mapping[str, Any]) -> str:
    match queue:
        case "changes":
            return "SubscriptionEvents"
        case "entries":
            return "AuditChain"
    # two functions share the queue: Lambda names the one that gave up, and so does the stream
    named = str(lost.get("requestContext", {}).get("functionArn", ""))
    arn = str(lost.get("DDBStreamBatchInfo", {}).get("streamArn", ""))
    is_of_trace = "FirstAccesses" in named or ("Notifications" not in named and "AuditTable" in arn)
    if not is_of_trace and str(lost.get("keys", {}).get("sk", {}).get("S", "M#")).startswith("M#"):
        return "Notifications"
    return "FirstAccesses"


def _job(message: Message, lost: Mapping[str, Any]) -> str:
    """The job that failed: named by the schedule, by an attribute of the message, or by what it was told."""
    told = [*lost.get("resources", ()), *(str(one.get("StringValue", "")) for one in _attributes(message))]
    for job in _JOBS:
        if any(job in str(one) for one in told):
            return job
    if lost == {"whole": True}:
        return "AuditSealer"
    raise Refused("no job is named")


def _attributes(message: Message) -> list[Mapping[str, Any]]:
    return list(message.get("MessageAttributes", {}).values())
