"""Archives as people ask for them: the order, the queue that brings it to its builder, and what the ZIP holds."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3

from dmp.domain.requester import Requester
from tests.api_client import Response
from tests.fed_record import FedRecord

type Json = dict[str, Any]


def ask(record: FedRecord, as_: Requester | None = None) -> Response:
    """POST $export."""
    return record.api.post(f"/fhir/Patient/{record.id}/$export", as_=as_ or record.patient)


def ordered(record: FedRecord, as_: Requester | None = None) -> str:
    """The address of an archive that is asked for, which succeeds."""
    answer = ask(record, as_)
    assert answer.status == 202, answer.body
    return answer.headers["content-location"]


def waiting(record: FedRecord) -> list[Json]:
    """The orders of a record that can be taken from the queue now, as a function gets them; others are dropped."""
    found: list[Json] = []
    queues, url = boto3.client("sqs"), record.stores["EXPORT_QUEUE"]
    while taken := queues.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    ).get("Messages"):
        for one in taken:
            if record.id not in one["Body"]:
                queues.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
                continue
            told = {"messageId": one["MessageId"], "receiptHandle": one["ReceiptHandle"], "body": one["Body"]}
            found.append({**told, "attributes": one["Attributes"]})
    return found


def run(record: FedRecord, *messages: Json) -> list[str]:
    """Hand orders over, and delete what is done; the bodies of those that are to come again."""
    failed = []
    for message in messages:
        answer = record.api.run("ExportBuilder", {"Records": [message]})
        if answer["batchItemFailures"]:
            failed.append(message["body"])
        else:
            queues = boto3.client("sqs")
            queues.delete_message(QueueUrl=record.stores["EXPORT_QUEUE"], ReceiptHandle=message["receiptHandle"])
    return failed


def built(record: FedRecord, as_: Requester | None = None) -> str:
    """The address of an archive that is built, which succeeds."""
    address = ordered(record, as_)
    assert run(record, *waiting(record)) == []
    return address


@dataclass(frozen=True)
class Archive:
    """A ZIP, by its bytes."""

    data: bytes

    @property
    def names(self) -> list[str]:
        return self._opened(lambda archive: archive.namelist())

    def read(self, name: str) -> bytes:
        return self._opened(lambda archive: archive.read(name))

    def resources(self, name: str) -> list[Json]:
        """The resources of an NDJSON file; none where there is no file."""
        if name not in self.names:
            return []
        return [json.loads(line) for line in self.read(name).splitlines()]

    def under(self, folder: str) -> list[str]:
        return [name for name in self.names if name.startswith(folder)]

    def _opened[T](self, read: Callable[[zipfile.ZipFile], T]) -> T:
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
            assert archive.testzip() is None
            return read(archive)


def fetched(record: FedRecord, address: str, as_: Requester | None = None) -> Archive:
    """The archive at an address, which is ready."""
    answer = record.api.get(address, as_=as_ or record.patient)
    assert answer.status == 200, answer.body
    return Archive(answer.body)
