"""A record that takes whatever comes: after each request it tells what the answer and the stores have wrong."""

import json
from dataclasses import dataclass, field
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.s3.models import FakeDeleteMarker, s3_backends

from dmp.domain.requester import Requester
from tests.api_client import Response
from tests.faults import fsck
from tests.fed_record import FedRecord

_ACCOUNT, _REGION = "123456789012", "eu-west-3"

type State = tuple[dict[str, str], frozenset[str]]


@dataclass
class FuzzedRecord:
    """Sends requests and compares: a 4xx changes nothing, and is an OperationOutcome with a code."""

    fed: FedRecord
    accepted: int = 0
    refused: int = 0
    _last: State | None = field(default=None)

    def send(self, method: str, url: str, body: object = None, *, as_: Requester, content_type: str = "") -> Response:
        """Send a request; AssertionError with what was sent for an answer that may not be."""
        before = self._last or self.state()
        answer = self.fed.api.request(method, url, body, as_=as_, content_type=content_type or None)
        after = self.state()
        told = (answer.status, method, url, answer.body[:400], _shown(body))
        assert answer.status < 500, told
        if answer.status >= 400:
            self.refused += 1
            assert answer.code, told
            assert after == before, told
        else:
            self.accepted += 1
        self._last = after
        return answer

    def assert_whole(self) -> None:
        """Nothing is missing, nothing is left over."""
        assert not fsck.problems(self.fed)
        assert not fsck.orphans(self.fed)

    def state(self) -> State:
        """What is stored of the record, read where moto keeps it, for it is asked often."""
        table: Any = dynamodb_backends[_ACCOUNT][_REGION].tables[self.fed.stores["RECORDS_TABLE"]]
        items = table.items[DynamoType({"S": f"R#{self.fed.id}"})]
        bucket: Any = s3_backends[_ACCOUNT]["global"].buckets[self.fed.stores["DOCUMENTS_BUCKET"]]
        keys = (key for key, stored in bucket.keys.items() if not isinstance(stored, FakeDeleteMarker))
        return (
            {sort.value: _version(item) for sort, item in items.items()},
            frozenset(key for key in keys if key.startswith(f"{self.fed.id}/")),
        )


def _version(item: Any) -> str:
    return repr(
        {name: value.value for name, value in item.attrs.items() if name in {"v", "upd", "st", "kind", "local"}}
    )


def _shown(body: object) -> str:
    return (body.decode("utf-8", "replace") if isinstance(body, bytes) else json.dumps(body))[:20_000]
