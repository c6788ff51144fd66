"""Repairs that make moto fit for parallel requests, transactions and uploads, in its server as within a process.

moto 5.2.5 loses updates when threads share a table, copies every touched table whole for each item of a transaction,
sorts every table whole for each query, does not know the host name that botocore calls DynamoDB Streams by, tells of an
object of a versioned bucket without its version, makes every key of a template one that encrypts and that
nobody can describe, and hands over no message behind one that is too old. `apply` mends all eight, once a process.
"""

import copy
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, wraps
from threading import RLock
from typing import Any

_ONE_CALL_AT_A_TIME = RLock()

type Items = dict[Any, Any]


@cache
def apply() -> None:
    """Mend moto; to be called before the first client is made."""
    os.environ["AWS_ACCOUNT_ID_ENDPOINT_MODE"] = "disabled"
    _make_calls_atomic()
    _make_transactions_light()
    _make_queries_light()
    _make_notifications_whole()
    _make_keys_as_declared()
    _make_queues_forget()


def _make_calls_atomic() -> None:
    """Let one API call end before the next begins, as if the stores were linearizable."""
    from moto.core.botocore_stubber import BotocoreStubber
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    _patch(BotocoreStubber, "process_request", _serialised(BotocoreStubber.process_request))
    _patch(DomainDispatcherApplication, "__call__", _serialised(DomainDispatcherApplication.__call__))


def _make_transactions_light() -> None:
    """Restore the touched items of a transaction that fails, instead of copying every table before each one."""
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import Table

    _patch(Table, "__deepcopy__", lambda table, _memo: table)
    transact = DynamoDBBackend.transact_write_items

    @wraps(transact)
    def all_or_none(backend: Any, transact_items: list[dict[str, Any]]) -> None:
        with _restored_on_failure(backend.tables, transact_items):
            transact(backend, transact_items)

    _patch(DynamoDBBackend, "transact_write_items", all_or_none)


def _make_queries_light() -> None:
    """Hand a query the items as they lie: it sorts those that it chooses, by the key it asks for."""
    from moto.dynamodb.models.table import Table

    query = Table.query

    @wraps(query)
    def unsorted(table: Any, *args: Any, **kwargs: Any) -> Any:
        partitions = table.items.values()
        has_range = table.range_key_attr is not None
        table.all_items = lambda: [i for p in partitions for i in p.values()] if has_range else list(partitions)
        try:
            return query(table, *args, **kwargs)
        finally:
            del table.all_items

    _patch(Table, "query", unsorted)


def _make_keys_as_declared() -> None:
    """Let a key of a template have the usage, the form and the policy that it declares, and be described."""
    from moto.kms import responses
    from moto.kms.models import Key, kms_backends

    symmetric = Key.create_from_cloudformation_json

    def as_declared(name: str, declared: Mapping[str, Any], account_id: str, region_name: str, **given: Any) -> Any:
        properties = declared["Properties"] | {"KeyPolicy": json.dumps(declared["Properties"]["KeyPolicy"])}
        if "KeySpec" not in properties:
            return symmetric(name, {**declared, "Properties": properties}, account_id, region_name, **given)
        return kms_backends[account_id][region_name].create_key(
            policy=properties["KeyPolicy"],
            key_usage=properties["KeyUsage"],
            key_spec=properties["KeySpec"],
            description=properties.get("Description"),
            tags=properties.get("Tags", []),
        )

    _patch(Key, "create_from_cloudformation_json", staticmethod(as_declared))
    # it takes a denial under a condition for one without, and asks for nothing else
    _patch(responses, "validate_policy", lambda *_: None)


def _make_queues_forget() -> None:
    """Take out of a queue what is older than its retention, before anything is received from it."""
    from moto.sqs.models import SQSBackend

    receive = SQSBackend.receive_message

    @wraps(receive)
    def of_those_kept(backend: Any, queue_name: str, *given: Any, **named: Any) -> Any:
        is_kept, queue = backend.is_message_valid_based_on_retention_period, backend.get_queue(queue_name)
        queue._messages[:] = [message for message in queue._messages if is_kept(queue_name, message)]
        return receive(backend, queue_name, *given, **named)

    _patch(SQSBackend, "receive_message", of_those_kept)


def _make_notifications_whole() -> None:
    """Name the version of an object in what is told of it."""
    from moto.s3 import notifications

    describe: Callable[..., Any] = notifications._get_s3_event

    @wraps(describe)
    def versioned(event_name: str, bucket: Any, key: Any, notification_id: str) -> Any:
        event = describe(event_name, bucket, key, notification_id)
        if bucket.versioning_status == "Enabled":
            event["Records"][0]["s3"]["object"]["versionId"] = key.version_id
        return event

    notifications._get_s3_event = versioned


@contextmanager
def _restored_on_failure(tables: Mapping[str, Any], writes: list[dict[str, Any]]) -> Iterator[None]:
    before = [
        (slot, key, copy.deepcopy(slot.get(key)))
        for write in writes
        for operation in write.values()
        if operation.get("TableName") in tables
        for slot, key in _slot(tables[operation["TableName"]], operation)
    ]
    shards = {id(table.stream_shard): table.stream_shard for table in tables.values() if table.stream_shard}
    lengths = {name: len(shard.items) for name, shard in shards.items()}
    try:
        yield
    except BaseException:
        for slot, key, item in before:
            slot.pop(key, None)
            if item is not None:
                slot[key] = item
        for name, shard in shards.items():
            del shard.items[lengths[name] :]
        raise


def _slot(table: Any, operation: Mapping[str, Any]) -> Iterator[tuple[Items, Any]]:
    """Find the dictionary, and the key in it, where moto keeps the item of a write; nothing where the key is wrong."""
    from moto.dynamodb.models.dynamo_type import DynamoType

    attributes = operation.get("Key") or operation.get("Item") or {}
    names = [table.hash_key_attr] + ([table.range_key_attr] if table.range_key_attr else [])
    if any(not isinstance(attributes.get(name), dict) for name in names):
        return
    slot, *rest = (DynamoType(attributes[name]) for name in names)
    yield (table.items[slot], rest[0]) if rest else (table.items, slot)


def _serialised[**P, R](call: Callable[P, R]) -> Callable[P, R]:
    @wraps(call)
    def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        with _ONE_CALL_AT_A_TIME:
            return call(*args, **kwargs)

    return alone


def _patch(owner: object, name: str, value: object) -> None:
    setattr(owner, name, value)
