"""The floor: a handler that makes the AWS calls of a search with boto3 and answers a constant."""

import os
from typing import Any

import boto3

_DYNAMODB = boto3.client("dynamodb")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Query a page of the record and write one item, whatever the event says."""
    _DYNAMODB.query(
        TableName=os.environ["RECORDS_TABLE"],
        KeyConditionExpression="pk = :pk AND sk BETWEEN :low AND :high",
        ExpressionAttributeValues={
            ":pk": {"S": f"R#{event['record']}"},
            ":low": {"S": "D#"},
            ":high": {"S": "D~"},
        },
        ConsistentRead=True,
        ScanIndexForward=False,
        Limit=26,
    )
    item = {"pk": {"S": "bench"}, "sk": {"S": os.urandom(16).hex()}}
    _DYNAMODB.put_item(TableName=os.environ["AUDIT_TABLE"], Item=item)
    return {"statusCode": 200, "body": ""}
