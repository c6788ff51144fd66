"""How often one caller may look up people, open records or declare emergencies: nobody finds an INS by trying."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.errors import DmpError, NotAuthenticated, TooManyRequests, Unavailable
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Record
from dmp.domain.requester import Requester, RequesterKind
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate

if TYPE_CHECKING:
    from dmp.adapters.quota_store import QuotaStore

USED_UP = Decision(False, "quota-exceeded")
_LOOK_UP = Attempt(
    interaction=Interaction.SEARCH, action=AuditAction.EXECUTE, resource_type="Patient", query="identifier=(INS)"
)
_TELLING_NOTHING = (NotAuthenticated, TooManyRequests, Unavailable)
"""Failures that are the same whether there is a record or not."""
_KNOWING_EVERYBODY = frozenset({RequesterKind.CNAM_FEED})
"""Who gave everybody their INS, and feeds a thousand at once, of whom many have no record."""


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
        return self._store.spend(quota.value, _counted(call.requester), call.now) > self._limits[quota]

    def spend(self, call: Call, quota: Quota, record: Record | None, attempt: Attempt) -> None:
        """Count one more; a refusal is traced and raised as TooManyRequests `quota-exceeded`."""
        if self.is_used_up(call, quota):
            self._gate.refuse(call, record, attempt, USED_UP)

    def spend_unread(self, call: Call, quota: Quota, attempt: Attempt, about: Callable[[], Record | None]) -> None:
        """As `spend`, before the request is read: what cannot be read counts too.

        `about` finds the record that a refusal is traced in; what is wrong with the request does not matter then.
        """
        if not self.is_used_up(call, quota):
            return
        try:
            record = about()
        except DmpError:
            record = None
        self._gate.refuse(call, record, attempt, USED_UP)


def _counted(requester: Requester) -> Identifier:
    """Who a caller counts as: a structure names its own people, as it likes, so they count as that structure."""
    is_named_by_structure = requester.kind in (RequesterKind.EMPLOYEE, RequesterKind.STRUCTURE)
    return requester.structure if is_named_by_structure and requester.structure else requester.identifier


class LookUps:
    """What it costs to name a person by INS in vain, on every route: hits and misses look alike in the end.

    Whether the request under way did so is kept in its own context: the local stack serves several at once.
    """

    def __init__(self, gate: Gate, quotas: Quotas) -> None:
        self._gate = gate
        self._quotas = quotas
        self._is_by_ins: ContextVar[bool] = ContextVar("is_by_ins", default=False)

    @contextmanager
    def watching(self, call: Call) -> Iterator[None]:
        """Serve one request: where it looked somebody up by INS and fails, the failure counts.

        Once too many did, it is `quota-exceeded` whatever it was, and traced. What succeeds costs nothing: the
        person finds it in the trace.
        """
        self._is_by_ins.set(False)
        try:
            yield
        except _TELLING_NOTHING:
            raise
        except DmpError:
            is_counted = self._is_by_ins.get() and call.requester.kind not in _KNOWING_EVERYBODY
            if is_counted and self._quotas.is_used_up(call, Quota.LOOK_UP):
                self._gate.refuse(call, None, _LOOK_UP, USED_UP)
            raise

    def note(self) -> None:
        """The request under way looks a person up by INS."""
        self._is_by_ins.set(True)
