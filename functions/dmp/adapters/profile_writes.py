"""What each change of the structured profile writes: the conditional writes of one DynamoDB transaction."""

from collections.abc import Iterator
from typing import Any

from dmp.adapters import keys, message_items, profile_items
from dmp.adapters.record_items import Item
from dmp.domain.clinical_profile import ProfileEntry
from dmp.domain.profile_changes import ProfileChange, SaveExtraction, SaveProfileEntry, SaveRelatedPerson, SaveText

HINTS = frozenset({"extraction", "text"})
"""Kinds of items which tell nothing where the document is not there that they are of."""


def writes_of(table: str, change: ProfileChange) -> Iterator[dict[str, Any]]:
    """The writes of one change, each with its condition."""
    match change:
        case SaveProfileEntry(entry, previous):
            former = _former(previous)
            yield from _saved(table, profile_items.write_entry(entry), former, previous.version if previous else 0)
        case SaveRelatedPerson(person, was):
            sk = keys.former("RelatedPerson", was.local, was.version) if was else ""
            former = message_items.write_person(was, sk) if was else None
            yield from _saved(table, message_items.write_person(person), former, was.version if was else 0)
        case SaveExtraction(extraction):
            yield _over(table, profile_items.write_extraction(extraction))
        case SaveText(text):
            yield _over(table, profile_items.write_text(text))


def _former(entry: ProfileEntry | None) -> Item | None:
    sk = keys.former(entry.kind, entry.local, entry.version) if entry else ""
    return profile_items.write_entry(entry, sk) if entry else None


def _saved(table: str, item: Item, former: Item | None, version: int) -> Iterator[dict[str, Any]]:
    """Create an item; or write it over its former version, which is kept beside."""
    if former is None:
        yield _put(table, item, "attribute_not_exists(pk)")
        return
    yield _put(table, item, "v = :v", {":v": {"N": str(version)}})
    yield _put(table, former, "attribute_not_exists(pk)")


def _over(table: str, item: Item) -> dict[str, Any]:
    """Put a hint over an older one; nothing else ever lies there."""
    put = _put(table, item, "attribute_not_exists(pk) OR #kind = :kind", {":kind": item["kind"]})
    put["Put"]["ExpressionAttributeNames"] = {"#kind": "kind"}
    return put


def _put(table: str, item: Item, condition: str, values: Item | None = None) -> dict[str, Any]:
    put: Item = {"TableName": table, "Item": item, "ConditionExpression": condition}
    return {"Put": put | ({"ExpressionAttributeValues": values} if values else {})}
