"""A record opened for one test, the people around it, and what the stores hold of it, read past the code under test."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dmp.adapters import aws
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.requester_factories import requester_patient, requester_professional, requester_server

AUTHOR = requester_professional("10101234567", "1750100125")
COLLEAGUE = requester_professional("10101234568", "1750100125", name="Camille ROY")
SPECIALIST = requester_professional("10107654321", "1690000005", name="Noa BERNARD")
STRANGER = requester_professional("10103333333", "1310000003", name="Jo PETIT")
HOSPITAL = requester_server("1330000009")

type Json = dict[str, Any]


@dataclass(frozen=True)
class FedRecord:
    """The record of one person, open."""

    api: ApiClient
    id: str
    ins: str
    patient: Requester
    stores: Mapping[str, str]

    def authorise(self, who: Requester = SPECIALIST) -> str:
        """The patient authorises a professional; the Consent's id."""
        answer = self.api.post("/fhir/Consent", bodies.authorisation(self.id, who.identifier.value), as_=self.patient)
        assert answer.status == 201, answer.body
        return answer.id

    def block(self, who: Requester) -> None:
        answer = self.api.post("/fhir/Consent", bodies.block(self.id, who.identifier.value), as_=self.patient)
        assert answer.status == 201, answer.body

    def name_attending_physician(self, who: Requester) -> None:
        body = bodies.attending_physician(self.id, who.identifier.value)
        answer = self.api.post("/fhir/Consent", body, as_=self.patient)
        assert answer.status == 201, answer.body

    def publish(self, as_: Requester = AUTHOR, content: bytes = bodies.PDF, **elements: Any) -> str:
        """Deposit one document; its id."""
        answer = self.api.post("/fhir/DocumentReference", bodies.document(self.id, content, **elements), as_=as_)
        assert answer.status == 201, answer.body
        return answer.id

    def mask(self, document: str) -> None:
        answer = self.api.patch(f"/fhir/DocumentReference/{document}", bodies.MASK, as_=self.patient)
        assert answer.status == 200, answer.body

    def find(self, as_: Requester, query: str = "status=current", **options: Any) -> Response:
        return self.api.get(f"/fhir/DocumentReference?patient={self.id}&{query}", as_=as_, **options)

    def found(self, as_: Requester, query: str = "status=current") -> list[str]:
        """Ids of what a search finds."""
        answer = self.find(as_, query)
        assert answer.status == 200, answer.body
        return [one["id"] for one in answer.resources]

    def items(self) -> list[Json]:
        """Every item of the record's partition."""
        return partition(self.stores["RECORDS_TABLE"], f"R#{self.id}")

    def trace(self) -> list[Json]:
        """Every audit entry of the record, oldest first."""
        return [json.loads(item["entry"]["S"]) for item in partition(self.stores["AUDIT_TABLE"], f"R#{self.id}")]

    def objects(self) -> dict[str, int]:
        """The keys and sizes of every object of the record."""
        pages = aws.client("s3").get_paginator("list_objects_v2")
        bucket = self.stores["DOCUMENTS_BUCKET"]
        prefixes = (f"documents/{self.id}/", f"uploads/{self.id}/")
        found = [page for prefix in prefixes for page in pages.paginate(Bucket=bucket, Prefix=prefix)]
        return {one["Key"]: one["Size"] for page in found for one in page.get("Contents", [])}

    def state(self) -> tuple[list[Json], dict[str, int]]:
        """All that is stored of the record, the trace aside."""
        return self.items(), self.objects()


def open_record(api: ApiClient, stores: Mapping[str, str], ins: str = "") -> FedRecord:
    """A record that nothing was fed into."""
    ins = ins or bodies.new_ins()
    patient = requester_patient(bodies.qualified(ins))
    answer = api.post("/fhir/Patient/$open", bodies.opening(ins), as_=patient)
    assert answer.status == 201, answer.body
    return FedRecord(api, answer.id, ins, patient, stores)


def partition(table: str, pk: str) -> list[Json]:
    """Every item of one partition, in the order of sort keys."""
    pages = aws.client("dynamodb").get_paginator("query")
    values = {":pk": {"S": pk}}
    found = pages.paginate(TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values)
    return [dict(item) for page in found for item in page["Items"]]
