"""A stack within the process that goes back to what it held at a moment, so that no test meets what another left."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from infra.local.resources import ACCOUNT, REGION
from tests.api_client import ApiClient
from tests.operator_tools import stack_name


class Clock(Protocol):
    """What moves the time of this process."""

    def move_to(self, destination: datetime) -> None: ...

    def shift(self, delta: timedelta) -> None: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """What time it was, and what tables, their streams and buckets held, by their names."""

    at: datetime
    items: Mapping[str, Any]
    changes: Mapping[str, list[Any]]
    versions: Mapping[str, Mapping[str, list[Any]]]


class KeptStack:
    """The tables, buckets and queues that moto keeps of one stack, and a client of its API."""

    def __init__(self, environment: dict[str, str]) -> None:
        from moto.dynamodb.models import dynamodb_backends
        from moto.s3.models import s3_backends
        from moto.sqs.models import sqs_backends

        self.environment = environment
        self.api = ApiClient()
        self._tables = _of(environment, dynamodb_backends[ACCOUNT][REGION].tables)
        self._buckets = _of(environment, s3_backends[ACCOUNT]["aws"].buckets)
        self._queues = _of(environment, sqs_backends[ACCOUNT][REGION].queues)
        self.empty = self.moment()

    def moment(self) -> Moment:
        """What is held now; messages of queues aside, which nobody keeps."""
        return Moment(
            datetime.now(UTC),
            {name: copy.deepcopy(table.items) for name, table in self._tables.items()},
            {name: list(table.stream_shard.items) for name, table in self._tables.items()},
            {name: copy.deepcopy(_versions(bucket)) for name, bucket in self._buckets.items()},
        )

    def put_back(self, moment: Moment, clock: Clock) -> None:
        """Go back to a moment and hold again what was held then, with no message in any queue."""
        clock.move_to(moment.at)
        for name, table in self._tables.items():
            table.items = copy.deepcopy(moment.items[name])
            table.stream_shard.items[:] = moment.changes[name]
        for name, bucket in self._buckets.items():
            _replace(bucket, copy.deepcopy(moment.versions[name]))
        for queue in self._queues.values():
            queue._messages.clear()


def _of(environment: Mapping[str, str], stores: Mapping[str, Any]) -> dict[str, Any]:
    """Those of one stack, which all bear its name."""
    own = {name: store for name, store in stores.items() if name.startswith(stack_name(environment))}
    assert own
    return own


def _versions(bucket: Any) -> dict[str, list[Any]]:
    return dict(bucket.keys.lists())


def _replace(bucket: Any, versions: Mapping[str, list[Any]]) -> None:
    bucket.multiparts.clear()
    for key in _versions(bucket):
        bucket.keys.setlist(key, [])
    bucket.keys.clear()
    for key, all_of_it in versions.items():
        bucket.keys.setlist(key, all_of_it)
