"""How often one caller may look up people, open records or declare emergencies: nobody finds an INS by trying."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.record import Record
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate

if TYPE_CHECKING:
    from dmp.adapters.quota_store import QuotaStore

USED_UP = Decision(False, "quota-exceeded")


class Quota(StrEnum):
    """What is counted, by caller and hour."""

    LOOK_UP = "look-up"
    OPENING = "opening"
    EMERGENCY = "emergency"


class Quotas:
    """Counts in the table, so that every copy of a function counts together."""

    def __init__(self, gate: Gate, store: "QuotaStore", limits: Mapping[Quota, int]) -> None:
        self._gate = gate
        self._store = store
        self._limits = limits

    def is_used_up(self, call: Call, quota: Quota) -> bool:
        """Count one more; True where the caller has no more of it this hour."""
        return self._store.spend(quota.value, call.requester.identifier, call.now) > self._limits[quota]

    def spend(self, call: Call, quota: Quota, record: Record | None, attempt: Attempt) -> None:
        """Count one more; a refusal is traced and raised as TooManyRequests `quota-exceeded`."""
        if self.is_used_up(call, quota):
            self._gate.refuse(call, record, attempt, USED_UP)
