"""Telling the software of a professional that a record has new documents, without saying which (FHIR Subscription)."""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dmp.domain.civil_time import same_day_months_later
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import resource_id
from dmp.domain.requester import Requester

MOST_A_RECORD = 50
"""Subscriptions of one record: each is looked at for every change of a document."""
MOST_ATTEMPTS = 5
"""How often one event is delivered before it is given up, and its Subscription with it."""
_EVENT_LENGTH = 32


class SubscriptionStatus(StrEnum):
    """FHIR's Subscription.status, those that occur, and the end of all."""

    ACTIVE = "active"
    ERROR = "error"
    """Its end point failed for good."""
    OFF = "off"
    """Its receiver wants no more of it."""
    DELETED = "deleted"
    """Ended by its owner: gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRequest:
    """A Subscription as a client asks for it."""

    record: str
    criteria: str
    endpoint: str
    reason: str
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A web hook on the documents of one record; `owner` is asked for anew at each event whether they may see it."""

    record: str
    local: str
    version: int
    updated: datetime
    status: SubscriptionStatus
    owner: Requester
    criteria: str
    endpoint: str
    reason: str
    end: datetime

    @property
    def id(self) -> str:
        """The FHIR id."""
        return resource_id(self.record, self.local)

    def status_at(self, now: datetime) -> SubscriptionStatus:
        """Its status, which time alone turns off."""
        is_over = self.status is SubscriptionStatus.ACTIVE and self.end <= now
        return SubscriptionStatus.OFF if is_over else self.status

    def is_active(self, now: datetime) -> bool:
        """Whether its receiver is to be told."""
        return self.status_at(now) is SubscriptionStatus.ACTIVE

    def in_status(self, status: SubscriptionStatus, now: datetime) -> "Subscription":
        """The next version, in another status."""
        return replace(self, status=status, version=self.version + 1, updated=now)


@dataclass(frozen=True, slots=True)
class Hook:
    """One event on its way to one receiver: neither the document nor the person is in it."""

    subscription: str
    """The FHIR id of the Subscription."""
    event: str


class Delivery(StrEnum):
    """How a receiver took a hook."""

    DONE = "done"
    UNWANTED = "unwanted"
    """It says that it is gone for good (410)."""
    FAILED = "failed"


def owner_of(requester: Requester) -> Requester:
    """What later decisions need to know of a subscriber: no name, no address, no software."""
    return Requester(
        kind=requester.kind,
        identifier=requester.identifier,
        structure=requester.structure,
        profession=requester.profession,
        specialties=requester.specialties,
        regulates_emergency_calls=requester.regulates_emergency_calls,
        scopes=requester.scopes,
    )


def end_of(asked: datetime | None, now: datetime, months: int) -> datetime:
    """When a Subscription made now ends: as asked, within the longest that is possible, which is the default.

    Raises Invalid `period-invalid` where the end is past, `period-too-long` where it is too far.
    """
    latest = same_day_months_later(now, months)
    if asked is None:
        return latest
    if asked <= now:
        raise Invalid("period-invalid", "Subscription.end", "the end is past")
    if asked > latest:
        raise Invalid("period-too-long", "Subscription.end")
    return asked


def event_for(subscription: str, change: str) -> str:
    """Name the event that a change is for one Subscription: always the same, and like no other receiver's."""
    return hashlib.sha256(f"{change}|{subscription}".encode()).hexdigest()[:_EVENT_LENGTH]


def hook_headers(hook: Hook, secret: str, now: datetime) -> dict[str, str]:
    """What a hook says, all of it: which Subscription, which event, when it was sent, and the proof that it is ours.

    The proof is the HMAC-SHA256, under the secret's text, of timestamp, event and subscription with dots between.
    """
    subscription, timestamp = f"Subscription/{hook.subscription}", str(int(now.timestamp()))
    signed = f"{timestamp}.{hook.event}.{subscription}"
    proof = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    return {
        "X-DMP-Subscription": subscription,
        "X-DMP-Event": hook.event,
        "X-DMP-Timestamp": timestamp,
        "X-DMP-Signature": f"v1={proof}",
    }
