"""A record for the operator's inspection, the orders that inspect it, and its items past the code under test."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from dmp.adapters import aws
from tests.api_client import ApiClient
from tests.cda_entries import concern, part, problem, value
from tests.cda_factories import structured
from tests.closed_record import full_record
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord
from tests.kept_stack import Clock
from tests.profile_bodies import allergy
from tests.reimbursements import fed, line

type Json = dict[str, Any]


def inspected_record(api: ApiClient, stack: dict[str, str], clock: Clock) -> FedRecord:
    """A record with something of every kind, chained, sealed, and old enough that nothing is under way."""
    record = full_record(api, stack)
    body = allergy(record.id)
    entered = api.post("/fhir/AllergyIntolerance", body, as_=AUTHOR)
    assert entered.status == 201, entered.body
    stated = structured(part("11450-4", "Problèmes", "Texte", concern("39", "active", problem(value("I10")))))
    named = [{"system": "https://hospital.example/documents", "value": record.id}]
    record.publish(content=stated, content_type="text/xml", identifier=named)
    assert fed(api, line(record.id)).status == 201
    record.find(SPECIALIST)
    settle(record, clock)
    return record


def settle(record: FedRecord, clock: Clock, trace: str = "") -> None:
    """Chain and seal a trace, by default the record's, and let time go by."""
    record.api.run("AuditSealer", {"record": trace or record.id})
    clock.shift(timedelta(minutes=1))
    record.api.run("AuditSealer")
    clock.shift(timedelta(hours=1))


def order(api: ApiClient, name: str, **event: Any) -> Json:
    """The answer to an order of the operator."""
    answer: Json = api.run("Operations", {"order": name, **event})
    return answer


def pages(api: ApiClient, name: str, **event: Any) -> list[Json]:
    """The answers to an order until nothing is left."""
    found = [order(api, name, **event)]
    while found[-1]["cursor"] is not None:
        found.append(order(api, name, cursor=found[-1]["cursor"], **event))
    return found


def problems(api: ApiClient, name: str, **event: Any) -> list[Json]:
    """What is wrong by the answers to an order, on whatever page."""
    return [one for page in pages(api, name, **event) for one in page["problems"]]


def faults(record: FedRecord, **event: Any) -> list[str]:
    """What an inspection of one record finds."""
    answer = order(record.api, "records", record=record.id, **event)
    return sorted({one["fault"] for one in answer["problems"]})


def items(record: FedRecord, prefix: str) -> list[Json]:
    """The items of a record whose sort keys begin so."""
    return [one for one in record.items() if one["sk"]["S"].startswith(prefix)]


def put(table: str, item: Json) -> None:
    """Write an item as somebody with access to the table would."""
    aws.client("dynamodb").put_item(TableName=table, Item=item)


def drop(table: str, item: Json) -> None:
    """Delete an item as somebody with access to the table would."""
    key = {name: item[name] for name in ("pk", "sk")}
    aws.client("dynamodb").delete_item(TableName=table, Key=key)


def put_seal(record: FedRecord, key: str, content: bytes) -> None:
    """Put another version above what the bucket of the seals holds, which its lock does not forbid."""
    bucket = record.stores["SEALS_BUCKET"]
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=content, ChecksumAlgorithm="SHA256")


def stored(bucket: str) -> list[str]:
    """The keys of all objects of a bucket."""
    found = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [one["Key"] for page in found for one in page.get("Contents", [])]


def scanned(stack: Mapping[str, str]) -> list[Json]:
    """Every item of all records."""
    found = aws.client("dynamodb").get_paginator("scan").paginate(TableName=stack["RECORDS_TABLE"])
    return [dict(item) for page in found for item in page["Items"]]


def records_of(stack: Mapping[str, str]) -> set[str]:
    """The ids of all records."""
    return {pk.removeprefix("R#") for item in scanned(stack) if (pk := item["pk"]["S"]).startswith("R#")}


def ins_item(record: FedRecord) -> Json:
    """The item by which the INS of its person leads to a record."""
    return next(one for one in scanned(record.stores) if one.get("record") == {"S": record.id})
