"""Telling the software of a professional that a record has new documents, without saying which (FHIR Subscription)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dmp.domain.identifiers import resource_id
from dmp.domain.requester import Requester


class SubscriptionStatus(StrEnum):
    """FHIR's Subscription.status, those that occur."""

    ACTIVE = "active"
    ERROR = "error"
    """Its end point failed for good."""
    OFF = "off"


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

    def in_status(self, status: SubscriptionStatus, now: datetime) -> "Subscription":
        """The next version, in another status."""
        return replace(self, status=status, version=self.version + 1, updated=now)
