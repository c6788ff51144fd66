"""From a change of a document to the receivers who may know of it, each asked for anew (FHIR Subscription)."""

from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.document import DocumentEntry
from dmp.domain.record import Record
from dmp.domain.subscription import Hook, Subscription, event_for
from dmp.services.call import Call
from dmp.services.document_access import may_include

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.hook_queue import HookQueue
    from dmp.adapters.subscription_store import DocumentChange, SubscriptionStore


class SubscriptionEventsService:
    """Announces changes of documents to those who may see the document at this moment."""

    def __init__(self, subscriptions: "SubscriptionStore", documents: "DocumentStore", queue: "HookQueue") -> None:
        self._subscriptions = subscriptions
        self._documents = documents
        self._queue = queue

    def listening(self, record: str, now: datetime) -> list[Subscription]:
        """The Subscriptions of a record whose receivers are to be told."""
        return [one for one in self._subscriptions.of_record(record) if one.is_active(now)]

    def announce(self, change: "DocumentChange", listening: list[Subscription], now: datetime) -> int:
        """Put a hook on its way to each receiver who may see the document as it stands; return how many.

        A version that another one has followed meanwhile tells nobody: its successor's own change does. So nobody
        hears twice of a document that was hidden in between, nor at all of one that is hidden again, or not yet there.
        """
        if not listening:
            return 0
        record, entry = self._documents.with_document(change.record, change.local)
        if record is None or entry is None or entry.version != change.version or entry.was_never_available:
            return 0
        told = [one for one in listening if _may_see(one, record, entry, now)]
        self._queue.put([Hook(one.id, event_for(one.id, change.name)) for one in told])
        return len(told)


def _may_see(subscription: Subscription, record: Record, entry: DocumentEntry, now: datetime) -> bool:
    return may_include(Call(subscription.owner, now, ""), record, entry)
