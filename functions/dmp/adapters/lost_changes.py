"""What a consumer of a stream gave up, brought back by the operator: as it stands now, or out of the stream itself."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from dmp.adapters import keys
from dmp.adapters.aws import unavailable_on_failure
from dmp.adapters.table import Range, Table
from dmp.domain.errors import DmpError, Gone, Invalid, Unavailable

_FORGOTTEN = frozenset({"TrimmedDataAccessException", "ExpiredIteratorException", "ResourceNotFoundException"})
_NEW = "INSERT"
_NAMES = frozenset({_NEW, "MODIFY", "REMOVE"})
_PAGES = 100
"""Reads of the stream until the last number is found: empty pages lie between."""

type Change = dict[str, Any]


class LostChanges:
    """The changes that the messages of a queue of the lost are about."""

    def __init__(self, table: Table, streams: Callable[[], Any], begins: Mapping[str, str]) -> None:
        """`begins` is what the keys of a new item begin with that its consumer is told of, by the name of the key.

        Of what was changed or removed it is told everything.
        """
        self._table = table
        self._streams = streams
        self._begins = begins

    def of(self, lost: object) -> list[Change]:
        """The changes of one message: none where what it was about is there no more.

        Raises Gone `stream-forgot` where it only tells a place in a stream that has gone on, Invalid, Unavailable.
        """
        try:
            told = dict(lost) if isinstance(lost, Mapping) else {}
            place = told["DDBStreamBatchInfo"]
            first = str(place["startSequenceNumber"])
            found = [self._as_it_stands(told, first)] if told.get("keys") else list(self._of_stream(place))
        except (KeyError, TypeError, ValueError):
            raise Invalid("invalid-parameter", "lost") from None
        return [one for one in found if one and self._is_wanted(one)]

    def _as_it_stands(self, told: Mapping[str, Any], number: str) -> Change | None:
        """The change of one key; None for what was new and is there no more."""
        pk, sk, name = told["keys"]["pk"]["S"], told["keys"]["sk"]["S"], told.get("eventName", _NEW)
        if name not in _NAMES:
            raise ValueError("no change has such a name")
        items, _ = self._table.query(pk, Range(sk, sk), limit=1)
        if not items and name == _NEW:
            return None
        image = {"Keys": keys.item_key(pk, sk), "SequenceNumber": number, **({"NewImage": items[0]} if items else {})}
        return {"eventName": name, "eventID": number, "dynamodb": image}

    def _of_stream(self, place: Mapping[str, Any]) -> Iterator[Change]:
        try:
            with unavailable_on_failure():
                yield from self._read(place)
        except DmpError as failure:
            cause = failure.__cause__
            if isinstance(cause, ClientError) and cause.response.get("Error", {}).get("Code") in _FORGOTTEN:
                raise Gone("stream-forgot") from failure
            raise

    def _read(self, place: Mapping[str, Any]) -> Iterator[Change]:
        """All up to the last change, or a failure: whoever handled a part would take the rest for done."""
        last = int(place["endSequenceNumber"])
        iterator = self._streams().get_shard_iterator(
            StreamArn=place["streamArn"],
            ShardId=place["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=place["startSequenceNumber"],
        )["ShardIterator"]
        for _ in range(_PAGES):
            page = self._streams().get_records(ShardIterator=iterator)
            for one in page["Records"]:
                number = int(one["dynamodb"]["SequenceNumber"])
                if number > last:
                    raise Gone("stream-forgot")
                yield one
                if number == last:
                    return
            iterator = page.get("NextShardIterator")
            if iterator is None:
                raise Gone("stream-forgot")
        raise Unavailable("service-unavailable")

    def _is_wanted(self, change: Change) -> bool:
        key = change["dynamodb"]["Keys"]
        is_own = all(key[name]["S"].startswith(begin) for name, begin in self._begins.items())
        return is_own or change["eventName"] != _NEW
