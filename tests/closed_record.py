"""A record with something of every kind in it, on its way out, and the jobs that take it there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from dmp.adapters import aws
from tests import bodies, uploads
from tests.api_client import ApiClient, Caller, Response
from tests.aws_stack import aws_in_process
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord
from tests.requester_factories import requester_patient

JOB = "Retention"
CONTACTS = [{"system": "email", "value": "dominique@example.org"}]
REOPENING = {"method": {"valueCode": "written"}, "date": {"valueDateTime": "2026-03-01"}}


@contextmanager
def small_stack(**parameters: str) -> Iterator[dict[str, str]]:
    """AWS with next to nothing in it: a sweep reads every item of moto's tables for each query of an index."""
    with aws_in_process(Stage="local", Issuers=_ISSUER, LogLevel="ERROR", **parameters) as environment:
        yield environment


_ISSUER = (
    '[{"kind": "patient", "issuer": "https://id.example", "audience": "dmp", "jwks_uri": "https://id.example/jwks"}]'
)


def full_record(api: ApiClient, stores: dict[str, str]) -> FedRecord:
    """A record with documents, one of them masked, one deleted, one uploaded and one awaited whose bytes are there,
    Consents, messages and former versions.
    """
    record = small_record(api, stores)
    record.authorise(SPECIALIST)
    record.name_attending_physician(AUTHOR)
    published = [record.publish(content=bodies.PDF + name) for name in (b"a", b"b")]
    record.mask(published[0])
    assert api.delete(f"/fhir/DocumentReference/{published[1]}", as_=AUTHOR).status == 204
    uploads.uploaded(record, bodies.PDF + b"c")
    uploads.announce(record, bodies.PDF + b"d").send()
    return record


def small_record(api: ApiClient, stores: dict[str, str]) -> FedRecord:
    """A record that holds nothing but the bytes of a deposit that was taken back: a version behind a delete marker."""
    ins = bodies.new_ins()
    patient = requester_patient(bodies.qualified(ins))
    person = {"resource": bodies.patient(ins, telecom=CONTACTS)}
    opened = api.post("/fhir/Patient/$open", bodies.opening(ins, patient=person), as_=patient)
    assert opened.status == 201, opened.body
    client, bucket, key = aws.client("s3"), stores["DOCUMENTS_BUCKET"], f"documents/{opened.id}/orphan"
    client.put_object(Bucket=bucket, Key=key, Body=bodies.PDF)
    client.delete_object(Bucket=bucket, Key=key)
    return FedRecord(api, opened.id, ins, patient, stores)


def forget_what_is_due(stores: dict[str, str]) -> None:
    """Let no job find what other tests left behind."""
    client, table = aws.client("dynamodb"), stores["RECORDS_TABLE"]
    for page in client.get_paginator("scan").paginate(TableName=table, IndexName="by-expiry"):
        for item in page["Items"]:
            key = {"pk": item["pk"], "sk": item["sk"]}
            client.update_item(TableName=table, Key=key, UpdateExpression="REMOVE gx_month, gx_at")


def close(record: FedRecord, as_: Caller = None, **more: Any) -> Response:
    body = bodies.parameters(**{"motive": {"valueCode": "patient-demande"}, **more})
    return record.api.post(f"/fhir/Patient/{record.id}/$close", body, as_=as_ or record.patient)


def reopen(record: FedRecord, as_: Caller = None, **more: Any) -> Response:
    body = bodies.parameters(**REOPENING, **more)
    return record.api.post(f"/fhir/Patient/{record.id}/$reopen", body, as_=as_ or record.patient)


def erase(record: FedRecord, as_: Caller = None) -> Response:
    return record.api.post(f"/fhir/Patient/{record.id}/$erase", as_=as_ or record.patient)


def suspend(suspended: FedRecord, action: str = "suspend", **more: Any) -> dict[str, Any]:
    """The answer to an order of the operator."""
    event = {"record": suspended.id, "action": action, "reason": "Connexions anormales", "operator": "op-7", **more}
    answer: dict[str, Any] = suspended.api.run("Suspension", event)
    return answer


def to_be_erased(api: ApiClient, stores: dict[str, str]) -> FedRecord:
    """A record with one document that the next run erases."""
    record = small_record(api, stores)
    record.publish()
    assert (close(record).status, erase(record).status) == (200, 202)
    return record


@dataclass
class Remaining:
    """A Lambda context whose time runs out after a number of looks at it."""

    looks: int
    aws_request_id: str = field(default="run-1")

    def get_remaining_time_in_millis(self) -> int:
        self.looks -= 1
        return 60_000 if self.looks >= 0 else 9_000


def retain_for(looks: int) -> dict[str, Any]:
    """The answer of a run that has little time."""
    answer: dict[str, Any] = import_module("handlers.scheduled").retention({}, Remaining(looks))
    return answer
