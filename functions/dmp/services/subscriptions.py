"""Subscriptions of professionals to the documents of a record: made, seen and ended by their owner."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access_request import AccessRequest
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Change, RecordUnchanged, RemoveSubscription, SaveSubscription
from dmp.domain.errors import Conflict, Gone, NotFound, PreconditionFailed, Unavailable
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.domain.subscription import (
    MOST_A_RECORD,
    Subscription,
    SubscriptionRequest,
    SubscriptionStatus,
    end_of,
    owner_of,
)
from dmp.services.attempts import attempts, is_committed
from dmp.services.call import Call
from dmp.services.document_access import attempt_on, existing
from dmp.services.gate import Attempt, Gate, asking

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.record_store import RecordStore
    from dmp.adapters.subscription_store import SubscriptionStore

_TYPE = "Subscription"


class SubscriptionsService:
    """The Subscriptions of one record, each seen by its owner alone."""

    def __init__(
        self,
        gate: Gate,
        records: "RecordStore",
        subscriptions: "SubscriptionStore",
        ledger: "Ledger",
        *,
        months: int,
    ) -> None:
        self._gate = gate
        self._records = records
        self._subscriptions = subscriptions
        self._ledger = ledger
        self._months = months

    def create(self, call: Call, record_id: str, read: Callable[[], SubscriptionRequest]) -> Subscription:
        """Subscribe; `read` gives what is asked, or raises Invalid, which only those learn who may subscribe.

        Raises Refused, NotFound (`no-record`), Invalid (`endpoint-invalid`, `period-too-long`, …), Conflict
        (`too-many`).
        """
        for _ in attempts():
            record = self._records.existing(record_id)
            attempt = Attempt(
                interaction=Interaction.SUBSCRIBE,
                action=AuditAction.CREATE,
                resource_type=_TYPE,
                what=(f"Patient/{record_id}",),
            )
            question = replace(asking(call, record, Action.SUBSCRIBE), resource_type="DocumentReference")
            decision = self._gate.admit(call, question, attempt)
            made = self._made(call, record, read())
            room = _room(self._subscriptions.of_record(record_id), call)
            attempt = attempt_on(_TYPE, record_id, made.local, Interaction.SUBSCRIBE, AuditAction.CREATE)
            trace = self._gate.entry(call, record, attempt, decision)
            if is_committed(self._ledger, [RecordUnchanged(record), SaveSubscription(made), *room, trace]):
                return made
        raise Unavailable("service-unavailable")

    def _made(self, call: Call, record: Record, asked: SubscriptionRequest) -> Subscription:
        return Subscription(
            record=record.id,
            local=self._gate.new_local(call),
            version=1,
            updated=call.now,
            status=SubscriptionStatus.ACTIVE,
            owner=owner_of(call.requester),
            criteria=asked.criteria,
            endpoint=asked.endpoint,
            reason=asked.reason,
            end=end_of(asked.end, call.now, self._months),
        )

    def read(self, call: Call, record_id: str, local: str) -> Subscription:
        """Return a Subscription to its owner; Refused or NotFound to others, Gone where it was deleted."""
        record, found = self._loaded(record_id, local)
        attempt = attempt_on(_TYPE, record_id, local, Interaction.READ)
        decision = self._gate.admit(call, _keeping(call, record, found), attempt)
        self._gate.trace_access(call, record, attempt, decision)
        subscription = _known(found)
        if subscription.status is SubscriptionStatus.DELETED:
            raise Gone("gone")
        return subscription

    def delete(self, call: Call, record_id: str, local: str, expected: int | None = None) -> None:
        """End a Subscription; a second deletion is answered like the first. Raises PreconditionFailed too."""
        attempt = attempt_on(_TYPE, record_id, local, Interaction.DELETE, AuditAction.DELETE)
        for _ in attempts():
            record, found = self._loaded(record_id, local)
            decision = self._gate.admit(call, _keeping(call, record, found), attempt)
            subscription = _known(found)
            trace = self._gate.entry(call, record, attempt, decision)
            changes: list[Change] = []
            if subscription.status is not SubscriptionStatus.DELETED:
                if expected not in (None, subscription.version):
                    raise PreconditionFailed("version-conflict")
                deleted = subscription.in_status(SubscriptionStatus.DELETED, call.now)
                changes = [RecordUnchanged(record), SaveSubscription(deleted, subscription)]
            if is_committed(self._ledger, [*changes, trace]):
                return
        raise Unavailable("service-unavailable")

    def _loaded(self, record_id: str, local: str) -> tuple[Record, Subscription | None]:
        record, found = self._subscriptions.with_subscription(record_id, local)
        return existing(record), found


def _keeping(call: Call, record: Record, found: Subscription | None) -> AccessRequest:
    """May the caller see and end this Subscription? One that is not there belongs to nobody."""
    owner = found.owner.identifier if found else None
    return replace(asking(call, record, Action.KEEP_SUBSCRIPTION), belongs_to=owner)


def _room(held: Iterable[Subscription], call: Call) -> list[Change]:
    """What must go for one more to find room: those that tell nobody any more; Conflict `too-many` where none does."""
    kept = list(held)
    over = [one for one in kept if not one.is_active(call.now)]
    if len(kept) - len(over) >= MOST_A_RECORD:
        raise Conflict("too-many")
    return [RemoveSubscription(one) for one in over] if len(kept) >= MOST_A_RECORD else []


def _known(found: Subscription | None) -> Subscription:
    if found is None:
        raise NotFound("not-found")
    return found
