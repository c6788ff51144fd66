"""A bucket of the local stack tells the queue that template.yaml names of each upload, and of nothing else."""

import json
from typing import Any

import boto3

from infra.local.template import Template
from tests.aws_stack import TEMPLATE


def queues_of_uploads() -> list[str]:
    return [url for url in boto3.client("sqs").list_queues()["QueueUrls"] if "UploadQueue" in url]


def told(bucket: str, prefix: str) -> list[dict[str, Any]]:
    """What the queue of uploads was told of objects under a prefix."""
    queues = boto3.client("sqs")
    records: list[dict[str, Any]] = []
    for url in queues_of_uploads():
        while messages := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                records += json.loads(message["Body"]).get("Records", ())
    objects = [record["s3"]["object"] for record in records if record["s3"]["bucket"]["name"] == bucket]
    return [one for one in objects if prefix in one["key"]]


def test_an_upload_is_told_with_its_version_and_an_inline_deposit_is_not(stack: dict[str, str]) -> None:
    bucket, storage = stack["DOCUMENTS_BUCKET"], boto3.client("s3")
    # moto hands nothing over behind a message that a test with another clock left, and that is too old now
    for url in queues_of_uploads():
        boto3.client("sqs").purge_queue(QueueUrl=url)

    stored = storage.put_object(Bucket=bucket, Key="uploads/told/one", Body=b"one")
    storage.put_object(Bucket=bucket, Key="told/two", Body=b"two")

    objects = told(bucket, "told")
    assert [(one["key"], one["size"], one["versionId"]) for one in objects] == [
        ("uploads%2Ftold%2Fone", 3, stored["VersionId"])
    ]


def test_the_template_says_who_is_told_of_uploads_and_of_documents() -> None:
    told = {one.prefix: one for one in Template(TEMPLATE).bucket_notifications}

    queues = {prefix: one.queue["Fn::GetAtt"][0] for prefix, one in told.items()}
    assert queues == {"uploads/": "UploadQueue", "documents/": "ExtractionQueue"}
    assert {(one.bucket, one.event) for one in told.values()} == {("DocumentsBucket", "s3:ObjectCreated:*")}
