"""What the inspection cannot read is named, hides nothing else, and is never swept."""

import json
from datetime import timedelta

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from tests.api_client import ApiClient
from tests.aws_calls import refused
from tests.fed_record import FedRecord, partition
from tests.inspected_record import (
    Json,
    drop,
    faults,
    ins_item,
    items,
    order,
    pages,
    problems,
    put,
    put_seal,
    stored,
)


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("D#", {"body": {"S": "xx"}}), ("D#", {"facts": {"S": "{}"}}), ("D#", {"facts": {"S": "no JSON"}}),
        ("D#", {"facts": {"S": "[]"}}), ("D~", {"body": {"S": "[]"}}), ("C#", {"body": {"S": "7"}}),
        ("E#", {"body": {"B": b"xx"}}), ("U#", {"local": {"N": "1"}}), ("M#", {"sent": {"S": "never"}}),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_named_on_every_page_and_hides_no_other(
    record: FedRecord, kind: str, damage: Json, api: ApiClient
) -> None:
    row = items(record, kind)[0]
    put(record.stores["RECORDS_TABLE"], row | damage)

    found = problems(api, "records")
    versions = [page["versions"] for page in pages(api, "objects", sweep=True)]

    put(record.stores["RECORDS_TABLE"], row)
    assert {"fault": "unreadable", "record": record.id, "what": row["sk"]["S"]} in found
    assert sum(versions) >= 3
    assert not {one["fault"] for one in order(api, "records", record=record.id)["problems"]}


def test_the_bytes_of_a_document_that_cannot_be_read_are_never_swept(
    record: FedRecord, api: ApiClient, clock: TimeMachineFixture
) -> None:
    rows = items(record, "D#")
    for row in rows:
        put(record.stores["RECORDS_TABLE"], row | {"facts": {"S": "{}"}})
    clock.shift(timedelta(days=2))
    before = stored(record.stores["DOCUMENTS_BUCKET"])

    found = problems(api, "objects", sweep=True)

    assert {one["what"] for one in found} >= {f"DocumentReference/{record.id}.{rows[0]['local']['S']}"}
    assert {key for key in before if record.id in key} <= set(stored(record.stores["DOCUMENTS_BUCKET"]))


@pytest.mark.parametrize(
    ("partition_of", "damage", "fault"),
    [
        ("R#", {"entry": None}, "entry-damaged"), ("R#", {"sk": {"S": "zz!"}}, "not-chained"),
        ("R#", {"entry": {"S": "[]"}}, "entry-damaged"), ("K#", {"head": None}, "unreadable"),
        ("K#", {"entries": {"S": "5"}}, "unreadable"), ("K#", {"head": {"S": "xyz"}}, "unreadable"),
    ],
)  # fmt: skip
def test_a_row_of_the_trace_that_cannot_be_read_is_told(
    record: FedRecord, partition_of: str, damage: Json, fault: str
) -> None:
    table = record.stores["AUDIT_TABLE"]
    row = partition(table, f"{partition_of}{record.id}")[0]
    changed = {name: typed for name, typed in (row | damage).items() if typed is not None}
    put(table, changed)

    found = faults(record)

    drop(table, changed)
    put(table, row)
    assert fault in found
    assert faults(record) == []


@pytest.mark.parametrize("content", [b"garbage", b"{}", None])
def test_a_seal_whose_object_is_damaged_or_gone_is_told_and_records_are_looked_at_all_the_same(
    record: FedRecord, content: bytes | None
) -> None:
    bucket, client = record.stores["SEALS_BUCKET"], aws.client("s3")
    newest = max(partition(record.stores["AUDIT_TABLE"], "SEALS"), key=lambda one: int(one["number"]["N"]))
    number = int(newest["number"]["N"])
    key = next(one for one in stored(bucket) if int("".join(filter(str.isdigit, one)) or 0) == number)
    if content is None:
        client.delete_object(Bucket=bucket, Key=key)
    else:
        put_seal(record, key, content)

    found = problems(record.api, "seals")
    of_record = faults(record)

    wanted = "object-missing" if content is None else "object-differs"
    assert {"fault": wanted, "record": "", "what": f"seal {number}"} in found
    assert of_record == ["not-sealed"]


@pytest.mark.parametrize("change", ["garbage", "text", "leaves"])
def test_a_seal_of_all_records_that_is_not_what_was_signed_is_told(record: FedRecord, change: str) -> None:
    bucket, client = record.stores["SEALS_BUCKET"], aws.client("s3")
    before = set(stored(bucket))
    record.api.run("AuditSealer", {"whole": True})
    wholes = {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in stored(bucket)}
    wholes = {key: kept for key, kept in wholes.items() if key not in before or b'"leaves"' in kept}
    for key, kept in wholes.items():
        content = json.loads(kept)
        if change == "leaves":
            content["leaves"] = [[name, number, "0" * 64] for name, number, _ in content["leaves"]]
        if change == "text":
            content["text"] = content["text"].replace('"number":', '"number":1')
        put_seal(record, key, b"xx" if change == "garbage" else json.dumps(content).encode())

    found = faults(record)

    for key, kept in wholes.items():
        put_seal(record, key, kept)
    assert "seal-differs" in found
    assert faults(record) == []


def test_a_row_of_the_seals_or_of_an_ins_that_cannot_be_read_is_told(record: FedRecord) -> None:
    row, ins = partition(record.stores["AUDIT_TABLE"], "SEALS")[0], ins_item(record)
    put(record.stores["AUDIT_TABLE"], {name: row[name] for name in row if name != "signature"})
    put(record.stores["RECORDS_TABLE"], {name: ins[name] for name in ins if name != "record"})

    seals = problems(record.api, "seals")
    records = problems(record.api, "records", counts=True)

    assert ("unreadable", f"SEALS {row['sk']['S']}") in {(one["fault"], one["what"]) for one in seals}
    assert ("unreadable", f"{ins['pk']['S']} INS") in {(one["fault"], one["what"]) for one in records}


@pytest.mark.parametrize("code", ["AccessDenied", "KMS.DisabledException"])
def test_an_object_that_is_refused_is_told_and_the_others_are_looked_at(record: FedRecord, code: str) -> None:
    with refused("HeadObject", code, 403):
        assert faults(record) == ["object-unreadable"]
