"""Exports, and which of them somebody has under way, as items of the records table."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from dmp.adapters import keys
from dmp.adapters.keyring import Keyring
from dmp.adapters.record_items import Item, maybe_instant, maybe_text, text
from dmp.domain.document import StoredContent
from dmp.domain.export import ZIP, ClaimExport, Export, ExportChange, ExportState, SaveExport
from dmp.domain.requester_context import from_json, to_json


def write_export(export: Export) -> Item:
    """The item of an export."""
    content = export.content
    body = {
        "requester": to_json(export.requester),
        "base_url": export.base_url,
        "asked": keys.instant(export.asked),
        "runs": export.runs,
        "begun": maybe_text(export.begun),
        "taken": maybe_text(export.taken),
        "expires": maybe_text(export.expires),
        "content": [content.size, content.sha256, content.version] if content else None,
        "counts": dict(export.counts),
    }
    return keys.item_key(keys.partition(export.record), keys.export(export.local)) | {
        "kind": {"S": "export"},
        "local": {"S": export.local},
        "st": {"S": export.state.value},
        "v": {"N": str(export.version)},
        "body": {"S": text(body)},
    }


def read_export(item: Item) -> Export:
    """An export from its item."""
    body = json.loads(item["body"]["S"])
    export = Export(
        record=keys.record_of(item["pk"]["S"]),
        local=item["local"]["S"],
        version=int(item["v"]["N"]),
        requester=from_json(body["requester"]),
        base_url=body["base_url"],
        asked=datetime.fromisoformat(body["asked"]),
        state=ExportState(item["st"]["S"]),
        runs=body["runs"],
        begun=maybe_instant(body["begun"]),
        taken=maybe_instant(body["taken"]),
        expires=maybe_instant(body["expires"]),
        counts=body["counts"],
    )
    return _with_content(export, body["content"])


def write_of(table: str, keyring: Keyring, change: ExportChange) -> dict[str, Any]:
    """The write of a change, with its condition."""
    match change:
        case SaveExport(export, None):
            return _put(table, write_export(export), "attribute_not_exists(pk)")
        case SaveExport(export, previous):
            was = {":v": {"N": str(previous.version if previous else 0)}}
            return _put(table, write_export(export), "v = :v", was)
        case ClaimExport(record, asker, local, previous_local):
            key = keys.item_key(keys.partition(record), keys.exporter(keyring.identifier_digest(asker)))
            item = key | {"kind": {"S": "exporter"}, "held": {"S": local}}
            if not previous_local:
                return _put(table, item, "attribute_not_exists(pk)")
            return _put(table, item, "held = :previous", {":previous": {"S": previous_local}})


def _with_content(export: Export, told: list[Any] | None) -> Export:
    if told is None:
        return export
    size, sha256, version = told
    content = StoredContent(key=export.key, content_type=ZIP, size=size, sha1="", sha256=sha256, version=version)
    return replace(export, content=content)


def _put(table: str, item: Item, condition: str, values: Item | None = None) -> dict[str, Any]:
    put: Item = {"TableName": table, "Item": item, "ConditionExpression": condition}
    return {"Put": put | ({"ExpressionAttributeValues": values} if values else {})}
