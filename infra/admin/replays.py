"""`replay`: what was set aside is handled again, and leaves the queue of the lost only when that is done.

Killed anywhere, a message is still there, or was handled; handled twice, it comes to the same as once.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.admin.acts import traced
from infra.admin.installation import Installation, NotNow, Refused
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
_JOBS = ("ConsentExpiry", "VisibilityRelease", "Retention", "UploadSweep", "MailSweep", "AuditSealer")

type Message = Mapping[str, Any]


@dataclass
class Replayed:
    """What came of the messages of a queue."""

    replayed: int = 0
    left: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def leave(self, reason: str) -> None:
        """Count a message that stays where it is."""
        self.left += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1


def replay(installation: Installation, queue: str, limit: int) -> Report:
    """Handle again what lies in a queue of the lost, `limit` messages at most, each once."""
    lost = _SOURCES[queue][0] if queue in _SOURCES else _CONSUMED[queue]
    handle = _back_to(installation, _SOURCES[queue][1]) if queue in _SOURCES else _again(installation, queue)
    done = Replayed()
    with traced(installation, "replay", lost) as act:
        url, client = installation.resource(lost), installation.client("sqs")
        for message in _messages(client, url, limit):
            try:
                handle(message)
            except (Refused, NotNow) as failure:
                done.leave(str(failure))
                continue
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            done.replayed += 1
        act.outcome = f"replayed {done.replayed}, left {done.left}"
    reasons = [{"reason": reason, "messages": number} for reason, number in sorted(done.reasons.items())]
    notes = [_GONE_ON] if "stream-forgot" in done.reasons else []
    return Report({"replayed": done.replayed, "left": done.left}, {"left because": reasons}, not done.left, notes)


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


def _back_to(installation: Installation, source: str) -> Callable[[Message], None]:
    """Send a message to the queue that it came from."""
    url = installation.resource(source)

    def send(message: Message) -> None:
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
        elif queue == "entries" and lost.get("keys"):
            # the chain knows the entries of a day; whatever is older is held against all of it
            installation.invoke("AuditSealer", {"record": lost["keys"]["pk"]["S"].partition("#")[2]})
        else:
            installation.invoke(_consumer(queue, lost), {"lost": lost})

    return handle


def _content(message: Message) -> dict[str, Any]:
    try:
        content = json.loads(message["Body"])
    except ValueError:
        raise Refused("not JSON") from None
    if not isinstance(content, dict):
        raise Refused("not an object")
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
