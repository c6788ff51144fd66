"""Commits a set of changes as one DynamoDB transaction over the records and the audit table: all or none."""

import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from dmp.adapters.identifier_items import is_further
from dmp.adapters.profile_writes import HINTS
from dmp.adapters.writes import Write, Writes
from dmp.domain.changes import Change, Contention, Trace
from dmp.domain.errors import TooLarge, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

    from dmp.adapters.keyring import Keyring

LARGEST_TRANSACTION = 100
LARGEST_AHEAD = 260
"""Hints that may be written ahead of one transaction."""
LARGEST_ITEM = 400_000
"""Bytes that one item may have: DynamoDB takes 400 KB."""
LARGEST_SUM = 4_000_000
"""Bytes that the items of one transaction may have together: DynamoDB takes 4 MB."""
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.05
_CHANCE = random.SystemRandom()
"""The system's: environments that start from one snapshot would draw the same from a generator of this process."""
_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


class Ledger:
    """Writes to the tables; every write has a condition, every change of state its audit entry beside it."""

    def __init__(
        self, client: "Callable[[], DynamoDBClient]", records_table: str, audit_table: str, keyring: "Keyring"
    ) -> None:
        self._client = client
        self._audit = audit_table
        self._writes = Writes(records_table, audit_table, keyring)

    def commit(self, changes: Sequence[Change]) -> None:
        """Write all changes or none.

        Raises `Contention` when a condition did not hold, `TooLarge` over 100 writes or for an item that is too large,
        `Unavailable` when DynamoDB does not say that it succeeded.
        """
        ahead, writes = _split([(write, change) for change in changes for write in self._writes.of(change)])
        _check_sizes([write for write, _ in writes])
        for write in ahead:
            self._put(write["Put"])
        for attempt in range(1, _ATTEMPTS + 1):
            reasons = self._attempt([write for write, _ in writes])
            if reasons is None:
                return
            failed = tuple(
                change
                for reason, (_, change) in zip(reasons, writes, strict=False)
                if reason == "ConditionalCheckFailed"
            )
            if failed:
                raise Contention(failed)
            if attempt == _ATTEMPTS or not _PASSING.issuperset(set(reasons) - {"None"}) or set(reasons) <= {"None"}:
                break
            time.sleep(_CHANCE.uniform(0, _PAUSE_SECONDS * 2**attempt))
        raise Unavailable("service-unavailable")

    def append(self, entry: Trace) -> None:
        """Append one entry to the trace, before the answer it tells of leaves."""
        item = self._writes.audit_item(entry)
        self._put({"TableName": self._audit, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"})

    def _put(self, put: Write) -> None:
        """Put an item unless it is there."""
        try:
            self._client().put_item(**put)
        except ClientError as failure:
            # A repetition by the SDK after a lost answer finds the entry of the first attempt: it is there.
            if failure.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise Unavailable("service-unavailable") from failure
        except BotoCoreError as failure:
            raise Unavailable("service-unavailable") from failure

    def _attempt(self, writes: list[Write]) -> list[str] | None:
        try:
            self._client().transact_write_items(TransactItems=writes)  # type: ignore[arg-type]
        except ClientError as failure:
            if failure.response.get("Error", {}).get("Code") != "TransactionCanceledException":
                raise Unavailable("service-unavailable") from failure
            reasons = failure.response.get("CancellationReasons", [])
            return [reason.get("Code", "None") for reason in reasons]
        except BotoCoreError as failure:
            raise Unavailable("service-unavailable") from failure
        return None


def _split(
    writes: list[tuple[Write, Change]],
) -> tuple[list[Write], list[tuple[Write, Change]]]:
    """What is written ahead, and what all at once; TooLarge where that is too much.

    Where they are too many together, hints go ahead: the look-ups of further identifiers, what documents offer, their
    words. Whoever finds one checks what it is of, so that one which leads nowhere does no harm.
    """
    ahead = [write for write, _ in writes if _is_hint(write)] if len(writes) > LARGEST_TRANSACTION else []
    at_once = [(write, change) for write, change in writes if not ahead or not _is_hint(write)]
    if len(at_once) > LARGEST_TRANSACTION or len(ahead) > LARGEST_AHEAD:
        raise TooLarge("too-many", detail=f"it would write {len(writes)} items: divide it, a hundred is the most")
    return ahead, at_once


def _is_hint(write: Write) -> bool:
    item = write.get("Put", {}).get("Item", {})
    return is_further(item) or item.get("kind", {}).get("S") in HINTS


def _check_sizes(writes: Sequence[Write]) -> None:
    sizes = list(map(_size, writes))
    if sum(sizes) > LARGEST_SUM or any(size > LARGEST_ITEM for size in sizes):
        raise TooLarge("too-large")


def _size(write: Write) -> int:
    """About the bytes of the item that a write puts."""
    item = write.get("Put", {}).get("Item", {})
    return sum(len(name) + sum(map(_length, typed.values())) for name, typed in item.items())


def _length(value: str | bytes) -> int:
    return len(value.encode()) if isinstance(value, str) else len(value)
