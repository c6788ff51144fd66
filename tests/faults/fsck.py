"""Reads the raw tables and the raw bucket of one record and tells what is broken: knows the layout, not the code.

I1: every document that can be seen has its object, of the right size and SHA-256, under SSE-KMS, in the version that
was verified where it came by upload; one that is still awaited needs none. I2: every version has exactly one entry of
the trace that tells of a success at its instant. I4 and I5 are for the tests that know what
was acknowledged. I6: objects that nothing names are counted. I7: every document that has its bytes
is found by words.
"""

import hashlib
import json
import zlib
from collections.abc import Iterator
from typing import Any

from dmp.adapters import aws
from tests.fed_record import FedRecord

VISIBLE = {"current", "superseded"}
WRITING = {"C", "U", "D"}

type Item = dict[str, Any]


def problems(record: FedRecord) -> list[str]:
    """Everything that is broken."""
    items = record.items()
    return [
        *_objects_missing(record, items),
        *_versions_untraced(record, items),
        *_claims_without_document(items),
        *_versions_lost(items),
        *_not_indexed(items),
    ]


def orphans(record: FedRecord) -> set[str]:
    """Keys of objects that no entry names."""
    return set(record.objects()) - {content_of(item)[0] for item in _documents(record.items())}


def left_after_erasure(record: FedRecord, told: list[Item]) -> list[str]:
    """What an erased record should not hold, or should still: nothing is left but a bare head and the whole trace.

    `told` is the trace as it was before.
    """
    return [
        *(f"{item['sk']['S']} is left" for item in record.items() if item["sk"]["S"] != "D~"),
        *_tombstone(record),
        *(f"version of {key} is left" for key in versions(record)),
        *(f"trace {entry['id']} is gone" for entry in told if entry not in record.trace()),
        *([] if [e["act"] for e in record.trace()].count("erased") == 1 else ["not told once"]),
    ]


def _tombstone(record: FedRecord) -> Iterator[str]:
    heads = [item for item in record.items() if item["sk"]["S"] == "D~"]
    if [item["st"]["S"] for item in heads] != ["erased"]:
        yield "no head, or not erased"
        return
    content = json.loads(heads[0]["body"]["S"])
    identity = {name: value for name, value in content["identity"].items() if value}
    if identity.keys() != {"ins"} or content["directives"] or content["opened_by"]:
        yield "the head tells more than the INS"


def versions(record: FedRecord) -> list[str]:
    """The keys of every version and delete marker of the record's objects."""
    pages = aws.client("s3").get_paginator("list_object_versions")
    return [
        one["Key"]
        for prefix in ("documents/", "uploads/", "exports/")
        for page in pages.paginate(Bucket=record.stores["DOCUMENTS_BUCKET"], Prefix=f"{prefix}{record.id}/")
        for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
    ]


def content_of(item: Item) -> list[Any]:
    """Key, content type, size, SHA-1, SHA-256 and version of an entry's bytes; no version of what came inline."""
    content: list[Any] = json.loads(item["facts"]["S"])["content"]
    return [*content, *([""] if len(content) == 5 else [])]


def _fact(item: Item, name: str) -> Any:
    return json.loads(item["facts"]["S"]).get(name)


def _documents(items: list[Item]) -> list[Item]:
    return [item for item in items if item["sk"]["S"].startswith("D#")]


def _objects_missing(record: FedRecord, items: list[Item]) -> Iterator[str]:
    client, bucket = aws.client("s3"), record.stores["DOCUMENTS_BUCKET"]
    stored = record.objects()
    for item in _documents(items):
        key, content_type, size, _, sha256, version = content_of(item)
        if item["st"]["S"] not in VISIBLE or "content" in (_fact(item, "awaits") or ()):
            continue
        if key not in stored:
            yield f"I1 {item['sk']['S']}: no object"
            continue
        if _fact(item, "uploaded") and not version:
            yield f"I1 {item['sk']['S']}: any version may be read"
        found = client.get_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))
        data = found["Body"].read()
        if (len(data), hashlib.sha256(data).hexdigest(), found["ContentType"]) != (size, sha256, content_type):
            yield f"I1 {item['sk']['S']}: another object"
        if found.get("ServerSideEncryption") != "aws:kms":
            yield f"I1 {item['sk']['S']}: not encrypted"


def _versions_untraced(record: FedRecord, items: list[Item]) -> Iterator[str]:
    told = [entry for entry in record.trace() if entry["outcome"] == "0" and entry["action"] in WRITING]
    versions = [i for i in items if i["kind"]["S"] == "document"]
    for item in versions:
        at = [entry for entry in told if entry["t"] == item["upd"]["S"]]
        if not at:
            yield f"I2 {item['sk']['S']}: version {item['v']['N']} is not in the trace"
    for item in _documents(items):
        made = [e for e in told if e["action"] == "C" and f"DocumentReference/{_id(record, item)}" in e["what"]]
        if not made:
            yield f"I2 {item['sk']['S']}: its deposit is not in the trace"


def _id(record: FedRecord, item: Item) -> str:
    return f"{record.id}.{item['local']['S']}"


def _claims_without_document(items: list[Item]) -> Iterator[str]:
    """A unique id is held by a resource that is there, and every document holds its own."""
    locals_ = {i["local"]["S"] for i in items if i["sk"]["S"].startswith(("D#", "L#", "E#"))}
    claimed = {i["local"]["S"] for i in items if i["sk"]["S"].startswith("U#")}
    for item in items:
        leads_to = item["local"]["S"].split() if item["sk"]["S"].startswith(("U#", "I#", "N#")) else []
        if not locals_.issuperset(leads_to):
            yield f"I1 {item['sk']['S']}: names nothing"
    for item in _documents(items):
        is_ended = bool(_fact(item, "upload_error"))
        is_named_later = _fact(item, "uploaded") and _fact(item, "awaits") and not _fact(item, "master")
        if item["local"]["S"] not in claimed and not is_ended and not is_named_later:
            yield f"I1 {item['sk']['S']}: does not hold its unique id"


def _not_indexed(items: list[Item]) -> Iterator[str]:
    texts = {item["local"]["S"] for item in items if item["sk"]["S"].startswith("T#")}
    for item in _documents(items):
        is_there = item["st"]["S"] in VISIBLE and "content" not in (_fact(item, "awaits") or ())
        if is_there and item["local"]["S"] not in texts:
            yield f"I7 {item['sk']['S']}: its words are lost"


def _versions_lost(items: list[Item]) -> Iterator[str]:
    """Version n has n - 1 former ones, and its body says its status."""
    for item in _documents(items):
        former = [i for i in items if i["sk"]["S"].startswith(f"V#DocumentReference#{item['local']['S']}#")]
        if sorted(int(i["v"]["N"]) for i in former) != list(range(1, int(item["v"]["N"]))):
            yield f"I4 {item['sk']['S']}: a former version is lost"
        body = json.loads(zlib.decompress(item["body"]["B"]))
        if body["status"] != item["st"]["S"]:
            yield f"I1 {item['sk']['S']}: the body has another status"
