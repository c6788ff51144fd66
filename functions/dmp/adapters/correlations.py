"""The id of the request that something follows from, as items, changes of a stream and messages of a queue carry it."""

import json
from collections.abc import Mapping
from typing import Any

from dmp.domain.correlation import correlation_id, followed

_NAME = "cid"


def followed_attribute(traced: str = "") -> dict[str, dict[str, str]]:
    """The attribute that a new item has: none where `traced`, which the item holds anyway, is the id."""
    followed_id = followed()
    return {_NAME: {"S": followed_id}} if followed_id and correlation_id(traced, "") != followed_id else {}


def followed_key() -> dict[str, str]:
    """What a message of a queue has in its body beside what it tells."""
    return {_NAME: followed()} if followed() else {}


def id_of_item(item: Mapping[str, Any]) -> str:
    """The id that an item carries, or tells as an entry of the trace; empty where there is none."""
    if _NAME in item:
        return str(item[_NAME]["S"])
    if "entry" not in item:
        return ""
    try:
        return correlation_id(str(json.loads(item["entry"]["S"])["req"]), "")
    except (ValueError, KeyError, TypeError):
        return ""


def id_of_change(change: Mapping[str, Any]) -> str:
    """The id of a change that a stream brings; empty where there is none."""
    told = change.get("dynamodb", {})
    return id_of_item(told.get("NewImage") or told.get("OldImage") or {})


def id_of_message(message: Mapping[str, Any]) -> str:
    """The id that the body of a message carries; empty where there is none, as in those of S3."""
    try:
        return str(json.loads(message["body"]).get(_NAME, ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
