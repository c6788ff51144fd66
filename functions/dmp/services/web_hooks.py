"""Delivering one hook: to a receiver who still may know, signed, without content, until it arrives or is given up."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.changes import Contention, SaveSubscription
from dmp.domain.identifiers import split_resource_id
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.domain.subscription import MOST_ATTEMPTS, Delivery, Hook, Subscription, SubscriptionStatus, hook_headers
from dmp.services.call import Call
from dmp.services.document_access import attempt_on
from dmp.services.gate import Gate, asking

if TYPE_CHECKING:
    from dmp.adapters.ledger import Ledger
    from dmp.adapters.subscription_store import SubscriptionStore
    from dmp.adapters.web_hooks import WebHooks

_BY_DELIVERY = Decision(True, "delivery")


class WebHooksService:
    """Sends hooks; `secret_of` gives the secret of a Subscription, by its FHIR id."""

    def __init__(
        self,
        gate: Gate,
        subscriptions: "SubscriptionStore",
        ledger: "Ledger",
        sender: "WebHooks",
        secret_of: Callable[[str], str],
    ) -> None:
        self._gate = gate
        self._subscriptions = subscriptions
        self._ledger = ledger
        self._sender = sender
        self._secret_of = secret_of

    def deliver(self, call: Call, hook: Hook, attempt: int) -> bool:
        """Send a hook; whether it is done with, because it arrived or because nobody is to be told any more.

        A receiver that is gone turns its Subscription off; one that failed at every attempt leaves it in error.
        Raises ValueError for a hook of no Subscription.
        """
        record, subscription = self._wanted(call, hook)
        if record is None or subscription is None:
            return True
        headers = hook_headers(hook, self._secret_of(subscription.id), call.now)
        match self._sender.post(subscription.endpoint, headers):
            case Delivery.DONE:
                return True
            case Delivery.UNWANTED:
                self._end(call, record, subscription, SubscriptionStatus.OFF)
                return True
        if attempt >= MOST_ATTEMPTS:
            self._end(call, record, subscription, SubscriptionStatus.ERROR)
        return False

    def _wanted(self, call: Call, hook: Hook) -> tuple[Record | None, Subscription | None]:
        """The Subscription as it stands, if its owner still may search the record."""
        address = split_resource_id(hook.subscription)
        if address is None:
            raise ValueError("subscription")
        record, found = self._subscriptions.with_subscription(*address)
        if record is None or found is None or not found.is_active(call.now):
            return record, None
        question = asking(Call(found.owner, call.now, ""), record, Action.SEARCH)
        may_search = decide(replace(question, resource_type="DocumentReference")).permit
        return record, found if may_search else None

    def _end(self, call: Call, record: Record, subscription: Subscription, status: SubscriptionStatus) -> None:
        """Stop telling a receiver, unless somebody changed the Subscription meanwhile: then that stands."""
        ended = subscription.in_status(status, call.now)
        attempt = attempt_on(
            "Subscription", subscription.record, subscription.local, Interaction.UPDATE, AuditAction.UPDATE
        )
        trace = self._gate.entry(call, record, attempt, _BY_DELIVERY)
        try:
            self._ledger.commit([SaveSubscription(ended, subscription), trace])
        except Contention:
            return
